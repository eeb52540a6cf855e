# SPDX-License-Identifier: Apache-2.0
"""Find the mistakes that can be planted in a module: each is one small change of its text.

A mistake is one that a person makes: a bound that is one off, a condition that is inverted or
forgotten, ``and`` for ``or``, a call or an argument that was left out, another number or word, a
loop that ends early. Left alone is what has no say in a decision: annotations, decorators,
documentation, imports, assertions, and the prose of messages, which has its tests elsewhere.

Changes are of octets, not of trees, so that the same mutant can be compiled, written to a file,
and shown to a person.
"""

from __future__ import annotations

import ast
from bisect import bisect
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

    Edit = tuple[ast.AST, str]

Key = tuple[str, str, str, str, int]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_SIGNS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.BitXor: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
    ast.Pow: "*",
}
_CALLED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
    "issubset": "issuperset",
    "issuperset": "issubset",
    "isdisjoint": "issubset",
    "difference": "intersection",
    "intersection": "union",
    "union": "intersection",
    "partition": "rpartition",
    "rpartition": "partition",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
}
_ATOMS = (
    *(ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript),
    *(ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr),
)
_LEFT_IN = ("hint", "strict", "style", "is_number", "repr", "compare")
"""Arguments that are left as they are: prose, how a table is drawn, how a record is shown, and a
check that the program has no mistake."""
_LEAST_BOUND = 100
"""A private bound of so much, of which one more is no mistake."""
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


