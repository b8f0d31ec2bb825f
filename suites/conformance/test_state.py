"""T and A6: what the calls do to the state of an account, one after the other and at the same moment."""

from __future__ import annotations

import time
from itertools import cycle, islice, pairwise

import pytest

from contracts.judge import Judgement
from contracts.rules.predictability import BITS, ENOUGH, find_pattern
from contracts.violation import Violation
from fixtures.accounts import Account
from fixtures.calls import (
    GET_HEADER,
    GET_QUERY,
    POST_FORM,
    POST_HEADER,
    POST_JSON,
    STYLES,
    Operation,
    Style,
    call,
)
from fixtures.errors import NotAvailable
from suites.runner.marks import verifies
from suites.runner.run import OWNER
from suites.runner.trial import WRONG_SESSION, Blocked, Trial
from suites.scenarios.concurrency import Moment, meet
from suites.scenarios.culprit import blame, broken_in_sequence

_DEMO_REFUSES = frozenset({101})
_SUBUSER_REFUSES = frozenset({13})
_TARIFF_REFUSES = frozenset({236})
_NO_SESSION = frozenset({201})


def _call_with_iso(
    trial: Trial, operation: Operation, style: Style, account: Account, codes: frozenset[int], what: str
) -> Judgement:
    """A call that is to be refused with one of *codes*; in one style with the parameter that goes with every call.

    The refusal must not depend on it: where that is what makes the difference, C5 is broken, and the plain call counts.
    """
    if style is not POST_FORM:
        return trial.call(operation, style, account)
    answer = trial.call(operation, style, account, iso_datetime="true")
    if answer.code in codes or answer.kind == "success":
        return answer
    plain = trial.call(operation, style, account)
    if plain.code in codes:
        said = f"{what}, with iso_datetime=true: {answer.summary()}"
        trial.violate(
            "C5-iso-datetime-accepted", said, f"{plain.summary()}, as without", answer.summary(), answer, plain
        )
    return plain


def _working(trial: Trial, *styles: Style) -> list[Style]:
    """Those of *styles* that work; one that does not is for its own check to tell."""
    return [style for style in styles if trial.works(style)]


# ---------------------------------------------------------------------- T1, T2, T3: the main path


@verifies("T1-create-gives-new-key")
def test_create_gives_a_new_key_each_time(trial: Trial) -> None:
    """Every create gives a key that was never given before, and never the caller's own hash.

    DELIVERY, create; COURIER: the previous key is replaced.
    """
    # Set up and stimulus: the main path creates in every style.
    trial.need_rotation(trial.account("owner"))
    trial.need_both()
    # Sanity check and verdict: the run watches every key; here are those of the main path.
    created = [trial.claim(answer) for answer in trial.evidence.creates.values()]
    keys = [answer.key for answer in created if answer.key is not None]
    repeated = len(keys) - len(set(keys))
    if repeated and not trial.violations:
        # It was told where it happened, by the test that happened to look first.
        trial.violate(
            "T1-create-gives-new-key",
            f"{len(keys)} creates gave {len(set(keys))} different keys",
            "a new key each time",
            f"{repeated} repeated",
            *created[-2:],
        )


@verifies("T2-read-gives-last-created", "T3-read-changes-nothing")
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_read_gives_the_last_created_key(trial: Trial, style: Style) -> None:
    """After a create in any style, read in this style gives its key, at once and as often as asked.

    DELIVERY, read; COURIER: the previous key is replaced.
    """
    # Set up and stimulus: the main path reads in every style after creates in others.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    # Sanity check.
    trial.need_success("read", style)
    trial.need_bad_refused("read", style)
    # Verdict.
    for read in trial.evidence.reads:
        if read.style is style and read.due is not None and read.after is not None and read.answer.kind == "success":
            created = read.after.exchange.request.method
            what = f"read by {style} after the last create ({created})"
            if not trial.expect_key(read.answer, read.due, "T2-read-gives-last-created", what, read.after):
                _look_again(trial, style, owner)
                return


