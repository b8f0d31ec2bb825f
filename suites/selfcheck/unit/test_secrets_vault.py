"""The vault finds every stretch of twelve characters of a secret, however it is written, and leaves the rest alone."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from fixtures import secret_index
from fixtures.secret_index import LEAK
from fixtures.secrets import Secret, Vault

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


def test_tokens_that_begin_alike_are_all_concealed() -> None:
    """As the tokens of one issuer do."""
    header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    first, second = f"{header}.{KEY}.{KEY[::-1]}", f"{header}.{OWNER}.{OWNER[::-1]}"
    vault = Vault()
    vault.conceal([first], "")
    vault.conceal([second], "")
    assert vault.mask(f"a {first} b {second} c") == "a «key 1 of somebody» b «key 2 of somebody» c"


def test_a_token_that_is_known_but_for_a_word_keeps_its_name() -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    vault.conceal([f"session-of-the-owner-{OWNER}"], "")
    assert vault.mask(f"session-of-the-owner-{OWNER}") == "session-of-the-owner-«owner»"


def test_what_was_sent_is_not_concealed() -> None:
    vault = Vault()
    vault.conceal([KEY, OWNER], f"hash={KEY.upper()}")
    assert vault.mask(f"{KEY} {OWNER}") == f"{KEY} «key 1 of somebody»"


def test_what_was_made_from_a_secret_goes_by_its_name(vault: Vault) -> None:
    owner = vault.get(OWNER)
    assert owner is not None
    made, near = "f" * 31 + "0", KEY[:-1] + "0"
    vault.derive(f"x {made} {near} {made[:-1]}", owner)
    assert vault.mask(made) == "«owner, altered»"
    # What shows a secret anyway keeps the name of that one.
    assert vault.mask(near) == "«key 1 of owner, altered»"
    assert made not in vault.values()


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (0, 0, (0, 12)),
        (90, 90, (0, 192)),
        (94, 94, (0, 200)),
        (95, 94, (95, 107)),
        (150, 150, (150, 162)),
        (189, 0, (189, 201)),
        (0, 189, (0, 12)),
    ],
)
def test_the_rest_of_a_token_goes_with_what_it_was_made_of(
    vault: Vault, before: int, after: int, shown: tuple[int, int]
) -> None:
    [piece] = vault.find("f" * before + KEY[:LEAK] + "e" * after)
    assert (piece.start, piece.end) == shown


def test_where_a_token_stands_makes_no_difference(vault: Vault) -> None:
    far = "z " * 200
    [piece] = vault.find(far + "f" * 20 + KEY[:LEAK] + "e" * 20)
    assert (piece.start, piece.end) == (len(far), len(far) + 52)


def test_the_shortest_secret_is_related_to_what_holds_it() -> None:
    vault = Vault()
    secret = vault.add("abcd1234", "owner")
    assert vault.related("x-ABCD1234-y") is secret
    assert vault.related("abcd123") is secret


def test_of_two_in_one_token_each_has_its_own(vault: Vault) -> None:
    pieces = vault.find("f" * 9 + KEY[:LEAK] + "e" * 9 + OWNER[3:20] + "d" * 9)
    assert [(piece.start, piece.end) for piece in pieces] == [(9, 21), (30, 47)]
    apart = vault.find("ff" + KEY[:LEAK] + "gg" + OWNER[3:20] + "ee")
    assert [(piece.start, piece.end) for piece in apart] == [(0, 14), (16, 35)]


def test_what_is_hidden_is_nothing_to_judge_by() -> None:
    vault = Vault()
    vault.hide(KEY, "key 1 of owner")
    assert vault.mask(KEY) == "«key 1 of owner»"
    assert list(vault.values()) == []


# ---------------------------------------------------------------------- credentials that begin alike

ALIKE = {name: f"{number:032d}" for number, name in enumerate(("owner", "other_owner", "subuser", "ended"), 1)}


@pytest.fixture
def alike() -> Vault:
    made = Vault()
    for name, value in ALIKE.items():
        made.add(value, name)
    return made


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("write", [str, quote, json.dumps, lambda text: "".join(f"%{ord(char):02x}" for char in text)])
def test_a_whole_credential_is_itself(alike: Vault, name: str, write: Callable[[str], str]) -> None:
    (piece,) = alike.find(f"hash={write(ALIKE[name])}&x=1")
    assert (piece.secret.label, piece.whole) == (name, True)


def test_two_whole_ones_beside_each_other(alike: Vault) -> None:
    assert alike.mask(ALIKE["ended"] + ALIKE["owner"] + " " + ALIKE["subuser"]) == "«ended»«owner» «subuser»"


def test_a_near_miss_may_be_of_any_of_them(alike: Vault) -> None:
    assert {secret.label for secret in alike.sharing(ALIKE["owner"][:-1])} == set(ALIKE)
    assert alike.sharing("0123456789ab") == []
    assert "altered" in alike.mask(ALIKE["owner"] + "0")


def test_the_longest_that_matches_wins() -> None:
    vault = Vault()
    for size in (12, 13, 20, 30):
        vault.add("abcdefghijklmnopqrstuvwxyz0123456789"[:size], f"of {size}")
    vault.add("abcdefghijklm!", "another")
    assert vault.mask("abcdefghijklmnopqrstuvwxyz0123456789"[:25]) == "«of 20»uvwxy"
    assert vault.mask("abcdefghijklm!") == "«another»"
    assert vault.mask("abcdefghijklm?") == "«of 13»?"


def test_letter_case_tells_two_apart() -> None:
    vault = Vault()
    vault.add("Abcdef123456", "first")
    vault.add("aBcdef123456", "second")
    assert vault.mask("aBcdef123456 Abcdef123456") == "«second» «first»"


def test_related() -> None:
    vault = Vault()
    owner = vault.add(OWNER, "owner")
    assert vault.related(OWNER.upper()) == owner
    assert vault.related(OWNER + "0") == owner
    assert vault.related(OWNER[:-1]) == owner
    assert vault.related(OWNER[:-1] + "x") is None


# ---------------------------------------------------------------------- short ones, and odd forms


@pytest.mark.parametrize("longer", ["correct horse battery", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "before pass 99"])
def test_a_short_credential_beside_a_longer_one(longer: str) -> None:
    vault = Vault()
    vault.add("pass1234", "short")
    vault.add(longer, "long")
    vault.add("token-of-11", "eleven")
    assert vault.mask("before pass1234, after") == "before «short», after"
    assert vault.mask("x=%20pass1234") == "x=%20«short»"
    assert vault.mask("pass1234") == "«short»"
    assert vault.mask(f"a {longer} token-of-11") == "a «long» «eleven»"
    assert vault.mask("pass123 oken-of-11") == "pass123 oken-of-11"


@pytest.mark.parametrize(
    "form",
    [
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
        ":".join(OWNER[place : place + 2] for place in range(0, 32, 2)),
        ".".join(OWNER[place : place + 4] for place in range(0, 32, 4)),
        "%30%61" + OWNER[2:],
        "0\\u0061" + OWNER[2:],
    ],
)
def test_forms_in_groups(vault: Vault, form: str) -> None:
    masked = vault.mask(f"({form})")
    assert masked == "(«owner, encoded»)"


@pytest.mark.parametrize("before", ["", "a-b ", "a-b:c.d_e "])
def test_what_separates_other_words_hides_no_groups(vault: Vault, before: str) -> None:
    assert vault.mask(f"{before}{OWNER[:8]}-{OWNER[8:]}") == f"{before}«owner, encoded»"


@pytest.mark.parametrize(("before", "after"), [("\\n", ""), ("xz", ""), ("", "xyz"), ("q", "#x1F"), ("\\n", "\\n")])
def test_letters_beside_groups_hide_none(vault: Vault, before: str, after: str) -> None:
    """As an escape of a line's end is, in a text that was quoted."""
    assert vault.mask(f"{before}0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9{after}") == f"{before}«owner, encoded»{after}"


