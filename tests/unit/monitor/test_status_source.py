# SPDX-License-Identifier: Apache-2.0
"""A status is asked for once a second at most, however many want it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError
from filterd.daemon.handlers.control_server import ControlServer
from filterd.monitor.status_source import FRESH_S, StatusSource
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.handlers.control_caller import Caller


def test_all_share_one_request_a_second(tmp_path: Path) -> None:
    asked = []

    async def status(_: dict[str, Any], caller: Caller) -> dict[str, int]:
        asked.append(caller.user)
        if len(asked) == 3:
            raise ControlError(say("no status"))
        return {"n": len(asked)}

    async def running() -> None:
        clock, path = FakeClock(), tmp_path / "control.sock"
        server = ControlServer(path, {"status": status})
        await server.start()
        source = StatusSource(path, clock)
        crowd = await asyncio.gather(*(source.latest() for _ in range(50)), source.latest())
        assert {one.status["n"] for one in crowd if one.status} == {1}
        clock.advance(FRESH_S / 2)
        assert (await source.latest()).status == {"n": 1}
        clock.advance(FRESH_S)
        assert (await source.latest()).status == {"n": 2}
        clock.advance(FRESH_S)
        refused = await source.latest()
        assert (refused.status, str(refused.problem)) == (None, "no status")
        await server.close()
        clock.advance(FRESH_S)
        gone = await source.latest()
        assert (gone.at, gone.status) == (clock.wall(), None)
        assert "no running filterd answers" in gone.problem

    asyncio.run(running())
    assert len(asked) == 3
