# SPDX-License-Identifier: Apache-2.0
"""Finish a set-up: groups, trust, lists, service, proof, sheet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import typer
from rich.text import Text

from filterd import control
from filterd.appliance import machine_changes, stub_query
from filterd.appliance.enrolment import device_key, find_root, key_fingerprint
from filterd.appliance.setup.interview import KEPT, Interview, KeptAnswers
from filterd.appliance.setup.printed_sheets import sheet
from filterd.appliance.setup.questions import FEED
from filterd.appliance.stub_query import UpstreamTrial
from filterd.base.addresses import ANY_IPV4
from filterd.base.errors import FilterdError
from filterd.base.paths import write_atomically
from filterd.base.privileges import as_owner_of
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge
from filterd.cli.box import cert
from filterd.cli.box.doctor import doctor
from filterd.cli.context import Context
from filterd.cli.feed.feed_admin import trust_for_programs
from filterd.cli.feed.feed_sync import lists_of, taking
from filterd.cli.lists import lists
from filterd.cli.offline_site import policy_of
from filterd.feed.feed_config import followed
from filterd.feed.signed.fetchers import WebFetcher
from filterd.operations.accounts import FIRST_ACCOUNT, AddAccount, MakeCode, ReadAccounts
from filterd.operations.status import OF_PAGES
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Role
from filterd.policy.model import ListenAddress, Policy
from filterd.texts.i18n import Sentence, Texts, say
from filterd.upstream import resolv_conf
from filterd.wire import edes_of

if TYPE_CHECKING:
    from filterd.operations.accounts import OneTimeCode

SHEET_FILE = "sheet.md"
SHOWN = "www.1xbet.com"
"""A name that the lists close to pupils: the first lookup after a set-up."""


def keep_answers(here: Context, kept: KeptAnswers) -> None:
    """Keep the answers in the state folder, for the next set-up."""
    with as_owner_of(here.state.folder):
        KEPT.save(here.state.answers, kept)


class SetupDisplay(Protocol):
    """What shows a person the steps, in ``texts``: a terminal, or the lines of a page."""

    texts: Texts

    def say(self, text: Sentence, style: str = "") -> None:
        """Show a paragraph."""


class SetupFinish:
    """What follows the last question; a step that fails is reported, and the next one done.

    ``sheet_text`` is the sheet for the router, once it is written. ``sign_in`` has the first
    account of the dashboard and a code that signs in once; None where there is an account.
    """

    def __init__(self, here: Context, display: SetupDisplay, interview: Interview) -> None:
        self._here, self._display, self._interview = here, display, interview
        self._say = display.say
        self._failed = False
        self.sheet_text = ""
        self.sign_in: OneTimeCode | None = None

    def run(self) -> bool:
        """Do the steps in their order; return whether all worked."""
        here, interview = self._here, self._interview
        keep_answers(here, KeptAnswers(dict(interview.answers), is_done=True))
        key = ""
        with self._step(), as_owner_of(here.state.folder):
            key = key_fingerprint(device_key(here.state.device_key))
        with self._step():
            for group, question in ((ADMINS, "admins"), (TEACHERS, "teachers")):
                users = interview.get(question).replace(",", " ").split()
                machine_changes.join_group(users, group)
        with self._step():
            self._trust()
        with self._step(), as_owner_of(here.state.folder):
            if not here.state.index.exists():
                lists.build_index(here, shipped_only=False, show_progress=True)
        with self._step():
            done = machine_changes.put_in_service(here.config, here.state.control_socket)
            self._say(done)
        with self._step():
            self._fetch()
        with self._step():
            self._prove()
        with self._step(), contextlib.suppress(typer.Exit):  # what it finds is no failure
            if control.is_running(here.state.control_socket):
                doctor(replace(here, texts=self._display.texts))
        with self._step():
            self._judge()
        certificate = ""
        with self._step(), as_owner_of(here.state.folder):
            certificate = cert.ensure(here, policy_of(here)).fingerprint
        with self._step():
            self._write_sheet(key, certificate)
        self._make_account()
        return not self._failed

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        try:
            yield
        except FilterdError as error:
            self._failed = True
            self._say(error.sentence, "red")

    def _make_account(self) -> None:
        """Make the account of the administrator, and a code that signs in once."""
        try:
            if self._here.send(ReadAccounts()):
                return
            self._here.send(AddAccount(account=FIRST_ACCOUNT, roles=(Role.ADMIN,)))
            self.sign_in = self._here.send(MakeCode(account=FIRST_ACCOUNT))
        except FilterdError as error:
            if control.is_running(self._here.state.control_socket):
                self._say(error.sentence, "yellow")
            command = f"sudo filterd account add {FIRST_ACCOUNT} --role admin --code"
            self._say(say("To make an account for the dashboard: {command}", command=command))

    def _trust(self) -> None:
        interview, here = self._interview, self._here
        if interview.get("lists") != FEED or not interview.get("root"):
            return
        root = find_root(WebFetcher(interview.get("feed"), here.clock), interview.get("root"))
        with as_owner_of(here.state.folder):
            site = lists_of(here).site()
            with site.holding():
                site.establish(root, replace=False)
            trust_for_programs(here, root, replace=False)
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
                with taking(here) as lists:
                    outcome = lists.run(feed)
            except FilterdError as error:
                self._say(error.sentence, "yellow")
                self._say(
                    say(
                        "Until the lists come, the names that ship are blocked."
                        " To fetch them again: {command}",
                        command="sudo filterd sync"
                        if feed.address
                        else "sudo filterd lists update",
                    ),
                    "yellow",
                )
                return
        self._say(say("Lists in force: {n} names.", n=outcome.names))

    def _judge(self) -> None:
        """Say how far the school is protected now, by the judgement that every face shows."""
        if not control.is_running(self._here.state.control_socket):
            return
        status: dict[str, Any] = self._here.send(OF_PAGES)
        judged = judge(ProtectionFacts.of(status))
        self._say(judged.sentence, "green" if judged.is_whole else "yellow")

    def _has_upstream(self) -> bool:
        """Return whether one resolver works: without one, each list would wait in vain."""
        policy = policy_of(self._here)
        servers = resolv_conf.servers(policy.upstreams, policy.listen)

        async def trials() -> list[UpstreamTrial]:
            return await asyncio.gather(*map(stub_query.attempt, servers))

        return any(not one.problem for one in asyncio.run(trials()))

    def _write_sheet(self, key: str, certificate: str) -> None:
        path = self._here.config / SHEET_FILE
        text = self.sheet_text = sheet(
            self._interview, key, self._display.texts.language, certificate
        )
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
        if one.address in (ANY_IPV4, own):
            return ListenAddress(own, one.port)
    return policy.listen[0]
