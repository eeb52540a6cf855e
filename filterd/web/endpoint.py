# SPDX-License-Identifier: Apache-2.0
"""An operation of the API and of pages, with what only they have of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from starlette.responses import Response

from filterd.operations.operation import Operation
from filterd.operations.request import OperationRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor

RequestT = TypeVar("RequestT", bound=OperationRequest[Any])


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
class WebEndpoint(Operation):
    """An operation as the API and pages have it, where that is not all of it.

    Attributes:
        act: does it for a person and a request; else the manager is asked.
        done: the sentence that a page shows after a change, of the answer.
        is_shown_once: whether that page has the answer, as ``Visitor.made``.
        is_stream: the answer is an async iterator of events (SSE).
        largest_octets: of its body, where that is more than ``request_guard`` lets pass.
        media_types: the answer is a ``MadeFile`` of one of these; none for data.
    """

    act: Callable[[Visitor, Any], Awaitable[Any]] | None = None
    done: Callable[[Any, Visitor], Sentence] | None = None
    is_shown_once: bool = False
    is_stream: bool = False
    largest_octets: int = 0
    media_types: tuple[str, ...] = ()

    async def run(self, visitor: Visitor, values: dict[str, Any]) -> Any:
        """Do it with checked values.

        Raises:
            FilterdError: as ``control.ask``; ConfigError: they do not go together.
        """
        request = self.request.of(values)
        if self.act is None:
            return await visitor.answer(request)
        return await self.act(visitor, request)


def endpoint(
    operation: Operation,
    act: Callable[[Visitor, RequestT], Awaitable[Any]] | None = None,
    *,
    kind: type[WebEndpoint] = WebEndpoint,
    **more: Any,
) -> WebEndpoint:
    """Return the endpoint of an operation; ``more`` are attributes of it."""
    known = {one.name: getattr(operation, one.name) for one in fields(operation)}
    return kind(**{**known, "act": act, **more})


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
