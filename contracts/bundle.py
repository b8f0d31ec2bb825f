"""Makes two files from ``openapi.yaml`` and the schemas beside it, each of which stands alone.

``openapi.bundled.json`` says exactly the same in one file. The run and the tools that validate or mock read it: it needs no
YAML parser, and several of them do not follow references into other files. ``openapi.client.json`` is the plainer form for
generators of clients and servers, see :mod:`contracts.client_form`. ``python -m contracts.bundle`` writes both, ``--check``
exits with 1 where one is not what would be written now.

Each schema that the document refers to by file goes to ``components/schemas`` under its title (``schemas/key.json`` becomes
``DeliverySessionKey``), and nothing else changes. Keywords that are annotations for whole files (``$schema``) are left out
there: inside the document its own dialect holds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from contracts.client_form import client_form

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE / "openapi.yaml"
TARGET: Final = HERE / "openapi.bundled.json"
CLIENT: Final = HERE / "openapi.client.json"

_LOCAL: Final = "#/components/schemas/"


class BundleError(Exception):
    """The document cannot be bundled."""


class _Bundler:
    """Copies a tree, and takes in every schema file that something in it refers to."""

    def __init__(self) -> None:
        self.taken: dict[str, Any] = {}

    def copy(self, node: Any, base: Path) -> Any:
        """A copy of `node`, which was read from a file in `base`, with references by file turned into local ones."""
        if isinstance(node, dict):
            return {
                key: self._reference(value, base)
                if key == "$ref" and isinstance(value, str)
                else self.copy(value, base)
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self.copy(value, base) for value in node]
        return node

    def _reference(self, reference: str, base: Path) -> str:
        """The local form of `reference`."""
        if reference.startswith("#"):
            if base != SOURCE.parent:
                raise BundleError(f"a schema file refers to a part of itself, which a bundle cannot hold: {reference}")
            return reference
        path = (base / reference).resolve()
        if "#" in reference or HERE.resolve() not in path.parents or not path.is_file():
            raise BundleError(f"only whole files below contracts/ can be referred to, not {reference}")
        schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name: str = schema["title"]
        if name not in self.taken:
            self.taken[name] = None  # its place in the order, and the end of a circle
            schema.pop("$schema", None)
            self.taken[name] = self.copy(schema, path.parent)
        return _LOCAL + name


def bundle() -> dict[str, Any]:
    """The document with everything that it refers to in it."""
    import yaml  # a developer's dependency: what is installed reads the bundle

    bundler = _Bundler()
    document: dict[str, Any] = bundler.copy(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), SOURCE.parent)
    schemas = document["components"]["schemas"]
    if twice := schemas.keys() & bundler.taken.keys():
        raise BundleError(f"a component and a schema file have one name: {', '.join(sorted(twice))}")
    document["components"]["schemas"] = dict(sorted({**schemas, **bundler.taken}.items()))
    return document


def render(document: dict[str, Any]) -> str:
    """The text of a file that is made: the same document gives the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes both files, or with ``--check`` says whether they are current."""
    parser = argparse.ArgumentParser(
        prog="python -m contracts.bundle", description="Bundle the contract, as it is and for generators."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a file is not current")
    check: bool = parser.parse_args(arguments).check
    document = bundle()
    wanted = {TARGET: render(document), CLIENT: render(client_form(document))}
    if not check:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        path.name for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if stale:
        print(f"not what {SOURCE.name} gives now: {', '.join(stale)}; run python -m contracts.bundle", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
