"""Which small changes of a module there are: each is one place of its text, with what is put there instead."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_COMPARE = re.compile(rb"\bnot\s+in\b|\bis\s+not\b|<=|>=|==|!=|<|>|\bin\b|\bis\b")
_FLIPPED = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Below this a constant is changed by one; above it, unless it is compared with, one more or less is nobody's business.
_SMALL = 10


class Mutant(NamedTuple):
    """One change. `file` is from the root of the checkout; `function` is its qualified name, `<module>` outside of any.

    `first` and `last` are the lines of which one runs when the change can matter; `start` and `end` are offsets in
    bytes. `key` names the change in a way that outlives the lines around it.
    """

    file: str
    function: str
    first: int
    last: int
    start: int
    end: int
    new: bytes
    old_line: str
    new_line: str
    digest: str
    number: int = 1

    @property
    def key(self) -> str:
        again = f" #{self.number}" if self.number > 1 else ""
        return f"{self.file}:{self.function}: {self.old_line} => {self.new_line}{again}"

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.new + source[self.end :]


class Function(NamedTuple):
    """Where a function stands: its lines with its decorators, and a digest of its text."""

    name: str
    first: int
    last: int
    digest: str


def functions(source: bytes) -> list[Function]:
    """Return the functions of a module, inner ones after the ones around them."""
    lines = source.split(b"\n")
    found: list[Function] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                last = child.end_lineno or child.lineno
                name = prefix + child.name
                found.append(Function(name, first, last, _digest(b"\n".join(lines[first - 1 : last]))))
                visit(child, name + ".<locals>.")
            else:
                visit(child, prefix + child.name + "." if isinstance(child, ast.ClassDef) else prefix)

    visit(ast.parse(source), "")
    return found


def function_at(places: list[Function], line: int) -> Function | None:
    """Return the innermost function that has a line."""
    inside = [one for one in places if one.first <= line <= one.last]
    return max(inside, key=lambda one: one.first, default=None)


def mutants(root: Path, file: str) -> list[Mutant]:
    """Return every change of a module; a few of them are no program any more (`is_program`)."""
    source = (root / file).read_bytes()
    maker = _Maker(source)
    places = functions(source)
    seen: Counter[tuple[str, str, str]] = Counter()
    made: list[Mutant] = []
    for change in sorted(set(maker.changes())):
        begin = source.rfind(b"\n", 0, change.start) + 1
        stop = source.find(b"\n", change.end)
        stop = len(source) if stop < 0 else stop
        old = _one_line(source[begin:stop])
        new = _one_line(source[begin : change.start] + change.new + source[change.end : stop])
        owner = function_at(places, change.first)
        name, digest = (owner.name, owner.digest) if owner else ("<module>", _digest(source[begin:stop]))
        seen[name, old, new] += 1
        number = seen[name, old, new]
        made.append(Mutant(file, name, *change, old, new, digest, number))
    return made


def is_program(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


class _Change(NamedTuple):
    first: int
    last: int
    start: int
    end: int
    new: bytes


class _Maker:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._lines = (1, 1)

    def changes(self) -> Iterator[_Change]:
        yield from self._body(ast.parse(self._source).body)

    def _body(self, body: list[ast.stmt]) -> Iterator[_Change]:
        for statement in body:
            yield from self._statement(statement)

    def _statement(self, node: ast.stmt) -> Iterator[_Change]:
        self._lines = (node.lineno, _header_end(node))
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                # A default is read when the module is; what matters is who calls the function.
                self._lines = (node.lineno, node.end_lineno or node.lineno)
                for default in [*node.args.defaults, *node.args.kw_defaults]:
                    if default is not None:
                        yield from self._expression(default)
                yield from self._body(node.body)
                return
            case ast.ClassDef():
                yield from self._body(node.body)
                return
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Global() | ast.Nonlocal():
                return
            case ast.Return(value=ast.expr() as value):
                if not isinstance(value, ast.Constant):
                    yield self._put(value, b"None")
            case ast.Expr(value=ast.Call() | ast.Await() | ast.YieldFrom()) | ast.AugAssign() | ast.Raise():
                yield self._put(node, b"pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Delete():
                yield self._put(node, b"pass")
            case ast.Continue() | ast.Break():
                yield self._put(node, b"pass")
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return
            case _:
                pass
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
                continue
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, ast.withitem):
                    yield from self._expression(one.context_expr)
                elif isinstance(one, ast.expr):
                    yield from self._expression(one)
        if isinstance(node, ast.If | ast.While):
            yield from self._forced(node.test, only_false=isinstance(node, ast.While))
        for field in ("body", "orelse", "finalbody"):
            yield from self._body(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            self._lines = (handler.lineno, handler.lineno)
            if handler.type is not None:
                yield from self._caught(handler.type)
            yield from self._body(handler.body)
        for case in getattr(node, "cases", []):
            self._lines = (case.pattern.lineno, case.pattern.end_lineno)
            if case.guard is not None:
                yield from self._expression(case.guard)
                yield from self._forced(case.guard)
            yield from self._body(case.body)

    def _expression(self, node: ast.expr) -> Iterator[_Change]:
        match node:
            case ast.JoinedStr():
                return  # Before Python 3.12 nothing in it knows its place.
            case ast.Constant(value=bool() as value):
                yield self._put(node, b"False" if value else b"True")
            case ast.Constant(value=int() | float() as number):
                yield from (self._put(node, repr(other).encode()) for other in _near(number))
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for left, right in pairwise(sides):
                    yield from self._between(left, right, _COMPARE, _FLIPPED)
                    for side in (left, right):
                        if isinstance(side, ast.Constant) and type(side.value) is int and abs(side.value) > _SMALL:
                            yield from (self._put(side, b"%d" % (side.value + step)) for step in (1, -1))
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                other = {word: "or" if word == "and" else "and"}
                for left, right in pairwise(node.values):
                    yield from self._between(left, right, re.compile(rb"\b%s\b" % word.encode()), other)
                for number in range(len(node.values)):
                    kept = [self._text(one) for n, one in enumerate(node.values) if n != number]
                    form = b"%s" if len(kept) == 1 else b"(%s)"
                    yield self._put(node, b"(" + f" {word} ".encode().join(form % one for one in kept) + b")")
            case ast.UnaryOp(op=ast.Not()):
                yield self._put(node, b"(%s)" % self._text(node.operand))
            case ast.BinOp() if type(node.op) in _ARITHMETIC and not _is_text(node):
                word, other_word = _ARITHMETIC[type(node.op)]
                pattern = re.compile(re.escape(word).encode())
                yield from self._between(node.left, node.right, pattern, {word: other_word})
                if isinstance(node.op, ast.Add | ast.Sub):
                    yield self._put(node, b"(%s)" % self._text(node.left))
            case ast.Call(func=ast.Name(id=name)) if name in _SWAPPED:
                yield self._put(node.func, _SWAPPED[name].encode())
            case ast.Call(func=ast.Name(id="suppress")):
                yield from self._fewer(node.args, b"suppress(%s)", node)
                return
            case ast.Call(func=ast.Name(id="cast" | "TypeVar" | "NewType")):
                return
            case ast.IfExp():
                yield from self._forced(node.test)
            case _:
                pass
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            for part in node.generators:
                yield from self._expression(part.iter)
                for test in part.ifs:
                    yield from self._expression(test)
                    yield self._put(test, b"True")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.keyword):
                yield from self._expression(child.value)
            elif isinstance(child, ast.expr):
                yield from self._expression(child)

    def _forced(self, test: ast.expr, *, only_false: bool = False) -> Iterator[_Change]:
        if isinstance(test, ast.Constant):
            return
        for word in (b"False",) if only_false else (b"True", b"False"):
            # What the test binds is read by the branch.
            binds = any(isinstance(one, ast.NamedExpr) for one in ast.walk(test))
            yield self._put(test, b"(%s, %s)[1]" % (self._text(test), word) if binds else word)

    def _caught(self, kind: ast.expr) -> Iterator[_Change]:
        if isinstance(kind, ast.Tuple):
            yield from self._fewer(kind.elts, b"(%s)", kind)
        else:
            yield self._put(kind, b"()")

    def _fewer(self, parts: list[ast.expr], form: bytes, node: ast.expr) -> Iterator[_Change]:
        for number in range(len(parts)):
            kept = [self._text(one) + b"," for n, one in enumerate(parts) if n != number]
            yield self._put(node, form % b" ".join(kept))

    def _between(
        self, left: ast.expr, right: ast.expr, pattern: re.Pattern[bytes], others: dict[str, str]
    ) -> Iterator[_Change]:
        start, end = self._span(left)[1], self._span(right)[0]
        found = pattern.search(self._source, start, end)
        if found is not None:
            word = " ".join(found[0].decode().split())
            yield _Change(*self._lines, found.start(), found.end(), others[word].encode())

    def _put(self, node: ast.expr | ast.stmt, new: bytes) -> _Change:
        return _Change(*self._lines, *self._span(node), new)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _text(self, node: ast.expr) -> bytes:
        start, end = self._span(node)
        return self._source[start:end]


def _header_end(node: ast.stmt) -> int:
    """Return the last line of a statement without the statements inside it."""
    match node:
        case ast.If() | ast.While():
            return node.test.end_lineno or node.lineno
        case ast.For():
            return node.iter.end_lineno or node.lineno
        case ast.With():
            return node.items[-1].context_expr.end_lineno or node.lineno
        case ast.Try() | ast.TryStar() | ast.Match():
            return node.lineno
        case _:
            return node.end_lineno or node.lineno


def _near(number: int | float) -> list[int | float]:
    if abs(number) <= _SMALL:
        return [number + 1, number - 1] if number else [number + 1]
    return [number * 2, number // 2 if isinstance(number, int) else number / 2]


def _is_text(node: ast.BinOp) -> bool:
    """Say whether it is text that is put together: that would only be a TypeError."""
    return any(
        isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and isinstance(one.value, str | bytes))
        for one in ast.walk(node)
        if one is not node
    )


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]
