"""``--plan``: what a run would send at most, as which account, how often, and which calls change state. Sends nothing.

It reads no credential: of an account it knows only where its credential would come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fixtures.http.guard import REFUSED_BY_CONTRACT, Rotation, rotation
from fixtures.target.file import ACCOUNTS
from suites.runner.budget import Amount, Ledger, ledger
from suites.runner.options import Options

_EFFECT: Mapping[str, str] = {
    "owner": "each replaces the key in every link of the account",
    "other_owner": "each replaces the key in every link of the account",
    "owner_without_session": "the first makes the account's key",
    "demo_without_session": "the first makes the account's key and uses it up",
}
_NO_EFFECT = "refused, by a target that keeps the contract"


def sources(options: Options) -> dict[str, str]:
    """Where the credential of each account would come from; accounts that are nowhere are left out."""
    if options.base_url is None:
        return dict.fromkeys(ACCOUNTS, "made by the embedded emulator")
    target = options.target
    found = {}
    for account in ACCOUNTS:
        if account in target.sources:
            found[account] = f"fixed, {target.sources[account]}"
        elif target.states_url:
            found[account] = "made by the provider-states hook"
    return found


def rule_of(options: Options) -> Rotation:
    """Whether ``create`` may succeed in the run."""
    base_url = options.base_url or "http://127.0.0.1"
    return rotation(base_url, flag=options.allow_key_rotation, in_file=options.target.allow_key_rotation)


def plan(options: Options, groups: Sequence[str], tests: int, accounts: Mapping[str, str]) -> Iterator[str]:
    """The plan of a run of *tests* tests of *groups*, line by line; *accounts* says where credentials come from."""
    rule = rule_of(options)
    sent = ledger_of(options, groups, accounts)
    yield "Plan: nothing was sent."
    yield f"  target        {options.base_url or 'the embedded emulator'}, profile {options.profile}"
    yield f"  tests         {tests}, examples by the Hypothesis profile {options.hypothesis_profile}"
    yield f"  key rotation  {'allowed' if rule.allowed else 'not allowed'}: {rule.reason}"
    yield ""
    yield f"  {'requests':<22} {'usually':>8} {'at most':>8}"
    for name, amount in sent.requests.items():
        yield f"  {name.replace('_', ' '):<22} {amount.usual:>8} {amount.most:>8}"
    yield f"  {'in all':<22} {sent.all_requests.usual:>8} {sent.all_requests.most:>8}"
    yield ""
    yield f"  {'create as':<22} {'usually':>8} {'at most':>8}"
    for account in ACCOUNTS:
        source = accounts.get(account)
        amount = sent.creates.get(account, Amount(0, 0))
        effect = _NO_EFFECT if account in REFUSED_BY_CONTRACT else _EFFECT.get(account, "")
        said = f"{source}; {effect}" if amount.most else source or "absent: what needs it is not verified"
        yield f"  {account:<22} {amount.usual:>8} {amount.most:>8}  {said}"
    yield f"  {'in all':<22} {sent.all_creates.usual:>8} {sent.all_creates.most:>8}  the session lets no more through"
    yield ""
    yield "Usually: on a conforming target, with these accounts. At most: on any; only an answer of 429, which is waited"
    yield "for, and no answer, after which the target is asked whether it is there, add to the requests. Only create"
    yield "changes anything" + (
        "; what is made from the hash of owner goes there too, and a broken target may take it for good."
        if rule.allowed
        else "."
    )


def ledger_of(options: Options, groups: Sequence[str], accounts: Mapping[str, str]) -> Ledger:
    """What a run of *groups* with *accounts* sends."""
    return ledger(
        groups,
        thorough=options.hypothesis_profile == "thorough",
        provoke=options.target.http.provoke_rate_limit,
        rule=rule_of(options),
        fixed=[name for name, source in accounts.items() if source.startswith("fixed")],
        fresh=[name for name, source in accounts.items() if source.startswith("made")],
    )
