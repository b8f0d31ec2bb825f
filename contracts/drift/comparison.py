"""The contract beside another document: its operations, their methods and addresses, and who may call them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contracts import codes
from contracts.drift.answers import answers
from contracts.drift.calls import body, parameters, security
from contracts.drift.difference import Difference, Drift, besides, lacks, otherwise
from contracts.drift.document import OPERATIONS, RIGHT, Document, Node, mapping, said, sequence, text, words

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_C8 = "C8-slash-at-the-end"


def compare(contract: Node, published: object) -> Drift:
    """Compare `contract`, the bundle, with the document `published`. Raises ``DriftError`` where that is no such document."""
    theirs = Document.of(published)
    ours = Document.of(contract)
    differences: list[Difference] = []
    for operation in OPERATIONS:
        differences += _operation(operation, ours, theirs)
    differences += _other_actions(theirs)
    return Drift(theirs.title, tuple(dict.fromkeys(differences)))


def _operation(operation: codes.Operation, ours: Document, theirs: Document) -> Iterator[Difference]:
    """What differs in one operation: its methods and addresses, and each call by a method that it has."""
    item = theirs.item(operation)
    if not item:
        yield otherwise(operation, "there is no such call", "C1-get-query", "C1-post-json")
        return
    calls = {method: mapping(item[method]) for method in _METHODS if method in item}
    about = "\n".join(words(each) for each in (item, *calls.values()))
    yield from _methods(operation, calls, about)
    yield from _slash(operation, calls, about, theirs)
    if operation == "create":
        yield from _right(operation, about, calls)
    for method in ("get", "post"):
        if method in calls:
            place = f"{method.upper()} {operation}"
            yield from security(place, method, item, calls[method], theirs)
            yield from parameters(place, method, item, calls[method], theirs)
            if method == "post":
                yield from body(place, calls[method], theirs)
            yield from answers(place, operation, ours.item(operation)[method], calls[method], theirs)


def _methods(place: str, calls: Node, about: str) -> Iterator[Difference]:
    """The methods by which it can be called, or that its words name."""
    for method in calls:
        if method in ("put", "delete", "patch"):
            what = "the call can be made this way"
            yield otherwise(f"{method.upper()} {place}", what, "C7-other-methods-refused")
    if "get" not in calls and not re.search(r"\bGET\b", about):
        yield lacks(place, "a call by GET", "C1-get-query", "C3-header-with-get")
    if "post" not in calls and not re.search(r"\bPOST\b", about):
        yield lacks(place, "a call by POST", "C1-post-json", "C2-post-form", "C3-header-with-post")
    if any(call.get("deprecated") is True for call in calls.values()):
        yield besides(place, "that the call is deprecated")


def _slash(operation: str, calls: Node, about: str, theirs: Document) -> Iterator[Difference]:
    """The address with a slash at its end, beside the one without."""
    if operation not in theirs.actions:
        yield lacks(operation, "the address without a slash at its end", _C8)
        return
    item = theirs.follow(theirs.actions.get(f"{operation}/"))
    everywhere = about + words(mapping(theirs.root.get("info")))
    if not item and not re.search(rf"\bslash\b|/{operation}/(?!\w)", everywhere):
        yield lacks(operation, "the address with a slash at its end", _C8)
    for method in ("get", "post"):
        responses = mapping(mapping(item.get(method)).get("responses"))
        classes = {text(status)[:1] for status in responses} & set("12345")
        if method in calls and classes and "2" not in classes:
            what = "the call does not succeed at the address with a slash at its end; here it means the same"
            yield otherwise(f"{method.upper()} {operation}/", what, _C8)


def _other_actions(theirs: Document) -> Iterator[Difference]:
    for action in dict.fromkeys(each.rstrip("/") for each in theirs.actions):
        if action not in OPERATIONS:
            yield besides(said(action), "an action that is not described here", "C7-unknown-action-refused")


def _right(place: str, about: str, calls: Node) -> Iterator[Difference]:
    """Who may create."""
    extensions = (value for call in calls.values() for name, value in call.items() if text(name).startswith("x-"))
    everything = "\n".join((about, *(each for value in extensions for each in _texts(value, set()))))
    if RIGHT in everything:
        return
    if re.search(r"\badmin\b|\bmaster\b", everything):
        what = f"the right is called admin, for master users only; here it is {RIGHT}, which a sub-user can be given"
        yield besides(place, what, "T6-subuser-create-refused")
    else:
        yield lacks(place, f"the right {RIGHT}", "T6-subuser-create-refused")


def _texts(node: object, seen: set[int]) -> Iterator[str]:
    """Every text in `node`, and every name of a member, each part of it once."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif id(each) not in seen:
            seen.add(id(each))
            waiting += [*mapping(each).keys(), *mapping(each).values(), *sequence(each)]
