# SPDX-License-Identifier: Apache-2.0
"""A worker serves, explains, reports its status, and ends cleanly."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.daemon.serving import worker as module
from filterd.daemon.serving.worker import Worker
from filterd.upstream import Forwarder, exchange
from tests.support.processes import children
from tests.support.team import School, Team
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder


WITHIN_S = 5.0


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> School:
    return School(tmp_path, built, upstream.port)


@pytest.mark.parametrize("explanation", [True, False])
def test_a_query_that_waits_for_upstreams_changed_by_a_reload_gets_the_new_ones(
    school: School, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, *, explanation: bool
) -> None:
    if not explanation:
        monkeypatch.setattr(Forwarder, "keep_to", lambda *_: None)
    # On a machine with much other work a reload takes longer than a question.
    monkeypatch.setattr(exchange, "DEADLINE_S", WITHIN_S if explanation else 0.5)
    kept_until = "filterd.resolve.links.cache.DEADLINE_S"
    monkeypatch.setattr(kept_until, WITHIN_S if explanation else 0.0)
    upstream.silent.set()

    async def work(team: Team) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
            stub.setblocking(False)
            stub.connect(("127.0.0.1", school.port))
            await loop.sock_sendall(stub, a_query("www.example.com"))
            while not team.worker._path.forwarder.in_flight:
                await asyncio.sleep(0)
            school.upstream_port = other.port
            school.write()
            await team.manager.reload()
            reply = await asyncio.wait_for(loop.sock_recv(stub, 4_096), WITHIN_S)
        assert bool(dns.message.from_wire(reply).answer) is explanation

    with FakeUpstream() as other:
        other.add("www.example.com. 60 IN A 198.18.0.1")
        school.serve(work)


def test_what_a_dead_worker_had_read_its_successor_is_asked_again(school: School) -> None:
    async def work(team: Team) -> None:
        dead = team.workers.pop()
        await dead.stop()
        asked = asyncio.ensure_future(
            team.manager._team.channels[0].ask("confirm", within_s=WITHIN_S, epoch=0)
        )
        await asyncio.sleep(0)
        while b'"confirm"' not in dead._end.recv(1 << 20):
            pass
        successor = Worker(dead._setting, dead._listening, dead._end)
        await successor.start()
        team.workers.append(successor)
        assert await asked

    school.serve(work)


def test_a_stopped_worker_has_no_socket_and_no_child_left(school: School) -> None:
    async def work(_: Team) -> None:
        assert len(_sockets()) >= 2

    gc.collect()
    before, others = _sockets(), children(os.getpid())
    school.serve(work)
    gc.collect()
    assert _sockets() <= before
    assert children(os.getpid()) == others


def test_a_site_that_was_replaced_is_freed_without_the_collector(school: School) -> None:
    async def work(team: Team) -> None:
        worker = team.workers[0]
        before = weakref.ref(worker._sites.current.engine)
        gc.freeze()  # as after every reload: what is frozen the collector never looks at
        gc.disable()
        try:
            await team.manager.reload()
            if worker._path.fast is not None:
                worker._path.fast.refresh(team.setting.clock.monotonic())
            assert before() is None
        finally:
            gc.enable()
            gc.unfreeze()

    school.serve(work)


def test_a_new_site_is_kept_from_the_collector_once_those_that_wait_are_answered(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied: list[str] = []
    monkeypatch.setattr(module, "_TIDY_AFTER_S", 0.0)
    monkeypatch.setattr(gc, "collect", lambda generation: tidied.append(f"to {generation}"))
    monkeypatch.setattr(gc, "freeze", lambda: tidied.append("frozen"))

    async def work(team: Team) -> None:
        tidied.clear()
        await team.manager.reload()
        while len(tidied) < 2:
            await asyncio.sleep(0)
        assert tidied == ["to 1", "frozen"]

    school.serve(work)


def _sockets() -> set[str]:
    """Return the sockets that this process holds."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:  # the folder that is being read
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found
