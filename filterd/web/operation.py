# SPDX-License-Identifier: Apache-2.0
"""An operation of the API: its parameters, roles, answer, and how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.responses import Response

from filterd.operations.parameters.scalar import NOTHING, Fields, Schema
from filterd.overrides.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.i18n import Sentence
    from filterd.web.visitor import Visitor

EVERYONE = frozenset(Role)
ADMINS = frozenset((Role.ADMIN,))
TEACHERS = frozenset((Role.TEACHER, Role.ADMIN))

Run = Callable[["Visitor", dict[str, Any]], Awaitable[Any]]
Method = Literal["GET", "POST", "PUT", "DELETE"]


_FILE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""A file has its styles in itself, and does nothing: it may be made of texts of others."""


class MadeFile(NamedTuple):
    """A file.

    Attributes:
        name: ASCII without quotes or spaces.
        media_type: its type.
        octets: its content.
        is_shown: the browser shows it, and does not keep it.
    """

    name: str
    media_type: str
    octets: bytes
    is_shown: bool = False

    def answer(self) -> Response:
        """Return the answer with the file."""
        kind = "inline" if self.is_shown else "attachment"
        headers = {"content-disposition": f'{kind}; filename="{self.name}"'}
        if self.is_shown:
            headers["content-security-policy"] = _FILE_POLICY
        return Response(self.octets, media_type=self.media_type, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        name: its ``operationId``, and the address of its form (``/do/NAME``).
        method, path: of the API, beneath ``/api/v1``; ``{key}`` is a parameter.
        about: one line of English, for the description.
        run: does it with checked values; returns plain data.
        fields: in the query (GET, DELETE) or the body; those in the path are among them.
        roles: that may do it. The manager refuses others, pages do not show it to them.
        answer: the JSON Schema of what ``run`` returns.
        commands: of ``filterd`` that it stands for, such as ``log search``.
        tag: its group in the description.
        done: the sentence that a page shows after a change, of what ``run`` returned.
        is_shown_once: whether that page has what ``run`` returned, as ``Visitor.made``.
        is_stream: ``run`` returns an async iterator of events (SSE).
        largest_octets: of its body, where that is more than ``request_guard`` lets pass.
        media_types: ``run`` returns a ``MadeFile`` of one of these; none for data.
    """

    name: str
    method: Method
    path: str
    about: str
    run: Run
    fields: Fields = NOTHING
    roles: frozenset[Role] = EVERYONE
    answer: Schema = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    tag: str = "school"
    done: Callable[[Any, Visitor], Sentence] | None = None
    is_shown_once: bool = False
    is_stream: bool = False
    largest_octets: int = 0
    media_types: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


def asks(command: str) -> Run:
    """Return what sends the checked values to a command of the manager."""

    async def run(visitor: Visitor, given: dict[str, Any]) -> Any:
        return await visitor.ask(command, **given)

    return run


_SERVICE = "it is a process of the box itself, which its service manager starts"
_KEYS = "it uses keys of the publisher, which never leave that machine"
_PUBLISHES = "it is work of the publisher, on files of that machine"
_FILES = "it reads or writes files of the person at that machine"
_TRUST = "trust in a publisher begins where a person compares the fingerprint"
_CERTIFICATE = "it reads or writes the key of this box"

AT_THE_BOX: Mapping[str, str] = {
    "serve": _SERVICE,
    "monitor": _SERVICE,
    "web": _SERVICE,
    "blockpage": _SERVICE,
    "poster": "it is a file to print, with the address of this box",
    "setup": "it is for a box that has no accounts yet; it has pages of its own",
    "backup": "it writes keys and passwords of the box, with the rights of root",
    "restore": "it replaces the site and the settings of the box, with the rights of root",
    "init": _FILES,
    "completion": "it is for a shell",
    "man": "it is for a terminal",
    "update": "it replaces the program with the rights of root",
    "doctor": "it examines links and ports of the box with the rights of root",
    **{
        f"release {one}": "it replaces the program with the rights of root"
        for one in ("list", "activate", "rollback", "restore", "test")
    },
    "import pihole": _FILES,
    "import adguard": _FILES,
    "lists build": "it is for the site's own lists, which are files of the box",
    "policy validate": _FILES,
    "alerts test": "it reads the secrets of mail and webhook with the rights of root",
    "feed trust": _TRUST,
    "feed init": _KEYS,
    "feed build": _PUBLISHES,
    "feed review": _PUBLISHES,
    "feed mistakes": _PUBLISHES,
    "feed publish": _KEYS,
    "feed sign": _KEYS,
    "feed sign-program": _KEYS,
    "feed release-hold": _KEYS,
    "feed rotate-key": _KEYS,
    "feed verify": _PUBLISHES,
    "feed diff": _PUBLISHES,
    "inspect verify": _FILES,
    "fleet enrol": _TRUST,
    "fleet sign": _KEYS,
    "account recover": "it is for a person who cannot sign in, and stands at the box",
    "cert make": _CERTIFICATE,
    "cert install": _CERTIFICATE,
    "cert show": _CERTIFICATE,
}
"""THE table of the commands without an operation: why each is at the box only."""
