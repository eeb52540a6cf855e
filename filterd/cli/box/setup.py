# SPDX-License-Identifier: Apache-2.0
"""``filterd setup``: set up this school's filter by questions, or from a file of answers.

Questions are lines of at most 80 columns. An empty line takes what is in brackets. A wrong
answer is asked again, with an example.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd.appliance.backup import restore_journal, restore_plan
from filterd.appliance.backup.restore_plan import RestorePlan
from filterd.appliance.setup import machine_survey
from filterd.appliance.setup.interview import (
    KEPT,
    Interview,
    KeptAnswers,
    PendingQuestion,
    SetupChoice,
    load_answers,
)
from filterd.appliance.setup.questions import fill, pending, take_up
from filterd.appliance.setup.site_answers import answers_in, change, moved_defaults
from filterd.appliance.setup.site_writer import UNNAMED, put, read_text, rewritten
from filterd.base.errors import ConfigError, StoreError
from filterd.base.paths import check_room
from filterd.cli import spreadsheet
from filterd.cli.box.backup import (
    KeyFileOption,
    PassphraseFileOption,
    carry_out,
    read_backup,
    show_backup,
)
from filterd.cli.box.setup_finish import SetupFinish, keep_answers
from filterd.cli.context import Context, on_named_files, option
from filterd.cli.offline_site import policy_of
from filterd.cli.school.account import print_code
from filterd.config.build_record import SITE_FILE
from filterd.texts.i18n import Sentence, Texts, language_of, say

_INTERRUPTED = 130
_KEPT_ONLY = ("placement", "flat", "router", "plan-b", "ipv6", "lists", "admins", "teachers")
"""Answers that do not stand in site.yaml, as those of the last set-up."""
_NEEDED_OCTETS = 20 << 20
_MOST_LINES = 40


@on_named_files
def setup(
    here: Context,
    answers: Annotated[
        Path | None,
        option("--answers", "Ask nothing: take the answers from this YAML file.", "FILE"),
    ] = None,
    restore: Annotated[
        Path | None, option("--restore", "Begin with this backup, of the box before.", "FILE")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    recovery_key_file: KeyFileOption = None,
    web: Annotated[
        bool,
        option("--web", "Ask in a browser, by a code that is shown here, until it is set up."),
    ] = False,
) -> None:
    """Set up the filter of a school by questions.

    Finds networks and resolvers, asks for classes, rooms and staff, writes site.yaml, fetches
    the lists, starts the service, and prints a sheet for the router. Run it again to change
    answers: lines of site.yaml that no answer concerns stay as they are. Ctrl-C at any question
    changes nothing. With --restore the answers of a backup are the defaults, and its settings,
    history and accounts come with them. In the file for --answers each key is the id of a
    question, such as school, classes, `seat 192.168.6.0/24`; what is left out is what Enter
    takes. Exit code 0: done; 2: an error; 130: interrupted.
    """
    if web:
        from filterd.cli.box.first_boot import serve  # noqa: PLC0415 -- asyncio's, for this option

        serve(here)
        return
    given = None if answers is None else load_answers(answers)
    _check_place(here, has_answers=given is not None)
    plan = None
    if restore is not None:
        plan = _plan(here, restore, passphrase_file, recovery_key_file)
    _set_up(here, plan, given)


def _set_up(here: Context, plan: RestorePlan | None, given: Mapping[str, str] | None) -> None:
    """Ask, write and start, from what this box has or a backup; ``given`` answers all."""
    text, site = read_text(here.config) if plan is None else restore_plan.site_text(plan)
    if text and plan is None:
        policy_of(here)  # mistakes are shown before the first question
    texts = here.texts if text else Texts("vi")
    dialogue = Dialogue(here, texts)
    kept = KEPT.read(here.state.answers) or KeptAnswers({})
    dialogue.say(say("Looking at this machine and its networks ..."), "dim")
    interview = interview_of(site, kept, is_moved=plan is not None)

    try:
        new = _answered(here, dialogue, interview, kept, text, site, given)
    except KeyboardInterrupt:
        here.console.print()
        dialogue.say(INTERRUPTED)
        raise typer.Exit(_INTERRUPTED) from None
    _put(here, plan, text, new)
    dialogue.say(say("{path} is written.", path=here.config / SITE_FILE))
    finish = SetupFinish(here, dialogue, interview)
    is_done = finish.run()
    if finish.sign_in is not None:
        print_code(replace(here, texts=dialogue.texts), finish.sign_in)
    if not is_done:
        raise typer.Exit(2)


def _answered(
    here: Context,
    dialogue: Dialogue,
    interview: Interview,
    kept: KeptAnswers,
    text: str,
    site: dict[str, Any],
    given: Mapping[str, str] | None,
) -> str:
    """Return the new site.yaml, by the answers of a person, or by those of a file."""

    def changed() -> str:
        new = rewritten(text, change(site, interview), dialogue.texts.language)
        return restore_plan.moved(new, interview, dialogue.texts.language)

    if given is None:
        _take_up(dialogue, interview, kept)
        return _agreed(here, dialogue, interview, text, changed)
    fill(interview, given)
    dialogue.texts = Texts(language_of(interview.get("language")))
    return changed()


def _plan(
    here: Context, file: Path, passphrase_file: Path | None, recovery_key_file: Path | None
) -> RestorePlan:
    """Read a backup for a box that has no site yet.

    Raises:
        ConfigError: it has one; or as ``restore_plan.read_plan``.
    """
    _, site = read_text(here.config)
    if (site.get("school") or {}).get("name", UNNAMED) != UNNAMED:
        raise ConfigError(
            say("this box has a site already"),
            path=str(here.config / SITE_FILE),
            hint=say("to bring a backup back here: filterd restore FILE"),
        )
    plan = read_backup(here, file, passphrase_file, recovery_key_file)
    restore_plan.check_site(plan, here.config)
    found = restore_plan.difference(plan, here.config, here.state, here.clock)
    show_backup(here, plan, found._replace(lines=()))  # questions show the lines of site.yaml
    return plan


def _put(here: Context, plan: RestorePlan | None, text: str, new: str) -> None:
    """Write the site; with a backup all that it has.

    Raises:
        FilterdError: nothing is changed, or the rest of a backup follows at the next start.
    """
    if plan is None:
        put_changed(here.config, text, new)
        return
    plan = plan.with_site(new)
    restore_plan.check_site(plan, here.config)
    restore_journal.decide(plan, here.config)
    carry_out(here)


def put_changed(config: Path, before: str, new: str) -> None:
    """Write the site, unless the file was changed during the set-up.

    Raises:
        ConfigError: it was, or the new text is wrong; nothing is written.
    """
    if read_text(config)[0] != before:
        raise ConfigError(
            say("the file was changed during the set-up"),
            path=str(config / SITE_FILE),
            hint=say("run it again: the answers are kept"),
        )
    if new != before:
        put(config, new)


def _check_place(here: Context, *, has_answers: bool) -> None:
    """Refuse what would fail after the last question: no terminal, no rights, no room.

    Raises:
        ConfigError, StoreError: with the remedy.
    """
    if not has_answers and not is_terminal():
        raise ConfigError(
            say("this is not a terminal, so no question can be asked"),
            hint=say("give the answers in a file: filterd setup --answers FILE"),
        )
    for folder in (here.config, here.state.folder):
        there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if os.statvfs(there).f_flag & os.ST_RDONLY:
            raise ConfigError(
                say("the disk of {folder} can only be read", folder=folder),
                hint=say("mount it to be written, or have this folder on a disk that can be"),
            )
        if not os.access(there, os.W_OK):
            raise ConfigError(
                say("{folder} cannot be written by this user", folder=folder),
                hint=say("run it as root: sudo filterd setup"),
            )
        check_room(there, _NEEDED_OCTETS)


def is_terminal() -> bool:
    """Return whether there is a person to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def interview_of(site: dict[str, Any], kept: KeptAnswers, *, is_moved: bool = False) -> Interview:
    """Return the set-up before its first question: what was found, and the site's answers."""
    logging.getLogger("filterd").setLevel(logging.CRITICAL)  # the questions show what failed
    machine = asyncio.run(machine_survey.survey(os.environ.get("SUDO_USER", "")))
    last = kept.answers if kept.is_done else {}
    before = {key: last[key] for key in _KEPT_ONLY if key in last}
    machine = replace(machine, read_table=spreadsheet.load)
    moved = moved_defaults(site, machine) if is_moved else {}
    return Interview(machine, before | answers_in(site) | moved)


