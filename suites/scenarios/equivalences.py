"""Equivalences: what a caller may do that makes no difference, each with the requirement that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contracts.ids import C1_DECODED, C1_PARSED, C2, C5_ISO, C5_UNKNOWN, C6_CASE, C6_CHARSET
from contracts.requirements import catalogue
from fixtures.calls import (
    GET_HEADER,
    GET_QUERY,
    POST_FORM,
    POST_HEADER,
    POST_HEADER_JSON,
    POST_JSON,
    Call,
    Operation,
    Style,
)

#: A string of a JSON document, or what has its place between strings.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')


@dataclass(frozen=True)
class Equivalence:
    """A change of a call that must make no difference, and the requirements by which it must not.

    ``part`` is what of it is for another requirement, and can be sent alone.
    """

    name: str
    requirements: tuple[str, ...]
    change: Callable[[Call], Call]
    part: Equivalence | None = None

    @property
    def binding(self) -> bool:
        """Whether all of it is a MUST."""
        return all(catalogue()[name].binding for name in self.requirements)


def apply(call: Call, equivalences: Sequence[Equivalence]) -> Call:
    """*call* with all of *equivalences*."""
    for each in equivalences:
        call = each.change(call)
    names = [name for each in equivalences for name in each.requirements]
    return call.but(equivalences=tuple(dict.fromkeys(names)))


def _encode(pairs: str) -> str:
    """The value of the first pair of a query or form percent-encoded. Its name stays: it is what a careless reader looks for."""
    name, _, value = pairs.partition("=")
    plain, rest, others = value.partition("&")
    return f"{name}=" + "".join(f"%{ord(char):02x}" for char in plain) + rest + others


def _encode_query(call: Call) -> Call:
    return call.but(query=_encode(call.query))


def _encode_form(call: Call) -> Call:
    return call.but(body=_encode((call.body or b"").decode()).encode())


def _encode_name(call: Call) -> Call:
    name, _, rest = call.query.partition("=")
    return call.but(query="".join(f"%{ord(char):02X}" for char in name) + f"={rest}")


def _with_pair(text: str, *, first: bool) -> Callable[[Call], Call]:
    """A pair before or behind those of the query, or of the form."""

    def added(pairs: str) -> str:
        return "&".join(filter(None, (text, pairs) if first else (pairs, text)))

    def change(call: Call) -> Call:
        if call.method == "GET":
            return call.but(query=added(call.query))
        return call.but(body=added((call.body or b"").decode()).encode())

    return change


def _add_to_json(more: Mapping[str, object], *, first: bool = False) -> Callable[[Call], Call]:
    def change(call: Call) -> Call:
        members = json.loads(call.body or b"{}")
        members = {**more, **members} if first else {**members, **more}
        return call.but(body=json.dumps(members, ensure_ascii=False).encode())

    return change


def _escape_json(form: str) -> Callable[[Call], Call]:
    """The value of hash and all names in escapes, whose digits are written in *form*."""

    def escaped(text: str) -> str:
        return '"' + "".join(f"\\u{format(ord(char), form)}" for char in text) + '"'

    def change(call: Call) -> Call:
        pairs = [
            escaped(name) + ":" + (escaped(value) if name == "hash" else json.dumps(value, ensure_ascii=False))
            for name, value in json.loads(call.body or b"{}").items()
        ]
        return call.but(body=("{" + ",".join(pairs) + "}").encode())

    return change


def _space_json(call: Call) -> Call:
    """White space of each kind before and after everything that is no string."""

    def spaced(token: re.Match[bytes]) -> bytes:
        return token[0] if token[0].startswith(b'"') else b" " + token[0] + b"\n\t"

    return call.but(body=b"\r\n\t" + _TOKEN.sub(spaced, call.body or b"{}") + b"\r\n")


def _type(value: str) -> Callable[[Call], Call]:
    return lambda call: call.with_header("Content-Type", value)


def _charset(call: Call) -> Call:
    return call.with_header("Content-Type", dict(call.headers)["Content-Type"] + "; charset=utf-8")


ISO_HEADER = Equivalence(
    "nvx-iso-datetime-header", (C5_ISO,), lambda call: call.with_header("NVX-ISO-DateTime", "true")
)
ISO_FIRST = Equivalence("iso-datetime-first", (C5_ISO,), _with_pair("iso_datetime=true", first=True))
ISO_LAST = Equivalence("iso-datetime-last", (C5_ISO,), _with_pair("iso_datetime=true", first=False))
_UNKNOWN_FIRST = Equivalence("unknown-parameter-first", (C5_UNKNOWN,), _with_pair("lang=", first=True))
_UNKNOWN_LAST = Equivalence("unknown-parameter-last", (C5_UNKNOWN,), _with_pair("lang=en_US", first=False))
_JSON_ISO = Equivalence("iso-datetime-in-json", (C5_ISO,), _add_to_json({"iso_datetime": True}))
_JSON_ORDER = Equivalence(
    "members-in-other-order", (C1_PARSED, C5_ISO), _add_to_json({"iso_datetime": True}, first=True), _JSON_ISO
)
_JSON_UNKNOWN = Equivalence(
    "unknown-member-first",
    (C5_UNKNOWN,),
    _add_to_json({"device": None, "app": {"name": "\u043d/", "major": 1, "beta": None}}, first=True),
)
_QUERY_ENCODED = Equivalence("percent-encoded", (C1_DECODED,), _encode_query)
_NAME_ENCODED = Equivalence("percent-encoded-name", (C1_DECODED,), _encode_name)
_FORM_ENCODED = Equivalence("percent-encoded", (C2,), _encode_form)
_SPACE = Equivalence("white-space", (C1_PARSED,), _space_json)
_ESCAPES = Equivalence("escapes", (C1_PARSED,), _escape_json("04x"))
_CAPITAL_ESCAPES = Equivalence("escapes", (C1_PARSED,), _escape_json("04X"))
_JSON_TYPE = Equivalence("media-type-in-other-case", (C6_CASE,), _type("Application/JSON"))
_CHARSET = Equivalence("charset", (C6_CHARSET,), _charset)
_FORM_TYPE = Equivalence("media-type-in-capitals", (C6_CASE,), _type("Application/X-WWW-Form-URLEncoded"))
_JSON_UNKNOWN_LAST = Equivalence("unknown-member", (C5_UNKNOWN,), _add_to_json({"lang": "en_US"}))

#: What one call has all at once; only where that does not fit is each sent alone. What comes first in one operation comes last in
#: the other. Reads first, then one between creates: a create would hide that something has changed the key, or was not kept itself.
TOGETHER: tuple[tuple[str, Operation, Style, tuple[Equivalence, ...]], ...] = (
    ("", "read", GET_QUERY, (_QUERY_ENCODED, ISO_FIRST, _UNKNOWN_LAST)),
    ("-name", "read", GET_QUERY, (_NAME_ENCODED, ISO_HEADER)),
    ("", "read", POST_JSON, (_JSON_ORDER, _JSON_UNKNOWN, _ESCAPES, _SPACE, _CHARSET)),
    ("", "create", GET_QUERY, (_QUERY_ENCODED, ISO_LAST, _UNKNOWN_FIRST)),
    ("", "read", POST_FORM, (_FORM_ENCODED, ISO_FIRST, _UNKNOWN_LAST, _FORM_TYPE)),
    ("", "create", POST_JSON, (_JSON_ORDER, _JSON_UNKNOWN, _CAPITAL_ESCAPES, _SPACE, _JSON_TYPE, _CHARSET)),
    ("", "read", GET_HEADER, (ISO_LAST, _UNKNOWN_LAST)),
    ("", "create", POST_FORM, (_FORM_ENCODED, ISO_LAST, _UNKNOWN_FIRST, _FORM_TYPE)),
    ("", "read", POST_HEADER_JSON, (_JSON_ISO, _JSON_UNKNOWN_LAST, _JSON_TYPE)),
    ("", "create", GET_HEADER, (ISO_HEADER, _UNKNOWN_LAST)),
    ("", "create", POST_HEADER, (ISO_HEADER,)),
    ("", "create", POST_HEADER_JSON, (_JSON_ISO, _JSON_UNKNOWN_LAST, _CHARSET)),
)
