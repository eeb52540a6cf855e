# SPDX-License-Identifier: Apache-2.0
"""Two processes ask each other things."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError, ConfigErrors, ControlError, FilterdError, StoreError
from filterd.base.packet_room import PACKET_OCTETS
from filterd.daemon import worker_channel as module
from filterd.daemon.worker_channel import Channel, Handlers, channel_pair
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


WITHIN_S = 10.0


async def _double(*, number: int) -> int:
    return 2 * number


async def _fail(*, error: str) -> None:
    errors: dict[str, FilterdError] = {
        "store": StoreError(say("the disk is full")),
        "config": ConfigErrors(
            [ConfigError(say("bad key"), path="site.yaml", line=3, hint=say("mend it"))]
        ),
    }
    raise errors[error]


async def _bug() -> None:
    raise RuntimeError("a bug")


async def _large() -> None:
    raise MemoryError


async def _never() -> None:
    await asyncio.Event().wait()


HANDLERS: Handlers = {
    "double": _double,
    "fail": _fail,
    "bug": _bug,
    "large": _large,
    "never": _never,
}


def _run(work: Callable[[Channel], Awaitable[None]], handlers: Handlers = HANDLERS) -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            asking, answering = Channel(near), Channel(far, handlers)
            try:
                await asyncio.wait_for(work(asking), WITHIN_S)
            finally:
                await asking.close()
                await answering.close()

    asyncio.run(whole())


def test_a_question_gets_its_answer() -> None:
    async def work(channel: Channel) -> None:
        assert await channel.ask("double", within_s=WITHIN_S, number=21) == 42

    _run(work)


def test_questions_asked_at_once_get_each_its_own() -> None:
    async def work(channel: Channel) -> None:
        asked = (channel.ask("double", within_s=WITHIN_S, number=n) for n in range(50))
        assert await asyncio.gather(*asked) == [2 * n for n in range(50)]

    _run(work)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        ("store", ControlError, "the disk is full"),
        ("config", ConfigErrors, r"site.yaml:3: bad key \(mend it\)"),
    ],
)
def test_an_error_comes_back_as_one(error: str, kind: type[Exception], text: str) -> None:
    async def work(channel: Channel) -> None:
        with pytest.raises(kind, match=text):
            await channel.ask("fail", within_s=WITHIN_S, error=error)

    _run(work)


@pytest.mark.parametrize("what", ["bug", "no such handler"])
def test_a_bug_on_the_other_side_is_logged_there_and_reported_here(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(channel: Channel) -> None:
        with pytest.raises(ControlError, match="failed inside filterd"):
            await channel.ask(what, within_s=WITHIN_S)

    _run(work)
    assert "a command failed" in caplog.text


def test_no_request_waits_for_ever() -> None:
    async def work(channel: Channel) -> None:
        with pytest.raises(ControlError, match="did not answer in time"):
            await channel.ask("never", within_s=0.01)

    _run(work)


def test_an_answer_that_is_too_late_disturbs_no_request() -> None:
    release = asyncio.Event()

    async def late() -> str:
        await release.wait()
        return "late"

    async def work(channel: Channel) -> None:
        with pytest.raises(ControlError):
            await channel.ask("late", within_s=0.01)
        release.set()
        assert await channel.ask("double", within_s=WITHIN_S, number=1) == 2

    _run(work, {**HANDLERS, "late": late})


def test_a_successor_hears_what_its_predecessor_was_asked() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            first = Channel(far, HANDLERS)
            await first.close()  # the process died before it read
            asking = Channel(near)
            asked = asyncio.ensure_future(asking.ask("double", within_s=WITHIN_S, number=3))
            await asyncio.sleep(0)
            second = Channel(far, HANDLERS)
            assert await asked == 6
            await second.close()
            await asking.close()

    asyncio.run(whole())


def test_an_answer_to_a_predecessor_is_ignored() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            predecessor = Channel(near)
            with pytest.raises(ControlError):
                await predecessor.ask("double", within_s=0, number=1)
            await predecessor.close()
            answering = Channel(far, HANDLERS)
            asking = Channel(near)
            assert await asking.ask("double", within_s=WITHIN_S, number=4) == 8
            await asking.close()
            await answering.close()

    asyncio.run(whole())


def test_a_channel_that_is_full_is_an_error_and_no_wait() -> None:
    async def work(channel: Channel) -> None:
        text = "x" * 60_000
        asked = [channel.ask("never", within_s=0.2, text=text) for _ in range(200)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert any("cannot be reached" in str(outcome) for outcome in outcomes)

    _run(work)


def test_a_successor_is_asked_what_its_predecessor_has_read_and_not_answered() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            asking, first = Channel(near), Channel(far, {"double": _never_double})
            asked = asyncio.ensure_future(asking.ask("double", within_s=WITHIN_S, number=3))
            while not first._answering:
                await asyncio.sleep(0)
            await first.close()  # the process died while it was at it
            second = Channel(far, HANDLERS)
            second.announce()
            assert await asked == 6
            await second.close()
            await asking.close()

    asyncio.run(whole())


def test_what_two_processes_did_not_live_to_answer_is_not_asked_of_a_third() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            asking = Channel(near)
            asked = asyncio.ensure_future(asking.ask("double", within_s=WITHIN_S, number=3))
            for is_new in (False, True):
                successor = Channel(far, {"double": _never_double})
                if is_new:
                    successor.announce()
                while not successor._answering:
                    await asyncio.sleep(0)
                await asyncio.sleep(0.01)  # until the other end has heard it, too
                await successor.close()
            third = Channel(far, HANDLERS)
            third.announce()
            with pytest.raises(ControlError, match="did not answer in time"):
                await asked
            await third.close()
            await asking.close()

    asyncio.run(whole())


STOCK_SNDBUF = 212_992
"""``net.core.wmem_max`` of a kernel as shipped: it bounds what SO_SNDBUF sets."""


def test_the_largest_message_fits_a_packet_of_a_kernel_as_shipped() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            for end in near, far:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STOCK_SNDBUF)
                assert end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * STOCK_SNDBUF
            asking, answering = Channel(near), Channel(far, {"echo": _echo})
            around = len(json.dumps({"id": 1 << 49, "ask": "echo", "with": {"text": ""}}))
            text = "x" * (PACKET_OCTETS - around)
            assert await asking.ask("echo", within_s=WITHIN_S, text=text) == text
            await asking.close()
            await answering.close()

    asyncio.run(whole())


async def _echo(*, text: str) -> str:
    return text


async def _longer(*, n: int) -> str:
    return "ổ" * n


@pytest.mark.parametrize("bounded", [True, False])
def test_control_an_answer_that_fits_no_packet_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, bounded: bool
) -> None:
    """Without the bound a kernel as shipped refuses it, and the asker waits in vain."""

    async def whole() -> str:
        near, far = channel_pair()
        with near, far:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STOCK_SNDBUF)
            asking, answering = Channel(near), Channel(far, {"longer": _longer})
            with pytest.raises(ControlError) as refused:
                await asking.ask("longer", within_s=WITHIN_S if bounded else 0.05, n=80_000)
            await asking.close()
            await answering.close()
            return str(refused.value)

    if not bounded:
        monkeypatch.setattr(module, "PACKET_OCTETS", 1 << 20)
        monkeypatch.setattr(
            Channel, "_reply", lambda self, key, reply: self._send_or_log({"id": key, **reply})
        )
    text = asyncio.run(whole())
    assert ("too large: 480 kB" in text) is bounded
    assert ("did not answer in time" in text) is not bounded
    assert caplog.text.count("a message between processes" if bounded else "Message too long") == 1


def test_a_request_that_fits_no_packet_is_an_error_of_its_sender() -> None:
    async def work(channel: Channel) -> None:
        with pytest.raises(ControlError, match="too large: 200 kB"):
            await channel.ask("double", within_s=WITHIN_S, number="x" * 200_000)
        assert await channel.ask("double", within_s=WITHIN_S, number=2) == 4

    _run(work)


@pytest.mark.parametrize("is_alive", [True, False])
def test_last_batches_wait_for_an_end_that_takes_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_alive: bool
) -> None:
    taken = list[int]()

    async def take(*, batch: dict[str, Any]) -> None:
        taken.append(batch["number"])

    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STOCK_SNDBUF)
            handing, taking = Channel(near), Channel(far, {"last": take} if is_alive else {})
            if not is_alive:
                await taking.close()
            batches = ({"number": n, "rows": "x" * 150_000} for n in range(20))
            await handing.hand_over("last", batches)
            await handing.close()
            await taking.close()

    monkeypatch.setattr(module, "_TAKEN_WITHIN_S", WITHIN_S if is_alive else 0.01)
    asyncio.run(whole())
    assert taken == (list(range(20)) if is_alive else [])
    assert ("cannot be reached" in caplog.text) is not is_alive


async def _never_double(*, number: int) -> None:
    assert number
    await _never()


@pytest.mark.parametrize("packet", [b"no JSON", b"[" * 100_000])
def test_a_message_that_cannot_be_read_ends_nothing(
    packet: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            asking, answering = Channel(near), Channel(far, HANDLERS)
            near.send(packet)
            assert await asking.ask("double", within_s=WITHIN_S, number=5) == 10
            await asking.close()
            await answering.close()

    asyncio.run(whole())
    assert "cannot be read" in caplog.text


def test_an_end_that_is_closed_is_left_alone() -> None:
    async def whole() -> None:
        near, far = channel_pair()
        with near:
            asking = Channel(near)
            far.close()
            with pytest.raises(ControlError):
                await asking.ask("double", within_s=0.01, number=1)
            await asking.close()

    asyncio.run(whole())


def test_a_message_stays_until_it_is_read() -> None:
    heard: list[int] = []
    came = asyncio.Event()

    async def hear(*, number: int) -> None:
        heard.append(number)
        if len(heard) == 2:
            came.set()

    async def whole() -> None:
        near, far = channel_pair()
        with near, far:
            sending = Channel(near)
            sending.tell("hear", number=1)
            sending.tell("hear", number=2)
            await sending.close()
            hearing = Channel(far, {"hear": hear})
            await asyncio.wait_for(came.wait(), WITHIN_S)
            await hearing.close()

    asyncio.run(whole())
    assert heard == [1, 2]


def test_a_useless_message_is_logged_and_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    async def work(channel: Channel) -> None:
        channel.tell("bug")
        channel.tell("unheard of")
        assert await channel.ask("double", within_s=WITHIN_S, number=21) == 42

    _run(work)
    assert caplog.text.count("was of no use") == 2


def test_what_takes_too_much_memory_is_answered_before_the_process_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(channel: Channel) -> None:
        with pytest.raises(
            ControlError, match="there is not enough memory; the old policy and lists stay in force"
        ):
            await channel.ask("large", within_s=WITHIN_S)

    _run(work)
    assert "MemoryError" in caplog.text
