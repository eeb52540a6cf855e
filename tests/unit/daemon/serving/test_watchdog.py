# SPDX-License-Identifier: Apache-2.0
"""All is well only if a real question is answered and a real block is blocked."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.daemon.serving import watchdog as module
from filterd.daemon.serving.watchdog import (
    Probe,
    Watchdog,
    of_a_worker,
    of_the_manager,
    probes_of,
)
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.policy.model import BlockResponse, ListenAddress, LocalZone, Network, ZoneRecord
from filterd.resolve.query import Query
from filterd.wire import EdnsOption, RRType
from tests.support.clock import FakeClock
from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.resolve.query import Peer
    from filterd.resolve.site import Site


EVERYBODY = (Network("everybody", "1", ("127.0.0.0/8",)),)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("index"), LISTS)


@pytest.fixture
def serving(index: Index) -> Iterator[Serving]:
    with Serving(a_site(index, networks=EVERYBODY), listen=["127.0.0.1"]) as running:
        yield running


def _setting(*listen: ListenAddress) -> Any:
    """Return what the processes of a daemon have; time stands still."""
    clock, page = FakeClock(), SharedPage()
    return SimpleNamespace(clock=clock, page=page, time=PolicyClock(clock, page), listen=listen)


def _is_well(site: Site, port: int, *more: ListenAddress) -> bool:
    setting = _setting(ListenAddress("127.0.0.1", port), *more)
    watchdog = of_the_manager(lambda: site, setting)
    well = asyncio.run(watchdog.is_well())
    assert watchdog.is_failing is not well
    return well


def _probes(site: Site, address: str = "127.0.0.1") -> list[Probe]:
    return probes_of(site, [ListenAddress(address, 53)], 0.0)


def _letting_through(site: Site, folder: Path, *data: bytes) -> Site:
    """Return a site that answers the name that ``site`` must block with these addresses."""
    (canary,) = [probe.name for probe in _probes(site) if probe.blocked]
    records = tuple(ZoneRecord(canary, RRType.A, 60, one) for one in data)
    zone = LocalZone(canary, records)
    return a_site(an_index(folder, {}), networks=EVERYBODY, local_zones=[zone])


def test_a_resolver_that_answers_and_blocks_is_well(serving: Serving) -> None:
    assert _is_well(serving.sites.current, serving.ports["127.0.0.1"])


def test_one_that_no_longer_blocks_is_not(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = serving.sites.current
    serving.sites.current = _letting_through(expected, tmp_path, bytes([192, 0, 2, 8]))
    assert not _is_well(expected, serving.ports["127.0.0.1"])
    assert "must be blocked and is answered" in caplog.text
    assert len(serving.errors.take()) == 1


def test_one_that_answers_nothing_is_not(
    index: Index, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANSWER_WITHIN_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert not _is_well(a_site(index, networks=EVERYBODY), deaf.getsockname()[1])
    assert "localhost at 127.0.0.1" in caplog.text
    assert "gets no answer" in caplog.text


def _sinking(index: Index) -> Site:
    return a_site(index, networks=EVERYBODY, response=BlockResponse.SINKHOLE)


def test_the_address_of_a_sinkhole_is_a_block(serving: Serving, index: Index) -> None:
    serving.sites.current = _sinking(index)
    assert _is_well(serving.sites.current, serving.ports["127.0.0.1"])


def test_any_other_address_is_none(
    serving: Serving, index: Index, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = _sinking(index)
    sinkhole, other = bytes(4), bytes([192, 0, 2, 8])
    serving.sites.current = _letting_through(expected, tmp_path, sinkhole, other)
    assert not _is_well(expected, serving.ports["127.0.0.1"])
    assert "must be blocked and is answered" in caplog.text
    assert len(serving.errors.take()) == 1


def test_each_address_is_asked_and_the_wildcard_at_home(index: Index) -> None:
    probes = _probes(a_site(index, networks=EVERYBODY), "0.0.0.0")
    assert {(probe.address, probe.port) for probe in probes} == {("127.0.0.1", 53)}
    assert {probe.blocked for probe in probes} == {True, False}


def test_an_address_that_the_machine_does_not_have_now_is_not_asked(serving: Serving) -> None:
    away = ListenAddress("192.0.2.1", 53)
    assert _probes(serving.sites.current, away.address) == []
    assert _is_well(serving.sites.current, serving.ports["127.0.0.1"], away)


def test_without_lists_only_the_answer_is_asked_for(tmp_path: Path) -> None:
    site = a_site(an_index(tmp_path, {}), networks=EVERYBODY)
    assert [probe.blocked for probe in _probes(site)] == [False]


class Watched:
    """A worker and a manager, whose questions get what a test chooses, and systemd."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.setting, self.told = _setting(), list[str]()
        self.worker = of_a_worker(_no_site, self.setting)
        self.manager = of_the_manager(_no_site, self.setting)
        self._patched = monkeypatch
        monkeypatch.setattr(module, "notify", self.told.append)
        monkeypatch.setenv("WATCHDOG_USEC", "30000")

    def ask(self, watchdog: Watchdog, *outcomes: bool) -> int:
        """Let one ask, with these outcomes; return how often systemd was told meanwhile."""
        left, before = list(outcomes), len(self.told)

        async def is_well() -> bool:
            if not left:
                raise asyncio.CancelledError
            return left.pop(0)

        self._patched.setattr(watchdog, "is_well", is_well)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(watchdog.run())
        assert set(self.told) <= {"WATCHDOG=1"}
        return len(self.told) - before


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def _no_site() -> Site:
    raise MemoryError


def test_a_worker_notifies_systemd_only_while_all_is_well(watched: Watched) -> None:
    assert watched.ask(watched.worker, True, False, True) == 2


def test_the_manager_objects_until_its_questions_are_well(watched: Watched) -> None:
    assert watched.ask(watched.manager, False) == 0
    assert watched.ask(watched.worker, True, True) == 0
    assert watched.ask(watched.manager, True) == 0
    assert watched.ask(watched.worker, True, True) == 2


def test_the_objection_of_a_manager_that_has_died_ends(watched: Watched) -> None:
    watched.ask(watched.manager, False)
    watched.setting.clock.advance(9.0)  # longer than a manager asks again
    assert watched.ask(watched.worker, True) == 0
    watched.setting.clock.advance(1.0)
    assert watched.ask(watched.worker, True) == 1


def test_what_keeps_it_from_asking_is_no_end_of_the_watch(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    for watchdog in (watched.worker, watched.manager):
        assert not asyncio.run(watchdog.is_well())
        assert watchdog.is_failing
    assert "the watchdog cannot ask" in caplog.text
    assert "MemoryError" in caplog.text


def test_without_a_watchdog_no_probe_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    asyncio.run(of_a_worker(_no_site, _setting()).run())
    assert not caplog.text


def test_its_questions_bear_its_mark(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    marks: list[tuple[int, bytes]] = []
    admit = serving.resolver.admit

    def noting(message: bytes, peer: Peer, fetched: None = None) -> Query | bytes | None:
        admitted = admit(message, peer, fetched)
        assert isinstance(admitted, Query)
        assert admitted.message.edns is not None
        marks.extend(admitted.message.edns.options)
        return admitted

    monkeypatch.setattr(serving.resolver, "admit", noting)
    site = serving.sites.current
    setting = _setting(ListenAddress("127.0.0.1", serving.ports["127.0.0.1"]))
    assert asyncio.run(of_a_worker(lambda: site, setting).is_well())
    assert set(marks) == {(EdnsOption.OWN_MARK, setting.page.secret)}
