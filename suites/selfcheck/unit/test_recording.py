"""Recorded runs: answers stay what they are, stand-ins keep how values are related, and a broken file is one line."""

from __future__ import annotations

import copy
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from contracts import schemas
from contracts.exchange import Exchange, Intent, Refusal, Request, Response
from contracts.ids import T9
from contracts.judge import Judgement
from contracts.recording import LONGEST_BODY, RecordingError, answer_as_json, answer_from_json, parse
from contracts.violation import Violation
from fixtures.errors import SetupError
from fixtures.secrets import Vault
from fixtures.stand_ins import StandIns
from suites.runner import record, replay

SECRET: Final = "9c1de5b0a7f24368be31d0c94f7a6e52"
OTHER: Final = "0b7ad1469ff03c82e5517dab90c3e64f"

INTENT: Final = Intent(
    "create",
    credential=SECRET,
    valid=True,
    account="demo_without_session 2",
    free_form=True,
    front=True,
    style="get-query",
    promise="C1-get-query",
    alike=("post-json", "post-form"),
    equivalences=("C5-iso-datetime-accepted",),
    refusal=Refusal("A2-unknown-hash-refused", "code", frozenset({4, 3}), "E3-code-belongs-to-operation"),
    holder="owner",
    complete=True,
    group=3,
    repeat=True,
)


def answer(body: bytes = b'{"success": true, "value": "x"}', value: Any = "x", **members: Any) -> Judgement:
    """An answer with something in every member."""
    request = Request("POST", f"http://127.0.0.1/v2?hash={SECRET}", (("X-A", "b"), ("X-A", "c")), b"hash=\xff")
    response = Response(200, (("Content-Type", "application/json"),), body, 0.25, cut=True, garbled=True)
    exchange = Exchange(INTENT, request, response, None, True, 1.5, 2.5, 1_793_606_400.0, True)
    violations = (Violation("E4-no-value-in-error", "create: a", "b", "c", (exchange,), ("S3-success-members",)),)
    return replace(Judgement(exchange, "success", value, 7, violations, ambiguous=True), **members)


def members(judgement: Judgement) -> tuple[Any, ...]:
    """All that is said by an answer, which is equal to itself alone."""
    return (
        judgement.exchange,
        judgement.kind,
        judgement.value,
        judgement.code,
        judgement.violations,
        judgement.ambiguous,
    )


def again(judgement: Judgement) -> Judgement:
    """The answer as it comes out of a file."""
    return answer_from_json(json.loads(json.dumps(answer_as_json(judgement))))


class TestAnswers:
    """Answers as data and back."""

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            '{"success": true, "value": "ä€"}'.encode(),
            b"\xff\xfe no text",
            b"\xef\xbb\xbf{}",
            '{"success": true}'.encode("utf-16-le"),
            '{"success": true}'.encode("utf-16-be"),
            bytes(range(256)),
        ],
    )
    def test_stay_what_they_are(self, body: bytes) -> None:
        assert members(again(answer(body))) == members(answer(body))

    def test_without_an_answer_and_without_a_refusal(self) -> None:
        plain = Exchange(Intent(None), Request("GET", "http://127.0.0.1/"), None, "no answer")
        assert members(again(Judgement(plain, "nothing"))) == members(Judgement(plain, "nothing"))

    @pytest.mark.parametrize("value", [None, True, 1, 1.5, {"a": [1, None, {"b": "c"}]}, [], "x"])
    def test_the_value_has_any_form(self, value: Any) -> None:
        assert again(answer(value=value)).value == value

    def test_a_number_that_json_does_not_have_is_left_out(self) -> None:
        assert again(answer(value=float("inf"))).value is None

    def test_of_a_long_body_the_beginning_is_kept(self) -> None:
        whole = b"a" * (LONGEST_BODY - 1) + "ä".encode() * 10
        data = answer_as_json(answer(whole))["response"]["body"]
        assert data["length"] == len(whole)
        assert len(data["sha256"]) == 64
        assert data["text"] == "a" * (LONGEST_BODY - 1)


class TestStandIns:
    """What stands in the place of a secret."""

    @pytest.fixture
    def put(self) -> StandIns:
        vault = Vault()
        vault.add(SECRET, "owner")
        vault.add(OTHER, "key 1 of owner")
        return StandIns(vault)

    def test_have_the_shape_of_the_secret(self, put: StandIns) -> None:
        value = put(SECRET)
        assert len(value) == len(SECRET)
        assert all(one != other for one, other in zip(value, SECRET, strict=True))
        assert [one.isdigit() for one in value] == [one.isdigit() for one in SECRET]
        assert set(value) <= set("0123456789abcdef")

    def test_are_the_same_each_time(self, put: StandIns) -> None:
        assert put(f"a={SECRET}&b={SECRET}") == f"a={put(SECRET)}&b={put(SECRET)}"
        assert put(SECRET) != put(OTHER)

    def test_keep_a_beginning_a_part_and_a_changed_digit(self, put: StandIns) -> None:
        value = put(SECRET)
        assert put(SECRET[:16]) == value[:16]
        assert put(f"…{SECRET[10:]}") == f"…{value[10:]}"
        changed = put(SECRET[:20] + "0" + SECRET[21:])
        assert [place for place in range(32) if changed[place] != value[place]] == [20]
        assert put(SECRET + "0")[:-1] == value

    def test_keep_the_letter_case_and_the_encoding(self, put: StandIns) -> None:
        value = put(SECRET)
        assert put(SECRET.upper()) == value.upper()
        assert put("".join(f"%{ord(char):02X}" for char in SECRET)) == "".join(f"%{ord(char):02X}" for char in value)
        assert put("".join(f"\\u{ord(char):04x}" for char in SECRET)) == "".join(
            f"\\u{ord(char):04x}" for char in value
        )

    def test_keep_the_groups_of_a_uuid(self, put: StandIns) -> None:
        def grouped(text: str) -> str:
            return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

        assert put(grouped(SECRET)) == grouped(put(SECRET))

    def test_leave_all_else_as_it_is(self, put: StandIns) -> None:
        assert put("HTTP 200, 72eeea4bee9042df07d5dcbe09b423e3") == "HTTP 200, 72eeea4bee9042df07d5dcbe09b423e3"

    def test_of_two_runs_are_different(self, put: StandIns) -> None:
        vault = Vault()
        vault.add(SECRET, "owner")
        assert StandIns(vault)(SECRET) != put(SECRET)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
    def test_stand_in_bodies_of_any_encoding(self, put: StandIns, encoding: str) -> None:
        data = answer_as_json(answer(f'{{"value": "{SECRET}"}}'.encode(encoding)), put)
        assert answer_from_json(data).exchange.response.body == f'{{"value": "{put(SECRET)}"}}'.encode(encoding)  # type: ignore[union-attr]

    def test_zeros_do_not_hide_a_secret(self, put: StandIns) -> None:
        for body in (SECRET.encode("utf-32-le"), b"\0".join([SECRET.encode()[:9], SECRET.encode()[9:]]) + b" " * 40):
            data = answer_as_json(answer(body), put)
            assert data["response"]["body"]["text"].strip() == put(SECRET)


