# SPDX-License-Identifier: Apache-2.0
"""The person or program of a request, and the commands asked in their name.

What outlives a request is little: the sentences of changes that a next page shows, the school's
name and language for the page that says that filterd does not answer, and for half a minute
which devices the manager admits.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd import control
from filterd.control.event_stream import follow
from filterd.operations.sessions import AskAdmission, ReadSchool, ReadSession
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import Sentence, Texts, language_of
from filterd.texts.rows import SchoolClock, Wording
from filterd.web.endpoint import WebEndpoint
from filterd.web.request_guard import csrf_of, uses_header_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from filterd.base.clock import Clock
    from filterd.operations.operation import Operation
    from filterd.operations.request import AnswerT, OperationRequest
    from filterd.texts.i18n import Language

SESSION_COOKIE, DEVICE_COOKIE = "__Host-sid", "__Host-device"
LANGUAGE_COOKIE, SETUP_COOKIE = "__Host-lang", "__Host-setup"
"""The prefix ``__Host-`` binds a cookie to this server; no script reads it, no other site sends
it."""
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

    async def send(self, request: OperationRequest[AnswerT]) -> AnswerT:
        """Send a request to the manager in this person's name; return its answer.

        Raises:
            FilterdError: as ``control.ask``.
        """
        return request.answer_of(await self.answer(request))

    async def answer(self, request: OperationRequest[Any]) -> Any:
        """Send a request, and return its answer as plain data; see ``send``."""
        return await self.ask(request.command, **request.arguments)

    async def call(self, operation: Operation, /, **values: Any) -> Any:
        """Do an operation with checked values; pages use nothing else."""
        read = operation.fields.read(values)
        checked = {key: self._unix(one) for key, one in read.items()}
        if isinstance(operation, WebEndpoint):
            return await operation.run(self, checked)
        return await self.answer(operation.request.of(checked))

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
        if not self.token:
            return
        session = await self.send(ReadSession())
        self.account, self.is_fresh = session.account, session.is_fresh
        self.roles = frozenset(map(Role, session.roles))
        self.classes = None if session.classes is None else frozenset(session.classes)

    async def meet(self, language: str = "") -> None:
        """Take in the school: name, language unless another is asked for, time.

        Raises:
            FilterdError: as ``control.ask``.
        """
        asked = ReadSchool()
        found = asked.answer_of(
            await asyncio.to_thread(control.ask, self.socket, asked.command, address=self.address)
        )
        self.school = found.school
        self.texts = Texts(language_of(language or found.language))
        self.clock = SchoolClock(ZoneInfo(found.time_zone), found.now or 0.0)


LONGEST_PART = 127
"""Of a token and a device's cookie, which are sent to the manager as one."""
_MOST_NOTES = 500
ADMITTED_FOR_S = 30.0
_MOST_DEVICES = 4096
"""Devices that are remembered; the one that was asked about first gives way."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Visitors:
    """The visitors of a dashboard. ``socket`` is the daemon's control socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._notes: dict[bytes, tuple[Sentence, Mapping[str, Any]]] = {}
        self._school = ""
        self._language = "vi"

    def stranger(self, request: Request) -> Visitor:
        """Return the visitor without asking the manager, which may be the trouble."""
        visitor = Visitor(self._socket, request.client.host if request.client else "")
        visitor.school = self._school
        visitor.texts = Texts(language_of(_language(request) or self._language))
        return visitor

    async def greet(self, visitor: Visitor, request: Request) -> None:
        """Take in the school and its time, for a page that needs no session.

        Raises:
            FilterdError: as ``control.ask``.
        """
        await visitor.meet(_language(request))
        self._school = visitor.school
        if not _language(request):
            self._language = visitor.language

    async def learn_school(self, request: Request) -> None:
        """Ask for name and language of the school, unless they are known.

        Raises:
            FilterdError: as ``control.ask``.
        """
        if not self._school:
            await self.greet(self.stranger(request), request)

    async def identify(self, visitor: Visitor, request: Request) -> None:
        """Take in the session of the request's token; without one there are no roles.

        Raises:
            FilterdError: as ``control.ask``; the session has ended.
        """
        await self.greet(visitor, request)
        visitor.token = token_of(request)
        await visitor.identify()
        visitor.csrf = csrf_of(visitor.token) if visitor.token else ""

    def note(self, token: str, sentence: Sentence, made: Mapping[str, Any] = _NOTHING) -> None:
        """Keep a sentence for the next page of a session, and what it shows once."""
        while len(self._notes) >= _MOST_NOTES:
            del self._notes[next(iter(self._notes))]
        self._notes[_hash(token)] = sentence, made

    def take_note(self, visitor: Visitor) -> None:
        """Give a page what was kept for it."""
        if (note := self._notes.pop(_hash(visitor.token), None)) is not None:
            sentence, visitor.made = note
            visitor.done.append(sentence)


def token_of(request: Request) -> str:
    """Return the token of a program's header, or of the cookies; empty for none."""
    if uses_header_token(request.scope, request.headers):
        scheme, _, token = request.headers["authorization"].partition(" ")
        return token.strip()[: 2 * LONGEST_PART] if scheme.lower() == "bearer" else "-"
    return with_device(request.cookies.get(SESSION_COOKIE, "")[:LONGEST_PART], request)


def with_device(session: str, request: Request) -> str:
    """Return the token of a session with the cookie of the device, if there is one."""
    device = device_of(request)
    return f"{session}~{device}" if session and device else session


def device_of(request: Request) -> str:
    """Return the cookie of an enrolled device; empty for none."""
    return request.cookies.get(DEVICE_COOKIE, "")[:LONGEST_PART]


def _language(request: Request) -> str:
    """Return the language that the person has chosen; empty for that of the school."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in ("vi", "en") else ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class AdmittedDevices:
    """What the manager has decided lately, by address, device and code.

    It decides by the network of the address and the cookie of an enrolled device, and decides
    again when a token is used: here it keeps pupils from the sign-in page.
    """

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._socket, self._clock = socket, clock
        self._kept: dict[tuple[str, ...], tuple[bool, float]] = {}

    async def admits(self, address: str, device: str, code: str = "", token: str = "") -> bool:
        """Return whether a device may see the dashboard.

        Args:
            address: of the device.
            device: the cookie of an enrolled one; else empty.
            code: by which it is about to be enrolled; else empty.
            token: of a program, which may be bound to addresses; else empty.

        Raises:
            ControlError: the manager does not answer.
        """
        key, now = (address, device, code, token), self._clock.monotonic()
        admitted, until = self._kept.get(key, (False, 0.0))
        if now < until:
            return admitted
        asked = AskAdmission(device=device, code=code)
        answer = await asyncio.to_thread(
            control.ask,
            self._socket,
            asked.command,
            act_for=token,
            address=address,
            **asked.arguments,
        )
        admitted = asked.answer_of(answer).admitted
        self._kept.pop(key, None)
        while len(self._kept) >= _MOST_DEVICES:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (admitted, now + ADMITTED_FOR_S)
        return admitted

    def forget(self) -> None:
        """Ask the manager anew about every device: one was enrolled."""
        self._kept.clear()


def keep_cookie(response: Response, name: str, value: str, lasts_s: int | None = None) -> None:
    """Let the browser keep_cookie a cookie for a time; None: until it is closed."""
    response.set_cookie(name, value, lasts_s, secure=True, httponly=True, samesite="strict")


def forget_cookie(response: Response, name: str) -> None:
    """Let the browser forget_cookie a cookie."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="strict")
