"""Attribution: which requirements are broken, of all that could explain what is wrong in a history.

One cause, one accusation (facts, "What one fault is called"): of all sets of requirements that cover every anomaly the
smallest is the explanation, and of equals the one whose requirements go with an anomaly most often.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from contracts.anomaly import Anomaly, asked
from contracts.codes import CODES, NO_HASH
from contracts.hindsight import hindsight, others_keys
from contracts.ids import (
    A2,
    A4,
    A5_TOLD,
    B1,
    C1_PARSED,
    C5_ISO,
    C5_UNKNOWN,
    C8,
    E1,
    E2,
    E3,
    E4,
    P1_ECHO,
    P2,
    P3,
    R1,
    S1,
    S2,
    S3,
    S4,
    T1,
    T2,
    T3,
    T4,
    T5_REFUSED,
    T6,
    T7,
)
from contracts.judge import Judgement
from contracts.refusals import FORM, limit_findings, rate_limited, refusal_anomaly
from contracts.register import Register
from contracts.register.account import DEMO
from contracts.register.changes import REFUSED
from contracts.rules.predictability import predictable

#: Requirements of form that an answer to bad input, or to a call that is owed something else, may break in consequence.
_IN_CONSEQUENCE = frozenset({S2, S3, E1})
#: What each answer of a kind could be seen to break, whatever was asked.
_OPPORTUNITIES = {"error": (E1, E2, E3, E4, S2), "success": (S2, S3)}
#: Requirements that speak of what a document says: where it can be read in two ways, that explains what is wrong with it.
_OF_THE_DOCUMENT = frozenset({S3, E1, E2, E3, E4})
#: For a requirement, others by which the same answer breaks it as well.
_EXPLAIN = {S1: frozenset({P3}), P1_ECHO: frozenset({P3, E4, A5_TOLD})}
#: Sets larger than this are not tried one by one.
_LARGEST = 4
#: Refusals of owners, with no success after them, by which a style is seen to be closed that was open.
_CLOSED = 2
#: Refusals of good hashes by which a style is seen to know them not each time.
_UNRELIABLE = 4
_NEVER = float("-inf")
#: An operation, and the name of a style.
_Place = tuple[str, str]
_NEAR = 1e-9
#: Of explanations that are as good, those with these come last.
_LAST = (T2, T1, T3)
#: What says that an account is refused for the state that it is in.
_REFUSED_BY_STATE = frozenset({T5_REFUSED, T6, T7})
_HASH = re.compile("[0-9a-f]{32}")
#: Codes by which a call is refused that is not the caller's to make, or in no form that is understood.
_NO_CALL = NO_HASH | {5, 11, 112}
#: Kinds of accounts that a style may know nothing of; of owners there are others by which it is seen to work.
_KINDS = frozenset({DEMO, *REFUSED})
#: Accounts of which nothing explains a refusal.
_OWNERS = frozenset({"owner", "other_owner"})
#: Codes by which an operation speaks of the state of the account (DELIVERY).
_OF_ONE_OPERATION = frozenset(
    code for code, entry in CODES.items() if entry.scope == "specific" and len(entry.operations) == 1
)


@dataclass(frozen=True)
class Explanation:
    """The requirements that are broken, and the anomalies; ``ties`` are other sets that explain as much as well."""

    broken: frozenset[str] = frozenset()
    anomalies: tuple[Anomaly, ...] = field(default=(), repr=False)
    ties: tuple[frozenset[str], ...] = ()

    @property
    def open(self) -> list[Anomaly]:
        """The anomalies of which it is not certain which call has changed the key."""
        certain = {name for each in self.anomalies if len(each.candidates) == 1 for name in each.candidates}
        return [each for each in self.anomalies if each.undecided and not each.candidates & certain]

    def of(self, requirement: str) -> list[Anomaly]:
        """The anomalies that *requirement* explains."""
        return [each for each in self.anomalies if requirement in each.candidates]

    def explains(self, anomaly: Anomaly) -> frozenset[str]:
        """The broken requirements that explain *anomaly*."""
        return anomaly.candidates & self.broken


def explain(answers: Sequence[Judgement], requirements: Iterable[str], more: Iterable[Anomaly] = ()) -> Explanation:
    """What explains all that is wrong in *answers*, and *more* anomalies, in terms of the *requirements* that count."""
    found, opportunities = anomalies(answers)
    found.extend(more)
    counted = frozenset(requirements)
    within = [each for each in (anomaly.within(counted) for anomaly in found) if each is not None]
    broken, ties = _smallest(within, opportunities)
    broken = _without_consequences(within, broken)
    shown = [replace(each, candidates=each.candidates | (each.follows_from & broken)) for each in within]
    return Explanation(broken, tuple(shown), ties)


def explain_run(
    answers: Sequence[Judgement], requirements: Iterable[str], reported: Iterable[Anomaly] = ()
) -> Explanation:
    """The same for the whole history of a run, with what only the whole of it shows (A5, A6, T9), and what tests have *reported*."""
    pattern = predictable(answers)
    whole = [*hindsight(answers), *others_keys(answers), *([pattern] if pattern is not None else [])]
    return explain(answers, requirements, [*whole, *(each for each in reported if each not in whole)])


def combined(explanations: Iterable[Explanation]) -> Explanation:
    """Several explanations as one."""
    found = list(explanations)
    return Explanation(
        frozenset().union(*(each.broken for each in found)),
        tuple(anomaly for each in found for anomaly in each.anomalies),
    )


def anomalies(answers: Sequence[Judgement]) -> tuple[list[Anomaly], Counter[str]]:
    """Everything that cannot be in *answers*, and how often each requirement could have been seen to be broken."""
    register = Register(answers)
    opportunities = register.opportunities
    found: list[Anomaly] = []
    owed = {id(each.answer): each for each in register.anomalies if _is_missing(each)}
    for answer in answers:
        refusal = refusal_anomaly(answer)
        if refusal is not None:
            if A4 in refusal.candidates:
                refusal = replace(refusal, candidates=refusal.candidates | _by_the_key(answer, register))
            found.append(refusal)
        found.extend(_findings(answer, refusal or owed.get(id(answer))))
        _count(answer, opportunities)
    found.extend(register.anomalies)
    if not found:
        return found, opportunities
    found = [_without_those_that_work(each, answers) for each in found]
    found = _of_the_style_alone(_with_styles(_told_by_status_alone(found), answers), answers)
    return [_with_the_limit(each) for each in found], opportunities


def _with_the_limit(anomaly: Anomaly) -> Anomaly:
    """With E2 where the answer tells of too many calls, and its status does not: it is none to what was asked."""
    # What a rule found in it is wrong by itself, and where the limit itself is asked for it is an answer.
    if anomaly.by_rule or R1 in anomaly.candidates:
        return anomaly
    return replace(anomaly, candidates=anomaly.candidates | limit_findings(anomaly.answer))


def _by_the_key(answer: Judgement, register: Register) -> frozenset[str]:
    """What else than A4 explains that a key of a delivery session is not refused as such, when it is tried as a credential."""
    credential = answer.exchange.intent.credential
    found = set()
    if credential in register.credentials:
        # The key that was tried is the hash of an account: that it was given as a key is wrong.
        found.add(T1)
    if not _HASH.fullmatch(credential or ""):
        # It is refused as what no hash looks like.
        found.add(S4)
    if answer.kind == "error":
        # It is refused as any hash that is not known.
        found.add(A2)
    return frozenset(found)


def findings_of(answer: Judgement) -> list[Anomaly]:
    """What the rules found in one answer by itself."""
    return list(_findings(answer, None))


def _is_missing(anomaly: Anomaly) -> bool:
    """Whether a success that is owed did not come."""
    answer = anomaly.answer
    if anomaly.candidates & _REFUSED_BY_STATE and _is_client_error(answer):
        # A refusal is owed, and this is one: what is wrong is its form alone.
        return False
    return answer.key is None and answer.exchange.intent.refusal is None


def _is_client_error(answer: Judgement) -> bool:
    """Whether the answer is meant to be a JSON document, and has a status of 4xx."""
    is_json = _says_json(answer) or not any(each.requirement == S2 for each in answer.violations)
    return is_json and answer.status is not None and 400 <= answer.status < 500


def _says_json(answer: Judgement) -> bool:
    """Whether the media type of the answer is that of JSON, whatever its body is."""
    response = answer.exchange.response
    return response is not None and (response.header("Content-Type") or "").lower().startswith("application/json")


def _count(answer: Judgement, opportunities: Counter[str]) -> None:
    refusal = answer.exchange.intent.refusal
    seen: set[str] = {refusal.requirement, refusal.for_its_code} if refusal is not None else set()
    for requirement in (*seen, *_OPPORTUNITIES.get(answer.kind, ())):
        opportunities[requirement] += 1


def _findings(answer: Judgement, owed: Anomaly | None) -> Iterable[Anomaly]:
    """What the rules found in one answer. *owed* is what else is wrong with it, and may be why it has this form."""
    if rate_limited(answer):
        return
    for each in answer.violations:
        behind = _behind(each.requirement, answer, owed)
        candidates = {each.requirement, *behind, *_beside(each.requirement, answer)}
        follows_from = _of_own_hash(answer) if each.requirement == P1_ECHO else frozenset()
        if owed is not None and candidates & owed.candidates:
            follows_from |= owed.follows_from
        yield Anomaly(
            *(frozenset(candidates), answer, each.expected, each.actual, asked(answer)),
            by_rule=each.requirement,
            follows_from=follows_from,
        )


def _behind(requirement: str, answer: Judgement, owed: Anomaly | None) -> frozenset[str]:
    """What the call is owed, where that is why its answer breaks *requirement*."""
    refused = answer.exchange.intent.refusal is not None
    if requirement == S2 and not refused and _says_json(answer) and _cannot_be_read(answer):
        # It is meant as JSON: its form is wrong, whatever it says.
        return frozenset()
    if requirement in _IN_CONSEQUENCE and answer.kind != "success":
        return _causes(answer, owed)
    if requirement == E3 and _is_bad_input(answer) and answer.code in CODES:
        return frozenset({B1})
    # It was let in: that is the cause, whatever it was given then, or not given.
    let_in = (requirement == S3 and refused) or (requirement in (A5_TOLD, P1_ECHO) and answer.kind == "success")
    return owed.candidates if owed is not None and let_in else frozenset()


def _cannot_be_read(answer: Judgement) -> bool:
    """Whether it can be read in two ways, or is no JSON: then no member of it is said to be missing."""
    missing = any(each.requirement == E1 for each in answer.violations)
    return answer.ambiguous or (answer.kind == "foreign" and not missing)


def _beside(requirement: str, answer: Judgement) -> frozenset[str]:
    """What else the answer breaks, or its call, that explains that it breaks *requirement*."""
    broken = {each.requirement for each in answer.violations}
    found = broken & _EXPLAIN.get(requirement, frozenset())
    if answer.ambiguous and requirement in _OF_THE_DOCUMENT:
        found.add(S2)
    # That there were too many calls has nothing to do with the address.
    if C8 in answer.exchange.intent.equivalences and requirement != P2 and not limit_findings(answer):
        found.add(C8)
    return frozenset(found)


def _of_own_hash(answer: Judgement) -> frozenset[str]:
    """What gives the caller's own hash in the place of a key breaks."""
    intent = answer.exchange.intent
    if answer.key is None or answer.key != intent.credential:
        return frozenset()
    return frozenset({T1}) if intent.operation == "create" else frozenset({T1, T2, T4})