def _take_up(dialogue: Dialogue, interview: Interview, kept: KeptAnswers) -> None:
    """Go on with an interrupted set-up, or have its answers as defaults."""
    if kept.answers and not kept.is_done:
        again = say(
            "A set-up was interrupted after {n} answers. Go on with it?", n=len(kept.answers)
        )
        if dialogue.is_agreed(again):
            take_up(interview, kept.answers)
        else:
            interview.before.update(kept.answers)
    dialogue.say(
        say("Enter takes what is in [brackets]. < goes back a question. Ctrl-C changes nothing.")
    )


def _agreed(
    here: Context,
    dialogue: Dialogue,
    interview: Interview,
    old: str,
    changed: Callable[[], str],
) -> str:
    """Ask what is pending until the person agrees; return the new text of the site.

    Args:
        here: where the answers so far are kept.
        dialogue: with the person.
        interview: with the answers so far; it gets the others.
        old: the text of the site.
        changed: returns the text that the answers make.

    Raises:
        KeyboardInterrupt: the person ends it.
    """

    def keep() -> None:
        keep_answers(here, KeptAnswers(dict(interview.answers)))

    while True:
        dialogue.ask_all(interview, keep)
        new = changed()
        if _confirm(here, dialogue, old, new):
            return new
        interview.go_back()
        keep()


