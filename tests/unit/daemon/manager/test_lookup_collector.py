# SPDX-License-Identifier: Apache-2.0
"""Lookups of workers reach the day files once, and nothing of a device outlives its day."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from ipaddress import ip_address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager import lookup_collector as module
from filterd.daemon.manager.lookup_collector import LookupCollector
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.daemon.worker_channel import Channel
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import Client
from filterd.querylog import lookups
from filterd.querylog.day_schema import name_of
from filterd.querylog.lookups import Lookup, LookupContext
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.resolve.query import Answer, Peer, Query, Source
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from filterd.wire import parse_query
from tests.support import crew
from tests.support.clock import FakeClock
from tests.support.policies import a_policy, an_index, wire
from tests.support.wire import a_query

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from filterd.daemon.worker_channel import Handlers

DAY_S = 86_400
BLOCKED = LookupContext("6", "6A", "lab", "games", "blocked", "many-games")
PASSED = LookupContext("6", "6A", "lab", "", "pass")


class Recording:
    """A worker that does nothing but record, behind its channel."""

    def __init__(self, end: socket.socket, state: StateFolder, clock: FakeClock) -> None:
        resolver = cast("Any", SimpleNamespace(observers=(), is_own=lambda _: False))
        pseudonyms = Pseudonyms(state.log_key, ZoneInfo("UTC"))
        self._recorder = LookupRecorder(resolver, pseudonyms, clock)
        self.queue, self._clock = self._recorder.queue, clock
        handlers: Handlers = {
            "lookups": self._recorder.lookups,
            "lookups_are_written": self._recorder.lookups_are_written,
        }
        self.channel = Channel(end, handlers)

    def record(
        self,
        *numbers: int,
        context: LookupContext = BLOCKED,
        device: int = 1,
        is_row: bool = True,
    ) -> None:
        for number in numbers:
            at, name = int(self._clock.wall()), wire(f"n{number}.example")
            self.queue.add(Lookup(at, name, context, device, is_row))

    def saw(self, site: Site, query: Query, answer: Answer) -> None:
        self._recorder.apply(site, 0)
        self._recorder.saw(query, answer)

    async def end(self) -> None:
        await self._recorder.hand_over_last(self.channel)


class Crew(crew.Crew[Recording, LookupCollector]):
    def __init__(self, folder: Path) -> None:
        self.state, self.clock = StateFolder(folder), FakeClock()
        self.log = QueryLog(LogLevel.FULL)
        super().__init__()

    def _site(self) -> Any:
        policy = replace(a_policy(), log=self.log)
        return SimpleNamespace(policy=policy, unset_clock=SimpleNamespace(floor=0.0))

    def _worker(self, end: socket.socket) -> Recording:
        return Recording(end, self.state, self.clock)

    def _collector(self, channels: list[Channel]) -> tuple[LookupCollector, Handlers]:
        page = SimpleNamespace(floor=0.0)
        time = SimpleNamespace(is_confirmed=True)
        setting: Any = SimpleNamespace(state=self.state, clock=self.clock, page=page, time=time)
        collector = LookupCollector(setting, channels, self._site)
        return collector, {
            "last_lookups": collector.take_last,
            "lookups_are_due": collector.lookups_are_due,
        }

    @property
    def waiting(self) -> int:
        return sum(len(worker.queue) for worker in self.workers)

    def rows(self, day: str = "2025-12-01") -> list[tuple[str, int]]:
        """Return name and number of each row."""
        select = "SELECT names.name, SUM(n) FROM lookups JOIN names ON names.id = lookups.name"
        return self._select(day, f"{select} GROUP BY 1")

    def seen(self, day: str = "2025-12-01") -> dict[str, int]:
        select = "SELECT names.name, devices FROM seen JOIN names ON names.id = seen.name"
        return dict(self._select(day, select))

    def _select(self, day: str, select: str) -> list[Any]:
        path = self.state.log_days / f"{day}.sqlite3"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return [(str(name), n) for name, n in connection.execute(select)]

    def total(self, day: str = "2025-12-01") -> int:
        return sum(n for _, n in self.rows(day))

    @contextlib.contextmanager
    def held(self, day: str = "2025-12-01") -> Iterator[None]:
        """Let another process hold the file of a day."""
        path = self.state.log_days / f"{day}.sqlite3"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")


def run(folder: Path, work: Callable[[Crew], Awaitable[None]]) -> None:
    crew.run(lambda: Crew(folder), work)


@pytest.fixture(autouse=True)
def _batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "LOOKUPS_A_BATCH", 3)
    monkeypatch.setattr(module, "WRITE_FROM", 8)


def test_what_all_workers_record_is_written_and_forgotten_there(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(*range(20))
        crew.workers[1].record(*range(5))
        await crew.collector.collect()
        assert crew.total() == 25
        while crew.waiting:
            await asyncio.sleep(0)
        assert crew.collector.facts()["rows_written_at"] == crew.clock.wall()

    run(tmp_path, work)


def test_nothing_is_made_where_nothing_is_recorded(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        await crew.collector.keep_house()
        await crew.collector.collect()

    run(tmp_path, work)
    assert list(tmp_path.iterdir()) == []


def test_few_lookups_wait_for_five_minutes_and_many_do_not(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        await crew.collector.keep_house()
        crew.workers[0].record(1)
        crew.clock.advance(200)
        await crew.collector.keep_house()
        assert crew.total() == 0
        crew.clock.advance(100)
        await crew.collector.keep_house()
        assert crew.total() == 1
        crew.workers[0].record(2)
        await crew.collector.lookups_are_due()
        assert crew.total() == 2

    run(tmp_path, work)


def test_a_manager_that_dies_loses_nothing_and_adds_nothing_twice(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        for n in range(1, 6):
            crew.workers[0].record(*range(10))
            await crew.collector.collect()
            await crew.manager_dies()
            crew.workers[0].record(99)
            await crew.collector.collect()
            await crew.collector.collect()
            assert crew.total() == 11 * n

    run(tmp_path, work)


def test_what_was_written_and_not_acknowledged_is_not_added_again(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(*range(3))
        await crew.collector._write([crew.workers[0].queue.take()])  # and died
        await crew.manager_dies()
        await crew.collector.collect()
        assert crew.total() == 3

    run(tmp_path, work)


def test_a_worker_that_dies_takes_only_its_queue_with_it(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(*range(10))
        await crew.collector.collect()
        crew.workers[0].record(1)
        await crew.worker_dies()
        crew.workers[0].record(*range(4))
        await crew.collector.collect()
        assert crew.total() == 14

    run(tmp_path, work)


def test_a_silent_worker_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORKER_WITHIN_S", 0.05)

    async def work(crew: Crew) -> None:
        await crew.collector.collect()
        assert crew.collector.silent == 0
        await crew.workers[0].channel.close()
        crew.workers[1].record(*range(10))
        await crew.collector.collect()
        assert crew.total() == 10
        assert crew.collector.silent > 0

    run(tmp_path, work)


def test_a_round_at_work_is_followed_by_another_where_all_is_wanted(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        write, is_writing, may_write = crew.collector._write, asyncio.Event(), asyncio.Event()

        async def slow(batches: Any) -> bool:
            is_writing.set()
            await may_write.wait()
            return await write(batches)

        crew.collector._write = slow  # type: ignore[method-assign]
        crew.workers[0].record(1)
        at_work = asyncio.ensure_future(crew.collector.collect())
        await is_writing.wait()
        crew.workers[0].record(*range(4))
        shared, afresh = crew.collector.collect(), crew.collector.collect_afresh()
        asyncio.get_running_loop().call_soon(may_write.set)
        await asyncio.gather(at_work, shared)
        assert crew.total() == 1
        await afresh
        assert crew.total() == 5

    run(tmp_path, work)


def test_while_another_process_holds_the_file_the_workers_keep_their_lookups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("filterd.querylog.sqlite_file.BUSY_S", 0.01)

    async def work(crew: Crew) -> None:
        crew.workers[0].record(0)
        await crew.collector.collect()
        with crew.held():
            for number in range(1, 4):
                crew.workers[0].record(number)
                await crew.collector.collect()
                await crew.collector.lookups_are_due()
            await crew.collector.keep_house()
            assert "locked" in str(crew.collector.problem), "though days could be removed"
            assert (crew.total(), crew.waiting) == (1, 3)
        await crew.collector.keep_house()
        assert (crew.total(), bool(crew.collector.problem)) == (4, False)

    run(tmp_path, work)
    assert len([message for message in caplog.messages if "trying again" in message]) == 1
    assert caplog.messages[-1].endswith("written again")


def test_a_file_that_is_deleted_while_open_is_made_anew(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(0)
        await crew.collector.collect()
        for path in crew.state.log_days.iterdir():
            path.unlink()
        crew.workers[0].record(1)
        await crew.collector.collect()
        assert crew.rows() == [("example.n1", 1)]

    run(tmp_path, work)


def test_at_the_end_everything_is_written_once(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(*range(10))
        await crew.collector.collect()
        crew.workers[0].queue._handed.clear()
        crew.workers[0].record(*range(7))
        crew.workers[1].record(1)
        for worker in crew.workers:
            await worker.end()
        await crew.collector.write_last()
        assert crew.total() == 18

    run(tmp_path, work)


def test_last_batches_wait_for_a_manager_that_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.daemon.worker_channel._TAKEN_WITHIN_S", 0.01)

    async def work(crew: Crew) -> None:
        await crew.leave()
        crew.workers[0].record(*range(7))
        await crew.workers[0].end()
        crew.collector = crew._begin()
        while len(crew.collector._left) < 4:  # the first one comes twice
            await asyncio.sleep(0)
        await crew.collector.collect()
        assert crew.total() == 7

    run(tmp_path, work)


def test_allowed_names_are_kept_from_k_devices_on(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        for device in range(1, 10):
            crew.workers[device % 2].record(1, context=PASSED, device=device, is_row=False)
        for device in range(1, 5):
            crew.workers[0].record(2, context=PASSED, device=device, is_row=False)
        crew.workers[0].record(3, context=PASSED, device=0, is_row=False)
        crew.workers[0].record(4, context=BLOCKED, is_row=False)
        await crew.collector.collect()
        assert crew.seen() == {"example.n1": 5, "example.n4": 1}
        assert crew.rows() == []
        assert {name_of(one) for one in crew.seen()} == {wire("n1.example"), wire("n4.example")}
        (of_class,) = crew.collector.seen.of_class("2025-12-01", "6A")
        assert of_class.name == wire("n1.example")

    run(tmp_path, work)


def test_a_manager_that_dies_writes_names_that_are_not_on_disk(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(1)
        batch = crew.workers[0].queue.take()
        await crew.collector.files.write([batch])  # and died before the names
        await crew.manager_dies()
        await crew.collector.collect()
        assert (crew.total(), crew.seen()) == (1, {"example.n1": 1})

    run(tmp_path, work)


def test_at_midnight_nothing_is_left_that_leads_to_a_device(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        assert crew.collector.pseudonyms.zone.key == "Asia/Ho_Chi_Minh", "before any round"
        await crew.collector.keep_house()
        pseudonym = crew.collector.pseudonyms.of("02:00:00:00:00:01", crew.clock.wall())
        key = crew.state.control_socket.with_name("log-key").read_bytes()
        crew.workers[0].record(1, device=pseudonym)
        crew.clock.advance(DAY_S)
        crew.workers[0].record(2, device=pseudonym + 1)
        await crew.collector.keep_house()
        assert (crew.total(), crew.total("2025-12-02")) == (1, 1)
        assert crew.collector.seen.of_class("2025-12-01", "6A") == []
        now = crew.state.control_socket.with_name("log-key").read_bytes()
        assert now.split()[1] != key.split()[1]
        assert not list(crew.state.log_days.glob("2025-12-01*-wal")), "yesterday is closed"

    run(tmp_path, work)


def test_a_round_that_lasts_over_midnight_leaves_the_key_of_the_new_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(crew: Crew) -> None:
        def pseudonym() -> int:
            worker = Pseudonyms(crew.state.log_key, crew.collector.pseudonyms.zone)
            return worker.of("02:00:5e:10:00:01", crew.clock.wall())

        async def collect() -> None:
            crew.clock.advance(DAY_S)
            taken.append(pseudonym())

        taken = list[int]()
        monkeypatch.setattr(crew.collector, "collect", collect)
        await crew.collector.keep_house()
        assert [pseudonym()] == taken

    run(tmp_path, work)


def test_a_folder_that_refuses_files_delays_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.state.log_days.touch()  # in the place of the folder
        crew.workers[0].record(*range(20))
        await crew.collector.collect()
        assert crew.collector.problem
        assert crew.waiting == 20
        crew.state.log_days.unlink()
        await crew.collector.keep_house()
        assert (crew.total(), len(crew.seen())) == (20, 20)

    run(tmp_path, work)


def test_days_that_could_not_be_removed_are_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(crew: Crew) -> None:
        with monkeypatch.context() as refusing:
            refusing.setattr("filterd.querylog.day_file.DayFiles.keep", _refuse)
            await crew.collector.keep_house()
            assert crew.collector.kept_too_long
        await crew.collector.keep_house()
        assert not crew.collector.kept_too_long

    run(tmp_path, work)


async def _refuse(*_: object, **__: object) -> None:
    raise StoreError(say("{path}: cannot be written: {why}", path="log", why=""))


def _places_with(folder: Path, *devices: str) -> set[str]:
    """Return the files that have a MAC or an address, as text, digits or octets."""
    forms = list[bytes]()
    for device in devices:
        digits = bytes.fromhex(device.replace(":", "")) if ":" in device else b""
        octets = digits or ip_address(device).packed
        forms += [device.encode(), octets, octets[::-1], octets.hex().encode()]
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {file.name for file in files if any(form in file.read_bytes() for form in forms)}


MAC, ADDRESS, OTHER = "02:00:5e:00:53:7b", "192.0.2.123", "198.51.100.7"


def _record_two_devices(folder: Path) -> set[str]:
    """Record lookups of devices with and without MAC; return the files that have one."""
    folder.mkdir()
    index = an_index(folder.parent, {"porn": ("porn", "domains", False, ["porn.example"])})
    site = Site.of(replace(a_policy(), log=QueryLog(LogLevel.FULL)), index, ())
    grade = site.policy.grades["6"]

    async def work(crew: Crew) -> None:
        for client in (Client(grade, "lab", OTHER, MAC), Client(grade, "lab", ADDRESS)):
            message = parse_query(a_query("a.example"))
            query = Query(message, Peer(str(client.address)), client, site)
            crew.workers[0].saw(site, query, Answer(Source.FORWARDED))
        await crew.collector.collect()
        assert crew.total() == 2

    run(folder, work)
    return _places_with(folder, MAC, ADDRESS, OTHER)


def test_no_file_has_a_mac_or_an_address(tmp_path: Path) -> None:
    assert _record_two_devices(tmp_path / "state") == set()


@pytest.mark.control
def test_control_a_writer_that_stores_octets_of_a_device_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(device: str, _: bytes) -> int:
        return int.from_bytes(ip_address(ADDRESS if ":" in device else device).packed)

    monkeypatch.setattr("filterd.querylog.pseudonyms._hashed", planted)
    assert _record_two_devices(tmp_path / "state") == {"2025-12-01.sqlite3"}


def test_days_beyond_those_to_keep_are_removed(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.log = QueryLog(LogLevel.FULL, keep_days=3)
        for _ in range(6):
            crew.workers[0].record(1)
            await crew.collector.keep_house()
            crew.clock.advance(DAY_S)
        days = sorted(one.name[:10] for one in crew.state.log_days.glob("*.sqlite3"))
        assert days == ["2025-12-04", "2025-12-05", "2025-12-06"]
        crew.clock.advance(-DAY_S)
        crew.log = QueryLog(LogLevel.FULL, keep_days=1)
        await crew.collector.keep_house()
        assert crew.total("2025-12-06") == 1
        assert crew.total("2025-12-05") == 0, "fewer days are kept at once"

    run(tmp_path, work)


def test_while_the_date_is_not_known_no_day_is_removed(tmp_path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].record(1)
        await crew.collector.keep_house()
        crew.log = QueryLog(LogLevel.FULL, keep_days=1)
        crew.clock.set_wall(-crew.clock.wall())
        crew.collector._site = lambda: cast(
            "Any", SimpleNamespace(**vars(crew._site()) | {"unset_clock": SimpleNamespace(floor=1)})
        )
        crew.collector._page = cast("Any", SimpleNamespace(floor=1.0))
        await crew.collector.keep_house()
        assert crew.total() == 1

    run(tmp_path, work)
