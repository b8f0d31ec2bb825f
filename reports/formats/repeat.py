"""Scripts that repeat a failure: they get the accounts, make the calls in their order and show the difference.

The calls are written when a failure is recorded, where the accounts come from when the report is made. On the terminal a
script is one line, ``sh REPORT_DIR/repeat/T2.sh``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
}"""
_FRESH: Final = """\
fresh() { # an account in this state, from the provider-states hook
    curl -sS %s -H 'Content-Type: application/json' \\
        -d '{"state": "'"$1"'", "action": "setup", "params": {}}' | sed -n 's/.*"hash" *: *"\\([^"]*\\)".*/\\1/p'
}"""


@dataclass(frozen=True)
class Accounts:
    """Where a run got its accounts: the address of the *hook*, the *fixed* ones, and of these the *variables* that hold them."""

    hook: str | None = None
    fixed: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)


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
    lines: list[str] = []
    given: dict[str, int] = {}
    for number, (exchange, command) in enumerate(zip(ordered, commands, strict=True), 1):
        lines += ["", f"echo {quote(f'{number}. {visible(asked(exchange, vault))}')}"]
        lines += [f"answer_{number}=$({command}) || true", f"printf '%s\\n' \"$answer_{number}\""]
        key = _given_key(exchange.response, vault)
        if key is not None and key not in given:
            if key in _variables("\n".join(commands[number:])):
                lines.append(f"{key}=$(printf '%s\\n' \"$answer_{number}\" | value)")
            given[key] = number
    keys = [number for number, each in enumerate(ordered, 1) if _given_key(each.response, vault) is not None]
    if len(keys) > 1:
        lines += ["", *_compared(*keys[-2:])]
    return vault.mask("\n".join(lines).strip())


def _compared(first: int, second: int) -> Iterator[str]:
    """Say whether the two last calls that gave a value gave the same one."""
    values = " = ".join(f'"$(printf \'%s\\n\' "$answer_{number}" | value)"' for number in (first, second))
    yield f"same='calls {first} and {second} gave different values'"
    yield f"if [ {values} ]; then same='calls {first} and {second} gave the same value'; fi"


def complete(record: ViolationRecord, accounts: Accounts) -> str:
    """The script that repeats *record*, from its first line to the difference; what is not repeatable says so."""
    calls = record.repeat
    if not calls or calls.startswith(NOT_REPEATABLE):
        return calls
    requirement = catalogue()[record.requirement]
    base_url = _base_url(record)
    lines = ["#!/bin/sh", f"# {requirement.id} ({requirement.level}): {requirement.obligation}"]
    lines += ["# Needs curl. It sends the calls again, with accounts from where the run had them.", "set -u", _HELPERS]
    lines += [*_prepared(_variables(calls), calls, base_url, accounts), "", calls, "", "echo"]
    lines.append(f"printf '%s\\n' {quote('expected: ' + _said(record.expected))}")
    lines.append(f"printf '%s\\n' {quote('the run got: ' + _said(record.actual))}")
    for number in range(1, len(_CALL.findall(calls)) + 1):
        lines.append(f'printf \'now, call {number}: %s\\n\' "$(summary "$answer_{number}")"')
    if "\nsame=" in calls:
        lines.append("printf '%s\\n' \"$same\"")
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
    own = {variable(name): name for name in ACCOUNTS}
    wanted = [name for name in names if f"\n{name}=" not in f"\n{calls}"]
    keys = {name: variable(name.partition("_OF_")[2]) for name in wanted if name.startswith("KEY_")}
    needed = list(dict.fromkeys([*(each for each in keys.values() if each in own), *wanted]))
    lines = [line for name in needed if name not in keys for line in _account(name, own, accounts)]
    if any("$(fresh " in line for line in lines):
        yield _FRESH.replace("%s", quote(accounts.hook or ""))
    yield from lines
    for name, owner in keys.items():
        if owner in own:
            # Whichever key the account has now serves as well as the one that it had.
            address = quote(f"{base_url}{_PATH}read?hash=")
            yield f': "${{{name}:=$(curl -sS {address}"$' + owner + '" | value)}"'
        else:
            yield f': "${{{name}:?set it to a key that create gave to somebody else}}"'


def _account(name: str, own: Mapping[str, str], accounts: Accounts) -> Iterable[str]:
    """The line that sets a variable that stands for an account, a header of the target file, or what was made of one."""
    if name.startswith("HEADER_"):
        return [f': "${{{name}:?set it to the value of this header in the target file}}"']
    label = name.removeprefix("DELIVERY_").removesuffix("_HASH")
    account = own.get(variable(re.sub(r"(_\d+)$", "", label)))
    if account is None:
        return [f': "${{{name}:?set it to what the request held: {label.lower()}}}"']
    if account in accounts.variables:
        return [f': "${{{name}:=${{{accounts.variables[account]}:?set it as for the run}}}}"']
    if account not in accounts.fixed and accounts.hook:
        return [f': "${{{name}:=$(fresh {account})}}"']
    return [f': "${{{name}:?set it to the hash of {account}}}"']


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
    return next((each for each in scripts if each and not each.startswith(NOT_REPEATABLE)), "")


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