def _is_bad_input(answer: Judgement) -> bool:
    refusal = answer.exchange.intent.refusal
    return refusal is not None and refusal.form == "general"


def _causes(answer: Judgement, owed: Anomaly | None) -> frozenset[str]:
    """Why an answer may have no envelope, other than that errors have none."""
    refusal = answer.exchange.intent.refusal
    if answer.kind != "foreign" and not answer.server_error:
        return frozenset()
    if refusal is None:
        return owed.candidates if owed is not None and (answer.status or 0) >= 400 else frozenset()
    if refusal.form == "general" or answer.server_error or answer.exchange.intent.front:
        return frozenset({B1})
    return frozenset()


# ---------------------------------------------------------------------- what works and what does not


def _plain(answer: Judgement) -> bool:
    intent = answer.exchange.intent
    return (
        intent.valid
        and intent.operation is not None
        and bool(intent.style)
        and intent.refusal is None
        and not intent.free_form
        and answer.exchange.request.method in ("GET", "POST")
    )


def _tells_of_the_style(answer: Judgement) -> bool:
    """Whether nothing but its style could be why the call is not understood."""
    return _plain(answer) and not answer.exchange.intent.equivalences and not answer.exchange.intent.group


def _understood(answer: Judgement) -> bool:
    """Whether the call was read for what it is, whatever is said of it then: a code that only this operation has."""
    if answer.key is not None:
        return True
    return answer.kind == "error" and answer.code in _OF_ONE_OPERATION