def _look_again(trial: Trial, style: Style, owner: Account) -> None:
    """Create and read once more: whether it is seen again tells a broken target from somebody else's create."""
    created = trial.call("create", style, owner)
    again = trial.call("read", style, owner)
    seen = "was seen again" if created.key is None or again.key != created.key else "was not seen again"
    found = trial.violations[-1]
    trial.violations[-1] = Violation(
        found.requirement, f"{found.message}; in one re-check it {seen}", found.expected, found.actual, found.exchanges
    )


@verifies("T3-read-changes-nothing")
def test_read_changes_nothing(trial: Trial) -> None:
    """Reading again and again, in any style, gives the same key.

    DELIVERY, read.
    """
    # Set up and stimulus: the main path reads many times with no create in between.
    owner = trial.account("owner")
    # Sanity check.
    for style in trial.run.styles:
        trial.need_bad_refused("read", style)
    reads = [read for read in trial.evidence.reads if read.answer.key is not None]
    if len(reads) < 2:
        trial.evidence.need_session([read.answer for read in trial.evidence.reads])
        raise Blocked(f"read does not succeed as {owner}, so it shows no change")
    # Verdict.
    for earlier, later in pairwise(reads):
        if earlier.creates == later.creates:
            what = f"read by {later.style} after read by {earlier.style}, with no create in between"
            due = earlier.answer.key or ""
            if later.answer.key != due:
                broken = "T3-read-changes-nothing"
                if earlier.style is not later.style and _styles_differ(trial, owner, earlier.style, later.style):
                    # Each says what it said before: nothing was changed, but one of them gives what it should not.
                    broken = "T2-read-gives-last-created"
                trial.expect_key(later.answer, due, broken, what, earlier.answer)
                return


def _styles_differ(trial: Trial, account: Account, one: Style, other: Style) -> bool:
    """Whether read gives one key by this style and another by that, and the same ones again."""
    seen = [trial.call("read", style, account).key for style in (one, other, one, other)]
    return seen[0] != seen[1] and seen[:2] == seen[2:]


# ---------------------------------------------------------------------- T4: no session yet


@verifies("T4-read-without-session")
def test_read_without_a_session(trial: Trial) -> None:
    """Without a delivery session read is refused with code 201, in every style, and makes none.

    DELIVERY, read, Errors.
    """
    # Set up.
    account = trial.account("owner_without_session")
    # Sanity check, then stimulus and verdict, style by style; the first comes again, to see what the others have left.
    for style in (*trial.run.tried, GET_QUERY):
        trial.need_success("read", style)
        what = f"read by {style} as a user without a delivery session"
        answer = (
            trial.read_first(account)
            if style is GET_QUERY
            else _call_with_iso(trial, "read", style, account, _NO_SESSION, what)
        )
        trial.expect_refusal(answer, "T4-read-without-session", _NO_SESSION, what + trial.others_at_work(answer))


@verifies("T1-create-gives-new-key", "T2-read-gives-last-created")
@pytest.mark.last
def test_first_create(trial: Trial) -> None:
    """A user without a delivery session creates the first one, and read gives its key.

    DELIVERY, create and read. A fixed account of this kind never creates: it would be used up.
    """
    # Set up.
    if not trial.run.accounts.can_be_made("owner_without_session"):
        trial.settle()
    account = trial.own("owner_without_session")
    trial.need_rotation(account)
    # Sanity check.
    trial.need_both()
    # Stimulus.
    created = trial.call("create", GET_QUERY, account)
    key = trial.expect_success(created, "T1-create-gives-new-key", "the first create of a user")
    # Verdict.
    after = trial.call("read", trial.or_query(POST_JSON), account)
    trial.expect_key(after, key, "T2-read-gives-last-created", "read after the first create of a user", created)


# ---------------------------------------------------------------------- T5: demo sessions