@dataclass(frozen=True)
class Mutant:
    """A mistake that can be planted.

    Attributes:
        file: of the module, from the top of the repository.
        function: the qualified name of the outermost function around it, empty for none.
        lines: the first and the last of the text that it changes.
        was: those lines, without their indentation.
        becomes: the same after it.
        start: the first octet that it changes; ``end``: the first that it does not.
        text: what stands there instead.
        which: of those of the function that look alike, counted from 1.
    """

    file: str
    function: str
    lines: tuple[int, int]
    was: str
    becomes: str
    start: int
    end: int
    text: str
    which: int = 1

    @property
    def key(self) -> Key:
        """What it is called in the list of survivors: lines may move, and it stays."""
        return self.file, self.function, self.was, self.becomes, self.which

    def planted(self, source: bytes) -> bytes:
        """Return the source of its module with the mistake in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]


class Mutations:
    """All mistakes that can be planted in one module.

    Args:
        file: its name.
        source: its content.
    """

    def __init__(self, file: str, source: bytes) -> None:
        self._file, self._source = file, source
        self._begins = [0]
        for line in source.split(b"\n"):
            self._begins.append(self._begins[-1] + len(line) + 1)
        self._found: dict[tuple[int, int, str], Mutant] = {}
        self._function = ""
        self._returns_bool = False

    def all(self) -> list[Mutant]:
        """Return them in the order of the text, none twice."""
        self._body(ast.parse(self._source).body, "")
        found = sorted(self._found.values(), key=lambda one: (one.start, one.end, one.text))
        alike = Counter[Key]()
        for place, one in enumerate(found):
            alike[one.key] += 1
            found[place] = replace(one, which=alike[one.key])
        return found

    def _body(self, statements: list[ast.stmt], place: str) -> None:
        for statement in statements:
            if isinstance(statement, ast.ClassDef):
                self._body(statement.body, f"{place}{statement.name}.")
            elif isinstance(statement, _Function):
                self._of_function(statement, f"{place}{statement.name}")
            else:
                self._statement(statement)

    def _of_function(self, function: _Function, name: str) -> None:
        """Find those in a function; its defaults belong to the module that defines it."""
        for default in (*function.args.defaults, *function.args.kw_defaults):
            if default is not None:
                self._expression(default)
        outer = self._function, self._returns_bool
        self._function = outer[0] or name
        self._returns_bool = (
            isinstance(function.returns, ast.Name) and function.returns.id == "bool"
        )
        for one in function.body:
            self._statement(one)
        self._function, self._returns_bool = outer

    def _statement(self, one: ast.stmt) -> None:
        """Find those of a statement and of all that it contains."""
        if isinstance(one, _Function):
            self._of_function(one, one.name)
            return
        if isinstance(one, ast.ClassDef):
            self._body(one.body, f"{one.name}.")
            return
        if _is_left_alone(one):
            return
        for node, text in self._edits_of_statement(one):
            self._add(node, text)
        for child in ast.iter_child_nodes(one):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif child is not getattr(one, "annotation", None):
                self._parts(child)

    def _parts(self, node: ast.AST) -> None:
        """Find those of a clause: of an exception, a match, a context."""
        if isinstance(node, ast.expr):
            self._expression(node)
            return
        if isinstance(node, ast.match_case) and node.guard:
            self._add(node.guard, "True")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif not isinstance(child, ast.pattern):
                self._parts(child)

    def _expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.JoinedStr):  # before Python 3.12 its parts have no place
            return
        for whole, text in self._edits_of_expression(node):
            self._add(whole, text)
        if isinstance(node, ast.Call) and not _is_message(node):
            self._without_arguments(node)
        for child in _parts_with_a_say(node):
            if isinstance(child, ast.comprehension):
                for part in (child.iter, *child.ifs):
                    self._expression(part)
            elif isinstance(child, ast.keyword) and child.arg not in (*_LEFT_IN, "metadata"):
                self._expression(child.value)
            elif isinstance(child, ast.expr):
                self._expression(child)

    def _edits_of_statement(self, one: ast.stmt) -> Iterator[Edit]:  # noqa: C901 -- a table of kinds
        match one:
            case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom()):
                yield one, "pass"
            case ast.Raise() | ast.AugAssign() | ast.Delete():
                yield one, "pass"
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield one, "pass"
            case ast.Continue():
                yield one, "break"
            case ast.Break():
                yield one, "continue"
            case ast.Return(value=None):
                yield one, "pass"
            case ast.Return(value=ast.expr() as value) if self._returns_bool:
                yield value, "True"
                yield value, "False"
            case ast.Return(value=ast.expr() as value) if self._text(value) != "None":
                yield value, "None"
            case ast.If(test=test) | ast.While(test=test):
                yield from self._inverted(test)
            case ast.For(iter=iterable):
                yield iterable, "()"
        if isinstance(one, ast.AugAssign) and type(one.op) in _ARITHMETIC:
            sign = _ARITHMETIC[type(one.op)]
            yield one, f"{self._text(one.target)} {sign}= {self._text(one.value)}"

    def _edits_of_expression(self, node: ast.expr) -> Iterator[Edit]:  # noqa: C901 -- a table of kinds
        match node:
            case ast.Compare():
                yield from self._of_comparison(node)
            case ast.BoolOp():
                yield from self._of_operands(node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, self._atom(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield node, self._atom(operand)
            case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
                sign = _ARITHMETIC[type(op)]
                yield node, f"({self._atom(node.left)} {sign} {self._atom(node.right)})"
            case ast.IfExp(test=test):
                yield node, self._atom(node.body)
                yield node, self._atom(node.orelse)
                yield from self._inverted(test)
            case ast.Constant():
                yield from ((node, text) for text in _other_constants(node))
            case ast.Call():
                yield from self._of_call(node)
            case ast.Subscript(slice=ast.Slice()):
                yield node, self._atom(node.value)
            case ast.Lambda(body=body) if self._text(body) != "None":
                yield body, "None"
        if isinstance(node, _Comprehension):
            for condition in (one for part in node.generators for one in part.ifs):
                yield condition, "True"
                yield from self._inverted(condition)

    def _of_comparison(self, node: ast.Compare) -> Iterator[Edit]:
        signs = [_SIGNS[type(op)] for op in node.ops]
        terms = [self._atom(one) for one in (node.left, *node.comparators)]
        for place, op in enumerate(node.ops):
            for other in _COMPARISONS[type(op)]:
                changed = [*signs[:place], other, *signs[place + 1 :]]
                rest = "".join(
                    f" {sign} {term}" for sign, term in zip(changed, terms[1:], strict=True)
                )
                yield node, f"({terms[0]}{rest})"

    def _of_operands(self, node: ast.BoolOp) -> Iterator[Edit]:
        """Yield the other operator, and what is left when one operand is forgotten."""
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        terms = [self._atom(value) for value in node.values]
        yield node, f"({f' {other} '.join(terms)})"
        for place in range(len(terms)):
            left = terms[:place] + terms[place + 1 :]
            yield node, left[0] if len(left) == 1 else f"({f' {word} '.join(left)})"

    def _of_call(self, node: ast.Call) -> Iterator[Edit]:
        """Yield the call of another function."""
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        if name in _CALLED:
            before = self._text(called)[: -len(name)]
            yield called, f"{before}{_CALLED[name]}"
        if name in ("sorted", "reversed") and len(node.args) == 1:
            yield node, f"[*{self._atom(node.args[0])}]"

    def _without_arguments(self, node: ast.Call) -> None:
        """Add the call without one of its named arguments."""
        spans = sorted(self._span(one) for one in (*node.args, *node.keywords))
        for argument in (
            keyword for keyword in node.keywords if keyword.arg and keyword.arg not in _LEFT_IN
        ):
            start, end = self._span(argument)
            place = spans.index((start, end))
            if place + 1 < len(spans):
                self._put(start, spans[place + 1][0], "")
            elif place:
                self._put(spans[place - 1][1], end, "")
            else:
                self._put(start, self._span(node)[1], ")")

    def _inverted(self, condition: ast.expr) -> Iterator[Edit]:
        """Yield the opposite of a condition; that of ``not`` and of a comparison has its own."""
        if not isinstance(condition, ast.Compare | ast.UnaryOp):
            yield condition, f"(not {self._atom(condition)})"

    def _add(self, node: ast.AST, text: str) -> None:
        self._put(*self._span(node), text)

    def _put(self, start: int, end: int, text: str) -> None:
        """Add what has other text between two octets, unless only spaces differ."""
        key = start, end, _squeezed(text)
        if key in self._found or _squeezed(self._source[start:end].decode()) == key[2]:
            return
        first, last = bisect(self._begins, start), bisect(self._begins, end - 1)
        begin, stop = self._begins[first - 1], self._begins[last] - 1
        before, after = self._source[begin:start].decode(), self._source[end:stop].decode()
        self._found[key] = Mutant(
            self._file,
            self._function,
            (first, last),
            _on_one_line(self._source[begin:stop].decode()),
            _on_one_line(f"{before}{text}{after}"),
            start,
            end,
            text,
        )

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self._begins[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._begins[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _atom(self, node: ast.expr) -> str:
        text = self._text(node)
        return text if isinstance(node, _ATOMS) else f"({text})"


def _is_left_alone(one: ast.stmt) -> bool:
    """Return whether a statement decides nothing: see the module."""
    match one:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Global() | ast.Nonlocal():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case (
            ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")])
            | ast.AnnAssign(annotation=ast.Name(id="TypeAlias"))
            | ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "NewType")))
        ):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.startswith("_"):
            return _is_large(value)
    return False


def _is_large(value: ast.expr) -> bool:
    """Return whether an expression is a number, and one of ``_LEAST_BOUND`` or more."""
    parts = (ast.BinOp, ast.operator, ast.Constant)
    if not all(isinstance(one, parts) for one in ast.walk(value)):
        return False
    number = eval(ast.unparse(value), {})
    return isinstance(number, int | float) and number >= _LEAST_BOUND


def _is_message(node: ast.expr) -> TypeGuard[ast.Call]:
    """Return whether a call makes a message: what is left out of it shows when it is shown."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say"


def _parts_with_a_say(node: ast.expr) -> list[ast.AST]:
    """Return the parts of an expression without the prose of a message or of a line of a log."""
    if _is_message(node):
        return [*node.keywords]
    of = getattr(getattr(node, "func", None), "value", None)
    loggers = {"_log", "_logger"}
    prose = node.args[:1] if isinstance(node, ast.Call) and getattr(of, "id", "") in loggers else []
    return [one for one in ast.iter_child_nodes(node) if one not in prose]


def _other_constants(node: ast.Constant) -> Iterator[str]:
    match node.value:
        case bool(value):
            yield str(not value)
        case int(value) | float(value):
            yield repr(value + 1)
        case str(value) if " " not in value:
            yield repr(f"{value}XX")
        case bytes(value) if b" " not in value:
            yield repr(value + b"XX")


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
