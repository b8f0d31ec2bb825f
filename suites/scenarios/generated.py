"""How examples are generated: the same ones every time, no shrinking, nothing written to disk.

On a target with state the first sighting is the finding; shrinking would rotate a key a hundred times. Only ``thorough``
explores, with a seed that repeats it.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky

from fixtures.calls import FORM, JSON, PATH, Call, Operation
from suites.scenarios.controls import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from suites.runner.trial import Trial

#: Examples that each generated check makes, by the name of the profile.
EXAMPLES = {"smoke": 1, "standard": 2, "thorough": 60}
_BUNDLE = Path(__file__).resolve().parents[2] / "contracts" / "openapi.bundled.json"
_LONG = 1_000
_HEADERS = frozenset({"nvx-iso-datetime"})


def register() -> None:
    """Register the profiles with Hypothesis, and let it keep nothing in the working directory, which may be read-only."""
    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "hypothesis")
    for name, count in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=count,
            derandomize=name != "thorough",
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )


class Finding(Exception):
    """Tells Hypothesis that an example is one to shrink."""


def explore(
    trial: Trial,
    check: Callable[..., bool],
    strategy: SearchStrategy[tuple[Any, ...]],
    always: Sequence[tuple[Any, ...]] = (),
    examples: int | None = None,
    name: str = "",
    beyond_simplest: bool = False,
) -> None:
    """Run *check*, which says whether its example is as it should be, on *always* and on examples of *strategy*.

    The first finding ends it, but for a run that may shrink: there the smallest example that Hypothesis can find is the
    one that is told. Checks of another *name* get other examples. Hypothesis always begins with the simplest example of
    all; *beyond_simplest* says that it is worth no request.
    """
    shrinks = trial.run.thorough and trial.run.loopback
    found = len(trial.violations)
    simplest = beyond_simplest

    def each(arguments: tuple[Any, ...]) -> None:
        nonlocal simplest
        if simplest:
            simplest = False
            return
        if shrinks:
            del trial.violations[found:]
        elif len(trial.violations) > found:
            return
        if not check(*arguments) and shrinks:
            raise Finding

    test: Any = given(strategy)(each)
    for arguments in always:
        test = example(arguments)(test)
    if not trial.run.thorough:
        # Hypothesis's own seed is that of the code, which all checks share.
        test = seed(zlib.crc32(name.encode()))(test)
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if shrinks else [])]
    try:
        most = (examples or trial.examples) + beyond_simplest
        settings(max_examples=most, phases=phases, report_multiple_bugs=False)(test)()
    except (Finding, Flaky):
        # What it found is taken down in the trial.
        return


@cache
def _schema() -> Any:
    # Imported here: it costs a fifth of a second, which runs without generated checks need not spend.
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    config = SchemathesisConfig.from_dict({"generation": {"database": "none", "deterministic": True}})
    return schemathesis.openapi.from_dict(json.loads(_BUNDLE.read_text(encoding="utf-8")), config=config)


@cache
def contract_cases(operation_id: str, mode: str) -> SearchStrategy[Call]:
    """Calls of the operation *operation_id* that Schemathesis makes by the contract, or (*mode* negative) against it."""
    from schemathesis import GenerationMode

    name = "create" if operation_id.startswith("create") else "read"
    operation = _schema()[PATH + name][operation_id.removeprefix(name).upper()]
    kind = GenerationMode.NEGATIVE if mode == "negative" else GenerationMode.POSITIVE
    strategy: SearchStrategy[Any] = operation.as_strategy(generation_mode=kind)
    return strategy.map(_as_call)


def _as_call(case: Any) -> Call:
    """The case as a call of the suite's own session: its rules hold for these requests too."""
    operation: Operation = "create" if case.path.endswith("create") else "read"
    query = urlencode(
        {str(name): _text(value) for name, value in _mapping(case.query).items()}, quote_via=quote, errors="replace"
    )
    headers = tuple(
        (name, value)
        for name, value in _mapping(case.headers).items()
        if name.lower() in _HEADERS and value.isascii() and value.isprintable()
    )
    body: bytes | None = None
    method = str(case.method).upper()
    if method == "POST":
        form = case.media_type == FORM
        members = _replace_hash(case.body)
        if form and isinstance(members, dict):
            body = urlencode({str(name): _text(value) for name, value in members.items()}, errors="replace").encode()
        elif isinstance(members, bytes):
            body = members
        else:
            body = json.dumps(members if not form else {}, default=str).encode()
        headers = (*headers, ("Content-Type", FORM if form else JSON))
    everything = query + (body or b"").decode("utf-8", "replace")
    front = len(everything) > _LONG or "%00" in everything or "\\u0000" in everything or "\\ud" in everything.lower()
    return Call(
        operation, method, PATH + operation, query=query, headers=headers, body=body, front=front, breaks_contract=True
    )


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): each for name, each in _replace_hash(dict(value)).items()} if value else {}


def _replace_hash(value: Any) -> Any:
    """Well-formed hashes are replaced by one that is surely nobody's: the documents' examples may be some emulator's accounts."""
    if isinstance(value, dict) and isinstance(value.get("hash"), str) and len(value["hash"]) == len(UNKNOWN):
        return {**value, "hash": UNKNOWN}
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
