# SPDX-License-Identifier: Apache-2.0
"""A command has the names, bounds and defaults of its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from filterd.cli.binding import RequestOptions
from filterd.cli.context import Context, runnable
from filterd.operations.parameters.command_word import SWITCH, CommandWord, argument
from filterd.operations.parameters.scalar import Flag, Several, Text, Whole
from filterd.operations.request import OperationRequest, Reason, written

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(OperationRequest[Any], command="look"):
    """A request with each kind of word."""

    reason: Reason = ""
    id: Annotated[int, Whole(1), argument("NUMBER", "Which one.")]
    class_: Annotated[str, Text(9), CommandWord("CLASS", "Its class.")] = ""
    roles: Annotated[tuple[str, ...], Several(Text(9), 3), CommandWord("ROLE", "R.", "--role")] = ()
    most: Annotated[int, Whole(1, 5, "The most rows"), CommandWord("N")] = 3
    all_: Annotated[bool, Flag("Include the rest"), SWITCH] = False
    before: Annotated[int | None, Whole()] = None


@pytest.fixture
def look(tmp_path: Path) -> Any:
    asked: list[Look] = []

    def command(here: Context, asked_: Look) -> None:  # noqa: ARG001 -- as commands have it
        asked.append(asked_)

    app = typer.Typer()
    app.command()(runnable(command))

    def run(*words: str) -> Any:
        done = CliRunner().invoke(app, [*words, "--state", str(tmp_path), "--lang", "en"])
        return asked[-1] if done.exit_code == 0 else done.output

    return run


def test_what_is_not_given_has_the_default_of_the_request(look: Any) -> None:
    assert look("7") == Look(id=7)


def test_each_word_reaches_its_field(look: Any) -> None:
    words = ("7", "--class", "6A", "--role", "a", "--role", "b", "--most", "5", "--all")
    expected = Look(id=7, class_="6A", roles=("a", "b"), most=5, all_=True, reason="why")
    assert look(*words, "--reason", "why") == expected


@pytest.mark.parametrize("words", [("0",), ("7", "--most", "6"), (), ("7", "--before", "1")])
def test_what_is_out_of_bounds_or_has_no_word_is_refused(look: Any, words: tuple[str, ...]) -> None:
    assert isinstance(look(*words), str)


def test_a_help_that_is_not_told_is_what_the_parameter_says() -> None:
    found = {one.name: one.annotation.__metadata__[0] for one in RequestOptions(Look).parameters}
    assert (found["most"].help, found["all_"].help) == ("The most rows.", "Include the rest.")
    assert (found["most"].min, found["most"].max, found["id"].max) == (1, 5, None)


def test_the_reason_stands_last() -> None:
    assert [one.name for one in written(Look)][-1] == "reason"