@pytest.mark.parametrize(
    "key",
    [
        "12|" + "aB3dE6gH9jK2mN5pQ8rT" * 2,
        "one two three 4 five six",
        "a,b#c d;e 1234567",
        ".".join(["eyJhbGciOiJIUzI1NiJ9", "c2Vzc2lvbi0x" * 80, "9f8e7d6c5b4a39281706f5e4d3c2b1a0"]),
        "1234567890" * 4,
    ],
    ids=["sanctum", "spaces", "signs", "jwt", "digits"],
)
def test_keys_of_other_forms(key: str) -> None:
    vault = Vault()
    vault.add(key, "key 1 of owner")
    for text in (key, json.dumps({"value": key}), f"x {key} y", quote(key, safe="")):
        masked = vault.mask(text)
        assert "«key 1 of owner" in masked
        assert not (_runs(key, 24) & _runs(masked, 24))
    assert "«key 1 of owner, altered»" in vault.mask(f"x {key[-30:]} y") or len(key) < 30


@pytest.mark.parametrize("seed", range(3))
def test_whole_secrets_are_found_among_any(seed: int) -> None:
    """Against the plain definition: at each place the longest secret that stands there, from the left."""
    dice = random.Random(seed)
    for _ in range(300):
        values = {"".join(dice.choice("ab1") for _ in range(dice.randint(8, 14))) for _ in range(6)}
        vault = Vault()
        for value in values:
            vault.add(value, value)
        text = "".join(dice.choice([*values, "a", "b", "1", " "]) for _ in range(12))
        wholes = [piece for piece in vault.find(text) if piece.whole]
        assert all(piece.secret.reveal() == piece.text for piece in wholes)
        masked = vault.mask(text)
        spoken = "".join(part for index, part in enumerate(masked.replace("»", "«").split("«")) if index % 2 == 0)
        assert not any(value in spoken for value in values)


