# SPDX-License-Identifier: Apache-2.0
"""Work that no client waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.resolve.background_tasks import Background

if TYPE_CHECKING:
    import pytest


async def wait_for_ever() -> int:
    await asyncio.get_running_loop().create_future()
    return 1


async def fail() -> int:
    raise RuntimeError("a bug")


async def give() -> int:
    return 1


def test_what_goes_on_under_a_key_is_not_begun_again() -> None:
    async def main() -> None:
        background = Background[int]()
        first = background.once("key", wait_for_ever)
        assert background.once("key", fail) is first
        assert background.once("other", wait_for_ever) is not first
        assert len(background) == 2
        await background.close()

    asyncio.run(main())


def test_what_has_ended_is_forgotten_and_may_begin_again() -> None:
    async def main() -> None:
        background = Background[int]()
        first = background.once("key", give)
        assert await first == 1
        await asyncio.sleep(0)
        assert len(background) == 0
        assert background.once("key", give) is not first
        await background.close()

    asyncio.run(main())


def test_an_exception_is_logged_and_gives_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        background = Background[int]()
        assert await background.once("key", fail) is None
        await background.close()

    asyncio.run(main())
    assert "RuntimeError: a bug" in caplog.text


def test_closing_ends_what_goes_on() -> None:
    async def main() -> None:
        background = Background[int]()
        task = background.once("key", wait_for_ever)
        await background.close()
        assert task.cancelled()
        assert len(background) == 0

    asyncio.run(main())


def test_control_without_closing_it_would_go_on() -> None:
    async def main() -> None:
        background = Background[int]()
        task = background.once("key", wait_for_ever)
        await asyncio.sleep(0)
        assert not task.done()
        await background.close()

    asyncio.run(main())
