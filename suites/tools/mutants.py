"""Small changes of a module, one at a time, such as a slip of the hand or of the mind would make.

A mutant is the text of the module with one expression or statement in the place of another. What is a message, a label, an annotation
or a docstring is left alone: no test should know a wording.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

_Node = TypeVar("_Node", bound=ast.AST)

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


#: Methods that look at the texts that they are given.
_DECIDING: Final = frozenset(
    [
        "count",
        "endswith",
        "find",
        "get",
        "header",
        "join",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rpartition",
        "rstrip",
        "setdefault",
        "split",
        "startswith",
        "strip",
        "sub",
    ]
)


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what stood there and what stands there now, and the whole text with it."""

    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}: {_short(self.before)} -> {_short(self.after)}"


def mutants(source: str) -> list[Mutant]:
    """Every mutant of *source*, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    text = b"".join(lines)
    found = []
    for old, new in _changes(tree):
        begin = starts[old.lineno - 1] + old.col_offset
        end = starts[(old.end_lineno or old.lineno) - 1] + (old.end_col_offset or 0)
        before, after = text[begin:end].decode(), ast.unparse(new)
        if isinstance(new, ast.expr) and not isinstance(new, ast.Constant | ast.Name):
            after = f"({after})"
        found.append(Mutant(old.lineno, before, after, (text[:begin] + after.encode() + text[end:]).decode()))
    return sorted(found, key=lambda each: each.line)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]]:
    """Pairs of a node and what takes its place."""
    for node in _reached(tree):
        for test in _conditions(node):
            yield test, ast.UnaryOp(ast.Not(), test)
        if isinstance(node, ast.expr):
            for expression in _other_expressions(node):
                yield node, expression
        elif isinstance(node, ast.stmt):
            for statement in _other_statements(node):
                yield node, statement


def _reached(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below *node* that are worth a change."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(child) or _is_label(node, child):
                continue
            yield child
            yield from _reached(child)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.Assign(targets=[ast.Name(id="__test__")]):
            return True
    return False


def _conditions(node: ast.AST) -> Iterator[ast.expr]:
    """What *node* makes depend on a condition that no other change turns round."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            tests = [test]
        case ast.comprehension(ifs=ifs):
            tests = ifs
        case _:
            tests = []
    for each in tests:
        if isinstance(each, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr):
            yield each


def _is_label(parent: ast.AST, node: ast.AST) -> bool:
    """Whether *node* is a text that a function is called with, and that decides nothing as far as can be seen."""
    match parent:
        case ast.Call(func=ast.Attribute(attr=name)) if name in _DECIDING:
            return False
        case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "setattr")):
            return False
        case ast.Call() | ast.keyword():
            return isinstance(node, ast.Constant) and isinstance(node.value, str)
    return False


def _other_expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARED:
            yield _with(node, ops=[_COMPARED[type(operator)]()])
        case ast.BoolOp(op=operator, values=values):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
            if len(values) == 2:
                yield values[0]
            else:
                yield _with(node, values=values[:-1])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=operator, left=left) if type(operator) in _COMPUTED:
            yield _with(node, op=_COMPUTED[type(operator)]())
            yield left
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if value and " " not in value:
            yield ast.Constant(f"{value}{value[-1]}")
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            yield _with(node, func=ast.Name("all" if name == "any" else "any"))


def _other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign():
            yield ast.Pass()
        case ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield ast.Pass()
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield ast.Return(ast.Constant(None))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: _Node, **fields: object) -> _Node:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
