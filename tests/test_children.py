# SPDX-License-Identifier: Apache-2.0
"""No process of filterd runs the command line as its child: each child is a module below it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from filterd.base import bounded_child

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "filterd"
EXCEPT = {
    "appliance/releases.py": "the release that is tested is another one, and has its own words"
}
"""Files that may run a command, and why."""
_is_module = re.compile(r"filterd(\.[a-z_]+)+").fullmatch
_is_command_line = re.compile(r"filterd\.(cli|__main__)\b").search


@cache
def _texts(source: str) -> list[str]:
    """Return the texts of a source that are no docstrings, in their order."""
    every = list(ast.walk(ast.parse(source)))
    said = {
        id(one.value)
        for one in every
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    }
    found = [one for one in every if isinstance(one, ast.Constant) and id(one) not in said]
    found.sort(key=lambda one: (one.lineno, one.col_offset))
    return [one.value for one in found if isinstance(one.value, str)]


def _runs_the_command_line(source: str) -> bool:
    texts = _texts(source)
    by_name = pairwise(texts)
    return ("-m", "filterd") in by_name or any(map(_is_command_line, texts))


def _below() -> dict[str, str]:
    """Return the sources below the command line."""
    paths = {str(one.relative_to(PACKAGE)): one for one in PACKAGE.rglob("*.py")}
    return {
        name: path.read_text(encoding="utf-8")
        for name, path in paths.items()
        if not name.startswith("cli/")
    }


def _children() -> list[str]:
    """Return the modules that processes start by their names.

    It runs when tests are collected, so it reads only sources that name such a module.
    """
    programs = [
        path.parent if path.name == "__main__.py" else path.with_suffix("")
        for path in PACKAGE.rglob("*.py")
        if path.name == "__main__.py" or "__main__" in path.read_text(encoding="utf-8")
    ]
    names = {".".join(("filterd", *path.relative_to(PACKAGE).parts)) for path in programs}
    names = {one for one in names if _is_module(one)}
    naming = [one for one in _below().values() if any(name in one for name in names)]
    return sorted(names & {text for source in naming for text in _texts(source)})


def test_no_argument_of_a_child_names_the_command_line() -> None:
    found = {name for name, source in _below().items() if _runs_the_command_line(source)}
    assert found == {*EXCEPT}


@pytest.mark.control
@pytest.mark.parametrize(
    "source",
    [
        'words = ["-P", "-m", "filterd", "lists", "build"]',
        'CHILD = "filterd.cli.pasted_timetable"',
        'CODE = "from filterd.cli.entry import main; main()"',
    ],
)
def test_control_a_child_that_is_the_command_line_is_found(source: str) -> None:
    assert _runs_the_command_line(source)
    assert not _runs_the_command_line(f'"""Start it.\n\n``{source}``\n"""'.replace('= "', "= '"))


@pytest.mark.parametrize("module", _children())
def test_a_child_loads_nothing_of_the_command_line(module: str) -> None:
    program = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=bounded_child.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = [one.split(".") for one in done.stdout.split()]
    assert not [one for one in loaded if one[:2] == ["filterd", "cli"]]
    assert not [one for one in loaded if one[0] in ("rich", "typer")]


def test_there_are_children() -> None:
    known = {"filterd.daemon.list_decisions", "filterd.feed.index_build", "filterd.feed.guard"}
    assert known <= {*_children()}
