"""T and A6: what the calls do to the state of an account, one after the other and concurrently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle, groupby, islice, pairwise

import pytest

from contracts.hindsight import others_keys
from contracts.ids import C5_ISO, C8
from contracts.judge import Judgement
from contracts.rules.predictability import ENOUGH, is_comparable, predictable
from fixtures.accounts import Account
from fixtures.calls import GET_HEADER, GET_QUERY, POST_FORM, POST_HEADER, POST_JSON, STYLES, Operation, Style
from fixtures.errors import NotAvailable
from suites.runner.check import Blocked
from suites.runner.marks import verifies
from suites.runner.run import OWNER
from suites.scenarios import isolate
from suites.scenarios.concurrency import Round, Worker, run_concurrently
from suites.scenarios.controls import ControlledCheck
from suites.scenarios.delivery_keys import delivery_key, key_of


def _refused_for_state(check: ControlledCheck, operation: Operation, style: Style, account: Account) -> list[Judgement]:
    """A call that must be refused for the state of *account*, by some styles with what makes no difference.

    By form it has the parameter that goes with every call (C5); a create by POST and header alone goes to the address with
    a slash at its end (C8). Where that does not fit the plain call is sent as well: it shows what makes the difference.
    """
    request = check.run.call(operation, style, account)
    if style is POST_FORM and check.run.counts(C5_ISO):
        request = check.run.call(operation, style, account, iso_datetime="true").but(equivalences=(C5_ISO,))
    elif style is POST_HEADER and operation == "create" and check.run.counts(C8):
        request = request.but(path=f"{request.path}/", equivalences=(C8,))
    answer = check.send(request)
    return [answer, *(isolate.plain_call(check, operation, style, account, answer) if request.equivalences else ())]


def _working(check: ControlledCheck, *styles: Style) -> list[Style]:
    """Those of *styles* that work; one that does not is for its own check to find."""
    return [style for style in styles if check.controls.works(style)]


# ---------------------------------------------------------------------- T1, T2, T3: the baseline


@verifies("T1-create-gives-new-key")
def test_create_gives_a_new_key_each_time(check: ControlledCheck) -> None:
    """Every create gives a key that was never given before, and never the caller's own hash.

    DELIVERY, create; COURIER: the previous key is replaced.
    """
    # Set up and stimulus: the baseline creates in every style, in some twice.
    check.needs_rotation(check.account("owner"))
    # Sanity check.
    check.need_both()
    # Verdict.
    creates = [*check.controls.creates.values(), *check.controls.again]
    check.judge_together(*(each for each in creates if each.key is not None))


@verifies("T2-read-gives-last-created")
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_read_gives_the_last_created_key(check: ControlledCheck, style: Style) -> None:
    """After a create in any style, read in this style gives its key, at once and as often as asked.

    DELIVERY, read; COURIER: the previous key is replaced.
    """
    # Set up and stimulus: the baseline reads in every style after creates in others.
    check.needs_rotation(check.account("owner"))
    # Sanity check.
    check.need_success("read", style)
    check.need_refusal("read", style, following=False)
    # Verdict.
    for read in check.controls.reads:
        if read.style is style and read.after is not None:
            check.judge_together(read.after, read.answer)


@verifies("T3-read-changes-nothing")
def test_read_changes_nothing(check: ControlledCheck) -> None:
    """Reading again and again, in any style, gives the same key.

    DELIVERY, read.
    """
    # Set up and stimulus: the baseline reads many times with no create in between.
    check.account("owner")
    # Sanity check.
    for style in check.run.styles:
        check.need_refusal("read", style, following=False)
    reads = [read for read in check.controls.reads if read.answer.key is not None or read.answer.code == 201]
    if sum(read.answer.key is not None for read in reads) < 2:
        answers = [read.answer for read in check.controls.reads]
        check.controls.need_session(answers)
        raise Blocked("read does not succeed as owner, so it shows no change", answers)
    # Verdict.
    for _, between_creates in groupby(reads, key=lambda read: read.creates):
        check.judge_together(*(read.answer for read in between_creates))


# ---------------------------------------------------------------------- T4: no session yet


@verifies("T4-read-without-session")
def test_read_without_a_session(check: ControlledCheck) -> None:
    """Without a delivery session read is refused with code 201, in every style, and makes none.

    DELIVERY, read, Errors.
    """
    # Set up.
    account = check.account("owner_without_session")
    # Sanity check, then stimulus, style by style; the first comes again, to see what the others have left.
    answers: list[Judgement] = []
    for style in (*check.run.tried, GET_QUERY):
        check.need_success("read", style)
        first = style is GET_QUERY and not answers
        answers += [check.read_first(account)] if first else _refused_for_state(check, "read", style, account)
    # Verdict.
    check.judge_together(*answers)


def _made(check: ControlledCheck, take: Callable[[str], Account]) -> Account | None:
    """A user without a delivery session, which the test may change, where a hook makes one."""
    if check.run.accounts.can_be_made("owner_without_session"):
        with suppress(NotAvailable):
            return take("owner_without_session")
    return None


@verifies("T1-create-gives-new-key", "T2-read-gives-last-created")
@pytest.mark.last
def test_first_create(check: ControlledCheck) -> None:
    """A user without a delivery session creates the first one, and read gives its key.

    DELIVERY, create and read. A fixed account of this kind never creates: it would be used up.
    """
    # Set up. It is the one whose reads were refused: what they found must not be kept for reads that follow a create.
    account = _made(check, check.account)
    if account is None:
        pytest.skip("other tests verify the same with the accounts there are")
    check.needs_rotation(account)
    # Sanity check.
    check.need_both()
    # Stimulus.
    created = check.call("create", GET_QUERY, account)
    after = check.call("read", check.or_query(), account)
    # Verdict.
    check.judge_together(created, after)


# ---------------------------------------------------------------------- T5: demo sessions


@verifies("T5-demo-first-create")
def test_demo_creates_when_there_is_none(check: ControlledCheck) -> None:
    """A demo session without a delivery session creates one; then it is refused another, and the key stays.

    DELIVERY, create: allowed in a demo session only if none exists; Errors, 101.
    """
    # Set up.
    demo = check.own("demo_without_session")
    check.needs_rotation(demo)
    # Sanity check.
    check.need_both()
    before = check.read_first(demo, check.or_query(GET_HEADER))
    # Stimulus.
    created = check.call("create", check.or_query(), demo)
    after = check.call("read", check.or_query(), demo)
    refused = check.call("create", GET_QUERY, demo)
    again = [check.call("read", GET_QUERY, demo)]
    if refused.key is not None:
        # The read before it may have ended the session for which it is to be refused: then it does so again.
        again += [check.call("read", style, demo) for style in (check.or_query(), GET_QUERY)]
    # Verdict.
    check.judge_together(before, created, after, refused, *again)


def _own_demo(check: ControlledCheck) -> Account:
    """A demo session of the test's own, which only a provider-states hook can give."""
    if not check.run.accounts.can_be_made("demo_without_session"):
        pytest.skip("another test verifies the same with the account there is")
    demo = check.own("demo_without_session")
    check.needs_rotation(demo)
    return demo


