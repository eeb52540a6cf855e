# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from filterd.appliance.interview import Interview, Machine, SchoolLink
from filterd.appliance.questions import pending
from filterd.cli.context import Context
from filterd.cli.setup_dialogue import Dialogue
from filterd.errors import StoreError
from filterd.i18n import Texts, quoted, say
from filterd.state_folder import StateFolder

LINK = SchoolLink("192.168.1.0/24", "eth0", "192.168.1.2")


class Screen:
    """A terminal of 80 columns and the lines that are typed."""

    def __init__(self, *typed: str) -> None:
        self._out, self._typed = io.StringIO(), iter(typed)
        console = Console(file=self._out, width=80, highlight=False, markup=False)
        here = Context(Path(), StateFolder(Path()), Texts("en"), console, console)
        self.dialogue = Dialogue(here, Texts("vi"), self._read)

    def _read(self, prompt: str) -> str:
        self._out.write(prompt)
        typed = next(self._typed, None)
        if typed is None:
            raise EOFError
        self._out.write(f"{typed}\n")
        return typed

    @property
    def text(self) -> str:
        return self._out.getvalue()

    def ask(self, interview: Interview) -> None:
        """Ask until what is typed ends."""
        with pytest.raises(KeyboardInterrupt):
            self.dialogue.ask_all(interview, lambda: None)


def test_from_the_first_answer_on_the_chosen_language_is_spoken() -> None:
    screen = Screen("2", "A school")
    screen.ask(Interview(Machine((LINK,))))
    assert "Ngôn ngữ của filterd" in screen.text
    assert "Name of the school" in screen.text


def test_a_wrong_answer_is_told_with_an_example_and_asked_again() -> None:
    screen, interview = Screen("en", "123", "A school"), Interview(Machine())
    screen.ask(interview)
    assert "a name has letters (such as: Nguyen Du lower secondary school)" in screen.text
    assert interview.answers["school"] == "A school"


def test_choices_have_numbers_and_the_default_stands_in_brackets() -> None:
    screen = Screen("en", "A school", "", "")
    screen.ask(Interview(Machine((LINK,), outward=("eth0",))))
    assert "\n  B  DHCP, DNS and gateway on one network card." in screen.text
    assert "\n[A] > " in screen.text
    assert "\n  1  192.168.1.0/24: eth0, this box is 192.168.1.2" in screen.text
    assert "\n[192.168.1.0/24] > " in screen.text


def test_a_long_default_is_shown_whole_on_lines_of_its_own() -> None:
    known = Interview(Machine(), {"classes": ", ".join(f"6A{one}" for one in range(40))})
    known.answers.update(language="en", school="A", code="", placement="A", networks="10.0.0.0/8")
    screen = Screen()
    screen.ask(known)
    assert "6A39] \n> " in screen.text or "6A39]\n> " in screen.text
    assert max(map(len, screen.text.splitlines())) <= 80


def test_a_file_that_cannot_be_read_is_asked_for_again() -> None:
    def refuses(path: Path) -> list[list[str]]:
        raise StoreError(quoted(f"{path}: cannot be read"))

    known = Interview(Machine(read_table=refuses))
    known.answers.update(language="en", school="A", code="", placement="A", networks="10.0.0.0/8")
    screen = Screen("@none.csv", "6A")
    screen.ask(known)
    assert "none.csv: cannot be read" in screen.text
    assert known.answers["classes"] == "6A"


@pytest.mark.parametrize(("typed", "yes"), [("", True), ("có", True), ("K", False), ("no", False)])
def test_yes_and_no_are_understood_in_both_languages(typed: str, yes: bool) -> None:
    assert Screen("what", typed).dialogue.confirm(say("{n} more", n=1)) is yes


def test_after_the_last_question_nothing_is_pending() -> None:
    known = Interview(Machine((LINK,)))
    lines = ("", "Trường A", "", "A", "", "6A", "1", "", "", "3", "1")
    Screen(*lines).dialogue.ask_all(known, lambda: None)
    assert pending(known) is None
