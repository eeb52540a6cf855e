# SPDX-License-Identifier: Apache-2.0
"""All is well only if a real question is answered and a real block is blocked."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import ListenAddress, LocalZone, Network, ZoneRecord
from filterd.server import watchdog as module
from filterd.server.watchdog import Watchdog, probes_of
from filterd.wire import RRType
from tests.support.clock import FakeClock
from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.resolve.site import Site

EVERYBODY = (Network("everybody", "1", ("127.0.0.0/8",)),)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("index"), LISTS)


@pytest.fixture
def serving(index: Index) -> Iterator[Serving]:
    with Serving(a_site(index, networks=EVERYBODY), listen=["127.0.0.1"]) as running:
        yield running


def _listening(site: Site, *ports: int, address: str = "127.0.0.1") -> Site:
    listen = tuple(ListenAddress(address, port) for port in ports)
    return replace(site, policy=replace(site.policy, listen=listen))


def _is_well(site: Site) -> bool:
    return asyncio.run(Watchdog(lambda: site, FakeClock()).is_well())


def test_a_resolver_that_answers_and_blocks_is_well(serving: Serving) -> None:
    assert _is_well(_listening(serving.sites.current, serving.ports["127.0.0.1"]))


def test_one_that_no_longer_blocks_is_not(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = _listening(serving.sites.current, serving.ports["127.0.0.1"])
    (canary,) = [probe.name for probe in probes_of(expected, 0.0) if probe.blocked]
    zone = LocalZone(canary, (ZoneRecord(canary, RRType.A, 60, bytes(4)),))
    serving.sites.current = a_site(an_index(tmp_path, {}), networks=EVERYBODY, local_zones=[zone])
    assert not _is_well(expected)
    assert "must be blocked and is answered" in caplog.text
    assert len(serving.errors.take()) == 1


def test_one_that_answers_nothing_is_not(
    index: Index, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANSWER_WITHIN_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        site = _listening(a_site(index, networks=EVERYBODY), deaf.getsockname()[1])
        assert not _is_well(site)
    assert "localhost at 127.0.0.1" in caplog.text
    assert "gets no answer" in caplog.text


def test_each_address_is_asked_and_the_wildcard_at_home(index: Index) -> None:
    site = _listening(a_site(index, networks=EVERYBODY), 53, address="0.0.0.0")
    assert {(probe.address, probe.port) for probe in probes_of(site, 0.0)} == {("127.0.0.1", 53)}
    assert {probe.blocked for probe in probes_of(site, 0.0)} == {True, False}


def test_without_lists_only_the_answer_is_asked_for(tmp_path: Path) -> None:
    site = _listening(a_site(an_index(tmp_path, {}), networks=EVERYBODY), 53)
    assert [probe.blocked for probe in probes_of(site, 0.0)] == [False]


def test_the_watch_tells_systemd_only_while_all_is_well(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module, "notify", told.append)
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    well = [True, False, True]

    async def is_well() -> bool:
        if not well:
            raise asyncio.CancelledError
        return well.pop(0)

    watchdog = Watchdog(lambda: serving.sites.current, FakeClock())
    monkeypatch.setattr(watchdog, "is_well", is_well)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watchdog.run())
    assert told == ["WATCHDOG=1", "WATCHDOG=1"]


def test_nobody_is_asked_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)

    def never() -> Site:
        raise AssertionError

    asyncio.run(Watchdog(never, FakeClock()).run())
