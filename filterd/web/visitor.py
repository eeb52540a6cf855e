# SPDX-License-Identifier: Apache-2.0
"""The person or program of a request, and the commands asked in their name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd import control
from filterd.control.event_stream import follow
from filterd.i18n import Sentence, Texts
from filterd.overrides.roles import Role
from filterd.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from filterd.i18n import Language
    from filterd.web.operation import Operation

ASK_WITHIN_S = 60.0


@dataclass(slots=True)
class Visitor:
    """One request.

    Attributes:
        socket: the daemon's control socket.
        address: of the person's device.
        token: of the session, or of the API; empty if not signed in.
        account, roles, classes: of the session; ``classes`` are a teacher's own at this
            moment, None for all. Without a session there are no roles.
        is_fresh: whether the password was given within the last minutes.
        school: the name of the school.
        texts, clock: the language of the pages, and the school's time.
        csrf: the token of forms (``request_guard``).
        notices: what every page must show.
        done: the sentences of changes that were made, each shown once.
        made: the answer to the change before, for a page that shows a secret this once.
        trouble: what is wrong with the form that is shown again; empty for nothing.
        failed, given: the name of the operation whose form is shown again, and its fields.
    """

    socket: Path
    address: str = ""
    token: str = field(default="", repr=False)
    account: str = ""
    roles: frozenset[Role] = frozenset()
    classes: frozenset[str] | None = frozenset()
    is_fresh: bool = False
    school: str = ""
    texts: Texts = field(default_factory=lambda: Texts("vi"))
    clock: SchoolClock = field(default_factory=lambda: SchoolClock(ZoneInfo("UTC"), 0.0))
    csrf: str = field(default="", repr=False)
    notices: list[Sentence] = field(default_factory=list)
    done: list[Sentence] = field(default_factory=list)
    made: Mapping[str, Any] = field(default_factory=dict, repr=False)
    trouble: str = ""
    failed: str = ""
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def wording(self) -> Wording:
        """Language and clock, as ``rows`` takes them."""
        return Wording(self.texts, self.clock)

    @property
    def language(self) -> Language:
        """The language of the pages."""
        return self.texts.language

    @property
    def is_admin(self) -> bool:
        """Whether the person is an administrator."""
        return Role.ADMIN in self.roles

    def may(self, operation: Operation) -> bool:
        """Return whether a page shows an operation to this person."""
        return not self.roles.isdisjoint(operation.roles)

    def filled(self, operation: Operation, name: str, value: Any = "") -> Any:
        """Return what a field of a form shows: what was given when it failed, or a value."""
        return self.given.get(name, "") if self.failed == operation.name else value

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command to the manager in this person's name; return its result.

        Raises:
            FilterdError: as ``control.ask``.
        """
        found = await asyncio.to_thread(
            control.ask,
            self.socket,
            command,
            act_for=self.token,
            address=self.address,
            silence_s=ASK_WITHIN_S,
            **arguments,
        )
        while control.notices:
            notice, _ = control.notices.popitem()
            self.notices.append(notice)
        return found

    def follow(self, command: str, **arguments: Any) -> AsyncIterator[Any]:
        """Follow a command that streams; None stands for a heartbeat."""
        return follow(self.socket, command, act_for=self.token, address=self.address, **arguments)

    async def call(self, operation: Operation, /, **values: Any) -> Any:
        """Do an operation with checked values; pages use nothing else."""
        read = operation.fields.read(values)
        return await operation.run(self, {key: self._unix(one) for key, one in read.items()})

    def _unix(self, value: Any) -> Any:
        """Return a value with a time of the school's clock as Unix time."""
        if isinstance(value, datetime):
            return value.replace(tzinfo=self.clock.zone).timestamp()
        return value

    async def identify(self) -> None:
        """Take in what the manager knows of the school and of the session.

        Raises:
            FilterdError: as ``control.ask``.
        """
        found = await self.ask("session") if self.token else {}
        self.account = found.get("account", "")
        self.roles = frozenset(map(Role, found.get("roles", ())))
        classes = found.get("classes", ())
        self.classes = None if classes is None else frozenset(classes)
        self.is_fresh = bool(found.get("is_fresh"))

    async def meet(self, language: str = "") -> None:
        """Take in the school: name, language unless another is asked for, time.

        Raises:
            FilterdError: as ``control.ask``.
        """
        found = await asyncio.to_thread(control.ask, self.socket, "school", address=self.address)
        self.school = found["school"]
        self.texts = Texts("en" if (language or found["language"]) == "en" else "vi")
        self.clock = SchoolClock(ZoneInfo(found["time_zone"]), found["now"] or 0.0)
