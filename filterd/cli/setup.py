# SPDX-License-Identifier: Apache-2.0
"""``filterd setup``: set up this school's filter by questions, or from a file of answers."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd import control
from filterd.appliance import machine_changes, machine_survey, stub_query, upstream_trial
from filterd.appliance.answer_file import KEPT, KeptAnswers, load_answers
from filterd.appliance.device_key import device_key, key_fingerprint
from filterd.appliance.interview import Interview
from filterd.appliance.publisher_root import find_root
from filterd.appliance.questions import FEED, fill, take_up
from filterd.appliance.setup_sheet import sheet
from filterd.appliance.site_answers import answers_in, change
from filterd.appliance.site_writer import put, read_text, rewritten
from filterd.appliance.upstream_trial import UpstreamTrial
from filterd.cli import cert, lists_build, spreadsheet
from filterd.cli.context import Context, on_named_files, option
from filterd.cli.doctor import doctor
from filterd.cli.feed_sync import run, site_of
from filterd.cli.offline_site import policy_of
from filterd.cli.setup_dialogue import INTERRUPTED, Dialogue
from filterd.config.site_sources import SITE_FILE
from filterd.errors import ConfigError, FilterdError
from filterd.feed.feed_config import followed
from filterd.feed.fetchers import WebFetcher
from filterd.i18n import Texts, say
from filterd.overrides.roles import ADMINS, TEACHERS
from filterd.paths import check_room, write_atomically
from filterd.policy.model import ListenAddress, Policy
from filterd.privileges import as_owner_of
from filterd.upstream import resolv_conf
from filterd.wire import edes_of

SHEET_FILE = "sheet.md"
SHOWN = "www.1xbet.com"
"""A name that the lists close to pupils: the first lookup after a set-up."""

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
) -> None:
    """Set up the filter of a school by questions.

    Finds networks and resolvers, asks for classes, rooms and staff, writes site.yaml, fetches
    the lists, starts the service, and prints a sheet for the router. Run it again to change
    answers: lines of site.yaml that no answer concerns stay as they are. Ctrl-C at any question
    changes nothing. In the file for --answers each key is the id of a question, such as
    school, classes, `seat 192.168.6.0/24`; what is left out is what Enter takes. Exit code 0:
    done; 2: an error; 130: interrupted.
    """
    given = None if answers is None else load_answers(answers)
    _check_place(here, has_answers=given is not None)
    text, site = read_text(here.config)
    if text:
        policy_of(here)  # mistakes are shown before the first question
    texts = here.texts if text else Texts("vi")
    dialogue = Dialogue(here, texts)
    kept = KEPT.read(here.state.answers) or KeptAnswers({})
    interview = _interview(dialogue, site, kept)
    try:
        if given is None:
            _ask(here, dialogue, interview, kept)
        else:
            fill(interview, given)
            dialogue.texts = Texts("en" if interview.get("language") == "en" else "vi")
        new = rewritten(text, change(site, interview), dialogue.texts.language)
        if given is None:
            _confirm(here, dialogue, text, new)
    except KeyboardInterrupt:
        here.console.print()
        dialogue.say(INTERRUPTED)
        raise typer.Exit(_INTERRUPTED) from None
    if read_text(here.config)[0] != text:
        raise ConfigError(
            say("the file was changed during the set-up"),
            path=str(here.config / SITE_FILE),
            hint=say("run it again: the answers are kept"),
        )
    if new != text:
        put(here.config, new)
    dialogue.say(say("{path} is written.", path=here.config / SITE_FILE))
    _Finish(here, dialogue, interview).run()


def _check_place(here: Context, *, has_answers: bool) -> None:
    """Refuse what would fail after the last question: no terminal, no rights, no room.

    Raises:
        ConfigError, StoreError: with the remedy.
    """
    if not has_answers and not is_terminal():
        raise ConfigError(
            say("this is no terminal, so no question can be asked"),
            hint=say("give the answers in a file: filterd setup --answers FILE"),
        )
    for folder in (here.config, here.state.folder):
        there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if not os.access(there, os.W_OK):
            raise ConfigError(
                say("{folder} cannot be written by this user", folder=folder),
                hint=say("run it as root: sudo filterd setup"),
            )
        check_room(there, _NEEDED_OCTETS)


def is_terminal() -> bool:
    """Return whether there is a person to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _interview(dialogue: Dialogue, site: dict[str, Any], kept: KeptAnswers) -> Interview:
    """Return the set-up before its first question: what was found, and the site's answers."""
    dialogue.say(say("Looking at this machine and its networks ..."), "dim")
    logging.getLogger("filterd").setLevel(logging.CRITICAL)  # the questions show what failed
    machine = asyncio.run(machine_survey.survey(os.environ.get("SUDO_USER", "")))
    last = kept.answers if kept.is_done else {}
    before = {key: last[key] for key in _KEPT_ONLY if key in last}
    machine = replace(machine, read_table=spreadsheet.load)
    return Interview(machine, before | answers_in(site))


def _ask(here: Context, dialogue: Dialogue, interview: Interview, kept: KeptAnswers) -> None:
    if kept.answers and not kept.is_done:
        again = say(
            "A set-up was interrupted after {n} answers. Go on with it?", n=len(kept.answers)
        )
        if dialogue.confirm(again):
            take_up(interview, kept.answers)
    dialogue.say(say("Enter takes what is in [brackets]. Ctrl-C changes nothing."))

    def keep() -> None:
        _keep(here, KeptAnswers(dict(interview.answers)))

    dialogue.ask_all(interview, keep)


