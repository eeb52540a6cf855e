# SPDX-License-Identifier: Apache-2.0
"""Ask the questions of a set-up in a terminal: lines only, at most 80 columns wide.

An empty line takes what is in brackets. A wrong answer is asked again, with an example.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from rich.text import Text

from filterd.appliance.interview import Interview, PendingQuestion, SetupChoice
from filterd.appliance.questions import pending
from filterd.cli.context import Context
from filterd.errors import ConfigError, StoreError
from filterd.i18n import Sentence, Texts, say

_WIDTH = 80
_LONGEST_DEFAULT = 60
_SHORT = 2
"""Letters of an answer that is its own label; longer ones are chosen by number."""
_YES, _NO = {"", "y", "yes", "c", "có", "co"}, {"n", "no", "k", "không", "khong"}


class Dialogue:
    """A terminal with a person before it.

    Args:
        here: its consoles.
        texts: in the language that is spoken until another one is chosen.
        read: prints a prompt and reads a line; raises EOFError at the end; default: input.
    """

    def __init__(
        self, here: Context, texts: Texts, read: Callable[[str], str] | None = None
    ) -> None:
        self._here, self.texts, self._read = here, texts, read or input
        self._width = min(here.console.width, _WIDTH)

    def ask_all(self, interview: Interview, keep: Callable[[], None]) -> None:
        """Ask what is pending, one after the other.

        Args:
            interview: with the answers so far; it gets the others.
            keep: called after each answer.

        Raises:
            KeyboardInterrupt: the person ends it.
        """
        asked = ""
        while (one := pending(interview)) is not None:
            self._ask(one, is_first=one.question.id != asked)
            asked = one.question.id
            if language := interview.get("language"):
                self.texts = Texts("en" if language == "en" else "vi")
            keep()

    def confirm(self, text: Sentence) -> bool:
        """Ask for yes or no; an empty line is yes."""
        while True:
            typed = self._line(f"{self.texts(text)} {self.texts('[Yes/no]')} ").casefold()
            if typed in _YES | _NO:
                return typed in _YES

    def say(self, text: str, style: str = "", *, indent: str = "", after: str = "") -> None:
        """Print a paragraph, wrapped at words."""
        for line in textwrap.wrap(
            self.texts(text),
            self._width,
            initial_indent=indent,
            subsequent_indent=after,
            break_long_words=False,  # paths and commands are there to be copied
            break_on_hyphens=False,
        ):
            self._here.console.print(Text(line, style=style), soft_wrap=True)

    def _ask(self, one: PendingQuestion, *, is_first: bool) -> None:
        if is_first:
            self._here.console.print()
            if one.question.help:
                self.say(one.question.help, "dim")
        self.say(one.text, "bold")
        choices = one.choices
        for number, choice in enumerate(choices, 1):
            label = _label(number, choice)
            first = f"  {label}  {choice.answer}: " if one.question.is_open else f"  {label}  "
            self.say(choice.text, indent=first, after=" " * (len(label) + 4))
        default = one.default
        shown = self._shown(default, choices, is_open=one.question.is_open) if default else ""
        if len(shown) > _LONGEST_DEFAULT:
            self.say(shown)
            shown = ""
        while True:
            typed = self._line(f"{shown}> ")
            try:
                one.accept(typed)
            except (ConfigError, StoreError) as error:  # a file of classes may not be readable
                self.say(error.sentence, "red")
            else:
                return

    def _shown(self, default: str, choices: tuple[SetupChoice, ...], *, is_open: bool) -> str:
        """Return what Enter takes, in brackets."""
        labels = {one.answer: _label(number, one) for number, one in enumerate(choices, 1)}
        return f"[{default if is_open else labels.get(default, default)}] "

    def _line(self, prompt: str) -> str:
        try:
            return self._read(prompt).strip()
        except EOFError:
            raise KeyboardInterrupt from None
        except UnicodeDecodeError:  # typed in another encoding
            return "?"


def _label(number: int, choice: SetupChoice) -> str:
    return choice.answer if len(choice.answer) <= _SHORT else str(number)


INTERRUPTED = say(
    "Nothing was changed. The answers so far are kept; to go on with them: filterd setup"
)