@dataclass(frozen=True)
class RefusedStyle:
    """A call style in which an operation never succeeds, its method, and the requirement that promises it.

    ``since`` is when it last did, where it did at first: it is a time of the history, in seconds.
    """

    operation: str
    name: str
    method: str
    promise: str
    since: float = _NEVER


def refused_styles(answers: Sequence[Judgement]) -> list[RefusedStyle]:
    """The operations and call styles in which nothing succeeds, or nothing any more, or not each time, while another style does.

    Each has its promise. Where the state of the account explains a refusal as well, it says nothing about the style.
    """
    tried: dict[_Place, list[Judgement]] = {}
    for each in answers:
        intent = each.exchange.intent
        if _tells_of_the_style(each) and intent.operation is not None:
            tried.setdefault((intent.operation, intent.style), []).append(each)
    last = {place: _latest(seen) for place, seen in tried.items()}
    working = {operation for (operation, _), when in last.items() if when != _NEVER}
    refused = {place for place, when in last.items() if when == _NEVER and place[0] in working}
    refused |= _closed(tried, last, refused)
    unreliable = _unreliable(answers)
    for place in {each for each in tried if each[1] in unreliable}:
        refused.add(place)
        last[place] = _NEVER
    return [
        RefusedStyle(*place, seen[0].exchange.request.method, seen[0].exchange.intent.promise, last[place])
        for place, seen in tried.items()
        if place in refused
    ]


