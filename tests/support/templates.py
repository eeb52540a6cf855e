# SPDX-License-Identifier: Apache-2.0
"""The sentences that the code can say, read from its source."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[2] / "filterd"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
TOLD = frozenset(
    (
        "ChangeError",
        "ConfigError",
        "ControlError",
        "InUseError",
        "IndexFormatError",
        "ListError",
        "StoreError",
        "refusal",
    )
)
"""What a person reads is made by these; ``document.error`` too."""

_IN_CYTHON = re.compile(r"\bsay\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)")


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in the package's Python, and where it is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def named(call: ast.Call) -> str:
    """Return the name that is called, without what it belongs to."""
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def said() -> dict[str, str]:
    """Return each template, and one place where it is said."""
    found: dict[str, str] = {}
    for place, call in calls():
        if isinstance(call.func, ast.Name) and named(call) == "say":
            template = getattr(call.args[0], "value", None)
            assert isinstance(template, str), f"{place}: no literal"
            found.setdefault(template, place)
    for path in PACKAGE.rglob("*.pyx"):
        for words in _IN_CYTHON.findall(path.read_text(encoding="utf-8")):
            found.setdefault(ast.literal_eval(f"({words})"), path.name)
    return found


def has_words(template: str) -> bool:
    """Tell whether a template says anything itself."""
    return re.search(r"[A-Za-z]", PLACEHOLDER.sub("", template)) is not None
