# SPDX-License-Identifier: Apache-2.0
"""A program that stands in a string imports what is there: no other tool looks into it."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"\bfrom (filterd(?:\.\w+)*) import (\w+(?:, ?\w+)*)")
_STATEMENT = re.compile(r"^\s*(?:from|import) .*")
"""An import of the file itself, which mypy sees."""
_WHOLE = re.compile(r"(?:^|[\s;])import (filterd(?:\.\w+)+)")


def missing(text: str) -> Iterator[str]:
    """Yield the modules and names that programs in a text import, and that are not there."""
    for package, names in _IMPORT.findall(text):
        for name in names.replace(" ", "").split(","):
            if not _is_module(f"{package}.{name}") and name not in _defined(package):
                yield f"{package}.{name}"
    yield from (one for one in _WHOLE.findall(text) if not _is_module(one))


@cache
def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@cache
def _defined(module: str) -> set[str]:
    """Return the names that the source of a module has at any place, but in its texts."""
    origin = Path((find_spec(module).origin or "") if _is_module(module) else "")  # type: ignore[union-attr]
    if origin.suffix != ".py":
        return set()
    found = set[str]()
    for node in ast.walk(ast.parse(origin.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {name.asname or name.name for name in node.names}
        elif isinstance(node, ast.Name):
            found.add(node.id)
    return found


def test_what_a_program_in_a_string_imports_is_there() -> None:
    wrong = []
    for folder in ("filterd", "tests", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path != Path(__file__):
                lines = "\n".join(re.sub(_STATEMENT, "", line) for line in text.splitlines())
                wrong += [f"{path.relative_to(ROOT)}: {one}" for one in missing(lines)]
    assert wrong == []


def test_a_module_that_has_moved_is_found() -> None:
    program = "from filterd.overrides import permissions; import filterd.errors as e"
    assert [*missing(program)] == ["filterd.overrides.permissions", "filterd.errors"]
    assert not [*missing("from filterd.overrides.rights import permissions")]
