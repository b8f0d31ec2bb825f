"""Evidence: what makes a refusal or a success count, gathered once for each operation and call style.

A target that says no to everything would pass every check of a refusal, one that says yes to everything every check of
a success. So a refusal counts only where the same operation in the same style succeeded with good credentials, and a
success only where a bad credential is refused in that style and ``read`` follows ``create``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from contracts.judge import Judgement
from contracts.violation import Violation
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY, OPERATIONS, Operation, Style, call
from fixtures.errors import NotAvailable, SetupError, TargetLost
from suites.runner.run import Run

#: Well-formed hashes that nobody was given: digests of two sentences, for a pleasing pattern or an example of the documents
#: may well be an emulator's account. They are no secrets and may be shown.
UNKNOWN = "72eeea4bee9042df07d5dcbe09b423e3"
OTHER_UNKNOWN = "676810d9702a1d8061d8d5933e9d042d"
#: Where the main path sends another one: hashes that look like a default open nothing either.
_SPECIAL = {("read", "post-json"): "0" * 32, ("create", "get-query"): "f" * 32}

#: Codes of a target that is in trouble, or has had enough of calls: they say nothing of the credential.
_TROUBLE = frozenset({1, 6, 8, 14, 15})


@dataclass(frozen=True)
class Read:
    """A read on the main path, the key that it owes, and the create that gave it; ``creates`` is how many were not refused before."""

    style: Style
    answer: Judgement
    due: str | None = field(repr=False)
    after: Judgement | None = None
    creates: int = 0


@dataclass
class Evidence:
    """The exchanges of the main path, and what they show."""

    run: Run
    owner: Account | None = None
    creates: dict[str, Judgement] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    unknown: dict[tuple[str, str], Judgement] = field(default_factory=dict)
    findings: dict[int, list[Violation]] = field(default_factory=dict)
    #: The answer to the first contact, which was a read by get-query with an unknown hash: it need not be asked twice.
    first: Judgement | None = None
    _unavailable: str | None = None
    _lost: str | None = None
    _done: bool = False

    # ------------------------------------------------------------------ gathering

    def gather(self) -> None:
        """Walk the main path, once. Raises ``NotAvailable`` where there is no owner, ``SetupError`` where it is refused throughout."""
        if self._unavailable is not None:
            raise NotAvailable(self._unavailable)
        if self._lost is not None:
            raise TargetLost(self._lost)
        if self._done:
            return
        self._done = True
        try:
            self.owner = self.run.accounts.shared("owner")
        except NotAvailable as error:
            self._unavailable = str(error)
            raise
        previous = self.run.sink
        group, self.run.session.group = self.run.session.group, "main path"
        try:
            self._walk(self.owner)
        except TargetLost as error:
            self._lost = str(error)
            raise
        finally:
            self.run.sink = previous
            self.run.session.group = group
        self._check_owner(self.owner)

    def _send(self, operation: Operation, style: Style, account: Account | None) -> Judgement:
        found: list[Violation] = []
        self.run.sink = found.append
        request = (
            self.run.call(operation, style, account)
            if account is not None
            else call(operation, style, _SPECIAL.get((operation, style.name), UNKNOWN))
        )
        answer = self.run.send(request)
        self.findings[id(answer)] = found
        return answer

    def _walk(self, owner: Account) -> None:
        styles = self.run.styles
        last: Judgement | None = None
        if self.run.may_rotate(owner):
            # The key from before the run counts too: create must not give it again.
            self.run.note_key(self._send("read", styles[0], owner))
            for index, style in enumerate(styles):
                answer = self.creates[style.name] = self._send("create", style, owner)
                # One that was not refused, and gave nothing that could be a key, may have made one.
                last = answer if answer.key is not None else last if answer.kind == "error" else None
                # Once as it was created, once in another style: a style may remember what it said itself.
                for step in (1,) if self.run.smoke else (0, 1 + index % 2):
                    self._read(styles[(index + step) % len(styles)], owner, last)
            # Once more in every style: a read that answers well once or twice may still be wrong as often as asked.
            for style in styles[2:3] or styles:
                self._read(style, owner, last)
        else:
            for style in (*styles, *styles):
                self._read(style, owner, None)
        for style in styles:
            for operation in OPERATIONS:
                if (operation, style) == ("read", GET_QUERY) and self.first is not None:
                    self.unknown[operation, style.name] = self.first
                else:
                    self.unknown[operation, style.name] = self._send(operation, style, None)

    def _read(self, style: Style, owner: Account, last: Judgement | None) -> None:
        answer = self._send("read", style, owner)
        creates = sum(each.kind != "error" for each in self.creates.values())
        self.reads.append(Read(style, answer, last.key if last else None, last, creates))

    def _check_owner(self, owner: Account) -> None:
        answers = [*self.creates.values(), *(read.answer for read in self.reads)]
        if not answers or any(answer.kind != "error" for answer in answers):
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

    def answers(self, operation: Operation, style: Style) -> list[Judgement]:
        """The answers to calls with good credentials."""
        if operation == "create":
            return [self.creates[style.name]] if style.name in self.creates else []
        return [read.answer for read in self.reads if read.style is style]

    def accepts(self, operation: Operation, style: Style) -> str | None:
        """Why a refusal would not count: None where good credentials succeed in this operation and style.

        Where rotation is not allowed ``read`` stands in for ``create``, and then the owner must have a session.
        """
        self.gather()
        rotating = bool(self.creates)
        answers = self.answers(operation if rotating else "read", style)
        if any(answer.kind == "success" for answer in answers):
            return None
        self.need_session(answers)
        seen = answers[-1].summary() if answers else "nothing was sent"
        return f"{operation} by {style} does not succeed with good credentials ({seen}), so a refusal proves nothing"

    def need_session(self, answers: Sequence[Judgement]) -> None:
        """Raise ``NotAvailable`` where *answers* of read are no successes only because there is nothing to read."""
        if not self.creates and all(answer.code == 201 for answer in answers):
            raise NotAvailable(
                "the owner has no delivery session and key rotation is not allowed, so no success can be shown"
            )

    def room_at_once(self, most: int) -> int:
        """How many creates, of *most*, a target that makes them one after the other can answer in half of the timeout."""
        # The middle one: the first may have found the target cold.
        seconds = median(each.exchange.ended_at - each.exchange.sent_at for each in self.creates.values())
        room = min(most, int(self.run.session.http.timeout / 2 / max(seconds, 0.001)))
        if room < 2:
            raise NotAvailable(
                f"one create takes {seconds:.1f} s, so several at once may outlast the timeout: raise http.timeout in the target file"
            )
        return room

    def refuses(self, operation: Operation, style: Style, *, following: bool = True) -> str | None:
        """Why a success would not count: None where a bad credential is refused and (*following*) ``read`` follows ``create``."""
        self.gather()
        answer = self.unknown.get((operation, style.name))
        if answer is None or answer.kind != "error":
            seen = answer.summary() if answer else "nothing was sent"
            return f"{operation} by {style} does not refuse a hash that nobody was given ({seen}), so a success proves nothing"
        if following and self.creates and not self.follows():
            return "read never gives what create gave, so a success proves nothing"
        return None

    def follows(self) -> bool:
        """Whether ``read`` gave the key of the last ``create`` at least once, and not the same after two creates."""
        matched = {read.due for read in self.reads if read.due is not None and read.answer.key == read.due}
        made = {answer.key for answer in self.creates.values() if answer.key is not None}
        return len(matched) >= min(2, max(1, len(made)))