def document() -> dict[str, Any]:
    """A recorded run."""
    return copy.deepcopy(schemas.load("history")["examples"][0])


class TestFile:
    """The file of a recorded run."""

    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        vault = Vault()
        vault.add(SECRET, "owner")
        put = StandIns(vault)
        head = {name: value for name, value in document().items() if name not in ("tests", "answers")}
        path = tmp_path / "run.json"
        record.save(path, record.lines(head, document()["tests"], [answer(), answer()], put), vault)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not vault.find(path.read_text(encoding="utf-8"))
        assert [each.name for each in tmp_path.iterdir()] == ["run.json"]
        read = replay.read(path)
        assert read["tests"] == document()["tests"]
        assert read["answers"][1]["intent"]["credential"] == put(SECRET)
        assert read["answers"][0]["sent_at"] == 0

    def test_is_not_written_where_it_would_show_a_secret(self, tmp_path: Path) -> None:
        vault = Vault()
        vault.add(SECRET, "owner")
        path = tmp_path / "run.json"
        path.write_text("old", encoding="utf-8")
        with pytest.raises(SetupError, match="a part of «owner»"):
            record.save(path, ["{}", SECRET[3:]], vault)
        assert path.read_text(encoding="utf-8") == "old"
        assert len(list(tmp_path.iterdir())) == 1

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is not JSON, or was cut off"),
            (json.dumps(document())[:-9], "is not JSON, or was cut off"),
            ("[" * 100_000, "is not JSON, or was cut off"),
            ("[]", "is no recorded run of this suite"),
            ('{"verdict": "conformant"}', "is no recorded run of this suite"),
            (json.dumps(document() | {"format": 2}), "has another format than 1"),
            (json.dumps(document() | {"format": True}), "has another format than 1"),
            (json.dumps(document() | {"answers": [{}]}), "answers[0] is not as its schema says"),
            (json.dumps(document() | {"tests": 1}), "tests is not as its schema says"),
        ],
        ids=range(9),
    )
    def test_that_is_broken_is_refused(self, text: str, said: str) -> None:
        with pytest.raises(RecordingError) as error:
            parse(text)
        assert said in str(error.value)

    def test_that_names_what_there_is_not_is_refused(self) -> None:
        unknown = document()
        unknown["answers"][0]["intent"]["promise"] = "Z9-unknown"
        with pytest.raises(RecordingError, match="does not know: Z9-unknown"):
            parse(json.dumps(unknown))
        beyond = document()
        beyond["tests"][0]["in_question"] = [1]
        with pytest.raises(RecordingError, match="an answer that is not in it"):
            parse(json.dumps(beyond))

    def test_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match=r"none\.json cannot be read: No such file"):
            replay.read(tmp_path / "none.json")


def test_a_secret_of_signs_alone_is_struck_out(tmp_path: Path) -> None:
    """Another sign would be no stand-in, and to refuse the file would take the verdict away."""
    given = "B\xc2\xac\xf2\xa5\xb6\xb7&\xb2!\x02\xf3\xb0\xbc\xa4\x881"
    vault = Vault()
    vault.hide(given, "key 1 of owner")
    row = "," + json.dumps({"text": StandIns(vault)(given)})
    path = tmp_path / "run.json"
    record.save(path, [row], vault)
    written = path.read_text(encoding="ascii")
    assert vault.find(written) == []
    assert "x" * 12 in json.loads(written.removeprefix(","))["text"]


def test_what_only_real_keys_show_is_not_verified_in_a_replay() -> None:
    recorded = document()
    recorded["tests"][0] |= {
        "requirements": [T9],
        "results": {T9: ["failed", "47 keys of this run: keys only ever rise"]},
        "violations": [{"requirement": T9, "message": "a", "expected": "b", "actual": "c", "possible": []}],
    }
    judged = replay.judge_anew(recorded)
    result = next(each for each in judged.results.requirements() if each.requirement.id == T9)
    assert result.result == "not_verified"
    assert "only real keys show" in result.reason
    assert "keys only ever rise" in result.reason
    assert judged.results.tests()["failed"] == 0