@verifies("T5-demo-first-create")
def test_demo_creates_when_there_is_none(trial: Trial) -> None:
    """A demo session without a delivery session creates one; then it is refused another, and the key stays.

    DELIVERY, create: allowed in a demo session only if none exists; Errors, 101.
    """
    # Set up.
    demo = trial.own("demo_without_session")
    trial.need_rotation(demo)
    # Sanity check.
    trial.need_both()
    before = trial.read_first(demo)
    trial.expect_refusal(
        before,
        "T4-read-without-session",
        _NO_SESSION,
        "read as a demo session without a delivery session" + trial.others_at_work(before),
    )
    # Stimulus.
    created = trial.call("create", trial.or_query(POST_JSON), demo)
    key = trial.expect_success(
        created,
        "T5-demo-first-create",
        "create as a demo session without a delivery session" + trial.others_at_work(created),
        before,
    )
    # Verdict.
    after = trial.call("read", GET_QUERY, demo)
    trial.expect_key(after, key, "T5-demo-first-create", "read after the first create of a demo session", created)
    _refused_create(
        trial, demo, created, "T5-demo-create-refused", _DEMO_REFUSES, [GET_QUERY], "a demo session that has created"
    )
    # Its key is no credential either.
    misused = trial.send(call("read", GET_QUERY, trial.run.vault.add(key, "key of demo_without_session")))
    what = "read by get-query with the delivery-session key of a demo session as the credential"
    trial.expect_refusal(misused, "A4-delivery-key-is-no-credential", WRONG_SESSION, what)


@verifies("T5-demo-first-create")
@pytest.mark.parametrize("style", [GET_QUERY, POST_FORM, GET_HEADER], ids=str)
def test_demo_creates_in_other_styles(trial: Trial, style: Style) -> None:
    """A demo session without a delivery session creates one in other styles too.

    DELIVERY, create: allowed in a demo session only if none exists.
    """
    # Set up: an account of its own, which only a provider-states hook can give.
    if not trial.run.accounts.can_be_made("demo_without_session"):
        trial.settle()
    demo = trial.own("demo_without_session")
    trial.need_rotation(demo)
    # Sanity check.
    trial.need_both("create", style=style)
    # Stimulus and verdict.
    created = trial.call("create", style, demo)
    trial.expect_success(
        created, "T5-demo-first-create", f"create by {style} as a demo session without a delivery session"
    )


@verifies("T5-demo-create-refused")
def test_demo_that_has_a_session(trial: Trial) -> None:
    """A demo session that has a delivery session is refused another with code 101, and the key stays.

    DELIVERY, create, Errors, 101.
    """
    # Set up.
    demo = trial.account("demo_with_session")
    # Sanity check: it has a session.
    trial.need_success("read", GET_QUERY)
    trial.need_refusal("read", GET_QUERY)
    before = trial.read_first(demo)
    what = "read as a demo session that has a delivery session"
    trial.expect_success(before, "T5-demo-create-refused", what + trial.others_at_work(before))
    # Stimulus and verdict.
    who = "a demo session that has one"
    _refused_create(
        trial, demo, before, "T5-demo-create-refused", _DEMO_REFUSES, trial.run.tried, who, then=POST_HEADER
    )


def _refused_create(
    trial: Trial,
    account: Account,
    before: Judgement,
    requirement: str,
    codes: frozenset[int],
    styles: tuple[Style, ...] | list[Style],
    who: str,
    then: Style = POST_JSON,
) -> None:
    """Create in each of *styles* is refused with one of *codes*, and read, in the style *then*, says what *before* said."""
    if (before.server_error and before.kind != "success") or before.kind == "nothing":
        # What read says to some users is not documented; that it says something is.
        due = "an answer without a server error"
        trial.violate(requirement, f"read as {who}: {before.summary()}", due, before.summary(), before)
    refused: list[Judgement] = []
    for style in styles:
        if style not in trial.run.styles:
            continue
        trial.need_success("create", style)
        what = f"create by {style} as {who}"
        answer = _call_with_iso(trial, "create", style, account, codes, what)
        trial.expect_refusal(answer, requirement, codes, what + trial.others_at_work(answer))
        refused.append(answer)
    style = trial.or_query(then)
    if before.key is not None:
        what = f"read after the refused creates of {who}"
        _read_gives(trial, account, style, before.key, requirement, what, *reversed(refused))
        return
    after = trial.call("read", style, account)
    if (after.kind, after.code) != (before.kind, before.code):
        what = f"read after the refused creates of {who}: {after.summary()}"
        trial.violate(requirement, what, f"{before.summary()}, as before", after.summary(), after, *reversed(refused))


# ---------------------------------------------------------------------- T6, T7: who may not create