@verifies("T5-demo-first-create")
def test_demo_creates_twice_by_get(check: ControlledCheck) -> None:
    """A demo session without a delivery session creates one by GET; the key counts before anybody reads it.

    DELIVERY, create: allowed in a demo session only if none exists; Errors, 101.
    """
    # Set up.
    demo = _own_demo(check)
    # Sanity check.
    check.need_both("create", style=GET_QUERY)
    # Stimulus.
    created = check.call("create", GET_QUERY, demo)
    again = [check.call("create", GET_QUERY, demo)] if created.key is not None else []
    # Verdict.
    check.judge_together(created, *again)


@pytest.mark.race
@verifies("T5-demo-first-create")
def test_two_demo_sessions_create_at_once(check: ControlledCheck) -> None:
    """Two demo sessions without a delivery session create one each, by form and by header, at the same time.

    DELIVERY, create: allowed in a demo session only if none exists; Errors, 276.
    """
    # Set up.
    by_form, by_header = _own_demo(check), _own_demo(check)
    # Sanity check.
    styles = [check.or_query(POST_FORM), check.or_query(GET_HEADER)]
    for style in styles:
        check.need_both("create", style=style)
    # Stimulus.
    done = run_concurrently(check.run, [Worker(by_form, styles[0]), Worker(by_header, styles[1])])
    # Verdict.
    check.judge_together(*done.answers)
    created = next(each for each in done.answers if each.exchange.intent.account == by_form.credential.label)
    key = key_of(created, check.run.vault, str(by_form))
    if key is not None:
        # It is no credential, from the beginning.
        check.judge(check.send(delivery_key("read", GET_QUERY, key)))


@verifies("T5-demo-create-refused")
def test_demo_that_has_a_session(check: ControlledCheck) -> None:
    """A demo session that has a delivery session is refused another with code 101, and the key stays.

    DELIVERY, create, Errors, 101.
    """
    # Set up.
    demo = check.account("demo_with_session")
    # Sanity check.
    first = check.or_query(POST_FORM)
    check.need_both("read", style=first)
    # Stimulus and verdict. That there is a session counts before anybody reads it.
    _refused_creates(check, demo, first=first, then=POST_HEADER, unread=1)


