# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.clock import SystemClock
from filterd.errors import ConfigError, ConfigErrors
from filterd.server.daemon import Daemon
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.daemon import build_lists, copy_lists, free_port, write_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from filterd.paths import StateFolder
    from filterd.resolve.explain import Explanation


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


class School:
    """A site and a state folder, and a daemon that serves them for one test."""

    def __init__(self, folder: Path, built: StateFolder, upstream: FakeUpstream) -> None:
        self.port, self.upstream = free_port(), upstream
        self.config = folder / "site"
        self.state = copy_lists(built, folder / "state")
        self.write()

    def write(self, more: str = "", *, port: int | None = None) -> None:
        """Write its site, with these keys besides."""
        write_site(self.config, port=port or self.port, upstream=self.upstream.port, more=more)

    def serve(self, work: Callable[[Daemon], Awaitable[None]]) -> None:
        async def whole() -> None:
            daemon = Daemon(self.config, self.state, SystemClock())
            try:
                await daemon.start()
                await work(daemon)
            finally:
                await daemon.stop()

        asyncio.run(whole())


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with FakeUpstream() as upstream:
        yield School(tmp_path, built, upstream)


async def _explain(
    daemon: Daemon,
    name: str,
    *,
    grade: str | None = None,
    address: str | None = None,
    at: str | None = None,
) -> Explanation | None:
    qname = names.from_text(name)
    return await daemon.explain(qname, RRType.A, grade=grade, address=address, at=at)


def test_it_tells_how_it_fares(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        status = daemon.status()
        assert status["school"] == "Trường mẫu"
        assert status["listen"] == [f"127.0.0.1 port {school.port}"]
        assert status["pid"] == os.getpid()
        assert status["names"] > 1000
        assert status["upstreams"] == [
            {"address": "127.0.0.1", "port": school.upstream.port, "rtt_ms": None, "down": False}
        ]
        assert daemon.ports == [school.port]

    school.serve(work)


def test_a_block_is_explained_as_by_the_daemon(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        told = await _explain(daemon, "www.tiktok.com", grade="3")
        assert told is not None
        assert (told.blocked, told.category, told.source) == (True, "social-media", "daemon")

    school.serve(work)


def test_an_address_decides_by_its_network(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        told = await _explain(daemon, "www.tiktok.com", address="127.0.100.1")
        assert told is not None
        assert (told.blocked, told.network, told.grade) == (False, "of-staff", "staff")
        assert await _explain(daemon, "www.tiktok.com", address="192.0.2.1") is None

    school.serve(work)


def test_an_alias_of_a_blocked_name_is_explained(school: School) -> None:
    school.upstream.add(
        "alias.example. 60 IN CNAME www.tiktok.com.", "www.tiktok.com. 60 IN A 192.0.2.1"
    )

    async def work(daemon: Daemon) -> None:
        told = await _explain(daemon, "alias.example", grade="3")
        assert told is not None
        assert (told.blocked, told.reason, told.matched) == (True, "alias", "tiktok.com")
        later = await _explain(daemon, "alias.example", grade="3", at="2030-01-01T10:00")
        assert later is not None
        assert not later.blocked  # what aliases there will be then nobody knows

    school.serve(work)


def test_a_time_is_meant_in_the_schools_zone(school: School) -> None:
    more = (
        "exceptions:\n  - {block: later.example, reason: vì thế, "
        "from: 2030-01-01T12:00, until: 2030-01-01T13:00}\n"
    )
    school.write(more)

    async def work(daemon: Daemon) -> None:
        answers = {}
        for at in ("2030-01-01T11:59", "2030-01-01T12:30", "2030-01-01T05:30+00:00"):
            told = await _explain(daemon, "later.example", grade="3", at=at)
            answers[at] = told is not None and told.blocked
        assert list(answers.values()) == [False, True, True]

    school.serve(work)


def test_a_reload_puts_new_rules_in_force(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        before = await _explain(daemon, "new.example", grade="3")
        more = "exceptions:\n  - {block: new.example, reason: vì thế}\n"
        school.write(more)
        done = await daemon.reload()
        after = await _explain(daemon, "new.example", grade="3")
        assert before is not None
        assert after is not None
        assert (before.blocked, after.blocked) == (False, True)
        assert done.restart_for == ()
        assert done.policy == daemon.status()["policy"]

    school.serve(work)


def test_a_reload_says_what_only_a_restart_changes(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        school.write(port=free_port())
        assert (await daemon.reload()).restart_for == ("listen",)
        assert daemon.ports == [school.port]

    school.serve(work)


def test_an_invalid_site_leaves_what_was_in_force(school: School) -> None:
    async def work(daemon: Daemon) -> None:
        before = daemon.site
        (school.config / "site.yaml").write_text("nonsense: 1\n", encoding="utf-8")
        with pytest.raises(ConfigErrors, match="unknown key 'nonsense'"):
            await daemon.reload()
        assert daemon.site is before

    school.serve(work)


def test_reloads_wait_for_each_other_and_for_the_start(school: School) -> None:
    async def whole() -> None:
        daemon = Daemon(school.config, school.state, SystemClock())
        try:
            start = asyncio.ensure_future(daemon.start())
            await asyncio.sleep(0)  # the start has the lock now
            done = await asyncio.gather(start, daemon.reload(), daemon.reload())
            assert done[1] == done[2]
        finally:
            await daemon.stop()

    asyncio.run(whole())


def test_a_port_in_use_is_an_error_and_nothing_stays_open(school: School) -> None:
    async def work(_: Daemon) -> None:
        second = Daemon(school.config, school.state, SystemClock())
        with pytest.raises(ConfigError, match=f"127.0.0.1 port {school.port}: Address already in"):
            await second.start()
        await second.stop()

    school.serve(work)


def test_a_stopped_daemon_has_no_socket_and_no_child_left(school: School) -> None:
    async def work(_: Daemon) -> None:
        assert len(_sockets()) >= 2

    gc.collect()
    before = _sockets()
    school.serve(work)
    gc.collect()
    assert _sockets() <= before
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    assert not children.exists() or children.read_text() == ""


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
