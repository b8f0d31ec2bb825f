"""The vault finds every stretch of twelve characters of a secret, however it is written, and leaves the rest alone."""

from __future__ import annotations

import json
import random
import time
from urllib.parse import quote

import pytest

from fixtures.secrets import LEAK, Secret, Vault

OWNER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
KEY = "42fc7d3068cb98d233c3af749dee4a8d"


@pytest.fixture
def vault() -> Vault:
    made = Vault()
    made.add(OWNER, "owner")
    made.add(KEY, "key 1 of owner")
    return made


def _runs(text: str, size: int = LEAK) -> set[str]:
    return {text[start : start + size].lower() for start in range(len(text) - size + 1)}


def _leaks(text: str) -> set[str]:
    return (_runs(OWNER) | _runs(KEY)) & _runs(text)


def test_whole_secrets_are_named(vault: Vault) -> None:
    assert vault.mask(f"a {OWNER} b {KEY} c") == "a «owner» b «key 1 of owner» c"
    assert vault.mask(OWNER) == "«owner»"


@pytest.mark.parametrize("secret", [OWNER, KEY], ids=["owner", "key"])
def test_every_stretch_of_twelve_is_masked(vault: Vault, secret: str) -> None:
    for start in range(len(secret)):
        for end in range(start + LEAK, len(secret) + 1):
            for before, after in (("", ""), ("x ", " y"), ("hash=", "&a=1"), ("zz", "zz"), ('"', '"')):
                masked = vault.mask(before + secret[start:end] + after)
                assert _leaks(masked) == set(), (start, end)
                assert masked.startswith(before[:1])


def test_shorter_stretches_are_left(vault: Vault) -> None:
    for start in range(len(KEY) - LEAK + 2):
        text = f"x {KEY[start : start + LEAK - 1]} y"
        assert vault.mask(text) == text


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.upper,
        str.title,
        lambda text: "".join(f"%{ord(char):02x}" for char in text),
        lambda text: "".join(f"%{ord(char):02X}" for char in text),
        lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
        lambda text: "".join(f"\\\\u{ord(char):04X}" for char in text),
        lambda text: "".join(char if index % 2 else f"%{ord(char):02x}" for index, char in enumerate(text)),
        lambda text: text[:16] + "".join(f"%{ord(char):02x}" for char in text[16:]),
    ],
    ids=["plain", "upper", "title", "percent", "percent-upper", "json", "json-in-json", "every-other", "half"],
)
def test_every_way_of_writing_it(vault: Vault, write: object) -> None:
    assert callable(write)
    written = write(OWNER)
    masked = vault.mask(f"before {written} after")
    assert "«owner" in masked
    assert written not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def _near_misses(text: str) -> list[str]:
    return [
        text[:-1],
        text + "0",
        "0" + text,
        text + text,
        text[:15] + ("0" if text[15] != "0" else "1") + text[16:],
        text[:16] + "-" + text[16:],
        text[:16],
        text[16:],
        text[:20] + "zzzz",
        "%" + text[3:16],
        "\\" + text[3:16],
        OWNER[:16] + KEY[16:],
        OWNER + KEY,
        OWNER[:20] + KEY + OWNER[12:],
    ]


@pytest.mark.parametrize("index", range(14))
def test_near_misses(vault: Vault, index: int) -> None:
    for secret in (OWNER, KEY):
        masked = vault.mask(f'{{"hash": "{_near_misses(secret)[index]}"}}')
        assert _leaks(masked) == set()
        assert masked.startswith('{"hash": "')
        assert masked.endswith('"}')


def test_secrets_that_overlap_one_another() -> None:
    vault = Vault()
    first, second = "abcdefabcdefabcdef000000", "abcdef000000fedcba987654"
    vault.add(first, "first")
    vault.add(second, "second")
    for text in (first + second, second + first, first[:18] + second, first + second[12:], first[6:] + second[:18]):
        assert (_runs(first) | _runs(second)) & _runs(vault.mask(text)) == set()


