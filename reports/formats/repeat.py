"""Scripts that repeat a failure: they get the accounts, make the calls in their order and show the difference.

The calls are written when a failure is recorded, where the accounts come from when the report is made. On the terminal a
script is one line, ``sh REPORT_DIR/repeat/T2.sh``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any, Final

from contracts.exchange import Exchange, Response
from contracts.requirements import catalogue
from fixtures.secrets import Vault
from fixtures.target.file import ACCOUNTS
from reports.formats.shell import curl, variable
from reports.results import ViolationRecord
from reports.words import asked, one_line, visible

FOLDER: Final = "repeat"
NOT_REPEATABLE: Final = "not repeatable"
_RACE: Final = f"{NOT_REPEATABLE}: it takes calls at the same time"
_PATH: Final = "/user/session/delivery/"
_LONGEST: Final = 300
_USED: Final = re.compile(r"\$\{?((?:DELIVERY_|KEY_|HEADER_)\w+)")
#: The name of a credential of an account, or of a key that it was given.
_OF_ACCOUNT: Final = re.compile(rf"(?:key \d+ of )?(?:{'|'.join(ACCOUNTS)})(?: \d+)?")
_CALL: Final = re.compile(r"^answer_\d+=", re.MULTILINE)
_HELPERS: Final = """\
value() { sed -n 's/.*"value" *: *"\\([^"]*\\)".*/\\1/p'; }
code() { sed -n 's/.*"code" *: *\\(-*[0-9][0-9]*\\).*/\\1/p'; }
summary() {
    printf '%s\\n' "$1" | head -n 1 | tr -d '\\r\\n'
    for name in value code; do
        found=$(printf '%s\\n' "$1" | "$name" | tail -n 1)
        if [ -n "$found" ]; then printf ', %s %s' "$name" "$found"; fi
    done
    echo
}
compared() { # the number and the answer of a call, then those of each one before it
    last=$1 given=$(printf '%s\n' "$2" | value)
    while [ $# -gt 2 ]; do
        shift 2
        word='different values'
        if [ "$(printf '%s\n' "$2" | value)" = "$given" ]; then word='the same value'; fi
        echo "calls $1 and $last gave $word"
    done
}
shown() { # the number and the answer of a call, a secret and its name
    case $2 in *"${3:-none}"*) echo "call $1 shows $4" ;; *) echo "call $1 does not show $4" ;; esac
}"""
_FRESH: Final = """\
fresh() { # an account in this state, from the provider-states hook
    curl -sS {hook} -H 'Content-Type: application/json'{headers} \\
        -d '{"state": "'"$1"'", "action": "setup", "params": {}}' | sed -n 's/.*"hash" *: *"\\([^"]*\\)".*/\\1/p'
}
need() { # a credential, and the account that it is for
    if [ -z "$1" ]; then echo "the provider-states hook gave no account $2: is it running?" >&2; exit 4; fi
}"""


@dataclass(frozen=True)
class Accounts:
    """Where a run got its accounts: the address of the *hook*, the *fixed* ones, and of these the *variables* that hold them.

    The query of the hook may be secret: of it only the question mark is here. Of the headers for it only the names are.
    """

    hook: str | None = None
    fixed: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)
    hook_headers: tuple[str, ...] = ()


NO_ACCOUNTS: Final = Accounts()


def body(exchanges: Sequence[Exchange], vault: Vault, *, repeatable: bool = True) -> str:
    """The calls of *exchanges* in the order in which they were made, keys handed on between them.

    Where it is not *repeatable*, or there is no call, why not.
    """
    if not repeatable:
        return _RACE
    ordered = sorted({id(each): each for each in exchanges}.values(), key=lambda each: each.sent_at)
    if not ordered:
        return f"{NOT_REPEATABLE}: no single call shows it"
    commands = [curl(exchange.request, vault) for exchange in ordered]
    compared = list(_compared(ordered, vault))
    found = [*compared, *_disclosed(ordered[-1], len(ordered), vault, keys=not compared)]
    lines: list[str] = []
    given: set[str] = set()
    for number, (exchange, command) in enumerate(zip(ordered, commands, strict=True), 1):
        lines += ["", f"echo {quote(f'{number}. {visible(asked(exchange, vault))}')}"]
        lines += [f"answer_{number}=$({command}) || true", f"printf '%s\\n' \"$answer_{number}\""]
        key = _given_key(exchange.response, vault)
        if key is not None and key not in given:
            if key in _variables("\n".join([*commands[number:], *found])):
                lines.append(f"{key}=$(printf '%s\\n' \"$answer_{number}\" | value)")
            given.add(key)
    if found:
        lines += ["", "difference=$(", *(f"    {each}" for each in found), ")"]
    return vault.mask("\n".join(lines).strip())


def _compared(ordered: Sequence[Exchange], vault: Vault) -> Iterator[str]:
    """Compare the value that the last call gave with those of the calls before it."""
    numbers = [number for number, each in enumerate(ordered, 1) if _given_key(each.response, vault) is not None]
    if len(numbers) > 1:
        yield " ".join(["compared", *(f'{number} "$answer_{number}"' for number in (numbers[-1], *numbers[:-1]))])


def _disclosed(last: Exchange, number: int, vault: Vault, *, keys: bool) -> Iterator[str]:
    """Look in the *last* answer for what it must not disclose: a credential, and a *key* where no valid credential was sent."""
    if last.response is None:
        return
    keys = keys and not last.intent.valid and last.intent.operation != "create"
    pieces = vault.find(last.response.body.decode("utf-8", "replace"))
    for secret in dict.fromkeys(piece.secret for piece in pieces if piece.whole and not piece.encoded):
        is_key = secret.label.startswith("key ")
        if _OF_ACCOUNT.fullmatch(secret.label) and (keys or not is_key):
            name = secret.label if is_key else f"the hash of {secret.label}"
            yield f'shown {number} "$answer_{number}" "${variable(secret.label)}" {quote(name)}'


def is_script(said: str) -> bool:
    """Whether *said*, the ``repeat`` of a violation, is a script and not why there is none."""
    return bool(said) and not said.startswith(NOT_REPEATABLE)


def complete(record: ViolationRecord, accounts: Accounts) -> str:
    """The script that repeats *record*, from its first line to the difference; what is not repeatable says so."""
    calls = record.repeat
    if not is_script(calls):
        return calls
    requirement = catalogue()[record.requirement]
    base_url = _base_url(record)
    lines = ["#!/bin/sh", f"# {requirement.id} ({requirement.level}): {requirement.obligation}"]
    lines += ["# Needs curl. It sends the calls again, with accounts from where the run had them.", "set -u", _HELPERS]
    lines += [*_prepared(_variables(calls), calls, base_url, accounts), "", calls, ""]
    numbers = range(1, len(_CALL.findall(calls)) + 1)
    if record.exchange is not None and record.exchange["response"].startswith("HTTP"):
        # There was an answer: where none comes now, that is no repetition.
        gone = f"no answer from {base_url}: start the target, and run this again"
        answers = "".join(f"$answer_{number}" for number in numbers)
        lines += [f'if [ -z "{answers}" ]; then echo {quote(gone)} >&2; exit 6; fi', ""]
    lines.append("echo")
    lines.append(f"printf '%s\\n' {quote('expected: ' + _said(record.expected))}")
    lines.append(f"printf '%s\\n' {quote('the run got: ' + _said(record.actual))}")
    for number in numbers:
        lines.append(f'printf \'now, call {number}: %s\\n\' "$(summary "$answer_{number}")"')
    if "\ndifference=" in calls:
        lines.append("printf '%s\\n' \"$difference\"")
    return "\n".join(lines)


def _said(text: str) -> str:
    return one_line(visible(text), _LONGEST)


def _base_url(record: ViolationRecord) -> str:
    request = record.exchange["request"] if record.exchange else ""
    return request.partition(" ")[2].partition("\n")[0].partition(_PATH)[0]


def _variables(text: str) -> list[str]:
    """The variables that *text* uses, each once."""
    return list(dict.fromkeys(_USED.findall(text)))


def _prepared(names: Sequence[str], calls: str, base_url: str, accounts: Accounts) -> Iterator[str]:
    """What to set before the calls are made: accounts first, for keys are read with them."""
    wanted = [name for name in names if f"\n{name}=" not in f"\n{calls}"]
    keys = {name: variable(_words(name.partition("_OF_")[2])) for name in wanted if name.startswith("KEY_")}
    needed = dict.fromkeys([*(each for each in keys.values() if _account_of(each)), *wanted])
    lines = [_set(name, accounts) for name in needed if name not in keys]
    if any("$(fresh " in line for line in lines):
        yield from _fresh(accounts)
    yield from lines
    for name, owner in keys.items():
        yield from _set_key(name, owner, base_url, accounts)


def _words(name: str) -> str:
    """The label of which a variable has *name*."""
    return name.replace("_", " ").lower()


def _account_of(name: str) -> str | None:
    """The account whose credential the variable *name* holds: ``DELIVERY_OWNER_2_HASH`` is of a second ``owner``."""
    label = re.sub(r"_\d+$", "", name.removeprefix("DELIVERY_").removesuffix("_HASH")).lower()
    return label if label in ACCOUNTS else None


def _is_made(account: str, accounts: Accounts) -> bool:
    """Whether the hook makes *account*."""
    return account not in accounts.fixed and accounts.hook is not None


def _set(name: str, accounts: Accounts) -> str:
    """The line that sets a variable that stands for an account, a header of the target file, or what was made of one."""
    if name.startswith("HEADER_"):
        return f': "${{{name}:?set it to the value of this header in the target file}}"'
    account = _account_of(name)
    if account is None:
        label = _words(name.removeprefix("DELIVERY_").removesuffix("_HASH"))
        return f': "${{{name}:?set it to what the request held: {label}}}"'
    if account in accounts.variables:
        return f': "${{{name}:=${{{accounts.variables[account]}:?set it as for the run}}}}"'
    if _is_made(account, accounts):
        return f': "${{{name}:=$(fresh {account})}}"; need "${name}" {account}'
    return f': "${{{name}:?set it to the hash of {account}}}"'


def _set_key(name: str, owner: str, base_url: str, accounts: Accounts) -> Iterator[str]:
    """The lines that set a key: whichever *owner* has now serves as well as the one that it had."""
    account = _account_of(owner)
    if account is None:
        yield f': "${{{name}:?set it to a key that create gave to somebody else}}"'
        return
    # A fresh account may have none yet; one that was there before keeps the one that it has.
    for operation in ("read", "create") if _is_made(account, accounts) else ("read",):
        address = quote(f"{base_url}{_PATH}{operation}?hash=")
        yield f': "${{{name}:=$(curl -sS {address}"$' + owner + '" | value)}"'


def _fresh(accounts: Accounts) -> Iterator[str]:
    """The function that asks the hook for an account, and what it needs of the target file."""
    hook = quote(accounts.hook or "")
    if hook.endswith("?'"):
        yield ': "${HOOK_QUERY:?set it to the query of provider_states.url in the target file}"'
        hook += '"$HOOK_QUERY"'
    headers = ""
    for name in accounts.hook_headers:
        held = f"HOOK_HEADER_{variable(name).removeprefix('DELIVERY_').removesuffix('_HASH')}"
        yield f': "${{{held}:?set it to the header {name} of [provider_states] in the target file}}"'
        headers += f' -H {quote(name)}": ${held}"'
    yield _FRESH.replace("{hook}", hook).replace("{headers}", headers)


def _given_key(response: Response | None, vault: Vault) -> str | None:
    if response is None:
        return None
    try:
        value = json.loads(response.body).get("value")
    except (ValueError, AttributeError, RecursionError):
        return None
    secret = vault.get(value) if isinstance(value, str) else None
    return variable(secret.label) if secret is not None and secret.label.startswith("key ") else None


def names(document: Mapping[str, Any]) -> dict[str, str]:
    """The file of each requirement that has a script: its tag, or its id where another one has the same tag."""
    found = [each["id"] for each in document["requirements"] if script_of(each)]
    tags = {name: name.partition("-")[0] for name in found}
    times = Counter(tags.values())
    return {name: f"{tag if times[tag] == 1 else name}.sh" for name, tag in tags.items()}


def script_of(entry: Mapping[str, Any]) -> str:
    """The first script that repeats a violation of a requirement; empty where there is none."""
    scripts = (each.get("repeat") or "" for each in entry["violations"])
    return next(filter(is_script, scripts), "")


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Write the scripts of *document* below *folder*. Raises ``OSError``."""
    files = names(document)
    if not files:
        return
    (folder / FOLDER).mkdir(exist_ok=True)
    for entry in document["requirements"]:
        if entry["id"] in files:
            path = folder / FOLDER / files[entry["id"]]
            path.write_text(visible(script_of(entry)) + "\n", encoding="utf-8")
            path.chmod(0o755)