@verifies("T6-subuser-create-refused")
def test_subuser_is_refused_create(trial: Trial) -> None:
    """A sub-user without the right is refused create with code 13, and nothing changes.

    DELIVERY, required sub-user rights; OPENAPI, delivery_session_create; ERRORS, code 13.
    """
    # Set up.
    subuser = trial.account("subuser")
    # Sanity check: what read gives a sub-user is not documented, but it says what there was before.
    trial.need_success("read", GET_QUERY)
    before = trial.read_first(subuser)
    # Stimulus and verdict.
    _refused_create(
        trial, subuser, before, "T6-subuser-create-refused", _SUBUSER_REFUSES, trial.run.tried, "a sub-user"
    )


@verifies("T7-tariff-create-refused")
def test_tariff_without_the_feature(trial: Trial) -> None:
    """Where the tariff lacks the feature create is refused with code 236, in every style, and nothing changes.

    DELIVERY, create, Errors, 236.
    """
    # Set up.
    account = trial.account("tariff_restricted")
    # Sanity check.
    trial.need_success("read", GET_QUERY)
    before = trial.read_first(account)
    # Stimulus and verdict.
    who = "a user whose tariff lacks the feature"
    _refused_create(
        trial, account, before, "T7-tariff-create-refused", _TARIFF_REFUSES, trial.run.tried, who, then=POST_FORM
    )


# ---------------------------------------------------------------------- A6: two users


def _read_gives(
    trial: Trial, account: Account, style: Style, due: str, requirement: str, what: str, *context: Judgement
) -> None:
    """Read by *style* gives the key that is *due*; else *requirement* is broken, or what a closer look shows."""
    answer = trial.call("read", style, account)
    if answer.key != due:
        broken = blame(trial, account, style, answer, due, requirement)
        if broken == requirement and trial.run.may_rotate(account) and account.name in (OWNER, "other_owner"):
            plain = trial.or_query(POST_JSON)
            broken = broken_in_sequence(trial, account, [plain], (plain, style)) or requirement
        trial.expect_key(answer, due, broken, what, *context)


def _two_owners(trial: Trial) -> tuple[Account, Account]:
    owner, other = trial.account("owner"), trial.account("other_owner")
    trial.need_rotation(owner)
    trial.need_rotation(other)
    return owner, other


@verifies("A6-users-are-isolated")
def test_two_users(trial: Trial) -> None:
    """What one user creates the other never reads, and it leaves the other's key in place.

    DELIVERY, read: the current user's key.
    """
    # Set up.
    owner, other = _two_owners(trial)
    # Sanity check: the owner's key is what it was before all the refused creates of other accounts.
    trial.need_both()
    trial.expect_unchanged()
    last = trial.run.last_key.get(OWNER)
    if last is None or last.key is None:
        raise Blocked("read no longer gives the owner a key")
    # Stimulus.
    created = trial.call("create", trial.or_query(POST_JSON), other)
    others = trial.expect_success(
        created, "A6-users-are-isolated", "create as other_owner" + trial.others_at_work(created)
    )
    # Verdict, in both directions.
    by_form = trial.or_query(POST_FORM)
    what = "read as {} after create as {}"
    _read_gives(trial, owner, by_form, last.key, "A6-users-are-isolated", what.format("owner", "other_owner"), created)
    again = trial.call("create", by_form, owner)
    _read_gives(trial, other, GET_QUERY, others, "A6-users-are-isolated", what.format("other_owner", "owner"), again)


# ---------------------------------------------------------------------- T8, A6: the same moment

#: Threads of a round that create and then read, and of one that only create (one more only reads): enough that an update that
#: loses to another is seen, few enough for the budget of requests, and together with the creates of the other checks the 40
#: keys that T9 takes.
_AT_ONCE = 4
_ONLY_CREATING = 12
#: Creates at most that T9 makes itself, where fewer keys were issued on the way than it takes.
_MORE = 20
#: Seconds after which a create is alone.
_PAUSE = 1.1


