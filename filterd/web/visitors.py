# SPDX-License-Identifier: Apache-2.0
"""Make the visitor of each request, and keep what outlives a request.

That is little: the sentences of changes that a next page shows, and the school's name and
language for the page that says that filterd does not answer.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.i18n import Texts
from filterd.web import cookies
from filterd.web.request_guard import csrf_of, uses_header_token
from filterd.web.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request

    from filterd.i18n import Sentence

LONGEST_PART = 127
"""Of a token and a device's cookie, which are sent to the manager as one."""
_MOST_NOTES = 500
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Visitors:
    """The visitors of a dashboard. ``socket`` is the daemon's control socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._notes: dict[bytes, tuple[Sentence, Mapping[str, Any]]] = {}
        self._school = ""
        self._language = "vi"

    def stranger(self, request: Request) -> Visitor:
        """Return the visitor without asking the manager, who may be the trouble."""
        visitor = Visitor(self._socket, request.client.host if request.client else "")
        visitor.school = self._school
        visitor.texts = Texts("en" if (_language(request) or self._language) == "en" else "vi")
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
    return with_device(request.cookies.get(cookies.SESSION, "")[:LONGEST_PART], request)


def with_device(session: str, request: Request) -> str:
    """Return the token of a session with the cookie of the device, if there is one."""
    device = device_of(request)
    return f"{session}~{device}" if session and device else session


def device_of(request: Request) -> str:
    """Return the cookie of an enrolled device; empty for none."""
    return request.cookies.get(cookies.DEVICE, "")[:LONGEST_PART]


def _language(request: Request) -> str:
    """Return the language that the person has chosen; empty for that of the school."""
    chosen = request.query_params.get("lang") or request.cookies.get(cookies.LANGUAGE, "")
    return chosen if chosen in ("vi", "en") else ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
