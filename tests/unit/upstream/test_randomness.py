# SPDX-License-Identifier: Apache-2.0
"""Numbers that nobody can foresee, and that nobody makes himself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import filterd.upstream
from filterd.upstream.randomness import RandomNumbers
from tests.support.statistics import chi_squared, serial_correlation

MODULES = sorted(Path(filterd.upstream.__file__).parent.glob("*.py"))


def test_numbers_are_even_and_do_not_follow_from_each_other() -> None:
    numbers = RandomNumbers()
    drawn = [numbers.uint16() for _ in range(50_000)]
    # Both fail once in a million runs or less.
    assert chi_squared([number >> 8 for number in drawn], 256) < 370
    assert abs(serial_correlation(drawn)) < 0.025


def test_a_block_is_used_once() -> None:
    numbers = RandomNumbers()
    assert len({tuple(numbers.uint16() for _ in range(8)) for _ in range(1_000)}) == 1_000


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_generator_that_can_be_computed_ahead_is_used(path: Path) -> None:
    assert not _imports(path) & {"random", "numpy", "uuid"}


def test_control_an_import_of_such_a_generator_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from random import choice\n    import random as r\n")
    assert _imports(path) == {"random"}
