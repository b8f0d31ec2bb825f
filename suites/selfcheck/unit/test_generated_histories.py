"""Generated histories: those of a conforming target have no anomaly, and of one that does a single thing wrong, that is found."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.exchange import Refusal
from contracts.ids import A2, A5_CHANGED, A6, T1, T2, T3, T4, T5_FIRST, T5_REFUSED, T6, T7, T8
from contracts.judge import Judgement
from contracts.register.account import NO_SESSION_AT_FIRST
from suites.selfcheck.unit.histories import STYLES, Script, key

_OWNERS: Final = ("owner", "other_owner")
#: What refuses a create, as the documents say: the code and its status.
_REFUSED: Final = {"subuser": (13, 403), "tariff_restricted": (236, 402), "demo_with_session": (101, 403)}
_ACCOUNTS: Final = (*_OWNERS, "owner_without_session", "demo_without_session", *_REFUSED)
_DEMO: Final = "demo_without_session"
#: An unknown hash must be refused, in these words.
_UNKNOWN: Final = Refusal(A2, "code", frozenset({3, 4}))
#: The first key that none of these histories gives as it goes.
_STRANGE: Final = 900


class Step(NamedTuple):
    """A call, or calls that are under way together, of an account in a style; *dice* is what else is drawn."""

    kind: str
    account: str
    style: str
    dice: int


@dataclass
class Model:
    """A conforming target: the number of the key of each account, None where it has no session.

    ``of_master`` says that the sub-user reads the key of owner, and ``broken`` is the style in which no good call is understood.
    """

    of_master: bool = False
    broken: str | None = None
    code: int = 7
    script: Script = field(default_factory=Script)
    keys: dict[str, int | None] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    #: The creates whose answers were lost.
    lost: list[Judgement] = field(default_factory=list)
    _next: int = 1
    _groups: int = 0

    def __post_init__(self) -> None:
        self.keys = {each: None if each in NO_SESSION_AT_FIRST else self.new() for each in _ACCOUNTS}

    def new(self) -> int:
        """The number of a key that nobody has had."""
        self._next += 1
        return self._next - 1

    def key_of(self, account: str) -> int | None:
        """The number of the key that read gives the account."""
        return self.keys["owner" if account == "subuser" and self.of_master else account]

    def step(self, step: Step) -> None:
        """One call with its answer, or the calls of a group."""
        if step.kind == "unknown":
            operation = ("create", "read")[step.dice % 2]
            self.script.add(operation, None, code=4, style=step.style, valid=False, refusal=_UNKNOWN)
        elif step.kind == "group" and step.account in _OWNERS and step.style != self.broken:
            self.together(step.account, step.style, random.Random(step.dice))
        elif step.kind == "lost" and step.account in _OWNERS:
            self.lose(step.account, step.style, kept=step.dice % 2 == 0)
        elif step.kind in ("create", "lost", "group"):
            self.create(step.account, step.style)
        else:
            self.read(step.account, step.style)

    def create(self, account: str, style: str = "get-query") -> None:
        """A create, refused where it must be."""
        refused = _REFUSED.get(account, _REFUSED["demo_with_session"] if account in self.made else None)
        if style == self.broken:
            self.script.add("create", account, code=self.code, style=style)
        elif refused is not None:
            self.script.add("create", account, code=refused[0], status=refused[1], style=style)
        else:
            self.keys[account] = self.new()
            self.script.create(self._next - 1, account, style)
            if account == _DEMO:
                self.made.add(account)

    def read(self, account: str, style: str = "get-query") -> None:
        """A read."""
        if style == self.broken:
            self.script.add("read", account, code=self.code, style=style)
        else:
            self.script.read(self.key_of(account), account, style)

    def lose(self, account: str, style: str, *, kept: bool) -> None:
        """A create without an answer, whose key is kept or not."""
        answer = self.script.add("create", account, style=style)
        exchange = replace(answer.exchange, response=None, failure="no complete answer")
        self.script.answers[-1] = answer = replace(answer, kind="nothing", exchange=exchange)
        self.lost.append(answer)
        if kept and style != self.broken:
            self.keys[account] = self.new()

    def together(self, account: str, style: str, dice: random.Random) -> None:
        """Creates, and perhaps reads, that are under way together: each takes effect at some moment between request and answer."""
        self._groups += 1
        begun = self.script.now
        operations = ["create"] * dice.randint(2, 4) + ["read"] * dice.randint(0, 2)
        dice.shuffle(operations)
        for number, operation in enumerate(operations):
            # All of them are under way at the 10th second, and take effect in the order in which they are written.
            moment = begun + 10 + number / 10
            span = (moment - 10 * dice.random() - number / 10, moment + 1 + 10 * dice.random())
            if operation == "create":
                self.keys[account] = self.new()
            number_of_key = self.keys[account]
            value = None if number_of_key is None else key(number_of_key)
            code = 201 if value is None else None
            self.script.add(operation, account, value=value, code=code, style=style, group=self._groups, span=span)
        self.script.now = begun + 40


def _steps(*kinds: str) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        st.sampled_from(kinds),
        st.sampled_from(_ACCOUNTS),
        st.sampled_from(tuple(STYLES)),
        st.integers(0, 999),
    )
    return st.lists(step, min_size=4, max_size=40)


#: What is clear to whoever sees the answers; and what leaves open which key is in force.
_CLEAR: Final = ("create", "read", "read", "unknown", "group")
_UNCLEAR: Final = (*_CLEAR, "lost")


def _play(model: Model, steps: list[Step]) -> Model:
    """Creates and reads of the owners in every style, as each run begins, and then the steps."""
    for account in _OWNERS:
        for style in STYLES:
            model.create(account, style)
            model.read(account, style)
    for step in steps:
        model.step(step)
    return model


#: Examples for each mutation, and each style.
_FEW: Final = 25
_generated = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@given(_steps(*_CLEAR), st.booleans())
@_generated
def test_a_conforming_history_has_no_anomaly(steps: list[Step], of_master: bool) -> None:
    assert _play(Model(of_master), steps).script.explain().anomalies == ()


@given(_steps(*_UNCLEAR))
@_generated
def test_a_create_without_an_answer_accuses_no_other_call(steps: list[Step]) -> None:
    model = _play(Model(), steps)
    # It owes an answer itself.
    assert [each.answer for each in model.script.explain().anomalies] == model.lost


# ---------------------------------------------------------------------- one thing that is wrong


def _given_again(model: Model) -> None:
    """A create gives a key of the account that it had before."""
    old = model.keys["owner"] or 0
    model.create("owner")
    model.script.create(old)


def _not_kept(model: Model) -> None:
    """A create makes no key, or not the one that it gives."""
    old = model.keys["owner"]
    model.create("owner")
    model.script.read(old)
    model.script.read(old)


def _stale(model: Model) -> None:
    """One read gives the key before."""
    old = model.keys["owner"]
    model.create("owner")
    model.read("owner")
    model.script.read(old)
    model.read("owner")


def _rotates(model: Model) -> None:
    """Each read makes a key."""
    model.create("owner")
    for number in range(3):
        model.script.read(_STRANGE + number)


def _deletes(model: Model) -> None:
    """A read ends the session."""
    model.create("owner")
    model.read("owner")
    model.script.read(None)
    model.script.read(None)


def _no_201(model: Model) -> None:
    """A read without a session is refused in other words."""
    account = "owner_without_session 2"
    model.script.read(None, account)
    model.script.add("read", account, code=7)
    model.script.read(None, account)


def _no_first_create(model: Model) -> None:
    """A demo session may not create at all."""
    account = f"{_DEMO} 2"
    model.script.read(None, account)
    model.script.add("create", account, code=101, status=403)
    model.script.read(None, account)


def _second_create(model: Model) -> None:
    """A demo session creates twice."""
    account = f"{_DEMO} 2"
    model.script.create(_STRANGE, account)
    model.script.read(_STRANGE, account)
    model.script.create(_STRANGE + 1, account)
    model.script.read(_STRANGE + 1, account)


def _creates(account: str) -> Callable[[Model], None]:
    """The account creates, which must be refused to it."""

    def mutation(model: Model) -> None:
        model.read(account)
        model.script.create(_STRANGE, account)
        model.script.read(_STRANGE, account)

    return mutation


def _refused_and_done(account: str) -> Callable[[Model], None]:
    """A create is refused, and the key is another one."""

    def mutation(model: Model) -> None:
        model.read(account)
        model.create(account)
        model.script.read(_STRANGE, account)
        model.script.read(_STRANGE, account)

    return mutation


def _others_key(model: Model) -> None:
    """A read gives the key of somebody else."""
    model.create("other_owner")
    model.script.read(model.keys["other_owner"])


def _changed_by_another(model: Model) -> None:
    """The create of somebody else replaces the key."""
    model.create("owner")
    model.read("owner")
    model.create("other_owner")
    model.script.read(_STRANGE)
    model.script.read(_STRANGE)


def _let_in(model: Model) -> None:
    """A hash that nobody has opens something."""
    model.script.add("read", None, value=key(_STRANGE), valid=False, refusal=_UNKNOWN)


def _changed_by_nobody(model: Model) -> None:
    """A call with an unknown hash is refused, and the key is another one."""
    model.create("owner")
    model.read("owner")
    model.script.unknown("create")
    model.script.read(_STRANGE)
    model.script.read(_STRANGE)


def _none_wins(model: Model) -> None:
    """After concurrent creates the key is none of theirs."""
    model.together("owner", "post-json", random.Random(3))
    model.script.read(_STRANGE)
    model.script.read(_STRANGE)


#: What a mutation does, by the requirement that it breaks.
_MUTATIONS: Final[Mapping[str, tuple[Callable[[Model], None], ...]]] = {
    T1: (_given_again,),
    T2: (_not_kept, _stale),
    T3: (_rotates, _deletes),
    T4: (_no_201,),
    T5_FIRST: (_no_first_create,),
    T5_REFUSED: (_second_create, _creates("demo_with_session"), _refused_and_done("demo_with_session")),
    T6: (_creates("subuser"), _refused_and_done("subuser")),
    T7: (_creates("tariff_restricted"), _refused_and_done("tariff_restricted")),
    T8: (_none_wins,),
    A2: (_let_in,),
    A5_CHANGED: (_changed_by_nobody,),
    A6: (_others_key, _changed_by_another),
}


@pytest.mark.parametrize("requirement", _MUTATIONS)
@given(_steps(*_CLEAR), st.booleans())
@settings(_generated, max_examples=_FEW)
def test_one_mutation_is_found(requirement: str, steps: list[Step], of_master: bool) -> None:
    if requirement == T8:
        # One loss after many groups that were well says as much of T2.
        steps = [each for each in steps if each.kind != "group"]
    for mutation in _MUTATIONS[requirement]:
        model = _play(Model(of_master), steps)
        mutation(model)
        assert model.script.broken == {requirement}, mutation


@pytest.mark.parametrize("style", STYLES)
@given(_steps(*_CLEAR), st.booleans(), st.sampled_from((4, 7)))
@settings(_generated, max_examples=_FEW)
def test_one_broken_style_is_found(style: str, steps: list[Step], of_master: bool, code: int) -> None:
    # Any refusal is an answer to a sub-user that reads, and there it would be one that does not stay the same.
    kept = [each for each in steps if (each.kind, each.account, each.style) != ("read", "subuser", style)]
    model = _play(Model(of_master, style, code), kept)
    assert model.script.broken == {STYLES[style][1]}
