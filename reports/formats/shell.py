"""Shell commands that repeat an exchange: any POSIX shell and curl, with variables where secrets were.

What is made from a secret is written as what the shell makes it from: ``"${DELIVERY_OWNER_HASH%?}"`` for a prefix. So a
command can be handed on, and repeats the call of whoever sets the variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby, pairwise, zip_longest
from shlex import quote
from typing import Final

from contracts.exchange import Request
from fixtures.secrets import Piece, Secret, Vault

#: What curl sends of its own accord, or must not be made to send.
_LIBRARY_HEADERS: Final = frozenset({"user-agent", "accept", "accept-encoding", "connection", "host"})
#: The longest argument that every system passes on is 128 KiB.
_LONGEST_ARGUMENT: Final = 100_000
#: What is left of a body when what repeats in it is written as such.
_LONGEST_LITERAL: Final = 4_000
#: What is written as a repetition, at its beginning: to match all of a long one takes as long as to send it.
_REPEATED: Final = re.compile(r"(?s)([^\n]{1,8}?)\1{39}")
_STEP: Final = 500
_NAMED: Final = re.compile(r"«(.+) of the target file»")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}")
_ALNUM: Final = re.compile("[0-9A-Za-z]")
_ATOM: Final = re.compile(rf"{_ESCAPE.pattern}|.", re.DOTALL)
#: A part of a secret that lacks no more than so many characters at one end is written with as many question marks.
_FEW: Final = 8


def variable(label: str) -> str:
    """The shell variable that stands for a secret: ``DELIVERY_OWNER_HASH``, ``KEY_3_OF_OWNER``."""
    name = "".join(char if char.isalnum() and char.isascii() else "_" for char in label).upper()
    return name if label.startswith("key ") else f"DELIVERY_{name}_HASH"


def curl(request: Request, vault: Vault) -> str:
    """A curl command that sends *request* again."""
    parts = ["curl -sS -i"]
    if re.search(r"[\[\]{}]", request.url):
        parts.append("-g")
    if re.search(r"/\.\.?(/|$|\?)", request.url):
        parts.append("--path-as-is")
    if request.method == "HEAD":
        parts.append("--head")
    elif request.method != ("POST" if request.body else "GET"):
        parts.append(f"-X {request.method}")
    parts.append(word(request.url, vault))
    names = set()
    for name, value in request.headers:
        names.add(name.lower())
        if name.lower() in _LIBRARY_HEADERS or (name.lower() == "content-length" and request.body):
            continue
        parts.append("-H " + (word(f"{name}: {value}", vault, "latin-1") if value else quote(f"{name};")))
    if not request.body:
        return " ".join(parts)
    if "content-type" not in names:
        parts.append("-H 'Content-Type:'")
    return _with_body(parts, request.body, vault)


def _with_body(parts: Sequence[str], body: bytes, vault: Vault) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text:
        data = word(text, vault)
        if len(data) <= _LONGEST_LITERAL:
            if len(text) <= _LONGEST_ARGUMENT:
                return " ".join([*parts, f"--data-raw {data}"])
            return " ".join([f"printf %s {data} |", *parts, "--data-binary @-"])
    data = "".join(_escaped(body.decode("latin-1"), vault))
    if len(data) <= _LONGEST_LITERAL:
        return " ".join([f"printf %b {data} |", *parts, "--data-binary @-"])
    return " ".join([*parts, f"--data-binary @body  # the {len(body)} bytes of the request"])


def _escaped(text: str, vault: Vault) -> Iterable[str]:
    """Bytes, one a character, as words for printf's ``%b``, which knows octal escapes."""
    for literal, expansion in _split(text, vault):
        if literal:
            octal = "".join(char if " " <= char <= "~" and char != "\\" else f"\\0{ord(char):03o}" for char in literal)
            yield quote(octal)
        yield expansion


