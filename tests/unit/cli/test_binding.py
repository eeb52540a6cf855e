# SPDX-License-Identifier: Apache-2.0
"""A command has the names, bounds and defaults of its request; an operation is a command."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from filterd import control
from filterd.cli.binding import RequestOptions, command_of
from filterd.cli.context import Context, runnable
from filterd.operations.operation import Operation
from filterd.operations.parameters.command_word import SWITCH, CommandWord, argument
from filterd.operations.parameters.scalar import Flag, Several, Text, Whole
from filterd.operations.request import OperationRequest, Reason, written
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing

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
    found = {
        parameter.name: parameter.annotation.__metadata__[0]
        for parameter in RequestOptions(Look).parameters
    }
    assert (found["most"].help, found["all_"].help) == ("The most rows.", "Include the rest.")
    assert (found["most"].min, found["most"].max, found["id"].max) == (1, 5, None)


def test_the_reason_stands_last() -> None:
    assert [one.name for one in written(Look)][-1] == "reason"


def _command(**more: Any) -> Any:
    module = ModuleType("filterd.operations.looks")
    operation = Operation(
        name="look", method="GET", path="/looks", about="Look.", request=Look, answer={}, **more
    )
    vars(module).update(LOOK=operation, Look=Look)
    return command_of(module, "Look")


LISTING = Listing(say("Programmes"), say("nothing"), (Column(say("Name"), "name"),))


@pytest.mark.parametrize(
    ("more", "answer", "words", "shown"),
    [
        ({"sentence": lambda done: say("{n} kB", n=done["n"])}, {"n": 7}, (), "7 kB"),
        ({"sentence": lambda done: say("{n} kB", n=done["n"])}, {"n": 7}, ("--json",), '"n": 7'),
        ({"listing": LISTING}, [{"name": "lan"}], (), "lan"),
        ({"listing": LISTING}, [{"name": "lan"}], ("--json",), '"name": "lan"'),
        ({}, {"n": 7}, (), '"n": 7'),
    ],
)
def test_an_operation_is_a_command_that_says_a_sentence_or_shows_rows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    answer: Any,
    words: tuple[str, ...],
    shown: str,
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(_: Path, name: str, **given: Any) -> Any:
        asked.append((name, given))
        return answer

    monkeypatch.setattr(control, "ask", ask)
    app = typer.Typer()
    app.command()(runnable(_command(**more)))
    done = CliRunner().invoke(app, ["7", *words, "--state", str(tmp_path), "--lang", "en"])
    assert (done.exit_code, asked) == (0, [("look", {"id": 7})])
    assert shown in done.output
    assert _command().__doc__ == Look.__doc__