def _keep(here: Context, kept: KeptAnswers) -> None:
    with as_owner_of(here.state.folder):
        KEPT.save(here.state.answers, kept)


def _confirm(here: Context, dialogue: Dialogue, old: str, new: str) -> None:
    """Show what changes, and ask; raises KeyboardInterrupt for no."""
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
    if not dialogue.confirm(say("Write {path} and put it in force?", path=path)):
        raise KeyboardInterrupt


class _Finish:
    """What follows the last question; a step that fails is reported, and the next one done."""

    def __init__(self, here: Context, dialogue: Dialogue, interview: Interview) -> None:
        self._here, self._dialogue, self._interview = here, dialogue, interview
        self._say = dialogue.say
        self._failed = False

    def run(self) -> None:
        """Do the steps in their order.

        Raises:
            typer.Exit: one failed.
        """
        here, interview = self._here, self._interview
        _keep(here, KeptAnswers(dict(interview.answers), is_done=True))
        key = ""
        with self._step(), as_owner_of(here.state.folder):
            key = key_fingerprint(device_key(here.state.device_key))
        with self._step():
            for group, who in ((ADMINS, "admins"), (TEACHERS, "teachers")):
                users = interview.get(who).replace(",", " ").split()
                machine_changes.join_group(users, group)
        with self._step():
            self._trust()
        with self._step(), as_owner_of(here.state.folder):
            if not here.state.index.exists():
                lists_build.build(here, shipped_only=False, show_progress=True)
        with self._step():
            done = machine_changes.put_in_service(here.config, here.state.control_socket)
            self._say(done)
        with self._step():
            self._fetch()
        with self._step():
            self._prove()
        with self._step(), contextlib.suppress(typer.Exit):  # what it finds is no failure
            if control.is_running(here.state.control_socket):
                doctor(replace(here, texts=self._dialogue.texts))
        certificate = ""
        with self._step(), as_owner_of(here.state.folder):
            certificate = cert.ensure(here, policy_of(here)).fingerprint
        with self._step():
            self._write_sheet(key, certificate)
        if self._failed:
            raise typer.Exit(2)

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        try:
            yield
        except FilterdError as error:
            self._failed = True
            self._say(error.sentence, "red")

    def _trust(self) -> None:
        interview, here = self._interview, self._here
        if interview.get("lists") != FEED or not interview.get("root"):
            return
        root = find_root(WebFetcher(interview.get("feed"), here.clock), interview.get("root"))
        with as_owner_of(here.state.folder):
            site = site_of(here)
            with site.holding():
                site.establish(root, replace=False)
        self._say(say("The publisher's root is trusted from now on."))

    def _fetch(self) -> None:
        """Fetch the lists; without the Internet they come in the night."""
        here = self._here
        with as_owner_of(here.state.folder):
            feed = followed(here.config, here.state)
            if not feed.is_any:
                return
            if not self._has_upstream():
                self._say(
                    say("No resolver answers, so the lists are fetched later, in the night."),
                    "yellow",
                )
                return
            self._say(say("Fetching the lists; this takes a minute or two ..."), "dim")
            try:
                outcome = run(here, feed)
            except FilterdError as error:
                self._say(error.sentence, "yellow")
                self._say(
                    say(
                        "Until the lists come, the names that ship are blocked. Again: {command}",
                        command="sudo filterd sync"
                        if feed.address
                        else "sudo filterd lists update",
                    ),
                    "yellow",
                )
                return
        self._say(say("Lists in force: {n} names.", n=outcome.names))

    def _has_upstream(self) -> bool:
        """Return whether one resolver works: without one, each list would wait in vain."""
        policy = policy_of(self._here)
        servers = resolv_conf.servers(policy.upstreams, policy.listen)

        async def trials() -> list[UpstreamTrial]:
            return await asyncio.gather(*map(upstream_trial.attempt, servers))

        return any(not one.problem for one in asyncio.run(trials()))

    def _write_sheet(self, key: str, certificate: str) -> None:
        path = self._here.config / SHEET_FILE
        text = sheet(self._interview, key, self._dialogue.texts.language, certificate)
        write_atomically(path, text.encode(), mode=0o644)
        self._here.console.print()
        self._here.console.print(Text(text))
        self._say(say("This sheet is {path}: print it, and hang it beside the box.", path=path))

    def _prove(self) -> None:
        """Ask the running daemon for a closed name, as a device of each network would."""
        policy = policy_of(self._here)
        for link in self._interview.links:
            server = _server(policy, link.address)
            try:
                question = stub_query.ask(server.address, server.port, SHOWN, source=link.address)
                answer = asyncio.run(question)
            except OSError:
                return  # it was said that none is running
            why = ", ".join(f"EDE {one.code}" for one in edes_of(answer.edns))
            self._say(
                say(
                    "dig -b {source} @{server} -p {port} {name}: {answer}",
                    source=link.address,
                    server=server.address,
                    port=server.port,
                    name=SHOWN,
                    answer=f"{stub_query.rcode_name(answer)} {why}".strip(),
                )
            )


def _server(policy: Policy, own: str) -> ListenAddress:
    """Return where a device of a link asks."""
    for one in policy.listen:
        if one.address in ("0.0.0.0", own):  # noqa: S104 -- recognised
            return ListenAddress(own, one.port)
    return policy.listen[0]
