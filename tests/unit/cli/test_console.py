# SPDX-License-Identifier: Apache-2.0
"""What others have written does nothing to the terminal of the person who reads it."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text

from filterd.cli.console import VisibleConsole, as_json, write
from filterd.cli.render import facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

HOSTILE = "a\x1b[2J\x1b]0;b\x07\x9b31m\u202e\u2066\u200b\x7f\x85\u2028\ud800z"
"""It clears the screen, names the window, turns the writing round and hides parts of it."""
DRAWN: dict[str, Callable[[str], RenderableType]] = {
    "text": str,
    "styled": lambda text: Text(text, style="bold red"),
    "table": lambda text: facts([(text, "1"), ("b", text)]),
}


def _printed(console: Console, drawn: RenderableType) -> str:
    assert isinstance(console.file, io.StringIO)
    console.print(drawn)
    return console.file.getvalue()


@pytest.mark.parametrize("what", DRAWN)
def test_characters_that_show_nothing_are_shown_by_their_codes(what: str) -> None:
    shown = _printed(VisibleConsole(file=io.StringIO(), width=200), DRAWN[what](HOSTILE))
    assert shown.replace("\n", "").isprintable()
    assert r"a\x1b[2J\x1" in shown


def test_each_of_them_is_shown() -> None:
    shown = _printed(VisibleConsole(file=io.StringIO(), width=200), HOSTILE.replace("\x07", ""))
    assert shown == r"a\x1b[2J\x1b]0;b\x9b31m\u202e\u2066\u200b\x7f\x85\u2028\ud800z" + "\n"


@pytest.mark.parametrize("what", DRAWN)
def test_control_without_it_they_reach_the_terminal(what: str) -> None:
    shown = _printed(Console(file=io.StringIO(), width=200), DRAWN[what](HOSTILE))
    assert "\x1b]0;" in shown


def test_lines_and_the_spaces_of_numbers_stay_as_they_are() -> None:
    assert _printed(VisibleConsole(file=io.StringIO()), "1\u00a0000\u202fđ\nb") == (
        "1\u00a0000\u202fđ\nb\n"
    )


def test_the_console_itself_colours_and_moves_as_before() -> None:
    screen = io.StringIO()
    console = VisibleConsole(file=screen, force_terminal=True, width=40, height=5)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        live.update(Text("b\x1b[2J", style="red"), refresh=True)
    shown = screen.getvalue()
    assert "\x1b[31mb\\x1b[2J" in shown
    assert "\x1b[?1049h" in shown


@pytest.mark.parametrize("indent", [None, 2])
def test_json_has_them_escaped_and_is_the_same_data(indent: int | None) -> None:
    data = {HOSTILE: [HOSTILE, "\U000e0001", "Trường\n"]}
    text = as_json(data, indent)
    assert text.replace("\n", "").isprintable()
    assert "Trường" in text
    assert json.loads(text) == data


@pytest.mark.parametrize("is_terminal", [False, True])
def test_the_content_of_a_file_is_whole_but_at_a_terminal(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.StringIO()
    monkeypatch.setattr(output, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdout", output)
    write("a\x1b[2J,b\r\n")
    assert output.getvalue() == ("a\\x1b[2J,b\n" if is_terminal else "a\x1b[2J,b\r\n")