def _latest(answers: Sequence[Judgement]) -> float:
    """When the last call that was understood was sent."""
    return max((each.exchange.sent_at for each in answers if _understood(each)), default=_NEVER)


def _closed(
    tried: Mapping[_Place, Sequence[Judgement]], last: Mapping[_Place, float], never: Collection[_Place]
) -> set[_Place]:
    """The styles by which owners are refused from some moment on, in words that no style has that goes on."""
    refused = {
        place: [each for each in seen if each.exchange.intent.kind in _OWNERS and not _understood(each)]
        for place, seen in tried.items()
    }
    closing = set()
    for place, seen in refused.items():
        since = [each.exchange.sent_at for each in seen if each.exchange.sent_at > last[place]]
        goes_on = max(when for (operation, _), when in last.items() if operation == place[0])
        if last[place] != _NEVER and len(since) >= _CLOSED and goes_on > since[_CLOSED - 1]:
            closing.add(place)
    elsewhere = {
        _words(each) for place, seen in refused.items() if place not in closing and place not in never for each in seen
    }
    return {place for place in closing if not elsewhere.intersection(map(_words, refused[place]))}


def _unreliable(answers: Sequence[Judgement]) -> set[str]:
    """The styles in which good hashes of several accounts are now known and now not, while every other style knows them each time."""
    refused: dict[str, list[Judgement]] = {}
    for each in answers:
        if _plain(each) and not each.exchange.intent.equivalences and each.code in NO_HASH:
            refused.setdefault(each.exchange.intent.style, []).append(each)
    return {
        style
        for style, seen in refused.items()
        if len(refused) == 1
        and len(seen) >= _UNRELIABLE
        and len({each.exchange.intent.account for each in seen}) > 1
        and _gets_over_it(answers, style)
    }


