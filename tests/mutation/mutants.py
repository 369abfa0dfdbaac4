"""The mutants of a file: its source with one operator, condition, number or statement changed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_LEFT_ALONE = (ast.stmt, ast.JoinedStr, ast.arguments, ast.ExceptHandler)
Change = tuple[ast.AST, ast.AST, Callable[[], None]]


@dataclass
class Mutant:
    """What was changed, in which lines of the file, and the whole file's code."""

    what: str
    lines: range
    code: CodeType


def mutants(source: str, file: str) -> Iterator[Mutant]:
    """Each mutant of the source of a file."""
    for place in range(len(list(changes(ast.parse(source))))):
        tree = ast.parse(source)
        statement, node, change = list(changes(tree))[place]
        changed = node.test if isinstance(node, ast.If) else node
        before = ast.unparse(statement).splitlines()[0]
        change()
        after = ast.unparse(ast.fix_missing_locations(statement)).splitlines()[0]
        yield Mutant(
            f"{before}  ->  {after}",
            range(changed.lineno, changed.end_lineno + 1),
            compile(ast.fix_missing_locations(tree), file, "exec"),
        )


def changes(tree: ast.AST) -> Iterator[Change]:
    """Every change that can be made to a tree: the smallest statement around it, where, and how."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and not isinstance(statement, ast.Raise | ast.AnnAssign):
            for node in _own(statement):
                yield from ((statement, node, change) for change in _changes(node))


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement and the expressions in it, without types, texts and the statements in it."""
    yield statement
    todo = list(ast.iter_child_nodes(statement))
    while todo:
        node = todo.pop()
        strict = isinstance(node, ast.keyword) and node.arg == "strict"  # of equal lengths
        if not strict and not isinstance(node, _LEFT_ALONE):
            yield node
            todo += ast.iter_child_nodes(node)


def _changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield lambda: setattr(node, "op", SWAPS[type(node.op)]())
    if isinstance(node, ast.Compare):
        yield lambda: setattr(node, "ops", [SWAPS[type(op)]() for op in node.ops])
    if isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda: setattr(node, "value", node.value + 1)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield lambda: setattr(node, "value", ast.Constant(None))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda: setattr(node, "op", ast.UAdd())
