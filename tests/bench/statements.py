# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Count AST statements of each package, functions and classes too long, and ``noqa``.

``python -m tests.bench.statements [ROOT]``: comments and line breaks count nothing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_ISSUED = ("cli", "daemon", "web", "operations")
_MOST_LINES = {"function": 50, "class": 250}
_NOQA = re.compile(r"# noqa: ([A-Z0-9, ]+)")
_LAZY_IMPORT = "PLC0415"


def statements(text: str) -> int:
    """Return the number of statements of a module's text; a docstring is one."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text)))


def too_long(text: str) -> Counter[str]:
    """Return how many functions and classes of a module's text have too many lines."""
    found: Counter[str] = Counter()
    for node in ast.walk(ast.parse(text)):
        kind = "class" if isinstance(node, ast.ClassDef) else "function"
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found[kind] += lines > _MOST_LINES[kind]
    return found


def _report(root: Path) -> None:
    """Print the figures of a checkout."""
    texts = {
        path.relative_to(root): path.read_text(encoding="utf-8")
        for folder in ("filterd", "tests")
        for path in (root / folder).rglob("*.py")
    }
    sums: Counter[str] = Counter()
    long: Counter[str] = Counter()
    noqa: Counter[str] = Counter()
    for path, text in texts.items():
        count = statements(text)
        sums[path.parts[0]] += count
        if path.parts[0] == "filterd":
            sums[f"filterd/{path.parts[1]}" if len(path.parts) > 2 else "filterd/*.py"] += count
            long += too_long(text)
            noqa.update("lazy" if _LAZY_IMPORT in m else "other" for m in _NOQA.findall(text))
    for name, count in sorted(sums.items()):
        print(f"{name:24}{count:8,}")
    issued = sum(sums[f"filterd/{name}"] for name in _ISSUED)
    print(f"{' + '.join(_ISSUED):36}{issued:8,}")
    print(f"too long: {dict(long)}; noqa of filterd/: {dict(noqa)}")


if __name__ == "__main__":
    _report(Path(sys.argv[1]) if sys.argv[1:] else _ROOT)