def _gets_over_it(answers: Sequence[Judgement], style: str) -> bool:
    """Whether one account at least is refused in this style, by an operation that is understood there later on."""
    known: dict[tuple[str | None, str | None], list[bool]] = {}
    for each in answers:
        intent = each.exchange.intent
        if _plain(each) and intent.style == style and (_understood(each) or each.code in NO_HASH):
            known.setdefault((intent.account, intent.operation), []).append(_understood(each))
    return any(False in seen and True in seen[seen.index(False) :] for seen in known.values())


def _words(answer: Judgement) -> tuple[str | None, str, int | None]:
    """The operation that is refused, and how."""
    return answer.exchange.intent.operation, answer.kind, answer.code


def _told_by_status_alone(found: Sequence[Anomaly]) -> list[Anomaly]:
    """Where the HTTP status does not go with the code in answers to bad input alone, that is no excuse for B1."""
    elsewhere = any(E2 in each.candidates and not _is_bad_input(each.answer) for each in found)
    return [
        replace(each, candidates=each.candidates - {E2})
        if not elsewhere and {B1, E2} <= each.candidates and _is_bad_input(each.answer)
        else each
        for each in found
    ]


def _with_styles(found: Iterable[Anomaly], answers: Sequence[Judgement]) -> list[Anomaly]:
    """A style in which nothing succeeds explains each refusal and each missing success in it."""
    refused = refused_styles(answers)
    names = {(each.operation, each.name) for each in refused}
    elsewhere = {
        (each.exchange.intent.operation, each.kind, each.code)
        for each in answers
        if _plain(each) and not each.exchange.intent.equivalences and each.key is None and _place(each)[:2] not in names
    }
    said_to_all = {
        each.exchange.intent.style
        for each in answers
        if _accepted(each) and not each.exchange.intent.valid and each.exchange.intent.refusal is not None
    }

    def explained(anomaly: Anomaly) -> Anomaly:
        # What is meant as a success comes of the style only where calls that must be refused are told the same.
        if _accepted(anomaly.answer) and anomaly.answer.exchange.intent.style not in said_to_all:
            return anomaly
        return _with_style(anomaly, refused, elsewhere)

    return [explained(each) for each in found]


def _with_style(
    anomaly: Anomaly, refused: Sequence[RefusedStyle], elsewhere: Collection[tuple[str | None, str, int | None]]
) -> Anomaly:
    intent = anomaly.answer.exchange.intent
    redirected = P3 in anomaly.candidates and anomaly.by_rule == P3
    if anomaly.answer.key is not None or redirected:
        return anomaly
    promises = {
        style.promise
        for style in refused
        if style.operation == intent.operation
        and style.since < anomaly.answer.exchange.sent_at
        and (
            style.name in (intent.style, *intent.alike)
            or (_carries_nothing(anomaly.answer) and style.method == anomaly.answer.exchange.request.method)
        )
    }
    # By another style the same account succeeds: it is the style that is broken, and not what the operation does.
    alone = (intent.operation, anomaly.answer.kind, anomaly.answer.code) not in elsewhere
    candidates, suspects = anomaly.candidates, anomaly.suspects
    if promises and intent.valid and alone:
        candidates = candidates - {T1, T2} - {name for name, _ in suspects}
        suspects = ()
    if promises and intent.valid and not anomaly.by_rule and (anomaly.answer.status or 0) >= 400:
        # In the form of other refusals it would be no success either.
        candidates -= _IN_CONSEQUENCE
    # Where the style is known to be broken elsewhere, it need not be for anything else that it is refused here.
    own = {intent.promise} if intent.valid and intent.promise and anomaly.answer.kind == "error" else set()
    return replace(
        anomaly, candidates=candidates | promises, suspects=suspects, follows_from=anomaly.follows_from | own
    )


