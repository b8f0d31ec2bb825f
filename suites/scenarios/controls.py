"""Positive and negative controls: the baseline calls that make a refusal or a success count, sent once in a run.

A target that says no to everything would pass every check of a refusal, one that says yes to everything every check of
a success. So a refusal counts only where the same operation in the same style succeeds with good credentials, and a
success only where a bad credential is refused in that style and ``read`` follows ``create``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import pytest

from contracts.ids import C3_GET, C3_POST, C4_SCHEME, C4_SPACE
from contracts.judge import Judgement
from contracts.refusals import rate_limited
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY, OPERATIONS, POST_FORM, POST_JSON, Operation, Style
from fixtures.errors import NotAvailable, SetupError, TargetLost
from fixtures.http.health import wall
from suites.runner.check import Blocked, Check
from suites.runner.run import UNKNOWN, Run, unknown_hash

#: Where the baseline sends another one: hashes that look like a default open nothing either.
_SPECIAL = {("read", "post-json"): "0" * 32, ("create", "get-query"): "f" * 32}

#: Styles by which the baseline creates twice by the same request: who keeps the answer to the first gives it again. By the
#: first of them reads come between, by the second nothing does: it may be taken for one that was sent twice.
_TWICE, _TWICE_AT_ONCE = POST_JSON, GET_QUERY

#: The style in which a bad credential is tried between a create and the first read of its key.
_REFUSED_BETWEEN = POST_FORM

#: So often at most a create that breaks down is made once more: where it breaks down in more styles, it is no chance.
_BREAKDOWNS = 2

#: Codes of a target that is in trouble, or has had enough of calls: they say nothing of the credential.
_TROUBLE = frozenset({1, 6, 8, 14, 15})

#: What is said of the Authorization header, and can be seen nowhere else.
_OF_THE_HEADER = frozenset({C3_GET, C3_POST, C4_SCHEME, C4_SPACE})


@dataclass(frozen=True)
class Read:
    """A read of the baseline, the create before it that was not refused, and how many of them there were before."""

    style: Style
    answer: Judgement
    after: Judgement | None = None
    creates: int = 0


@dataclass
class Controls:
    """The baseline of a run, and what it shows."""

    run: Run
    owner: Account | None = None
    creates: dict[str, Judgement] = field(default_factory=dict)
    again: list[Judgement] = field(default_factory=list)
    #: The server errors, and closed connections, after which ``create`` was called once more in the same style.
    broken_down: dict[str, Judgement] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    unknown: dict[tuple[str, str], Judgement] = field(default_factory=dict)
    _ended: NotAvailable | TargetLost | None = None
    _done: bool = False

    # ------------------------------------------------------------------ gathering

    def gather(self) -> None:
        """Send the baseline, once. Raises ``NotAvailable`` where there is no owner, ``SetupError`` where it is refused throughout."""
        if self._ended is not None:
            raise type(self._ended)(str(self._ended))
        if self._done:
            return
        self._done = True
        group, self.run.session.group = self.run.session.group, "baseline"
        try:
            self.owner = self.run.accounts.shared("owner")
            self._send_all(self.owner)
        except (NotAvailable, TargetLost) as error:
            self._ended = error
            raise
        finally:
            self.run.session.group = group
        self._check_owner(self.owner)

    def _good(self, operation: Operation, style: Style, owner: Account) -> Judgement:
        return self.run.send(self.run.call(operation, style, owner))

    def _send_all(self, owner: Account) -> None:
        if self.run.may_rotate(owner):
            self._create_and_read(owner)
        else:
            for style in (*self.run.styles, *self.run.styles):
                self._read(style, owner, None)
        for style in self.run.styles:
            for operation in OPERATIONS:
                self._refused(operation, style)

    def _refused(self, operation: Operation, style: Style) -> None:
        """A call with an unknown hash, once in each operation and style."""
        if (operation, style.name) not in self.unknown:
            first = self.run.first_contact if (operation, style) == ("read", GET_QUERY) else None
            value = _SPECIAL.get((operation, style.name), UNKNOWN)
            self.unknown[operation, style.name] = first or self.run.send(unknown_hash(operation, style, value))

    def _create_and_read(self, owner: Account) -> None:
        styles = self.run.styles
        last: Judgement | None = None
        # The key from before the run counts too: create must not give it again.
        self._good("read", styles[0], owner)
        for index, style in enumerate(styles):
            answer = self._good("create", style, owner)
            if (answer.server_error or answer.exchange.closed) and len(self.broken_down) < _BREAKDOWNS:
                # By itself that says nothing of the style: the next one shows it. One that takes all the time there is will do so again.
                self.broken_down[style.name] = answer
                last, answer = _last_key(answer, last), self._good("create", style, owner)
            self.creates[style.name] = answer
            last = _last_key(answer, last)
            if style is _TWICE_AT_ONCE:
                last = self._again(style, owner, last)
            if style is _REFUSED_BETWEEN:
                # What is refused right after it undoes no create.
                self._refused("create", style)
            # Once as it was created, once in another style: a style may remember what it said itself.
            for step in (1,) if self.run.smoke else (0, 1 + index % 2):
                self._read(styles[(index + step) % len(styles)], owner, last)
            if style is _TWICE:
                last = self._again(style, owner, last)
        # Once more in every style: a read that answers well once or twice may still be wrong as often as asked.
        for style in styles[2:3] or styles:
            self._read(style, owner, last)

    def _again(self, style: Style, owner: Account, last: Judgement | None) -> Judgement | None:
        """Create once more, unless this is a smoke run; the create whose key counts then."""
        if self.run.smoke:
            return last
        self.again.append(self._good("create", style, owner))
        return _last_key(self.again[-1], last)

    def _read(self, style: Style, owner: Account, last: Judgement | None) -> None:
        answer = self._good("read", style, owner)
        creates = sum(each.kind != "error" for each in (*self.creates.values(), *self.again))
        self.reads.append(Read(style, answer, last, creates))

    def _check_owner(self, owner: Account) -> None:
        answers = [*self.creates.values(), *(read.answer for read in self.reads)]
        if not answers:
            return
        barred = wall(answer.exchange.response for answer in answers)
        if barred is not None:
            raise SetupError(f"{self.run.session.base_url}: {barred}")
        if any(answer.kind != "error" for answer in answers):
            return
        codes = sorted({answer.code for answer in answers if answer.code is not None})
        only_missing = not self.creates and codes == [201]
        if only_missing or not codes or _TROUBLE.intersection(codes):
            return
        if not owner.fresh:
            shown = ", ".join(map(str, codes))
            raise SetupError(
                f"the account owner is refused by every call in every style (code {shown}): either its credential is not that of a "
                "master user whose session lives, or the target refuses good credentials"
            )

    # ------------------------------------------------------------------ what it shows

    @property
    def answers(self) -> list[Judgement]:
        """Every answer of the baseline to a call of the owner or with an unknown hash."""
        creates = [*self.broken_down.values(), *self.creates.values(), *self.again]
        return [*creates, *(each.answer for each in self.reads), *self.unknown.values()]

    def good(self, operation: Operation, style: Style) -> list[Judgement]:
        """The answers to calls with good credentials in this operation and style."""
        if operation == "create":
            return [each[style.name] for each in (self.broken_down, self.creates) if style.name in each]
        return [read.answer for read in self.reads if read.style is style]

    def need_success(self, operation: Operation, style: Style) -> None:
        """A refusal counts only where good credentials succeed in this operation and style: else raise ``Blocked``.

        Where rotation is not allowed ``read`` stands in for ``create``, and then the owner must have a session
        (``NotAvailable`` where it has none).
        """
        self.gather()
        answers = self.good(operation if self.creates else "read", style)
        if any(answer.kind == "success" for answer in answers):
            return
        self.need_session(answers)
        _need_pace(answers)
        seen = answers[-1].summary() if answers else "nothing was sent"
        reason = f"{operation} by {style} does not succeed with good credentials ({seen}), so a refusal proves nothing"
        raise Blocked(reason, answers)

    def need_session(self, answers: Sequence[Judgement]) -> None:
        """Raise ``NotAvailable`` where *answers* of read are no successes only because there is nothing to read."""
        if not self.creates and all(answer.code == 201 for answer in answers):
            raise NotAvailable(
                "the owner has no delivery session and key rotation is not allowed, so no success can be shown"
            )

    def need_refusal(self, operation: Operation, style: Style, *, following: bool = True) -> None:
        """A success counts only where a bad credential is refused and (*following*) ``read`` follows ``create``: else ``Blocked``."""
        self.gather()
        answer = self.unknown.get((operation, style.name))
        if answer is None or answer.kind != "error":
            seen = answer.summary() if answer else "nothing was sent"
            reason = f"{operation} by {style} does not refuse an unknown hash ({seen}), so a success proves nothing"
            raise Blocked(reason, [answer] if answer else [])
        if following and self.creates and not self._follows():
            answers = [*self.creates.values(), *(each.answer for each in self.reads)]
            raise Blocked("read never gives what create gave, so a success proves nothing", answers)

    def _follows(self) -> bool:
        """Whether ``read`` gave the key of the last ``create`` at least once, and not the same after two creates."""
        matched = {read.after.key for read in self.reads if read.after and read.answer.key == read.after.key}
        made = {answer.key for answer in self.creates.values() if answer.key is not None}
        return len(matched) >= min(2, max(1, len(made)))

    def works(self, style: Style) -> bool:
        """Whether good credentials succeed in this style of the profile, in both operations."""
        if style not in self.run.styles:
            return False
        try:
            for operation in OPERATIONS:
                self.need_success(operation, style)
        except Blocked:
            return False
        return True

    @property
    def create_seconds(self) -> float:
        """How long a create takes: the middle one, for the first may have found the target cold."""
        return median(each.exchange.ended_at - each.exchange.sent_at for each in self.creates.values())

    def room_at_once(self, most: int) -> int:
        """How many creates, of *most*, a target that makes them one after the other can answer in half of the timeout."""
        room = min(most, int(self.run.session.http.timeout / 2 / max(self.create_seconds, 0.001)))
        if room < 2:
            raise NotAvailable(
                f"one create takes {self.create_seconds:.1f} s, so several at once may outlast the timeout: raise http.timeout in the target file"
            )
        return room


def _last_key(create: Judgement, last: Judgement | None) -> Judgement | None:
    """The create whose key counts after *create*; *last* is the one before."""
    if create.key is not None:
        return create
    # One that was not refused, and gave nothing that could be a key, may have made one.
    return last if create.kind == "error" else None


def _need_pace(answers: Sequence[Judgement]) -> None:
    if answers and all(map(rate_limited, answers)):
        raise NotAvailable("rate limited: the target answers 429 at this pace")


class ControlledCheck(Check):
    """A check with the controls of its run."""

    def __init__(self, controls: Controls, requirements: Sequence[str]) -> None:
        super().__init__(controls.run, requirements)
        self.controls = controls

    def need_style(self, style: Style) -> None:
        """Where a gateway takes the header that carries the credential in *style*, end the test.

        Raise ``NotAvailable`` where the header is what the test is about; else skip, for other styles verify the same.
        """
        taken = self.run.header_taken
        if taken is None or style.carrier != "header":
            return
        if _OF_THE_HEADER.intersection(self.requirements):
            raise NotAvailable(taken)
        pytest.skip(f"{taken}; other styles verify the same")

    def need_success(self, operation: Operation, style: Style) -> None:
        """A refusal is about to be checked: show first that good credentials succeed in this operation and style."""
        self.need_style(style)
        self.controls.need_success(operation, style)

    def need_refusal(self, operation: Operation, style: Style, *, following: bool = True) -> None:
        """A success is about to be checked: show first that a bad credential is refused in this operation and style."""
        self.need_style(style)
        self.controls.need_refusal(operation, style, following=following)

    def need_both(self, *operations: Operation, style: Style = GET_QUERY) -> None:
        """Both controls, for checks that rest on states."""
        for operation in operations or OPERATIONS:
            self.need_success(operation, style)
            self.need_refusal(operation, style)

    def or_query(self, style: Style = POST_JSON) -> Style:
        """*style* where it works, else the plainest one: a style that does not work is for its own check to find."""
        return style if self.controls.works(style) else GET_QUERY