def word(text: str, vault: Vault, encoding: str = "utf-8") -> str:
    """*text* as one word of the shell, secrets as variables and long repetitions as what repeats."""
    named = _NAMED.search(text)
    if named:
        name = variable(named.group(1)).removeprefix("DELIVERY_").removesuffix("_HASH")
        return f'{quote(text[: named.start()])}"$HEADER_{name}"'
    words: list[str] = []
    for literal, expansion in _split(text, vault):
        words += [*_literals(literal, encoding), expansion]
    return "".join(words) or "''"


def _split(text: str, vault: Vault) -> Iterable[tuple[str, str]]:
    """The stretches of *text* that are no secret, each with the expansion of what follows it."""
    pieces = vault.find(text)
    expanded = [(piece.start, piece.end, _expansion(piece, text[piece.start : piece.end])) for piece in pieces]
    end = 0
    for start, stop, expansion in sorted([*expanded, *_replaced(text, pieces)]):
        yield text[end:start], expansion
        end = stop
    yield text[end:], ""


def _replaced(text: str, pieces: Sequence[Piece]) -> Iterable[tuple[int, int, str]]:
    """Where one character stands in the place of another of a secret, before, behind or between *pieces* of it."""
    places: dict[int, tuple[Secret, int]] = {}
    for piece in pieces:
        last = piece.offset + len(piece.text)
        if piece.offset == 1:
            places[piece.start - 1] = piece.secret, 0
        if last == len(piece.secret.reveal()) - 1:
            places[piece.end] = piece.secret, last
    for one, other in pairwise(pieces):
        place = one.offset + len(one.text)
        if one.secret is other.secret and other.start - one.end == 1 and other.offset == place + 1:
            places[one.end] = one.secret, place
    shown = {index for piece in pieces for index in range(piece.start, piece.end)}
    for index, (secret, place) in places.items():
        free = 0 <= index < len(text) and index not in shown
        if free and _ALNUM.fullmatch(text[index]) and text[index] != secret.reveal()[place]:
            yield index, index + 1, _another(variable(secret.label), place, text[index])


def _another(name: str, place: int, char: str) -> str:
    """The character *char*, or another one where that is what the variable holds at this *place*."""
    instead = "1" if char == "0" else "0"
    return f'"$(printf %s "${name}" | cut -c{place + 1} | sed -e s/{char}/{instead}/ -e t -e s/./{char}/)"'


@lru_cache(maxsize=64)
def _literals(text: str, encoding: str) -> Sequence[str]:
    """*text*, in which no secret is, as words; most calls go to the same few addresses."""
    words: list[str] = []
    end = 0
    found = _REPEATED.search(text)
    while found:
        unit, start = found.group(1), found.start()
        stop = _end_of(text, unit, found.end())
        if unit.isascii() and unit.isprintable():
            words += _literal(text[end:start], encoding)
            pattern = unit.replace("\\", "\\\\").replace("%", "%%")
            words.append(f'"$(printf {quote(pattern + "%.0s")} $(seq {(stop - start) // len(unit)}))"')
            end = stop
        found = _REPEATED.search(text, stop)
    return (*words, *_literal(text[end:], encoding))


def _end_of(text: str, unit: str, position: int) -> int:
    """Where in *text* from *position* on *unit* no longer stands again and again."""
    for times in (_STEP, 1):
        while text.startswith(unit * times, position):
            position += times * len(unit)
    return position


def _literal(text: str, encoding: str) -> Iterable[str]:
    # A line feed stands in the quotes as itself: at the end of what printf writes the shell would drop it.
    for stretch in re.split(r"(\n+)", text):
        if not stretch:
            continue
        if stretch[0] == "\n" or (stretch.isprintable() and (stretch.isascii() or encoding == "utf-8")):
            yield quote(stretch)
            continue
        shown = []
        for char in stretch:
            if char in "%\\":
                shown.append(char * 2)
            elif char.isascii() and char.isprintable() and char != "'":
                shown.append(char)
            else:
                shown += [f"\\{byte:03o}" for byte in char.encode(encoding, "replace")]
        yield f"\"$(printf '{''.join(shown)}')\""


