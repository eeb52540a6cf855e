# SPDX-License-Identifier: Apache-2.0
"""Find tests that would not notice: a yes or no that is thrown away, a test without an assertion.

What pyflakes and flake8-bugbear find is left to them: a comparison as a statement, the assertion
of a tuple. Text is searched first, and only files with a suspect are parsed: all of tests and
filterd is read in a second or two.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_DEF = re.compile(
    r"^( *)(?:async )?def (\w+)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(?: -> ([^:\n]+))?:\s",
    re.MULTILINE,
)
_BY_WORD = re.compile(r"_*(?:is|has|can|may)_")
_CALLED = re.compile(r"\b(\w+)\(")
_NO_CALL = re.compile(r"\s*(?:#|@|$|(?:assert|return|def|class|from|import|if|elif|while|for)\b)")
_FIRST_WORDS = re.compile(r"\s+(?:await )?((?:[^\s=]|, )+)")
_ASSERTS = re.compile(
    r"\bassert\b|\.assert_\w+\(|\bpytest\.(?:raises|fail|warns)\b|\braise AssertionError\b"
)


class Function(NamedTuple):
    """A function that is defined somewhere; ``returns`` is its annotation."""

    path: str
    line: int
    name: str
    returns: str
    body: str


def functions(sources: Mapping[str, str]) -> Iterator[Function]:
    """Read the functions of sources, by path, without parsing."""
    for path, text in sources.items():
        for found in _DEF.finditer(text):
            indent, name, returns = found.groups(default="")
            after = re.compile(rf"^ {{0,{len(indent)}}}[^\s)]", re.MULTILINE)
            end = after.search(text, found.end())
            body = text[found.end() : end.start() if end else len(text)]
            yield Function(path, text.count("\n", 0, found.start()) + 1, name, returns, body)


def discarded(
    sources: Mapping[str, str], known: Mapping[str, str], exceptions: Mapping[str, str]
) -> list[str]:
    """Return the statements of sources that throw the answer of a yes-or-no question away.

    Args:
        sources: texts by path, which are searched.
        known: further texts, whose functions may be called.
        exceptions: names of functions that also do something, each with the reason.
    """
    returns: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for function in functions({**known, **sources}):
        returns[function.name][function.path].add(function.returns)
    suspects = {name for name, places in returns.items() if {"bool"} in places.values()}
    found = []
    for path, text in sources.items():
        lines = (line for line in text.splitlines() if not _NO_CALL.match(line))
        firsts = (_FIRST_WORDS.match(line) for line in lines)
        calls = (_CALLED.findall(words[1]) for words in firsts if words)
        if any(not suspects.isdisjoint(names) for names in calls):
            finder = _Finder(path, ast.parse(text), returns, exceptions)
            found += finder.found
    return found


class _Finder:
    """Looks at the statements of a module; what is in ``with pytest.raises`` answers nothing."""

    def __init__(
        self,
        path: str,
        tree: ast.Module,
        returns: Mapping[str, Mapping[str, set[str]]],
        exceptions: Mapping[str, str],
    ) -> None:
        self.found: list[str] = []
        self._path, self._returns, self._exceptions = path, returns, exceptions
        self._imported: dict[str, str] = {}
        """The modules of names that are imported, and the packages of modules."""
        self._visit(tree.body)

    def _visit(self, statements: Sequence[ast.stmt | ast.excepthandler | ast.match_case]) -> None:
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                self._imported |= {
                    name.asname or name.name: statement.module for name in statement.names
                }
            elif isinstance(statement, ast.Expr):
                self._judge(statement)
            elif not (
                isinstance(statement, ast.With) and any(map(_expects_an_error, statement.items))
            ):
                for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                    self._visit(getattr(statement, field, ()))

    def _judge(self, statement: ast.Expr) -> None:
        answer = statement.value
        call = answer.value if isinstance(answer, ast.Await) else answer
        if isinstance(call, ast.Call) and self._is_asked(call.func):
            self.found.append(f"{self._path}:{statement.lineno}: {ast.unparse(call)}")

    def _is_asked(self, function: ast.expr) -> bool:
        """Return whether a call of this has no effect but its answer, which is a bool."""
        if isinstance(function, ast.Name):
            name, places = function.id, self._places_of(function.id)
        elif isinstance(function, ast.Attribute):
            name, places = function.attr, self._returns.get(function.attr, {})
            if isinstance(function.value, ast.Name) and function.value.id in self._imported:
                module = f"{self._imported[function.value.id]}.{function.value.id}"
                places = _of_module(places, module) or places
        else:
            return False
        answers = set().union(*places.values())
        by_word = "bool" in answers and _BY_WORD.match(name) is not None
        return name not in self._exceptions and (by_word or answers == {"bool"})

    def _places_of(self, name: str) -> Mapping[str, set[str]]:
        """Return what a name without a dot stands for: of this file, or imported."""
        places = self._returns.get(name, {})
        if self._path in places:
            return {self._path: places[self._path]}
        if name in self._imported:
            return _of_module(places, self._imported[name]) or places
        return {}


def _expects_an_error(item: ast.withitem) -> bool:
    return "raises(" in ast.unparse(item.context_expr)


def _of_module(places: Mapping[str, set[str]], module: str) -> Mapping[str, set[str]]:
    path = f"{module.replace('.', '/')}.py"
    return {path: places[path]} if path in places else {}


def without_assertion(sources: Mapping[str, str]) -> list[str]:
    """Return the tests of sources that assert nothing, nor do the helpers that they name."""
    every = list(functions(sources))
    asserting = {one.name for one in every if _ASSERTS.search(one.body)}
    waiting = [(one, set(_CALLED.findall(one.body))) for one in every if one.name not in asserting]
    while named := {one.name for one, names in waiting if names & asserting}:
        asserting |= named
        waiting = [(one, names) for one, names in waiting if one.name not in asserting]
    silent = [one for one, _ in waiting if one.name.startswith("test_")]
    return [
        f"{one.path}:{one.line}: {one.name}"
        for one in silent
        if one.line in _lines_of_functions(sources[one.path])
    ]


def _lines_of_functions(text: str) -> set[int]:
    """Return where functions really begin: some stand in the made-up sources of other tests."""
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return {node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}