def _confirm(here: Context, dialogue: Dialogue, old: str, new: str) -> bool:
    """Show what changes, and ask; False for back, raises KeyboardInterrupt for no."""
    here.console.print()
    if old == new:
        dialogue.say(say("No answer changes site.yaml."))
    lines = [
        one
        for one in difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
        if not one.startswith(("---", "+++", "@@"))
        and one[1:].strip()
        and not one[1:].startswith("#")
    ]
    for line in lines[:_MOST_LINES]:
        here.console.print(Text(line, "green" if line[0] == "+" else "red"))
    if len(lines) > _MOST_LINES:
        dialogue.say(say("and {n} more", n=len(lines) - _MOST_LINES))
    path = here.config / SITE_FILE
    try:
        if not dialogue.confirm(say("Write {path} and put it in force?", path=path)):
            raise KeyboardInterrupt
    except _BackError:
        return False
    return True


_WIDTH = 80
_LONGEST_DEFAULT = 60
_SHORT = 2
"""Letters of an answer that is its own label; longer ones are chosen by number."""
_BACK = "<"
_YES, _NO = {"", "y", "yes", "c", "có", "co"}, {"n", "no", "k", "không", "khong"}


class _BackError(Exception):
    """The person wants the question before."""


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
        """Ask what is pending, one after the other; ``<`` takes the last answer back.

        Args:
            interview: with the answers so far; it gets the others.
            keep: called after each answer.

        Raises:
            KeyboardInterrupt: the person ends it.
        """
        asked = ""
        while (one := pending(interview)) is not None:
            try:
                self._ask(one, is_first=one.question.id != asked)
                asked = one.question.id
            except _BackError:
                interview.go_back()
                asked = ""
            if language := interview.get("language"):
                self.texts = Texts(language_of(language))
            keep()

    def confirm(self, text: Sentence) -> bool:
        """Ask for yes or no; an empty line is yes. Raises ``_BackError`` for back."""
        while True:
            typed = self._line(f"{self.texts(text)} {self.texts('[Yes/no]')} ").casefold()
            if typed == _BACK:
                raise _BackError
            if typed in _YES | _NO:
                return typed in _YES

    def is_agreed(self, text: Sentence) -> bool:
        """Ask for yes or no, where there is no question before."""
        try:
            return self.confirm(text)
        except _BackError:
            return False

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

    def _ask(self, question: PendingQuestion, *, is_first: bool) -> None:
        if is_first:
            self._here.console.print()
            if question.question.help:
                self.say(question.question.help, "dim")
        self.say(question.text, "bold")
        choices = question.choices
        for number, choice in enumerate(choices, 1):
            label = _label(number, choice)
            first = f"  {label}  {choice.answer}: " if question.question.is_open else f"  {label}  "
            self.say(choice.text, indent=first, after=" " * (len(label) + 4))
        default = question.default
        shown = self._shown(default, choices, is_open=question.question.is_open) if default else ""
        if len(shown) > _LONGEST_DEFAULT:
            self.say(shown)
            shown = ""
        while True:
            typed = self._line(f"{shown}> ")
            if typed == _BACK:
                raise _BackError
            try:
                question.accept(typed)
            except (ConfigError, StoreError) as error:  # a file of classes may not be readable
                self.say(error.sentence, "red")
            else:
                return

    def _shown(self, default: str, choices: tuple[SetupChoice, ...], *, is_open: bool) -> str:
        """Return what Enter takes, in brackets."""
        labels = {choice.answer: _label(number, choice) for number, choice in enumerate(choices, 1)}
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
