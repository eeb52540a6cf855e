# SPDX-License-Identifier: Apache-2.0
"""A manager's accounts, asked through the control server; the history notes what it records.

Files, sessions, site and the judgement of requests are real. Passwords are hashed with small
parameters, which are stored with them.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts import password_hash
from filterd.base.errors import FilterdError
from filterd.base.state_folder import StateFolder
from filterd.control import frames
from filterd.control.connection import new_request, read_content
from filterd.daemon.handlers.account_commands import Accounts
from filterd.daemon.handlers.control_caller import WEB_GROUP, Caller, author_of
from filterd.daemon.handlers.control_server import ControlServer
from filterd.overrides.rights.permissions import Classroom
from filterd.policy.model import Network
from filterd.policy.temporary_rules import Overrides
from filterd.resolve.site import Site
from tests.support.clock import FakeClock
from tests.support.policies import a_policy, an_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = Caller(0, "root", frozenset())
WEB = Caller(990, "filterd-web", frozenset({WEB_GROUP}))
STAFF, STAFF_TOO, PUPIL = "10.0.1.5", "10.0.1.6", "10.0.6.7"
NETWORKS = [
    Network("desk", "staff", ("10.0.1.0/24", "fd00:1::/64")),
    Network("lab", "6", ("10.0.6.0/24",)),
]
PASSWORD = "ba con mèo vàng"
PIN = "482913"


class AccountSchool:
    """The accounts of a school.

    Attributes:
        noted: what the history recorded: author and payload.
        is_time_known: as the clock reports it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        self.noted, self.is_time_known = list[tuple[str, dict[str, Any]]](), True
        self.site = Site.of(a_policy(networks=NETWORKS), an_index(folder, {}), ())
        self.state, self.runner = StateFolder(folder), asyncio.Runner()
        self.begin()

    def begin(self) -> None:
        """Start the manager, anew."""
        changes = SimpleNamespace(note=self._note, classroom=self._classroom)
        manager: Any = SimpleNamespace(site=self.site, changes=changes, clock=self._time_facts)
        time = SimpleNamespace(least=self.clock.wall, not_before=self.clock.wall)
        setting: Any = SimpleNamespace(state=self.state, clock=self.clock, time=time)
        self.accounts = Accounts(manager, setting)
        self.commands: dict[str, Any] = {**self.accounts.commands(), **_OTHERS}
        self.server = ControlServer(
            self.folder / "s", self.commands, granting=self.accounts.granting
        )

    async def _note(self, _: str, about: dict[str, Any], author: Any) -> None:
        self.noted.append((author.name, about))

    def _classroom(self, site: Site) -> Classroom:
        now = self.clock.wall()
        return Classroom(site.timed.policy, Overrides(), now, now + 3600, lambda _: None)

    def _time_facts(self) -> dict[str, Any]:
        standing = "known" if self.is_time_known else "unknown"
        return {"standing": standing, "policy_time": self.clock.wall()}

    def ask(self, command: str, caller: Caller = ROOT, **request: Any) -> Any:
        """Return what a command answers; see ``answer``."""
        return self.runner.run(self.answer(command, caller, **request))

    def web(self, command: str, token: str = "", address: str = STAFF, **arguments: Any) -> Any:
        """Return what a command answers to the web process."""
        return self.ask(command, WEB, token=token, address=address, **arguments)

    def code_of(self, command: str, token: str = "", address: str = STAFF, **given: Any) -> str:
        """Return the code of the error that a command answers to the web process."""
        with pytest.raises(FilterdError) as refused:
            self.web(command, token, address, **given)
        return refused.value.code

    async def answer(
        self, command: str, caller: Caller, token: str = "", address: str = "", **arguments: Any
    ) -> Any:
        """Return what a command answers.

        Raises:
            FilterdError: it is refused.
        """
        request = new_request(command, arguments, token, address)
        line = await self.server._answer(frames.read_request(frames.dump_request(request)), caller)
        return read_content(line, request, self.folder)[0]["result"]

    def add(self, account: str, *roles: str) -> None:
        """Add an account with the usual password."""
        self.ask("account add", account=account, roles=list(roles), password=PASSWORD)

    def sign_in(self, account: str, address: str = STAFF, **more: Any) -> str:
        """Return the token of a new session."""
        found = self.web("login", "", address, account=account, password=PASSWORD, **more)
        assert found["account"] == account
        return str(found["token"])

    def enrol(self, account: str, address: str = PUPIL, *, confirm: bool = True) -> tuple[str, str]:
        """Enrol a device; return the secret of its cookie, and its id."""
        code = self.ask("account device-code", account=account)["code"]
        made = self.web("account device-redeem", "", address, code=code, name="Điện thoại", pin=PIN)
        if confirm:
            self.ask("account device-confirm", id=made["id"])
        return made["device"], made["id"]


async def _author(_: dict[str, Any], caller: Caller) -> Any:
    author = author_of(caller)
    return [author.name, author.rank.value]


_OTHERS = dict.fromkeys(("status", "change", "overrides", "lists", "page-why"), _author)
"""Commands of other modules: they answer as whom they were asked."""


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountSchool]:
    """A school with the accounts minh (admin), lan (teacher) and thu (principal)."""
    monkeypatch.setattr(password_hash, "_N", 16)
    made = AccountSchool(tmp_path)
    made.add("minh", "admin")
    made.add("lan", "teacher")
    made.add("thu", "principal")
    made.noted.clear()
    with made.runner:
        yield made
