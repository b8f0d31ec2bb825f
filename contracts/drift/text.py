"""The text of a document as data: JSON or YAML, and no more than either says.

A member that stands twice in one object has two meanings, and programs differ in which they take, so it is refused here.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from contracts.drift.difference import DriftError
from contracts.drift.document import said


def parse(text: str, *, is_yaml: bool) -> object:
    """What `text` says. Raises ``DriftError`` where it is no JSON or no YAML, or says something twice."""
    return _yaml(text) if is_yaml else _json(text)


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise DriftError("it is nested too deeply") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DriftError(f"it is not JSON{where}; a document in YAML needs a name that ends in .yaml") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                _twice(name)
            seen.add(name)
    return members


def _no_constant(name: str) -> NoReturn:
    raise DriftError(f"it is not JSON: {name} is no number there")


def _twice(name: object) -> NoReturn:
    raise DriftError(f"the member {said(name)} stands twice in one object")


def _yaml(text: str) -> object:
    import yaml  # schemathesis brings it; nothing but --drift needs it

    def named(key: yaml.Node) -> object:
        return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)

    class Loader(yaml.SafeLoader):
        """Refuses a member that stands twice, and keeps what ``<<`` merges in from growing with each level."""

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            seen: set[object] = set()
            for key, _ in node.value:
                if named(key) in seen:
                    _twice(key.value)
                seen.add(named(key))
            super().flatten_mapping(node)
            # The mapping's own members stand last, and win.
            node.value = list({named(key): (key, value) for key, value in node.value}.values())

    try:
        return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except RecursionError:
        raise DriftError("it is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise DriftError(f"it is not YAML{where}") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise DriftError("it is not YAML") from None
