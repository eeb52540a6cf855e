# SPDX-License-Identifier: Apache-2.0
"""Looking around: when, how often, and that nothing ends it."""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import threading
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from filterd.clients import interfaces, observer
from filterd.clients.identifier import Identifier
from filterd.clients.interfaces import IpCommand
from filterd.clients.network_view import Surroundings
from filterd.clients.observer import Observer, drain, open_changes
from filterd.policy.model import LeaseFile, LeaseFormat, Network, Policy
from tests.support.clock import FakeClock
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

MAC = "02:00:5e:10:00:01"
LAPTOPS = (Network("laptops", "staff", macs=(MAC,)),)
LAN = {"ifname": "lan0", "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}]}
LAPTOP = {"dst": "10.0.0.2", "dev": "lan0", "lladdr": MAC, "state": ["REACHABLE"]}


class FakeIp(IpCommand):
    """Answers as a test sets, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.says: dict[str, list[dict[str, Any]] | None] = {"address": [LAN], "neigh": [LAPTOP]}

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        self.asked.append(" ".join(arguments))
        return self.says.get(arguments[0], [])

    def was_asked(self) -> set[str]:
        """Return the objects that it was asked about since the last time."""
        asked = {next(word for word in one.split() if word[0] != "-") for one in self.asked}
        self.asked.clear()
        return asked


class Watch:
    """An observer, its surroundings, and time."""

    def __init__(self) -> None:
        self.clock, self.ip = FakeClock(), FakeIp()
        self.around = Surroundings(self.clock)
        self.observer = Observer(self.around, self.clock, ip=self.ip)


def _run(
    policy: Policy,
    look: Callable[[Watch], Awaitable[None]],
    loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> None:
    async def looked() -> None:
        watch = Watch()
        await watch.observer.start(policy)
        try:
            await look(watch)
        finally:
            await watch.observer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(looked(), 10))


@pytest.fixture(autouse=True)
def _at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking happens where a test starts it."""
    monkeypatch.setattr(observer, "_LOOK_EVERY_S", 3_600.0)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_everything_is_known_when_it_has_started(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def look(watch: Watch) -> None:
        who = Identifier(a_policy(networks=LAPTOPS), watch.around)
        client = who.identify("10.0.0.2")
        assert client
        assert client.network == "laptops"
        assert ip_address("10.0.0.1") in watch.around.links.own

    _run(a_policy(networks=LAPTOPS), look, loop)


def test_neighbours_are_not_asked_for_where_no_network_has_macs() -> None:
    async def look(watch: Watch) -> None:
        assert watch.ip.was_asked() == {"address", "route"}

    _run(a_policy(), look)


def test_half_a_minute_later_everything_is_asked_again() -> None:
    async def look(watch: Watch) -> None:
        watch.ip.was_asked()
        watch.clock.advance(29)
        await watch.observer.look()
        assert watch.ip.was_asked() == set()
        watch.clock.advance(1)
        await watch.observer.look()
        assert watch.ip.was_asked() == {"address", "route", "neigh"}

    _run(a_policy(networks=LAPTOPS), look)


def test_an_unknown_address_on_a_link_makes_it_look_at_neighbours() -> None:
    async def look(watch: Watch) -> None:
        watch.ip.was_asked()
        watch.around.sighting(ip_address("10.0.0.9"), "lan0")
        await watch.observer.look()
        assert watch.ip.was_asked() == {"neigh"}

    _run(a_policy(networks=LAPTOPS), look)


def test_a_reload_looks_for_what_the_new_policy_needs() -> None:
    async def look(watch: Watch) -> None:
        watch.ip.was_asked()
        watch.observer.apply(a_policy(networks=LAPTOPS))
        await watch.observer.look()
        assert watch.ip.was_asked() == {"address", "route", "neigh"}
        watch.observer.apply(replace(a_policy(), lan_interfaces=("lan7",)))
        await watch.observer.look()
        assert watch.ip.was_asked() == {"address", "route"}
        assert watch.around.links.lan == ()

    _run(a_policy(), look)


def test_tables_that_ip_does_not_show_stay_as_they_were() -> None:
    async def look(watch: Watch) -> None:
        before = watch.around.links
        watch.ip.says.update(address=None, neigh=None)
        watch.clock.advance(30)
        await watch.observer.look()
        assert watch.around.links is before
        watch.clock.advance(30)
        sighting = watch.around.sighting(ip_address("10.0.0.2"), "lan0")
        assert sighting
        assert sighting.device is None

    _run(a_policy(networks=LAPTOPS), look)


def test_a_bug_ends_no_looking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def look(watch: Watch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(interfaces, "parse", _fail)
            watch.clock.advance(30)
            await watch.observer.look()
        assert "could not be looked at" in caplog.text
        watch.clock.advance(30)
        await watch.observer.look()

    _run(a_policy(networks=LAPTOPS), look)


def _fail(*_: object) -> None:
    raise AssertionError("a bug")


def test_leases_on_a_disk_that_hangs_keep_nothing_else_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = threading.Event()
    monkeypatch.setattr("filterd.clients.observer.LeaseFiles.mark", lambda _: disk.wait())
    monkeypatch.setattr(observer, "_START_WITHIN_S", 0.01)
    monkeypatch.setattr(observer, "_LEASES_WITHIN_S", 0.01)

    async def look(watch: Watch) -> None:
        try:
            for _ in range(3):
                watch.ip.was_asked()
                watch.clock.advance(31)
                await watch.observer.look()
                assert watch.ip.was_asked() == {"address", "route", "neigh"}
        finally:
            disk.set()

    _run(a_policy(networks=LAPTOPS), look)


def test_leases_are_read_again_when_their_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    path.write_bytes(b"0 02:00:5e:10:00:01 10.0.0.1 one *\n")
    policy = replace(a_policy(), leases=(LeaseFile(str(path), LeaseFormat.DNSMASQ),))

    async def look(watch: Watch) -> None:
        assert list(watch.around.names.addresses) == ["one"]
        path.write_bytes(b"0 02:00:5e:10:00:01 10.0.0.1 another *\n")
        await watch.observer.look()
        assert list(watch.around.names.addresses) == ["another"]
        watch.clock.advance(59)
        await watch.observer.look()
        watch.clock.advance(59)
        assert list(watch.around.names.addresses) == ["another"]

    _run(policy, look)


def test_it_looks_at_once_when_an_unknown_address_asks() -> None:
    async def look(watch: Watch) -> None:
        await asyncio.sleep(0)
        watch.ip.was_asked()
        watch.ip.says["neigh"] = [LAPTOP, {**LAPTOP, "dst": "10.0.0.9"}]
        before = watch.around.version
        watch.around.sighting(ip_address("10.0.0.9"), "lan0")
        while watch.around.version == before:
            await asyncio.sleep(0)

    _run(a_policy(networks=LAPTOPS), look)


def test_a_socket_hears_nothing_where_nothing_happens() -> None:
    opened = open_changes(observer.THIS_MACHINE)
    assert opened
    with opened:
        drain(opened)
        assert not select.select([opened], [], [], 0)[0]


def test_where_there_is_no_netlink_changes_are_seen_late(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(socket, "socket", refuse)
    assert open_changes(observer.NEIGHBOURS) is None
    assert "no such family" in caplog.text


def test_groups_that_do_not_exist_leave_no_socket_open(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "bind", _refuse)
        assert open_changes(1) is None
    assert len(caplog.records) == 1


def _refuse(*_: object) -> None:
    raise OSError(errno.EPERM, "not permitted")


class _Overrun:
    """A socket that the kernel could not keep up with."""

    def __init__(self) -> None:
        self.errors: list[OSError] = [OSError(errno.ENOBUFS, "too much"), BlockingIOError()]

    def recv(self, _: int) -> bytes:
        raise self.errors.pop(0)


def test_an_overrun_is_no_error() -> None:
    overrun = _Overrun()
    drain(overrun)  # type: ignore[arg-type]
    assert overrun.errors == []


def test_draining_ends_however_fast_the_kernel_talks() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        for _ in range(10):
            theirs.send(b"x")
        drain(ours)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
