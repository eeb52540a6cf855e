# SPDX-License-Identifier: Apache-2.0
"""Lookups of a real daemon are recorded as the level of each tier sets, to the digit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from collections import Counter
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from filterd.overrides.history.store import Store
from filterd.querylog.lookups import WRITE_FROM
from tests.support.commands import call
from tests.support.daemon import Served, asked, copy_lists, free_port, noon, serving, write_site
from tests.support.processes import children
from tests.support.set_clock import Clocks
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
WITHIN_S, _TC = 20.0, 0x02
SITE = """\
workers: 2
time_zone: {zone}
log: {{level: counts, tiers: {{primary: blocked, lower-secondary: names, guest: off}}}}
"""
NETWORKS = {"3": "127.0.3", "7": "127.0.7", "11": "127.0.11", "staff": "127.0.100"}
CLOSED, CONFIDENTIAL = "www.tiktok.com", "self-harm.blocked.filterd.example"
"""Closed to primary and lower secondary; of the shipped list of self-harm."""

Asked = Counter[tuple[str, str]]
"""Answers by grade and name."""


class School:
    """A site with two workers: primary at blocked, lower at names, upper at full."""

    def __init__(self, folder: Path, built: StateFolder, upstream: int) -> None:
        self.port, self.zone = free_port(), noon()
        self.state = copy_lists(built, folder / "state")
        self.config = write_site(
            folder / "site",
            port=self.port,
            upstream=upstream,
            more=SITE.format(zone=self.zone),
        )
        store = Store(self.state, SystemClock())
        store.start()
        full: dict[str, Any] = {"level": "full", "tier": "upper-secondary"}
        full |= {"ends_at": SystemClock().wall() + 3600.0}
        store.change("log-level", full, author="lan", reason="điều tra")
        store.change("log-confirm", {"id": 1}, author="minh", reason="đồng ý")
        self.asked: Asked = Counter()

    def serve(self, *program: str) -> contextlib.AbstractContextManager[Served]:
        instead = {"program": program} if program else {}
        return serving(self.config, self.state.folder, **instead)  # type: ignore[arg-type]

    def ask(self, grade: str, name: str, times: int = 1, *, devices: int = 1) -> None:
        """Ask from several devices, each time by another port; every question is answered."""
        for device in range(devices):
            for number in range(times):
                query = a_query(name, message_id=number)
                answer = asked(self.port, query, self.address(grade, device))
                assert answer[:2] == number.to_bytes(2)
                assert not answer[2] & _TC, "more than one client may ask in a second"
        self.asked[grade, name] += times * devices

    def address(self, grade: str, device: int = 0) -> str:
        return f"{NETWORKS[grade]}.{77 + device}"

    @property
    def day_file(self) -> Path:
        today = datetime.fromtimestamp(SystemClock().wall(), self.zone).date()
        return self.state.log_days / f"{today.isoformat()}.sqlite3"

    def rows(self, path: Path | None = None) -> Asked:
        """Return the recorded lookups, by grade and name."""
        found: Asked = Counter()
        select = """
        SELECT grade, names.name, n FROM lookups
        JOIN names ON names.id = lookups.name JOIN contexts ON contexts.id = lookups.context
        """
        for grade, name, n in self.select(select, path):
            found[grade, ".".join(reversed(name.split(".")))] += n
        return found

    def seen(self) -> dict[tuple[str, str], int]:
        """Return the devices of distinct names, by tier and name."""
        select = "SELECT tier, names.name, devices FROM seen JOIN names ON names.id = seen.name"
        found = self.select(select)
        return {(tier, ".".join(reversed(name.split(".")))): n for tier, name, n in found}

    def select(self, select: str, path: Path | None = None) -> list[Any]:
        with contextlib.closing(sqlite3.connect(path or self.day_file)) as connection:
            return list(connection.execute(select))


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with FakeUpstream() as upstream:
        for name in ("good", "other"):
            upstream.add(f"{name}.example. 60 IN A 198.18.0.1")
        yield School(tmp_path, built, upstream.port)


def _log(served: Served) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(call("status", "--json", *served.options).out)["log"]
    return log


def test_each_tier_has_what_its_level_has(school: School) -> None:
    with school.serve() as served:
        for grade in NETWORKS:
            school.ask(grade, CLOSED, 7)
            school.ask(grade, "good.example", 5, devices=6)
            school.ask(grade, "other.example", 1, devices=4)
            school.ask(grade, CONFIDENTIAL, 2)
        assert served.end() == 0
    expected = Counter(
        {
            (grade, name): n
            for (grade, name), n in school.asked.items()
            if name != CONFIDENTIAL and (grade == "11" or (grade == "3" and name == CLOSED))
        }
    )
    assert school.rows() == expected
    tiers = ("primary", "lower-secondary", "upper-secondary")
    assert school.seen() == {
        **{(tier, CLOSED): 1 for tier in tiers[:2]},
        **{(tier, "good.example"): 5 for tier in tiers},
    }


def _places_with(folder: Path, addresses: list[str]) -> list[str]:
    """Return the files of a state folder that have an address as text, and those of the
    log that have its octets, either way round; elsewhere any four octets may stand."""
    texts, octets = list[bytes](), list[bytes]()
    for address in map(ip_address, addresses):
        turned = ".".join(reversed(str(address).split(".")))
        texts += [str(address).encode(), turned.encode()]
        octets += [address.packed, address.packed[::-1]]
    files = [one for one in folder.rglob("*") if one.is_file()]
    logs = {*folder.glob("query-log*"), *folder.glob("log/*")}
    found = []
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # SQLite's journal, which has ended meanwhile
            continue
        if any(form in content for form in (*texts, *(octets if path in logs else ()))):
            found.append(path.name)
    return found


def test_no_file_has_the_address_of_a_client(school: School) -> None:
    addresses = [school.address(grade, device) for grade in NETWORKS for device in range(3)]
    with school.serve() as served:
        for grade in NETWORKS:
            school.ask(grade, CLOSED, devices=3)
            for device in range(3):
                reverse = ip_address(school.address(grade, device)).reverse_pointer
                school.ask(grade, reverse)
                school.ask(grade, f"{school.address(grade, device)}.nip.io")
        assert _places_with(school.state.folder, addresses) == []
        assert served.end() == 0
    assert school.day_file.exists()
    assert _places_with(school.state.folder, addresses) == []


_PLANTED = """
from ipaddress import ip_address
from filterd.querylog.pseudonyms import Pseudonyms
Pseudonyms.of_client = lambda self, client, now: int(ip_address(client.address))
from filterd.__main__ import main
main()
"""


@pytest.mark.control
def test_control_a_writer_that_stores_an_address_is_found(school: School) -> None:
    with school.serve("-c", _PLANTED) as served:
        school.ask("11", CLOSED)
        assert served.end() == 0
    assert _places_with(school.state.folder, [school.address("11")]) == [school.day_file.name]


def test_a_manager_that_is_killed_loses_nothing(school: School) -> None:
    with school.serve() as served:
        school.ask("11", CLOSED, 40)
        os.kill(children(served.process.pid)[0], signal.SIGKILL)
        school.ask("11", CLOSED, 40)
        until(lambda: call("status", *served.options).code == 0, "the daemon")
        school.ask("11", "good.example", 9)
        assert served.end() == 0
    assert school.rows() == school.asked


@pytest.mark.long  # the week in test_log_week has it too
def test_a_worker_that_is_killed_takes_at_most_its_queue_with_it(school: School) -> None:
    with school.serve() as served:
        school.ask("11", CLOSED, 7)
        assert served.end() == 0
    with school.serve() as served:
        school.ask("11", CLOSED, 40)
        os.kill(children(served.process.pid)[1], signal.SIGKILL)
        served.wait_for("ended (signal 9)")
        school.ask("11", "good.example", 40)
        assert served.end() == 0
    rows = school.rows()
    assert rows["11", "good.example"] == 40
    assert 7 <= rows["11", CLOSED] <= 47


@pytest.mark.long  # the week in test_log_week has it too
def test_a_file_that_another_process_holds_delays_no_answer(school: School) -> None:
    with school.serve() as served:
        school.ask("11", CLOSED, 4)
        assert served.end() == 0
    with (
        school.serve() as served,
        contextlib.closing(sqlite3.connect(school.day_file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        school.ask("11", CLOSED, WRITE_FROM // 5, devices=10)  # so one worker has enough to write
        served.wait_for("locked")
        until(lambda: _log(served)["rows_waiting"] == 2 * WRITE_FROM, "all rows, still waiting")
        assert "locked" in _log(served)["problem"]
        other.execute("ROLLBACK")
        assert served.end() == 0
    assert school.rows() == school.asked


def test_at_midnight_another_file_and_another_key_begin(school: School, tmp_path: Path) -> None:
    clocks = Clocks(tmp_path / "clocks").set(wall_s=0.0)
    with school.serve(*clocks.program("vouched")) as served:
        school.ask("11", CLOSED, 20)
        file = served.state.control_socket.with_name("log-key")
        key, mode = file.read_bytes(), file.stat().st_mode
        clocks.set(wall_s=86_400.0)
        school.ask("11", "good.example", 20)
        after, later = file.read_bytes(), file.stat().st_mode
        assert served.end() == 0
    today, tomorrow = sorted(school.state.log_days.glob("*.sqlite3"))
    assert school.rows(today) == {("11", CLOSED): 20}
    assert school.rows(tomorrow) == {("11", "good.example"): 20}
    devices = [
        school.select("SELECT DISTINCT device FROM lookups", one) for one in (today, tomorrow)
    ]
    assert [len(one) for one in devices] == [1, 1], "one for both workers"
    assert devices[0] != devices[1]
    assert all(0 < device < 2**31 for ((device,),) in devices)
    files = later, mode, today.stat().st_mode, tomorrow.stat().st_mode
    assert {one & 0o777 for one in files} == {0o600}
    assert school.state.log_days.stat().st_mode & 0o777 == 0o700
    assert key.split()[1] not in after


@pytest.mark.long  # the week in test_log_week has it too
def test_a_file_that_is_deleted_while_open_is_made_anew(school: School) -> None:
    with school.serve() as served:
        school.ask("11", CLOSED, 4)
        assert served.end() == 0
    for path in school.state.log_days.iterdir():
        path.unlink()
    with school.serve() as served:
        school.ask("11", "good.example", 3)
        assert served.end() == 0
    assert school.rows() == {("11", "good.example"): 3}
