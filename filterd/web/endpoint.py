# SPDX-License-Identifier: Apache-2.0
"""An operation of the API and of pages, with what only they have of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from starlette.responses import Response

from filterd.base.value_class import frozen
from filterd.operations.operation import Operation
from filterd.operations.request import OperationRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor

RequestT = TypeVar("RequestT", bound=OperationRequest[Any])
Done = Callable[[Any, "Visitor"], "Sentence"]


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


@frozen(kw_only=True)
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
    done: Done | None = None
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
    known = {field.name: getattr(operation, field.name) for field in fields(operation)}
    return kind(**{**known, "act": act, **more})