@pytest.mark.race
@verifies("T8-one-winner")
def test_creates_at_the_same_moment(trial: Trial) -> None:
    """Creates at the same moment give keys of their own, and leave one of them as the one that read gives.

    DELIVERY, create and read.
    """
    # Set up.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    # Sanity check.
    trial.need_both("create", "read")
    styles = _working(trial, GET_QUERY, POST_JSON, POST_FORM, GET_HEADER, POST_HEADER)
    overlapped = False
    room = trial.evidence.room_at_once(_ONLY_CREATING)
    around = list(islice(cycle(styles), _ONLY_CREATING + 1))
    rounds: list[list[tuple[Account, Style | None, Style | None]]] = [
        [(owner, create, read) for create, read in pairwise(around[: min(_AT_ONCE, room) + 1])],
        # A read that is under way while keys are replaced must not put back the one that it found.
        [
            (owner, None, around[0]),
            *((owner, create, None) for create in around[: min(room, 4 if trial.run.smoke else _ONLY_CREATING)]),
        ],
    ]
    for plan in rounds:
        # Stimulus.
        moment = meet(trial.run, plan)
        overlapped = overlapped or moment.overlapped()
        # Verdict.
        _judge_moment(trial, moment, owner, "T8-one-winner", styles)
        if trial.violations:
            return
    if not overlapped:
        raise NotAvailable("no two creates overlapped at the pace of this run")