def _of_the_style_alone(found: Sequence[Anomaly], answers: Sequence[Judgement]) -> list[Anomaly]:
    """Where accounts of one kind are unknown in one style, and known in another, it is the style that is broken for them."""
    known: set[tuple[str | None, str, str]] = set()
    unknown: set[tuple[str | None, str, str]] = set()
    for each in answers:
        intent = each.exchange.intent
        if _tells_of_the_style(each) and intent.kind in _KINDS:
            place = (intent.operation, intent.kind, intent.style)
            if _not_taken(each):
                unknown.add(place)
            elif each.key is not None or (each.kind == "error" and each.code in CODES and not each.server_error):
                known.add(place)
    styles = Counter(place[:2] for place in known)
    # What is known in one style alone, and unknown in all that come after it, may have come to an end.
    alone = {place for place in unknown - known if styles[place[:2]] > 1}

    def explained(anomaly: Anomaly) -> Anomaly:
        intent = anomaly.answer.exchange.intent
        of_style = (intent.operation, intent.kind, intent.style) in alone and _not_taken(anomaly.answer)
        # What read says where there is no session has a sentence of its own.
        if not of_style or not intent.valid or not intent.promise or anomaly.by_rule or T4 in anomaly.candidates:
            return anomaly
        expected = f"{anomaly.expected}, which {intent.kind} gets by other styles"
        return replace(anomaly, candidates=frozenset({intent.promise}), expected=expected, follows_from=frozenset())

    return [explained(each) for each in found] if alone else list(found)


def _not_taken(answer: Judgement) -> bool:
    """Whether the call is refused as of somebody who is unknown, or a read, which nobody with a session is refused, as no such call."""
    codes = NO_HASH if answer.exchange.intent.operation == "create" else _NO_CALL
    return answer.kind == "error" and answer.code in codes


def _accepted(answer: Judgement) -> bool:
    """Whether the answer is meant as a success: a JSON document with a status of 2xx, whatever is wrong with it."""
    succeeds = answer.status is not None and 200 <= answer.status < 300
    return succeeds and _says_json(answer) and answer.kind != "error"


def _carries_nothing(answer: Judgement) -> bool:
    """Whether the call has no credential, so that it may be taken for one of any style of its method."""
    return not answer.exchange.intent.valid and not answer.exchange.intent.credential


def _without_those_that_work(anomaly: Anomaly, answers: Sequence[Judgement]) -> Anomaly:
    """Without the equivalences that made no difference to the same call elsewhere; without all else where the plain call fits."""
    intent = anomaly.answer.exchange.intent
    equivalences = set(intent.equivalences)
    if not equivalences & anomaly.candidates:
        return anomaly
    alike = [each for each in answers if _plain(each) and _place(each) == _place(anomaly.answer)]
    if anomaly.answer.key is None and any(
        each.key is not None
        and each.exchange.intent.equivalences == intent.equivalences
        and each.exchange.request == anomaly.answer.exchange.request
        for each in alike
    ):
        # The very same call fits at another time: it is not what is special in it.
        return replace(anomaly, candidates=anomaly.candidates - equivalences or anomaly.candidates)
    fine = {
        each.exchange.intent.equivalences for each in alike if not _alike(each, anomaly.answer) and each.key is not None
    }
    plain_fits = () in fine or any(
        not each.exchange.intent.equivalences and each.code != anomaly.answer.code for each in alike
    )
    if any(not each.exchange.intent.equivalences and _alike(each, anomaly.answer) for each in alike):
        # The plain call is refused in the same way, at another time.
        plain_fits = False
    works = {name for names in fine for name in names}
    kept = anomaly.candidates - works if (equivalences - works) & anomaly.candidates else anomaly.candidates
    if plain_fits and not _understood(anomaly.answer):
        kept = (kept & equivalences) | (kept & (FORM | {B1, C1_PARSED}))
    if works & {C5_ISO, C5_UNKNOWN} and C1_PARSED not in equivalences:
        # Another member of the JSON body is read, or passed over, as it should be.
        kept -= {C1_PARSED}
    return replace(anomaly, candidates=frozenset(kept))


