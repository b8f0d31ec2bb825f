"""Copied to ``test_leaking.py`` and run: each test shows the credential of ``owner``, or a key of it, and most then fail."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from typing import Any
from urllib.parse import quote

import allure
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from contracts.anomaly import Anomaly
from fixtures.calls import GET_QUERY, POST_JSON, Call
from fixtures.errors import NotAvailable, SetupError
from suites.runner.check import Blocked, Check

pytestmark = pytest.mark.requirement("S1-success-is-200")

PLANTED = os.environ["PLANTED"]
#: A port on which nobody listens.
DEAD = "http://127.0.0.1:9/v2/user/session/delivery/read"


class HelperError(Exception):
    """An error of a helper."""


@pytest.fixture
def secret(check: Check) -> str:
    return check.account("owner").credential.reveal()


@pytest.fixture
def key(check: Check) -> str:
    answer = check.call("create", POST_JSON, check.account("owner"))
    assert answer.key is not None
    return answer.key


@pytest.fixture
def breaks_before(check: Check) -> str:
    value = check.account("owner").credential.reveal()
    raise HelperError(f"cannot set up with {value}")


@pytest.fixture
def breaks_after(secret: str) -> Any:
    yield secret
    requests.get(f"{DEAD}?hash={secret}", timeout=1)


# ---------------------------------------------------------------------- assertions


def test_assert_equal(secret: str, key: str) -> None:
    assert secret == key


def test_assert_in_a_document(secret: str, key: str) -> None:
    assert {"success": True, "value": key, "hash": secret} == {"success": True, "value": "0" * 32, "hash": ""}


def test_assert_long_lists(secret: str) -> None:
    assert [f"{number} {secret}" for number in range(60)] == [f"{number} {secret.upper()}" for number in range(60)]


def test_assert_with_a_message(secret: str) -> None:
    local = {"nested": [secret, (secret.upper(),)]}
    assert local is None, f"the hash is {secret!r}, its bytes {secret.encode()!r}"


def test_assert_near_misses(secret: str) -> None:
    assert [secret[:31], secret + "0", "f" + secret[1:], secret[:16], secret.swapcase()] == []


def test_assert_encoded(secret: str) -> None:
    everything = "".join(f"%{ord(char):02x}" for char in secret)
    half = "".join(f"%{ord(char):02X}" if number % 2 else char for number, char in enumerate(secret))
    escaped = "".join(f"\\u{ord(char):04x}" for char in secret)
    assert (everything, half, escaped, quote(f"?hash={secret}")) == ()


def test_explicit_fail(secret: str) -> None:
    pytest.fail(f"refused {secret}")


def test_explicit_skip(secret: str) -> None:
    pytest.skip(f"not for {secret}")


def test_expected_failure(secret: str) -> None:
    pytest.xfail(f"known for {secret}")


@pytest.mark.parametrize("value", [PLANTED])
def test_parameter(value: str) -> None:
    raise AssertionError


@pytest.mark.parametrize("value", [PLANTED])
def test_parameter_of_a_passing_test(value: str, check: Check) -> None:
    pass


# ---------------------------------------------------------------------- exceptions


def test_exception_with_the_url(secret: str) -> None:
    requests.get(f"{DEAD}?hash={secret}", timeout=1)


def test_exception_with_the_body(secret: str) -> None:
    requests.post(DEAD, json={"hash": secret}, headers={"Authorization": f"NVX {secret}"}, timeout=1)


def test_time_out(check: Check, secret: str) -> None:
    requests.get(f"{check.run.session.base_url}/user/session/delivery/read?hash={secret}", timeout=0.000001)


def test_raise_for_status(check: Check, secret: str) -> None:
    requests.get(f"{check.run.session.base_url}/nothing?hash={secret}", timeout=5).raise_for_status()


def test_chain(secret: str) -> None:
    try:
        try:
            raise ValueError(f"first {secret}")
        except ValueError as error:
            raise HelperError(f"second {secret}") from error
    except HelperError:
        raise RuntimeError(f"third {secret}")  # noqa: B904


def test_group(secret: str) -> None:
    raise ExceptionGroup(f"many {secret}", [ValueError(secret), TypeError(secret)])


def test_note(secret: str) -> None:
    error = ValueError("a note follows")
    error.add_note(f"with {secret}")
    raise error


def test_blocked(secret: str) -> None:
    raise Blocked(f"blocked by {secret}")


def test_not_available(secret: str) -> None:
    raise NotAvailable(f"none for {secret}")


def test_violation(check: Check, secret: str) -> None:
    answer = check.call("read", GET_QUERY, check.account("owner"))
    found = Anomaly(
        frozenset({"S1-success-is-200"}),
        answer,
        f"expected {secret.upper()}",
        f"actual {secret[:20]}",
        f"what {secret}",
    )
    check.report(found)


def test_warning_of_a_violation(check: Check, secret: str) -> None:
    answer = check.call("read", GET_QUERY, check.account("owner"))
    found = Anomaly(frozenset({"P1-no-internals"}), answer, f"expected {secret}", f"actual {secret}", f"what {secret}")
    check.report(found)


def test_guard(check: Check, secret: str) -> None:
    check.send(Call("read", "GET", "/user/session/delivery/read", query=f"hash={secret}&hash={secret}", body=b"x"))


def test_set_up_fails(breaks_before: str) -> None:
    pass


def test_tear_down_fails(breaks_after: str) -> None:
    pass


# ---------------------------------------------------------------------- generated


def test_hypothesis_counter_example(secret: str, key: str) -> None:
    @settings(max_examples=5, database=None)
    @given(st.sampled_from([secret, key]), st.just({"hash": secret}))
    def inner(value: str, document: dict[str, str]) -> None:
        assert value == document

    inner()


def test_hypothesis_several(secret: str) -> None:
    @settings(max_examples=20, database=None, report_multiple_bugs=True, print_blob=True)
    @given(st.integers(0, 9))
    def inner(number: int) -> None:
        if number % 2:
            raise ValueError(f"{secret} {number}")
        raise KeyError(secret)

    inner()


def test_state_machine(secret: str) -> None:
    class Machine(RuleBasedStateMachine):
        @rule(value=st.just(secret))
        def use(self, value: str) -> None:
            assert value != secret

    run_state_machine_as_test(Machine, settings=settings(max_examples=3, database=None))


def test_schemathesis(check: Check, secret: str) -> None:
    from suites.scenarios.strategies import contract

    operation = contract()["/user/session/delivery/read"]["POST"]
    case = operation.Case(body={"hash": secret, "other": [secret]}, media_type="application/json")
    case.call_and_validate(base_url=check.run.session.base_url, checks=[refuse])


def refuse(context: Any, response: Any, case: Any) -> None:
    raise AssertionError(f"{case.body} is refused: {response.content!r}")


def test_schemathesis_without_a_target(secret: str) -> None:
    from suites.scenarios.strategies import contract

    operation = contract()["/user/session/delivery/read"]["GET"]
    operation.Case(query={"hash": secret}).call(base_url="http://127.0.0.1:9/v2")


# ---------------------------------------------------------------------- what is printed, logged, attached


def test_prints(secret: str, key: str) -> None:
    print("printed", secret, key)
    print(f"err {secret.upper()}", file=sys.stderr)
    sys.stdout.writelines([secret, "\n"])
    sys.stdout.buffer.write(f"raw {secret}\n".encode())
    sys.stdout.buffer.flush()


def test_logs(secret: str) -> None:
    logging.getLogger("leaking").debug("debug %s", secret)
    logging.getLogger("leaking").error("error %(hash)s", {"hash": secret})
    logging.getLogger("leaking").warning("does not fit %s %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("leaking").exception("with its trace")
    logging.getLogger("leaking").critical("with its stack %s", secret, stack_info=True)
    pytest.fail("see the log")


def test_warns(secret: str) -> None:
    warnings.warn(f"beware of {secret}", stacklevel=1)


def test_thread(secret: str) -> None:
    def work() -> None:
        raise HelperError(f"in a thread {secret}")

    thread = threading.Thread(target=work, name=f"thread of {secret}")
    thread.start()
    thread.join()


def test_lost(secret: str) -> None:
    class Lost:
        def __del__(self) -> None:
            raise HelperError(f"lost {secret}")

    Lost()


def test_allure(secret: str) -> None:
    allure.attach(f"GET /?hash={secret}", "raw")
    allure.attach(b"\x00\xff" + secret.encode(), "bytes")
    allure.dynamic.parameter("hash", secret)
    allure.dynamic.title(f"title {secret}")
    allure.dynamic.description(f"description {secret}")
    allure.dynamic.link(f"http://127.0.0.1/?hash={secret}", name=secret)
    with allure.step(f"step {secret}"):
        raise HelperError(secret)


def test_attached_file(secret: str, tmp_path: Any) -> None:
    (tmp_path / "note.txt").write_text(secret)
    (tmp_path / "note.bin").write_bytes(b"\xff" + secret.encode())
    allure.attach.file(str(tmp_path / "note.txt"), "file")
    allure.attach.file(str(tmp_path / "note.bin"), "binary")


def test_recorded(secret: str, record_property: Any) -> None:
    record_property("hash", secret)


def test_subtests(secret: str, subtests: Any) -> None:
    with subtests.test(msg=f"sub {secret}", value=secret):
        raise AssertionError(secret)


@pytest.mark.skipif("ENDING" not in os.environ, reason="ends the run")
def test_zz_end_of_the_run(secret: str, key: str) -> None:
    local = [secret, key]
    ending = os.environ["ENDING"]
    if ending == "exit":
        pytest.exit(f"ended by {secret}", returncode=3)
    if ending == "setup":
        raise SetupError(f"the hook said {secret}")
    if ending == "interrupt":
        raise KeyboardInterrupt(f"{local} {secret}")
    if ending == "system":
        raise SystemExit(secret)
