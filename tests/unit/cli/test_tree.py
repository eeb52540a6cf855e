# SPDX-License-Identifier: Apache-2.0
"""A command is found by its name, and only its module is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from filterd.cli import tree
from tests.support.commands import call, environment

WHOLE: Any = typer.main.get_command(tree.whole())


@pytest.mark.parametrize("name", list(WHOLE.commands))
def test_a_command_that_is_called_is_there_alone_and_the_same(name: str) -> None:
    called: Any = typer.main.get_command(tree.of([name, "--help"]))
    assert list(called.commands) == [name]
    same, other = called.commands[name], WHOLE.commands[name]
    assert same.help == other.help
    assert [one.opts for one in same.params] == [one.opts for one in other.params]


@pytest.mark.parametrize("words", [(), ("--help",), ("nonsense",), ("--lang", "en", "check")])
def test_words_that_begin_with_no_command_have_all_of_them(words: tuple[str, ...]) -> None:
    found: Any = typer.main.get_command(tree.of(words))
    assert list(found.commands) == list(WHOLE.commands)


def test_a_wrong_command_is_answered_with_what_was_perhaps_meant() -> None:
    code, _, told = call("--lang", "en", "chek")
    assert code == 2
    assert "chek" in told


def _loaded(*words: str) -> set[str]:
    code = f"from filterd.cli import tree; tree.of({words!r}); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_what_is_not_called_is_not_imported() -> None:
    assert not _loaded("sync") & {"pydantic", "yaml", "sqlite3", "filterd.cli.check"}


def test_control_another_command_brings_them() -> None:
    assert {"pydantic", "yaml", "filterd.cli.check"} <= _loaded("check")