def _alike(one: Judgement, other: Judgement) -> bool:
    return (one.kind, one.code) == (other.kind, other.code)


def _place(answer: Judgement) -> tuple[str | None, str, str | None]:
    intent = answer.exchange.intent
    return intent.operation, intent.style, intent.account


# ---------------------------------------------------------------------- the smallest explanation


def _smallest(
    found: Sequence[Anomaly], opportunities: Mapping[str, int]
) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """The smallest set that has a candidate of each anomaly; of equals the one that goes with an anomaly most often."""
    total = Counter(name for each in found for name in each.candidates)
    chosen = {name for each in found if len(each.candidates) == 1 for name in each.candidates}
    left = {each.candidates for each in found if not each.candidates & chosen}
    # A set that holds another one is covered with it.
    left = {each for each in left if not any(other < each for other in left)}
    ties: list[frozenset[str]] = []
    for group in _connected(left):
        best = _covers(group, total, opportunities)
        chosen |= best[0]
        ties += best[1:]
    return frozenset(chosen), tuple(ties)


def _without_consequences(found: Sequence[Anomaly], broken: frozenset[str]) -> frozenset[str]:
    """*broken* without what only explains anomalies that follow from another member of it."""
    for name in sorted(broken):
        left = broken - {name}
        alone = [each for each in found if each.candidates & broken == {name}]
        if alone and all(each.follows_from & left for each in alone):
            broken = left
    return broken


def _connected(sets: Iterable[frozenset[str]]) -> list[list[frozenset[str]]]:
    """*sets* in groups that have no member in common."""
    groups: list[tuple[set[str], list[frozenset[str]]]] = []
    for each in sorted(sets, key=sorted):
        touching = [group for group in groups if group[0] & each]
        names = set(each).union(*(group[0] for group in touching))
        members = [each, *(member for group in touching for member in group[1])]
        groups = [group for group in groups if group not in touching]
        groups.append((names, members))
    return [members for _, members in groups]


def _covers(
    group: Sequence[frozenset[str]], total: Mapping[str, int], opportunities: Mapping[str, int]
) -> list[frozenset[str]]:
    """The smallest covers of *group*, the best first; only those that are as good as the best."""
    universe = sorted({name for each in group for name in each})

    def score(names: frozenset[str]) -> float:
        return sum(total[name] / max(1, opportunities.get(name, 0), total[name]) for name in names)

    for size in range(1, min(_LARGEST, len(universe)) + 1):
        covers = [
            frozenset(names) for names in combinations(universe, size) if all(each & set(names) for each in group)
        ]
        if covers:
            best = max(map(score, covers))
            equals = [each for each in covers if score(each) >= best - _NEAR]
            # What few calls could have broken comes first, then the call whose answer was wrong; T3 goes with every read.
            return sorted(
                equals, key=lambda each: ([_LAST.index(name) for name in _LAST if name in each], sorted(each))
            )
    return [_greedy(group, universe)]


def _greedy(group: Sequence[frozenset[str]], universe: Sequence[str]) -> frozenset[str]:
    chosen: set[str] = set()
    left = list(group)
    while left:
        name = max(universe, key=lambda each: (sum(each in one for one in left), each))
        chosen.add(name)
        left = [each for each in left if name not in each]
    return frozenset(chosen)
