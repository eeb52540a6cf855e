# SPDX-License-Identifier: Apache-2.0
"""A worker serves, explains, reports its status, and ends cleanly."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import tracemalloc
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import pytest

from filterd.base.errors import ConfigError
from filterd.daemon.serving import worker as module
from filterd.daemon.serving.worker import Worker
from filterd.fastpath.core_contract import ENTRIES
from filterd.fastpath.core_filler import NATIVE, Core
from filterd.upstream import Forwarder, exchange
from filterd.wire import RRType
from filterd.wire import name as names
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


async def explained(
    team: Team,
    name: str,
    *,
    grade: str | None = None,
    address: str | None = None,
    at: str | None = None,
) -> dict[str, Any] | None:
    qname = names.from_text(name).hex()
    return await team.worker.check(qname=qname, qtype=RRType.A, grade=grade, address=address, at=at)


async def is_blocked(team: Team, name: str, grade: str = "3", at: str | None = None) -> bool:
    explanation = await explained(team, name, grade=grade, at=at)
    assert explanation is not None
    return bool(explanation["action"] != "pass")


def test_it_reports_its_state(school: School, upstream: FakeUpstream) -> None:
    async def work(team: Team) -> None:
        status = await team.worker.status()
        assert status["in_flight"] == status["tcp_connections"] == 0
        (row,) = status["upstreams"]
        assert row["address"] == "127.0.0.1"
        assert (row["port"], row["rtt_ms"], row["down"]) == (upstream.port, None, False)
        assert set(status["traffic"]) == {"rcodes", "latency", "responses"}

    school.serve(work)


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
            while not team.worker._forwarder.in_flight:
                await asyncio.sleep(0)
            school.upstream_port = other.port
            school.write()
            await team.manager.reload()
            reply = await asyncio.wait_for(loop.sock_recv(stub, 4_096), WITHIN_S)
        assert bool(dns.message.from_wire(reply).answer) is explanation

    with FakeUpstream() as other:
        other.add("www.example.com. 60 IN A 198.18.0.1")
        school.serve(work)


def test_a_block_is_explained_as_by_the_daemon(school: School) -> None:
    async def work(team: Team) -> None:
        explanation = await explained(team, "www.tiktok.com", grade="3")
        assert explanation is not None
        assert (explanation["action"], explanation["category"]) == ("nxdomain", "social-media")
        assert explanation["source"] == "daemon"

    school.serve(work)


def test_an_address_decides_by_its_network(school: School) -> None:
    async def work(team: Team) -> None:
        explanation = await explained(team, "www.tiktok.com", address="127.0.100.1")
        assert explanation is not None
        assert (explanation["action"], explanation["network"], explanation["grade"]) == (
            "pass",
            "of-staff",
            "staff",
        )
        assert await explained(team, "www.tiktok.com", address="203.0.113.77") is None

    school.serve(work)


def test_an_alias_of_a_blocked_name_is_explained(school: School, upstream: FakeUpstream) -> None:
    upstream.add("alias.example. 60 IN CNAME www.tiktok.com.", "www.tiktok.com. 60 IN A 198.18.0.1")

    async def work(team: Team) -> None:
        explanation = await explained(team, "alias.example", grade="3")
        assert explanation is not None
        assert (explanation["reason"], explanation["matched"]) == ("alias", "tiktok.com")
        later = await is_blocked(team, "alias.example", at="2030-01-01T10:00")
        assert not later  # what aliases there will be then nobody knows

    school.serve(work)


def test_a_time_is_meant_in_the_schools_zone(school: School) -> None:
    school.write(
        "exceptions:\n  - {block: later.example, reason: vì thế, "
        "from: 2030-01-01T12:00, until: 2030-01-01T13:00}\n"
    )

    async def work(team: Team) -> None:
        times = ("2030-01-01T11:59", "2030-01-01T12:30", "2030-01-01T05:30+00:00")
        answers = [await is_blocked(team, "later.example", at=at) for at in times]
        assert answers == [False, True, True]

    school.serve(work)


def test_what_is_no_time_is_refused(school: School) -> None:
    async def work(team: Team) -> None:
        with pytest.raises(ConfigError, match="'soon' is not a time"):
            await explained(team, "a.example", grade="3", at="soon")

    school.serve(work)


def test_what_a_dead_worker_had_read_its_successor_is_asked_again(school: School) -> None:
    async def work(team: Team) -> None:
        dead = team.workers.pop()
        await dead.stop()
        asked = asyncio.ensure_future(
            team.manager._workers[0].ask("confirm", within_s=WITHIN_S, epoch=0)
        )
        await asyncio.sleep(0)
        while b'"confirm"' not in dead._end.recv(1 << 20):
            pass
        successor = Worker(dead._setting, dead._listening, dead._end)
        await successor.start()
        team.workers.append(successor)
        assert await asked

    school.serve(work)


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("size_mb", [1, 5, 32, 4096])
def test_what_may_be_repeated_is_part_of_the_memory_for_answers(
    school: School, size_mb: int
) -> None:
    octets = size_mb << 20

    async def work(team: Team) -> None:
        repeated = team.worker._repeated * module._REPEATED_OCTETS
        cached = team.worker._store.size_octets + team.worker._store.failures.size_octets
        assert octets // 6 - repeated <= 0 or team.worker._repeated == ENTRIES
        assert repeated <= octets // 3
        assert repeated + cached == octets

    school.write(f"cache_size_mb: {size_mb}\n")
    school.serve(work)


def test_without_native_modules_the_chain_serves_alone_with_all_the_memory(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(team: Team) -> None:
        assert (team.worker._fast, team.worker._relay) == (None, None)
        assert team.worker._store.size_octets + team.worker._store.failures.size_octets == 5 << 20
        await team.worker.status()

    monkeypatch.setattr(module, "NATIVE", False)
    school.write("cache_size_mb: 5\n")
    school.serve(work)


def test_a_reload_to_less_memory_leaves_the_cache_the_larger_part(school: School) -> None:
    async def work(team: Team) -> None:
        school.write("cache_size_mb: 6\n")
        await team.manager.reload()
        worker = team.worker
        cached = worker._store.size_octets + worker._store.failures.size_octets
        # Without native modules nothing is repeated, and all is for the cache.
        assert cached == (4 << 20 if NATIVE else 6 << 20)

    school.serve(work)


@pytest.mark.usefixtures("needs_native")
def test_what_may_be_repeated_takes_as_much_as_is_counted() -> None:
    taken = []
    for entries in (4096, 8192):
        tracemalloc.start()
        core = Core(bytes(16), entries)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del core
    assert taken[1] - taken[0] == pytest.approx(4096 * module._REPEATED_OCTETS, rel=0.001)


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
            if worker._fast is not None:
                worker._fast.refresh(team.setting.clock.monotonic())
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
