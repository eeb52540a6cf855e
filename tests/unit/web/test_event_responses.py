# SPDX-License-Identifier: Apache-2.0
"""Events reach a browser as they come, and their stream has an end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.texts.i18n import say
from filterd.web import event_responses
from filterd.web.event_responses import MOST, MOST_OF_A_PERSON, EventResponses
from filterd.web.problem import WebError
from filterd.web.visitor import Visitor
from tests.support.web_requests import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response
    from starlette.types import Message

LAN = Visitor(Path("/nowhere"), account="lan", token="t")


async def _values(*given: Any, lasting: bool = False) -> AsyncIterator[Any]:
    for one in given:
        if isinstance(one, Exception):
            raise one
        yield one
    if lasting:
        await asyncio.Event().wait()


async def _read(response: Response, until: str = "never") -> str:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await response(scope, receive, send)

    enough = until.encode()
    reply = await answer(application, "GET", "/", until=lambda received: enough in received)
    return reply.text


def test_values_are_sent_as_json_and_heartbeats_as_comments() -> None:
    async def whole() -> str:
        return await _read(await EventResponses().answer(LAN, _values({"row": ["ế"]}, None)))

    assert asyncio.run(whole()) == ': \n\ndata: {"row": ["\\u1ebf"]}\n\n: \n\n'


def test_a_refusal_before_the_first_value_is_no_stream() -> None:
    async def whole() -> None:
        events = EventResponses()
        with pytest.raises(ControlError):
            await events.answer(LAN, _values(ControlError(say("no"))))
        assert not events._open

    asyncio.run(whole())


def test_a_later_one_is_an_event() -> None:
    async def whole() -> str:
        values = _values(1, ControlError(say("it stopped")))
        return await _read(await EventResponses().answer(LAN, values))

    assert "event: problem\ndata: {" in asyncio.run(whole())


def test_a_person_has_a_few_and_all_have_a_bound() -> None:
    async def whole() -> None:
        events = EventResponses()
        for n in range(MOST):
            visitor = Visitor(Path("/nowhere"), account=str(n // MOST_OF_A_PERSON))
            await events.answer(visitor, _values(1, lasting=True))
            if n % MOST_OF_A_PERSON == MOST_OF_A_PERSON - 1:
                with pytest.raises(WebError):
                    await events.answer(visitor, _values(1))
        with pytest.raises(WebError):
            await events.answer(LAN, _values(1))

    asyncio.run(whole())


@pytest.mark.parametrize("token", ["t", None])
def test_a_stream_ends_with_its_session_or_the_process(token: str | None) -> None:
    async def whole() -> None:
        events = EventResponses()
        response = await events.answer(LAN, _values(1, lasting=True))
        asyncio.get_running_loop().call_later(0.05, events.end, token)
        assert "data: 1" in await asyncio.wait_for(_read(response), 5)
        assert not events._open

    asyncio.run(whole())


def test_a_stream_ends_after_its_time_and_with_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_responses, "LASTS_S", 0.05)

    async def whole() -> None:
        events = EventResponses()
        for until in ("never", "data: 1"):
            response = await events.answer(LAN, _values(1, lasting=True))
            assert "data: 1" in await asyncio.wait_for(_read(response, until), 5)
            await asyncio.sleep(0)
            assert not events._open

    asyncio.run(whole())


def test_a_client_that_leaves_before_the_first_octet_keeps_no_place() -> None:
    async def whole() -> None:
        events = EventResponses()
        followed = _values(lasting=True)
        response = await events.answer(LAN, followed)

        async def gone() -> Message:
            return {"type": "http.disconnect"}

        async def send(_: Message) -> None:
            await asyncio.sleep(0)

        await response({"type": "http"}, gone, send)
        await asyncio.sleep(0)
        assert not events._open
        with pytest.raises(StopAsyncIteration):  # the manager is not followed any more either
            await anext(followed)

    asyncio.run(whole())
