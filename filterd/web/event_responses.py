# SPDX-License-Identifier: Apache-2.0
"""Answer with server-sent events (HTML Standard §9.2), a few for each person.

A response ends after some minutes; the browser asks again, and a session that has ended by then
is refused. It ends at once when its person signs out or does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from filterd.base.errors import FilterdError
from filterd.texts.i18n import say
from filterd.web.problem import WebError, details

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from filterd.web.visitor import Visitor

MEDIA_TYPE = "text/event-stream"
MOST, MOST_OF_A_PERSON = 20, 3
LASTS_S = 300.0
_HEARTBEAT_S = 15.0
_FIRST_WITHIN_S = 0.3
_COMMENT = ": \n\n"


class _EventStream(StreamingResponse):
    """A stream that gives back what it holds, even if its client left at once.

    Then its events are never iterated, and nothing in them runs.
    """

    def __init__(self, events: AsyncIterator[str], release: Callable[[], None]) -> None:
        super().__init__(events, media_type=MEDIA_TYPE)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


class EventResponses:
    """The open streams: the account of each, and what ends it."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Event, tuple[str, str]] = {}

    async def answer(self, visitor: Visitor, values: AsyncIterator[Any]) -> Response:
        """Return an answer that sends values as they come; None is a heartbeat.

        Raises:
            FilterdError: there are too many, or the first value was refused.
        """
        of_person = [one for one, _ in self._open.values() if one == visitor.account]
        if len(self._open) >= MOST or len(of_person) >= MOST_OF_A_PERSON:
            raise WebError(
                HTTPStatus.TOO_MANY_REQUESTS,
                say("too many live views are open ({n} for each person)", n=MOST_OF_A_PERSON),
            )
        ended = asyncio.Event()
        self._open[ended] = (visitor.account, visitor.token)
        next_ = asyncio.ensure_future(anext(values, ended))
        try:
            await asyncio.wait({next_}, timeout=_FIRST_WITHIN_S)
            if next_.done():
                next_.result()
        except BaseException:
            next_.cancel()
            del self._open[ended]
            raise

        def release() -> None:
            self._open.pop(ended, None)
            next_.cancel()

        return _EventStream(self._events(visitor, values, next_, ended), release)

    def end(self, token: str | None = None) -> None:
        """End the streams of a session; all of them for None."""
        for ended, (_, of_session) in self._open.items():
            if token in (None, of_session):
                ended.set()

    async def _events(
        self,
        visitor: Visitor,
        values: AsyncIterator[Any],
        next_: asyncio.Future[Any],
        ended: asyncio.Event,
    ) -> AsyncIterator[str]:
        stop = asyncio.ensure_future(ended.wait())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LASTS_S):
                    yield _COMMENT
                    while not stop.done():
                        await asyncio.wait(
                            {next_, stop},
                            timeout=_HEARTBEAT_S,
                            return_when=asyncio.FIRST_COMPLETED,
                        )
                        if not next_.done():
                            yield _COMMENT
                            continue
                        value = next_.result()
                        if value is ended:  # there are no more
                            return
                        next_ = asyncio.ensure_future(anext(values, ended))
                        yield _COMMENT if value is None else f"data: {json.dumps(value)}\n\n"
        except FilterdError as error:
            yield f"event: problem\ndata: {json.dumps(details(error, visitor.language))}\n\n"
        finally:
            for task in (next_, stop):
                task.cancel()
            await asyncio.gather(next_, return_exceptions=True)
            if isinstance(values, AsyncGenerator):
                await values.aclose()  # the manager has few places for followers


def wants_events(request: Request) -> bool:
    """Return whether a request is one for events."""
    return MEDIA_TYPE in request.headers.get("accept", "")