def test_keys_that_begin_alike_cost_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in steps, not in seconds: at each place of a text they are looked up once."""
    looked_up: list[int] = []
    real = secret_index._Alike.longest

    def longest(self: secret_index._Alike, text: str, start: int) -> str | None:
        looked_up.append(start)
        return real(self, text, start)

    monkeypatch.setattr(secret_index._Alike, "longest", longest)
    vault = Vault()
    for size in range(12, 400):
        vault.add("a" * size + "b", f"key {size} of owner")
    text = "a" * 4_000
    masked = vault.mask(text)
    assert "a" * LEAK not in masked
    assert len(looked_up) <= len(text)
    looked_up.clear()
    assert vault.mask(text + "b").endswith("«key 399 of owner»")
    assert len(looked_up) <= len(text)


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (KEY[:20], "«key 1 of owner, altered»"),
        (quote(KEY).replace("a", "%61"), "«key 1 of owner, encoded»"),
        (f"{KEY[:8]}-{KEY[8:16]}-{KEY[16:]}", "«key 1 of owner, encoded»"),
    ],
    ids=["a-part", "encoded", "in-groups"],
)
def test_what_stands_behind_a_whole_secret_is_masked_where_it_stands(vault: Vault, shown: str, name: str) -> None:
    """Each kind is looked for in what the ones before it have left of the text."""
    assert vault.mask(f"{OWNER} then {shown} and more") == f"«owner» then {name} and more"
    assert vault.mask(f"{shown} then {OWNER} and {shown} and more") == f"{name} then «owner» and {name} and more"


# ---------------------------------------------------------------------- what is found where


def _percent(text: str) -> str:
    return "".join(f"%{ord(char):02x}" for char in text)


@pytest.mark.parametrize("shown", [KEY, KEY.upper()], ids=["itself", "upper-case"])
def test_what_only_looked_like_a_key_is_named_once_it_is_known(shown: str) -> None:
    vault = Vault()
    vault.conceal([KEY], "")
    assert vault.mask(shown) == "«key 1 of somebody»"
    vault.add(KEY, "key 1 of owner")
    assert vault.mask(shown) == "«key 1 of owner»"


def test_of_two_that_differ_in_letter_case_the_first_has_all_other_forms() -> None:
    vault = Vault()
    vault.add("Abcdefgh1", "one")
    vault.add("aBcdefgh1", "two")
    assert vault.mask("Abcdefgh1 aBcdefgh1 ABCDEFGH1") == "«one» «two» «one»"


@pytest.mark.parametrize(
    ("token", "concealed"),
    [
        ("abcdefghij12", True),
        ("abcdefghijk1", False),
        ("abcdefghi12", False),
        ("12ghijklmnop" + KEY, True),
        ("12ghijklmno" + KEY, False),
        (KEY + "ghijklmnop12", True),
        (KEY + "ghijklmno12", False),
    ],
)
def test_what_is_left_of_a_token(token: str, concealed: bool) -> None:
    """Twelve characters, two of them digits, could be a key."""
    vault = Vault()
    vault.add(KEY, "key 1 of owner")
    vault.conceal([token], "")
    assert ("of somebody" in vault.mask(token)) is concealed


def test_the_room_for_what_only_looks_like_a_key() -> None:
    vault = Vault()
    dice = random.Random(1)
    large = "".join(dice.choice("0123456789abcdef") for _ in range(65_535))
    vault.hide(large + "0" * 2, "too large")
    assert vault.mask(large[:40]) == large[:40]
    vault.hide(large + "0", "large")
    assert vault.mask(large[:40]) == "«large, altered»"
    vault.hide(KEY, "no room")
    assert vault.mask(KEY) == KEY


def test_a_near_miss_that_is_too_short_to_be_found_by_what_it_has_of_a_secret() -> None:
    vault = Vault()
    secret = vault.add("pass1234", "owner")
    long = vault.add(OWNER, "other")
    vault.derive_from("pass1234", secret)
    vault.derive_from(OWNER + "0", long)
    assert vault.mask("pass1234") == "«owner»"
    assert vault.mask("pass123x") == "pass123x"
    vault.derive_from("pass123x", secret)
    assert vault.mask("pass123x") == "«owner, altered»"
    # Only what was not found takes a number.
    vault.conceal([KEY], "")
    assert vault.mask(KEY) == "«key 2 of somebody»"


def test_all_secrets_in_their_order(vault: Vault) -> None:
    vault.hide("0123456789ab", "hidden")
    assert [(each.reveal(), each.label) for each in vault.secrets()] == [(OWNER, "owner"), (KEY, "key 1 of owner")]
    assert list(vault.values()) == [OWNER, KEY]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (OWNER, ["owner"]),
        (f"x{OWNER[:12]}", ["owner"]),
        (OWNER[-12:].upper(), ["owner"]),
        (OWNER[:11], []),
        (OWNER[-11:], []),
        (OWNER[-8:], []),
        ("x12345678", ["eight"]),
        ("1234567", []),
        ("an abcdefghijk", ["eleven"]),
        ("bcdefghijk", []),
        (f"{KEY[-12:]}12345678", ["key", "eight"]),
        ("", []),
    ],
)
def test_who_shares_a_stretch(text: str, labels: list[str]) -> None:
    vault = Vault()
    for value, label in ((OWNER, "owner"), (KEY, "key"), ("12345678", "eight"), ("abcdefghijk", "eleven")):
        vault.add(value, label)
    assert [each.label for each in vault.sharing(text)] == labels


def test_masked_texts_are_kept_while_there_is_room() -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    for number in range(150):
        text = f"{number:03}".ljust(20_000)
        assert vault.mask(text) == text
        # Fifty of them are all that is kept: the next one has the room for itself.
        assert len(vault._masked.texts) == number % 50 + 1
    assert vault.mask(f"text {OWNER}") == vault.mask(f"text {OWNER}") == "text «owner»"


def test_a_long_text_is_masked_anew_each_time() -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    assert vault.mask(OWNER.ljust(20_001)) == "«owner»".ljust(20_001 - len(OWNER) + len("«owner»"))
    assert not vault._masked.texts


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("quixotically-put", id="of other characters"),
        pytest.param("feedbeef", id="shorter"),
        pytest.param("3b9f0c4d8e215a7600c4f3d19be7a852", id="of the same kind"),
    ],
)
def test_what_held_no_secret_is_searched_again_for_a_new_one(secret: str) -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    text = f"the word is {secret}"
    assert vault.mask(text) == text
    vault.add(secret, "owner 2")
    assert vault.mask(text) == "the word is «owner 2»"


def test_plain_texts_are_known_again_while_there_is_room() -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    plain = vault._plain
    for number in range(5_000):
        assert vault.find(f"plain line {number}") == []
    assert len(plain._texts) == 4_096
    vault.add(KEY, "key 1 of owner")
    # Another secret of the same length and characters is made of what none of them holds.
    assert vault._plain is plain
    vault.add("quixotically-put", "other")
    assert vault._plain is not plain


@pytest.mark.parametrize(("size", "kept"), [(400, 1), (401, 0)])
def test_a_long_text_is_not_kept_as_plain(size: int, kept: int) -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    assert vault.find("x" * size) == []
    assert len(vault._plain._texts) == kept


@pytest.mark.parametrize("text", [OWNER[:12], OWNER[:12].upper(), "%30" + OWNER[1:12], "0a-1b-2c", "\\u0030a"])
def test_what_may_show_a_secret_is_not_plain(text: str) -> None:
    vault = Vault()
    vault.add(OWNER, "owner")
    vault.find(f"it is {text}")
    assert not vault._plain._texts


@pytest.mark.parametrize("before", ["aİ", "aİz", "aİzy", "\n", "\0", "é"])
def test_what_stands_before_an_escape(before: str) -> None:
    """Some letters are longer in lower case: with one of them a token is not looked for in any letter case."""
    vault = Vault()
    vault.add(OWNER, "owner")
    assert vault.mask(before + _percent(OWNER.upper())) == f"{before}«owner, encoded»"


@pytest.mark.parametrize("before", ["", "x" * 150 + " ", "x" * 250 + " ", "x " * 300])
@pytest.mark.parametrize("plain", [0, 1, 15, 16, 31])
def test_a_secret_of_which_a_part_is_escaped(before: str, plain: int, vault: Vault) -> None:
    assert vault.mask(before + OWNER[:plain] + _percent(OWNER[plain:])) == f"{before}«owner, encoded»"


@pytest.mark.parametrize(
    ("plain", "masked"),
    [
        (199, "«long, encoded»"),
        (200, "«long, encoded»"),
        (201, "{first}«long, altered»"),
        (250, "«long, altered»«long, altered»"),
    ],
)
def test_so_much_before_an_escape_is_of_one_token(plain: int, masked: str) -> None:
    dice = random.Random(2)
    long = "".join(dice.choice("ghijklmnopqrstuvwxyz0123456789") for _ in range(300))
    vault = Vault()
    vault.add(long, "long")
    assert vault.mask(long[:plain] + _percent(long[plain:])) == masked.format(first=long[0])


def test_what_an_earlier_escape_ended_with_is_of_that_one() -> None:
    vault = Vault()
    vault.add("x%zzabcdefghij1", "odd")
    assert vault.mask("%41x%zzabcdefghij%31") == "%41x«odd, altered»"