def _refused_creates(
    check: ControlledCheck, account: Account, first: Style = GET_QUERY, then: Style = POST_JSON, unread: int = 0
) -> None:
    """Create in every style is refused to *account*, and read, in the style *then*, gives what it gave before.

    What it gave before is read in the style *first* after the first *unread* of the creates.
    """
    answers: list[Judgement] = []
    for number, style in enumerate(check.run.tried):
        check.need_success("create", style)
        if number == unread:
            answers.append(check.read_first(account, first))
        answers += _refused_for_state(check, "create", style, account)
    after = check.call("read", check.or_query(then), account)
    check.judge_together(*answers, after)


# ---------------------------------------------------------------------- T6, T7: who may not create


@verifies("T6-subuser-create-refused")
def test_subuser_is_refused_create(check: ControlledCheck) -> None:
    """A sub-user without the right is refused create with code 13, and nothing changes.

    DELIVERY, required sub-user rights; OPENAPI, delivery_session_create; ERRORS, code 13. What read gives a sub-user is not
    documented, but it gives the same before and after.
    """
    # Set up.
    subuser = check.account("subuser")
    # Sanity check.
    check.need_success("read", GET_QUERY)
    # Stimulus and verdict.
    _refused_creates(check, subuser)


@verifies("T7-tariff-create-refused")
def test_tariff_without_the_feature(check: ControlledCheck) -> None:
    """Where the tariff lacks the feature create is refused with code 236, in every style, and nothing changes.

    DELIVERY, create, Errors, 236.
    """
    # Set up.
    account = check.account("tariff_restricted")
    # Sanity check.
    check.need_success("read", GET_QUERY)
    # Stimulus and verdict.
    _refused_creates(check, account, then=POST_FORM)


# ---------------------------------------------------------------------- A6: two users


def _two_owners(check: ControlledCheck) -> tuple[Account, Account]:
    owner, other = check.account("owner"), check.account("other_owner")
    check.needs_rotation(owner)
    check.needs_rotation(other)
    return owner, other


@verifies("A6-users-are-isolated")
def test_two_users(check: ControlledCheck) -> None:
    """What one user creates the other never reads, and it leaves the other's key in place.

    DELIVERY, read: the current user's key.
    """
    # Set up.
    owner, other = _two_owners(check)
    # Sanity check: both operations work, and the owner has a key.
    check.need_both()
    by_form, by_json = check.or_query(POST_FORM), check.or_query()
    before = check.call("read", by_json, owner)
    if before.key is None:
        raise Blocked("read gives the owner no key", [before])
    # Stimulus, in both directions. The other reads by the same style, with nothing between.
    others_before = check.call("read", by_json, other)
    others = check.call("create", by_json, other)
    owners_key = check.call("read", by_form, owner)
    again = check.call("create", by_form, owner)
    others_key = check.call("read", GET_QUERY, other)
    # Verdict.
    check.judge_together(before, others_before, others, owners_key, again, others_key)


# ---------------------------------------------------------------------- T8, A6: concurrent calls

#: Workers of a round that create and then read, and of one that only create, with the one before: enough that an update that
#: loses to another is seen, few enough for the budget of requests, and together with the creates of the other checks the 40
#: keys that T9 takes.
_AT_ONCE = 4
_ONLY_CREATING = 7
#: Creates at most that T9 makes itself, where fewer keys were issued on the way than it takes.
_MORE = 20


@pytest.mark.race
@verifies("T8-one-winner")
def test_concurrent_creates(check: ControlledCheck) -> None:
    """Concurrent creates give keys of their own, and leave one of them as the one that read gives.

    DELIVERY, create and read.
    """
    # Set up.
    owner = check.account("owner")
    check.needs_rotation(owner)
    # Sanity check.
    check.need_both("create", "read")
    styles = _working(check, GET_QUERY, POST_JSON, POST_FORM, GET_HEADER, POST_HEADER)
    room = check.controls.room_at_once(4 if check.run.smoke else _ONLY_CREATING)
    around = list(islice(cycle(styles), _ONLY_CREATING + 1))
    overlapped, late = False, 0.0
    by_json = check.or_query()
    rounds = (
        (_one_create, [GET_QUERY]),
        (_only_creating, [GET_QUERY, by_json]),
        (_creating_and_reading, [GET_QUERY, by_json]),
    )
    for workers, then in rounds:
        # Stimulus, and what read gives when all is quiet.
        done = run_concurrently(check.run, workers(owner, around, room, late))
        overlapped, late = overlapped or done.overlapped, done.shortest_create / 2
        quiet = [check.call("read", style, owner) for style in then]
        # Verdict.
        check.judge_together(*done.answers, *quiet)
        if not check.fits(*done.answers, *quiet):
            isolate.one_after_the_other(check, owner, styles)
            return
    if not overlapped:
        raise NotAvailable("no two creates overlapped at the pace of this run")


