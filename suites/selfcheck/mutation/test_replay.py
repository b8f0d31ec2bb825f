"""A recorded run that is judged anew fails the requirements that it failed, but for what only real keys show (T9)."""

from __future__ import annotations

from typing import Final

import pytest

from suites.selfcheck.mutation import direct, proof, replayed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("replay")]

#: Of each kind, and those first whose answers hold secrets in another form than they were given in. The exact proof has an eighth of all.
FAULTS: Final = (
    "conforming",
    "last-key-in-upper-case",
    "last-key-in-cookie",
    "key-uuid-with-dashes",
    "key-upper-case",
    "key-decimal",
    "key-64-digits",
    "key-not-hexadecimal",
    "key-nul-at-end",
    "key-is-the-hash",
    "key-is-a-link",
    "prefix-of-16-opens",
    "delivery-key-accepted",
    "iso-datetime-turns-keys-round",
    "same-keys-for-all-users",
    "keys-are-the-clock-in-decimal",
    "keys-repeat-after-three",
    "torn-key",
    "parallel-creates-share-a-key",
    "read-gives-previous-key",
    "read-gives-the-latest-key-of-all",
    "demo-refused-but-rotates",
    "subuser-creates",
    "not-json-500",
    "value-called-key",
    "status-flat",
    "cache-s-maxage",
)


@pytest.fixture(scope="module", autouse=True)
def checkout() -> None:
    """Nothing of the environment changes what is run."""
    direct.in_checkout()


@pytest.mark.parametrize("name", FAULTS)
def test_fails_what_the_run_failed(name: str) -> None:
    assert not replayed.difference(proof.run(name))
