"""Histories written by hand: answers of a target, one after the other, for the register and the attribution."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from contracts.attribution.explanation import Explanation, explain
from contracts.exchange import Exchange, Intent, Refusal, Request, Response
from contracts.ids import A2, C1_GET, C1_JSON, C2, C3_GET, C3_POST
from contracts.judge import Judgement
from contracts.requirements import catalogue
from contracts.violation import Violation

ROOT = "http://127.0.0.1/v2/user/session/delivery/"
#: Call styles by name, with method and promise.
STYLES = {
    "get-query": ("GET", C1_GET),
    "post-json": ("POST", C1_JSON),
    "post-form": ("POST", C2),
    "get-header": ("GET", C3_GET),
    "post-header": ("POST", C3_POST),
    "post-header-json": ("POST", C3_POST),
}

#: How a call with an unknown hash is refused.
UNKNOWN = Refusal(A2, "code", frozenset({3, 4}))
#: The letter of an account in the steps of ``play``.
_ACCOUNTS = {
    "": "owner",
    "o": "other_owner",
    "w": "owner_without_session",
    "d": "demo_without_session",
    "D": "demo_with_session",
    "s": "subuser",
    "t": "tariff_restricted",
}
_STEP = re.compile(r"(?P<account>[owdDst]?)(?P<kind>[crCRumhpa])(?P<number>\d*)")


def key(number: int) -> str:
    """The key of this number: 32 digits without a pattern of their own."""
    return f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128:032x}"


@dataclass
class Script:
    """Answers in the order in which they were written; each takes a second, and a second lies between them."""

    answers: list[Judgement] = field(default_factory=list)
    now: float = 0.0

    def add(
        self,
        operation: str | None,
        account: str | None = "owner",
        *,
        value: str | None = None,
        code: int | None = None,
        status: int | None = None,
        style: str = "get-query",
        method: str | None = None,
        valid: bool = True,
        equivalences: tuple[str, ...] = (),
        refusal: Refusal | None = None,
        holder: str | None = None,
        group: int = 0,
        span: tuple[float, float] | None = None,
        ambiguous: bool = False,
        breaks: tuple[str, ...] = (),
        repeat: bool = False,
        media_type: str | None = None,
    ) -> Judgement:
        """An answer: a success with *value*, an error with *code*, or none of both (no envelope); a rule found that it *breaks* these."""
        how, promise = STYLES[style]
        sent, ended = span or (self.now, self.now + 1)
        if span is None:
            self.now += 2
        intent = Intent(
            operation,
            credential=f"credential of {account}" if valid else "0" * 31,
            valid=valid,
            account=account if valid else None,
            style=style if operation else "",
            promise=promise,
            equivalences=equivalences,
            refusal=refusal,
            holder=holder or (account if valid else None),
            group=group,
            repeat=repeat,
        )
        kind = "success" if value is not None else "error" if code is not None else "foreign"
        given = status or (200 if value is not None else 400)
        exchange = Exchange(
            intent,
            Request(method or how, ROOT + (operation or "other")),
            Response(given, (("Content-Type", media_type),) if media_type is not None else ()),
            sent_at=sent,
            ended_at=ended,
            time=sent,
        )
        violations = tuple(Violation(each, "", "", "") for each in breaks)
        answer = Judgement(exchange, kind, value, code, violations, ambiguous)  # type: ignore[arg-type]
        self.answers.append(answer)
        return answer

    def create(self, number: int, account: str = "owner", style: str = "get-query") -> Judgement:
        """A create that gives the key of this number."""
        return self.add("create", account, value=key(number), style=style)

    def read(self, number: int | None, account: str = "owner", style: str = "get-query") -> Judgement:
        """A read that gives the key of this number, or 201."""
        if number is None:
            return self.add("read", account, code=201, style=style)
        return self.add("read", account, value=key(number), style=style)

    def unknown(self, operation: str = "create", code: int = 4) -> Judgement:
        """A call with an unknown hash that is refused."""
        return self.add(operation, None, code=code, valid=False, refusal=UNKNOWN)

    def explain(self) -> Explanation:
        """What explains the history."""
        return explain(self.answers, catalogue())

    @property
    def broken(self) -> set[str]:
        """The requirements that the history breaks."""
        return set(self.explain().broken)


def without(script: Script, index: int) -> Script:
    """The same history without one answer."""
    return replace(script, answers=[each for number, each in enumerate(script.answers) if number != index])


def play(steps: str) -> Script:
    """A history: ``c1`` creates key 1 and ``r1`` reads it, ``r`` reads 201; ``C13`` and ``R4`` are refused with that code.

    ``u`` is a create with an unknown hash that is refused, ``m`` a PUT, ``h`` a HEAD, ``p`` a create that gets a page, ``a`` an
    unknown action. A letter before it says as whom.
    """
    script = Script()
    for step in steps.split():
        found = _STEP.fullmatch(step)
        assert found is not None, step
        account, number = _ACCOUNTS[found["account"]], int(found["number"] or 0)
        match found["kind"]:
            case "c":
                script.create(number, account)
            case "r":
                script.read(number or None, account)
            case "C":
                script.add("create", account, code=number)
            case "R":
                script.add("read", account, code=number)
            case "u":
                script.unknown()
            case "m":
                script.add("create", account, code=112, method="PUT")
            case "h":
                script.add("create", account, method="HEAD", code=None)
            case "p":
                script.add("create", account, status=500)
            case "a":
                script.add(
                    None,
                    None,
                    code=111,
                    valid=False,
                    holder=account,
                    refusal=Refusal("C7-unknown-action-refused", "any"),
                )
    return script