def _expansion(piece: Piece, raw: str) -> str:
    """A secret, or what was made from it, as expansions of its variable; *raw* is how it stands in the text."""
    name = variable(piece.secret.label)
    value = piece.secret.reveal()
    if piece.encoded and piece.text != value:
        return _not_shown(name)
    if piece.encoded:
        return _encoded(name, value, raw) if _ESCAPE.search(raw) else _in_groups(name, raw)
    if piece.text == value:
        return f'"${name}"'
    if piece.text == value.upper():
        return f'"$(printf %s "${name}" | tr a-z A-Z)"'
    if piece.text == value.lower():
        return f'"$(printf %s "${name}" | tr A-Z a-z)"'
    return _in_stretches(name, value, piece)


def _in_stretches(name: str, value: str, piece: Piece) -> str:
    """What is near the secret, in stretches that it has in this place, and others that it has not."""
    words: list[str] = []
    disguised = 0
    for same, stretch in groupby(range(len(piece.text)), lambda index: _same(piece, value, index)):
        indexes = list(stretch)
        first, last = piece.offset + indexes[0], piece.offset + indexes[-1] + 1
        if same:
            words.append(_part(name, len(value), first, last))
        else:
            other = piece.text[indexes[0] : indexes[-1] + 1]
            one = _ALNUM.fullmatch(other) and 0 <= first < len(value)
            words.append(_another(name, first, other) if one else quote(other))
            disguised += sum(_same(piece, value, index, any_case=True) for index in indexes)
    # In another letter case most of it would stand here as it is.
    return "".join(words) if disguised < 6 else _not_shown(name)


def _part(name: str, size: int, first: int, last: int) -> str:
    """The characters *first* to *last* of a variable whose value has *size* of them."""
    if first == 0 and size - last <= _FEW:
        return f'"${{{name}%{"?" * (size - last)}}}"' if last < size else f'"${name}"'
    if last == size and first <= _FEW:
        return f'"${{{name}#{"?" * first}}}"'
    return f'"$(printf %s "${name}" | cut -c{first + 1}-{last})"'


def _in_groups(name: str, raw: str) -> str:
    """The secret in groups, as a UUID is, with what separates them in *raw*."""
    parts = re.split(r"([-:._])", raw)
    size = sum(len(part) for part in parts[::2])
    words: list[str] = []
    end = 0
    for group, separator in zip_longest(parts[::2], parts[1::2], fillvalue=""):
        words += [_part(name, size, end, end + len(group)), separator]
        end += len(group)
    return "".join(words)


def _encoded(name: str, value: str, raw: str) -> str:
    """The secret with those of its characters encoded that are so in *raw*."""
    atoms = _ATOM.findall(raw)
    at = [index for index, atom in enumerate(atoms) if len(atom) > 1]
    forms = {("%" if atom[0] == "%" else "u", atom[1:].upper() == atom[1:]) for atom in atoms if len(atom) > 1}
    if len(atoms) != len(value) or len({form for form, _ in forms}) != 1:
        return _not_shown(name)
    upper = all(flag for _, flag in forms) and any(
        char in "ABCDEF" for atom in atoms for char in atom[1:] if len(atom) > 1
    )
    digits = "X" if upper else "x"
    pattern = f"%%%02{digits}" if next(iter(forms))[0] == "%" else f"\\\\u%04{digits}"
    encode = f"printf '{pattern}' \"'$c\""
    if len(at) < len(value):
        places = "|".join(str(place + 1) for place in at)
        encode = f'case $i in {places}) {encode};; *) printf %s "$c";; esac'
    return f'"$(for i in $(seq {len(value)}); do c=$(printf %s "${name}" | cut -c"$i"); {encode}; done)"'


def _not_shown(name: str) -> str:
    return f"'(made from ${name})'"


def _same(piece: Piece, value: str, index: int, *, any_case: bool = False) -> bool:
    place = piece.offset + index
    if not 0 <= place < len(value):
        return False
    one, other = piece.text[index], value[place]
    return one.lower() == other.lower() if any_case else one == other