def test_secret_within_a_secret() -> None:
    vault = Vault()
    vault.add("0123456789abcdef", "short")
    vault.add("ffff0123456789abcdefffff", "long")
    assert "0123456789ab" not in vault.mask("x ffff0123456789abcdefffff y")
    assert vault.mask("x 0123456789abcdef y") == "x «short» y"


def test_secrets_of_other_letters() -> None:
    vault = Vault()
    for name, value in (("token", "Tr0ub4dor&3/=x+y"), ("eight", "pass-w0r"), ("words", "correct horse battery")):
        vault.add(value, name)
        assert value not in vault.mask(f"({value})")
        assert name in vault.mask(f"({value})")
        assert value not in vault.mask(quote(value, safe=""))
        assert quote(value, safe="") not in vault.mask(f"hash={quote(value, safe='')}&x=1")
        assert value not in vault.mask(json.dumps({"hash": value}))


@pytest.mark.parametrize("depth", range(5))
def test_escapes_in_a_repr_of_a_repr(vault: Vault, depth: int) -> None:
    text = "".join(f"\\u{ord(char):04x}" for char in OWNER)
    for _ in range(depth):
        text = repr(text)
    masked = vault.mask(f"refused {text}")
    assert "owner" in masked
    assert "u00" not in masked


def test_harmless_text_is_left_alone(vault: Vault) -> None:
    for text in (
        "",
        "HTTP 400, an error with code 3",
        "%7B%22hash%22%3A%22%22%7D",
        "\\u0068\\u0065\\u006c\\u006c\\u006f",
        "deadbeef cafe babe 0123456789",
        "f3e2d1c0b9a8978685746352413021ff",
        "ключ ключ ключ",
        "İstanbul ſß",
    ):
        assert vault.mask(text) == text


def test_random_text_with_and_without_secrets(vault: Vault) -> None:
    dice = random.Random(7)
    alphabet = "0123456789abcdefABCDEF%\\u \n\"'{}:&=-xyzé"
    for _ in range(5_000):
        noise = "".join(dice.choice(alphabet) for _ in range(dice.randrange(60)))
        start = dice.randrange(20)
        part = OWNER[start : start + dice.randrange(LEAK, 33)]
        place = dice.randrange(len(noise) + 1)
        assert _leaks(vault.mask(noise[:place] + part + noise[place:])) == set()


def test_empty_vault_changes_nothing() -> None:
    assert Vault().mask(f"a {OWNER} b") == f"a {OWNER} b"


def test_first_label_stays(vault: Vault) -> None:
    assert vault.add(OWNER, "somebody").label == "owner"
    assert vault.get(OWNER) == Secret(OWNER, "anything")
    assert vault.get("x") is None


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(OWNER, "owner")
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{ {'a': secret} }"):
        assert OWNER not in text
        assert "«owner»" in text
    assert secret.reveal() == OWNER
    assert not hasattr(secret, "__dict__")
    with pytest.raises(AssertionError) as caught:
        assert secret == Secret(KEY, "key")
    assert OWNER not in str(caught.value)


@pytest.mark.parametrize(
    "piece",
    ["f" * 64, OWNER[:11] + " ", f"{OWNER} ", "%41", "\\u0061", "0123456789abcdef" * 4 + "\n", "lorem ipsum ", "%"],
    ids=["one-token", "almost", "secrets", "percent", "json", "digits", "words", "signs"],
)
def test_a_megabyte_is_masked_in_a_moment(piece: str) -> None:
    vault = Vault()
    dice = random.Random(3)
    for number in range(200):
        vault.add(f"{dice.getrandbits(128):032x}", f"key {number}")
    vault.add(OWNER, "owner")
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    masked = vault.mask(text)
    assert time.process_time() - started < 6
    assert OWNER not in masked


def test_what_only_looked_like_a_key_is_named_once_it_is_known() -> None:
    vault = Vault()
    vault.conceal(f"(session {KEY})", "")
    assert vault.mask(KEY) == "«key 1 of somebody»"
    vault.add(KEY, "key 1 of demo")
    assert vault.mask(KEY) == "«key 1 of demo»"
