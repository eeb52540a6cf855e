# SPDX-License-Identifier: Apache-2.0
"""What a test replaces is there: else a control of the long tests is found out by CI only."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
REPLACING = {"setattr", "delattr"}


class Patch(NamedTuple):
    """A name that a test replaces: in which module, of which class or module in it."""

    line: int
    module: str
    holder: str
    name: str


def patches(text: str) -> Iterator[Patch]:
    """Yield the names of filterd that ``monkeypatch`` is to replace in the text of a test."""
    tree = ast.parse(text)
    imported = dict[str, tuple[str, str]]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("filterd"):
            names = ((alias.asname or alias.name, alias.name) for alias in node.names)
            imported |= {local: (node.module or "", name) for local, name in names}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr=method),
                args=[ast.Name(id=local), ast.Constant(value=str(name)), *_],
                keywords=[],
            ) if method in REPLACING and local in imported:
                yield Patch(node.lineno, *imported[local], name)


def is_there(patch: Patch) -> bool:
    """Return whether the module, or the class of it, has the name."""
    held: Any = importlib.import_module(patch.module)
    if not hasattr(held, patch.holder):  # a module that nobody has imported yet
        held = importlib.import_module(f"{patch.module}.{patch.holder}")
    else:
        held = getattr(held, patch.holder)
    return hasattr(held, patch.name)


def test_every_name_that_a_test_replaces_is_there() -> None:
    texts = ((one, one.read_text(encoding="utf-8")) for one in (ROOT / "tests").rglob("*.py"))
    wrong = [
        f"{path.relative_to(ROOT)}:{patch.line}: {patch.name}"
        for path, text in texts
        if ".setattr(" in text or ".delattr(" in text
        for patch in patches(text)
        if not is_there(patch)
    ]
    assert wrong == []


def test_a_function_that_has_moved_is_found() -> None:
    program = "from filterd.feed import sync\nmonkeypatch.setattr(sync, 'other_key', None)\n"
    (patch,) = patches(program)
    assert not is_there(patch)
    (patch,) = patches(program.replace("other_key", "SiteFeed"))
    assert is_there(patch)