@pytest.mark.race
@verifies("A6-users-are-isolated")
def test_two_users_at_the_same_moment(trial: Trial) -> None:
    """Creates and reads of two users at the same moment never mix their keys.

    DELIVERY, read: the current user's key.
    """
    # Set up.
    owner, other = _two_owners(trial)
    # Sanity check.
    trial.need_both("create", "read")
    alone = trial.run.found & {"T1-create-gives-new-key", "T2-read-gives-last-created", "T8-one-winner"}
    styles = list(islice(cycle(_working(trial, POST_JSON, GET_HEADER, POST_FORM, GET_QUERY)), 4))
    # Stimulus.
    pairs: list[tuple[Style, Style | None]] = [(styles[0], styles[3]), (styles[1], styles[2]), (styles[2], None)]
    pairs = pairs[: trial.evidence.room_at_once(6) // 2]
    plan = [(account, create, reader) for create, reader in pairs for account in (owner, other)]
    moment = meet(trial.run, plan)
    # Verdict: that no key is read by the other the run has watched; each has one winner of its own.
    if alone:
        for account in (owner, other):
            trial.run.last_key.pop(account.credential.label, None)
        raise Blocked(f"what one user does breaks {', '.join(sorted(alone))}, so what two do proves nothing of them")
    for account in (owner, other):
        _judge_moment(trial, moment, account, "A6-users-are-isolated", styles)
    if not trial.violations and not moment.overlapped():
        raise NotAvailable("no two creates overlapped at the pace of this run")


def _judge_moment(trial: Trial, moment: Moment, account: Account, requirement: str, styles: list[Style]) -> None:
    label = account.credential.label
    creates = moment.creates[label]
    failed = [answer for answer in creates if answer.key is None]
    alone = True
    if failed:
        # One that fares no better alone has not failed for the moment; what is limited by the second may be made again by then.
        time.sleep(_PAUSE)
        alone = trial.call("create", GET_QUERY, account).key is not None
    for answer in failed:
        trial.violate(
            "T8-one-winner" if alone else "T1-create-gives-new-key",
            f"a create at the same moment as others{'' if alone else ', or alone'}: {answer.summary()}",
            "a success with a key",
            answer.summary(),
            answer,
        )
    for answer in moment.reads[label]:
        if answer.key is None:
            trial.violate(
                "T2-read-gives-last-created"
                if requirement == "T8-one-winner" and answer.code in _NO_SESSION
                else requirement,
                f"a read at the same moment as creates: {answer.summary()}",
                "a success with a key",
                answer.summary(),
                answer,
            )
    keys = moment.keys(label)
    if len(set(keys)) < len(keys):
        trial.violate(
            "T8-one-winner",
            f"{len(keys)} creates at the same moment gave {len(set(keys))} different keys",
            "a key of its own for each",
            "the same key twice",
            *creates,
        )
    known = {each.value for each in trial.run.issued} | trial.run.former
    for answer in moment.reads[label]:
        if answer.key is not None and answer.key not in known:
            trial.violate(
                requirement,
                f"a read at the same moment as creates: {answer.summary()}{trial.others_at_work(answer)}",
                "a key that create has given",
                answer.summary(),
                answer,
            )
    for read, create in moment.stale(label):
        if read.key not in known:
            continue
        trial.violate(
            # Where one user alone saw no such thing, it is the other who makes the difference.
            "T2-read-gives-last-created" if requirement == "T8-one-winner" else requirement,
            "a read gave a key that an earlier create, ended before the read began, had replaced",
            f"the key {create.key!r} or a later one",
            read.summary(),
            read,
            create,
        )
    if not keys or (trial.violations and len(keys) < len(creates)):
        # A create that failed may have made a key: what read owes from now on is what it gives now.
        trial.run.last_key.pop(label, None)
        return
    # When all is quiet, one of them has won, and stays the winner.
    quiet, plain = (
        trial.or_query(GET_HEADER if requirement != "T8-one-winner" else GET_QUERY),
        trial.or_query(POST_JSON),
    )
    first = trial.call("read", quiet, account)
    second = trial.call("read", plain, account) if requirement == "T8-one-winner" else first
    wrong = next((answer for answer in (first, second) if answer.key not in keys), None)
    if wrong is not None:
        found = "read as {} after creates at the same moment: {}"
        due, answer, others = "one of the keys that they gave", wrong, creates
    elif first.key not in moment.may_have_won(label):
        found = "read as {} after creates at the same moment gives a key that a later one of them had replaced: {}"
        due, answer, others = "the key of a create after which no other one began", first, creates
    elif first.key != second.key:
        found = "two reads as {} after creates at the same moment differ: {}"
        due, answer, others = f"{first.key!r} again", second, [first]
    else:
        trial.run.last_key[label] = next(each for each in creates if each.key == first.key)
        return
    # Where calls one after the other fare no better, it is not the moment that makes the difference.
    trial.run.last_key[label] = second
    broken = broken_in_sequence(trial, account, styles, (quiet, plain)) or requirement
    said = found.format(account, answer.summary()) + trial.others_at_work(answer)
    trial.violate(broken, said, due, answer.summary(), answer, *others)


# ---------------------------------------------------------------------- T9: predictability


@verifies("T9-keys-unpredictable")
@pytest.mark.last
def test_keys_cannot_be_predicted(trial: Trial) -> None:
    """The keys of this run are no sequence and no clock, and enough of their bits vary.

    A decision of this project: a key in a public link is a bearer secret.
    """
    # Set up: the keys that were issued anyway, and where a few are missing to say something, these too.
    owner = trial.account(OWNER)
    missing = ENOUGH - len(trial.run.issued)
    if 0 < missing <= _MORE and trial.run.may_rotate(owner) and not trial.run.smoke:
        trial.need_both()
        for style in islice(cycle(_working(trial, *trial.run.styles)), missing):
            trial.call("create", style, owner)
    issued = list(trial.run.issued)
    keys = [each.value for each in issued]
    # Sanity check: they are answers to good credentials, and enough of them.
    trial.need_both()
    if len(set(keys)) < 2 and len(keys) >= 2:
        raise NotAvailable("create gives the same key each time")
    now = time.time()
    serial = [each for each in issued if each.serial]
    accounts = dict.fromkeys(each.account for each in serial)
    chains = [[each.value for each in serial]] + [
        [each.value for each in serial if each.account == name] for name in accounts
    ]
    elapsed = time.monotonic() - (issued[0].exchange.sent_at if issued else time.monotonic())
    # Verdict.
    credentials = [each.reveal() for each in trial.run.vault.secrets() if not each.label.startswith("key ")]
    pattern = find_pattern(keys, chains, now - elapsed, now, credentials)
    if pattern is not None and (len(keys) >= ENOUGH or "bits vary" not in pattern):
        trial.violate(
            "T9-keys-unpredictable",
            f"of {len(keys)} keys: {pattern}",
            f"no order, no clock, and at least {BITS} of 128 bits that vary",
            pattern,
        )
    elif len(keys) < ENOUGH:
        raise NotAvailable(f"{len(keys)} keys were issued, and it takes {ENOUGH} to say")