def _one_create(owner: Account, around: Sequence[Style], *_: float) -> list[Worker]:
    """A create, and a read that is under way before it.

    It must not put back the key that it found. This is the first round: the owner's last call was a create, so nobody has read
    that key yet and kept it; and nobody else reads or creates meanwhile, who would put another one in its place.
    """
    return [Worker(owner, None, around[0]), Worker(owner, around[0])]


def _only_creating(owner: Account, around: Sequence[Style], room: int, _: float) -> list[Worker]:
    """Concurrent creates."""
    return [Worker(owner, create) for create in around[1 : max(room, 3)]]


def _creating_and_reading(owner: Account, around: Sequence[Style], room: int, late: float) -> list[Worker]:
    """Concurrent creates and reads; one more reads *late*, while keys are replaced: there is one at any time."""
    pairs = list(pairwise(around[: min(_AT_ONCE, room) + 1]))
    workers = [Worker(owner, create, read) for create, read in pairs[:-1]]
    create, read = pairs[-1]
    return [*workers, Worker(owner, create), Worker(owner, None, read, late=late)]


@pytest.mark.race
@verifies("A6-users-are-isolated")
def test_two_users_concurrently(check: ControlledCheck) -> None:
    """Concurrent creates and reads of different users never mix their keys.

    DELIVERY, read: the current user's key.
    """
    # Set up.
    owner, other = _two_owners(check)
    third = _made(check, check.own) or other
    # Sanity check.
    check.need_both("create", "read")
    styles = list(islice(cycle(_working(check, POST_JSON, GET_HEADER, POST_FORM, GET_QUERY)), 4))
    # Stimulus: of those who create once, one loses where all write the same.
    workers = [Worker(account, styles[0], styles[3]) for account in (owner, other)]
    workers += [Worker(third, styles[1], styles[2]), Worker(third, styles[1])]
    workers = workers[: check.controls.room_at_once(4)]
    # A create in the middle of which another one reads, who has a session.
    alone = [Worker(third, styles[2]), Worker(owner, None, styles[0], late=check.controls.create_seconds / 2)]
    done = run_concurrently(check.run, [*workers, *alone], reads_at_once=True)
    quiet = [
        check.call("read", check.or_query(GET_HEADER), account) for account in dict.fromkeys((owner, other, third))
    ]
    # Verdict.
    check.judge_together(*done.answers, *quiet)
    if not check.fits(*done.answers, *quiet):
        _isolate_two_users(check, owner, styles, done)
    elif not done.overlapped:
        raise NotAvailable("no two creates overlapped at the pace of this run")


@verifies("A6-users-are-isolated")
@pytest.mark.last
def test_no_answer_shows_the_key_of_another(check: ControlledCheck) -> None:
    """No answer to a user shows a key that was made for another one, in whatever place.

    DELIVERY, read: the current user's key.
    """
    # Set up: what the run has sent anyway.
    _two_owners(check)
    # Sanity check: good credentials are given keys.
    check.need_both("create", "read")
    # Verdict.
    for anomaly in others_keys(check.run.history.answers()):
        check.report(anomaly)


def _isolate_two_users(check: ControlledCheck, owner: Account, styles: list[Style], done: Round) -> None:
    """Where one user alone has the same, it is not the other one who makes the difference."""
    if any(each.key is not None for each in done.answers):
        isolate.one_after_the_other(check, owner, styles)


# ---------------------------------------------------------------------- T9: predictability


@verifies("T9-keys-unpredictable")
@pytest.mark.last
def test_keys_cannot_be_predicted(check: ControlledCheck) -> None:
    """The keys of this run are no sequence and no clock, and enough of their bits vary.

    A decision of this project: a key in a public link is a bearer secret.
    """
    # Set up: the keys that were issued anyway, and where a few are missing to say something, these too.
    owner = check.account(OWNER)
    missing = ENOUGH - len(check.run.history.issued())
    if 0 < missing <= _MORE and check.run.may_rotate(owner):
        check.need_both()
        for style in islice(cycle(_working(check, *check.run.styles)), missing):
            check.call("create", style, owner)
    # Sanity check: they are answers to good credentials, and enough of them.
    check.need_both()
    issued = check.run.history.issued()
    keys = [each.value for each in issued]
    if len(set(keys)) < 2 and len(keys) >= 2:
        raise NotAvailable("create gives the same key each time")
    # Verdict.
    found = predictable(check.run.history.answers())
    check.report(found)
    others = [each.answer for each in issued if not is_comparable(each.value)]
    if found is None and len(keys) - len(others) < ENOUGH <= len(keys):
        raise Blocked(f"{len(others)} of {len(keys)} keys have not 32 hexadecimal digits to compare", others)
    if found is None and len(keys) < ENOUGH:
        check.needs_rotation(owner)
        raise NotAvailable(f"{len(keys)} keys were issued, and it takes {ENOUGH} to say")
