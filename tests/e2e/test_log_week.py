# SPDX-License-Identifier: Apache-2.0
"""A school week through the socket: each number of the log is that of a naive count.

Five tiers have five levels; in five weeks each tier has each level once.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.paths import with_sides
from tests.e2e import log_week
from tests.e2e.log_week import CLASSES, DAYS, LEVELS, TIERS, K, WeekSchool
from tests.support.commands import call
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.log_week import Asked

pytestmark = pytest.mark.usefixtures("warm_children")

WEEKS = [dict(zip(TIERS, (*LEVELS[n:], *LEVELS[:n]), strict=True)) for n in range(len(LEVELS))]
_ONE_WORKER_HAS_K = 2 * K + 1
"""Devices of a cell of which one of two workers has k, however they are spread."""


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        yield running


def _totals(school: WeekSchool, days: int) -> Counter[tuple[Any, ...]]:
    switches = {"by_hour": True, "by_class": True, "by_network": True}
    keys = ("date", "hour", "tier", "grade", "class", "network", "category", "action")
    found = Counter[tuple[Any, ...]]()
    for row in school.ask_daemon("log totals", days=days, **switches):
        if row["grade"]:
            found[tuple(row[key] for key in keys)] += row["n"]
    return found


def _over(school: WeekSchool, day: str = "") -> Counter[tuple[Any, ...]]:
    """Return the naive totals of hours that are over, without confidential ones."""
    now = school.ask_daemon("clock")["policy_time"]
    found = school.naive.totals(day).items()
    return Counter({key: n for key, n in found if key[3] and key[1] + log_week.HOUR_S <= now})


def _names(school: WeekSchool, day: str) -> dict[tuple[str, ...], int]:
    keys = ("tier", "name", "category", "action")
    rows = school.ask_daemon("log names", day=day)["rows"]
    return {tuple(row[key] for key in keys): row["devices"] for row in rows}


def _evening(school: WeekSchool, day: str) -> None:
    """Compare what the commands show of a day with the naive count."""
    naive = school.naive
    school.settle()
    assert _totals(school, 1) == _over(school, day)
    assert _names(school, day) == naive.names(day)
    for class_id in CLASSES:
        rows = school.ask_daemon("log class", **{"class": class_id})["rows"]
        assert len(rows) == len(naive.of_class(day, class_id))
        assert {(row["name"], row["category"], row["action"]) for row in rows} == naive.of_class(
            day, class_id
        )
    new = school.ask_daemon("log new", limit=500)
    before = [one for one in school.kept_days() if one < day]
    shown_new = {(row["tier"], row["name"]): row["devices"] for row in new["rows"]}
    assert shown_new == naive.new(day, before)
    assert new["n"] == len(new["rows"])


def _rows_are_those_of(school: WeekSchool) -> tuple[list[dict[str, Any]], list[Asked]]:
    """Compare rows with the naive log, on the days that have any; return both."""
    shown = list(school.shown_rows())
    days = {row["id"][:10] for row in shown}
    rows = [one for one in school.naive.rows() if one.day in days]
    keys = ("grade", "class", "network", "name", "category", "action")
    assert Counter((row["id"][:10], *(row[key] for key in keys)) for row in shown) == Counter(
        (one.day, *one[2:6], *one.kind) for one in rows
    )
    assert all(bool(row["blocker"]) == (row["action"] == "blocked") for row in shown)
    return shown, rows


def _week_end(school: WeekSchool) -> None:
    """Compare totals, rows and the names with the most lookups of the week."""
    assert _totals(school, 7) == _over(school)
    shown, rows = _rows_are_those_of(school)
    by_device = Counter((row["id"][:10], row["device"]) for row in shown)
    assert sorted(by_device.values()) == sorted(
        Counter((one.day, one.address) for one in rows).values()
    )
    top = school.ask_daemon("log top", limit=500)["rows"]
    assert {row["name"]: (row["n"], row["blocked"]) for row in top} == {
        name: (
            sum(one.name == name for one in rows),
            sum(one.name == name and one.action == "blocked" for one in rows),
        )
        for name in {one.name for one in rows}
    }
    assert [row["n"] for row in top] == sorted((row["n"] for row in top), reverse=True)


def _exported(school: WeekSchool, *, by_month: bool, **wanted: Any) -> None:
    """Compare what may leave the school with the naive count."""
    exported = school.ask_daemon("log export", **wanted)
    whole, most, least = Counter[Any](), Counter[Any](), Counter[Any]()
    for (day, tier, grade, *kind), (n, devices) in school.naive.parts().items():
        keys = [(day, tier, "", *kind)]
        if by_month and grade:
            keys.append((day[:7], tier, grade, *kind))
        for key in keys:
            whole[key] += n
            most[key] += n if devices >= K else 0
            least[key] += n if devices >= _ONE_WORKER_HAS_K and not key[2] else 0
    names = ("period", "tier", "grade", "category", "action")
    shown = {tuple(row[key] for key in names): row["n"] for row in exported["rows"]}
    assert len(shown) == len(exported["rows"])
    # A day has the grades of k devices; a month has those days of its grades that are published.
    assert all(least[key] <= n <= most[key] for key, n in shown.items())
    assert (+least).keys() <= shown.keys()
    assert exported["left_out"] is any(n > shown.get(key, 0) for key, n in whole.items() if key[1])
    assert school.ask_daemon("log export", **wanted) == exported


def _reported(school: WeekSchool, days: list[str]) -> None:
    """Compare the facts of a report for inside, with distinct names, with the naive count."""
    facts = _facts(school, days[0], days[-1])
    n, distinct, expected = Counter[Any](), Counter[Any](), Counter[Any]()
    for one in facts["cells"]:
        cell = tuple(one[key] for key in ("period", "tier", "grade", "class_id", "category"))
        n[*cell, one["action"]] += one["n"] if one["tier"] else 0
        distinct[cell] += one["distinct"] or 0
    for (day, _, *place, _, category, action), answers in school.naive.totals().items():
        expected[day, *place, category, action] += answers if place[0] else 0
    assert +n == +expected
    assert +distinct == school.naive.distinct()
    assert facts["service"]["days_in_service"] == DAYS


def _facts(school: WeekSchool, first: str, last: str) -> Any:
    """Return the facts of a report; distinct names are counted before, while files are there."""
    period = {"kind": "span", "first": first, "last": last}
    return school.ask_daemon("report-facts", **period, audience="inside")


def _octets(school: WeekSchool) -> bytes:
    """Return all that the state folder has, but the lists and their index."""
    files = (one for one in school.state.folder.rglob("*") if one.is_file())
    return b"\n".join(file.read_bytes() for file in files if file != school.state.index)


def _log_octets(school: WeekSchool) -> bytes:
    files = [*school.state.folder.glob("query-log*"), *school.state.log_days.glob("*")]
    return b"\n".join(file.read_bytes() for file in files)


def _stored(name: str) -> bytes:
    return ".".join(reversed(name.split("."))).encode()


def _has(octets: bytes, before: bytes, text: bytes) -> bool:
    """Return whether octets have a text behind ``before`` and before no digit."""
    # The regular expression takes forty times as long, so only what is there somewhere has one.
    found = text in octets and re.search(rb"%s%s(?!\d)" % (before, re.escape(text)), octets)
    return bool(found)


def _have_only_what_levels_have(school: WeekSchool, days: list[str]) -> None:
    """Search the files for addresses and for names that no level keeps."""
    everything, log = _octets(school), _log_octets(school)
    for address in map(ip_address, log_week.ADDRESSES):
        turned = ".".join(reversed(str(address).split(".")))
        for text in (str(address), turned):
            assert not _has(everything, rb"(?<![\d.])", text.encode())
        assert address.packed not in log
        assert address.packed[::-1] not in log
    for name in (log_week.CONFIDENTIAL, log_week.BOTH):
        assert name.encode() not in everything
        assert _stored(name) not in everything
    naive = school.naive
    kept = {name for day in days for _, name, *_ in naive.names(day)}
    kept |= {row.name for row in naive.rows() if row.day in days}
    for name in log_week.OPEN:
        assert _has(log, b"", _stored(name)) == (name in kept), name
        assert name.encode() not in everything


@pytest.mark.parametrize(
    "levels",
    [pytest.param(week, marks=pytest.mark.long if n else ()) for n, week in enumerate(WEEKS)],
    ids=lambda week: week["primary"],
)
def test_each_number_of_a_week_is_that_of_a_naive_count(
    tmp_path: Path, upstream: FakeUpstream, levels: dict[str, str]
) -> None:
    school = WeekSchool(tmp_path, upstream, levels)
    days = [f"2026-12-{7 + n:02}" for n in range(DAYS)]
    for served_days in ((0, 1), (2,), (3, 4)):  # it is restarted in two nights
        with school.serve() as served:
            for day in served_days:
                for moment in (*log_week.MOMENTS_S, log_week.NIGHT_S):
                    school.pass_moment(day, moment)
                _evening(school, days[day])
                if day:
                    _facts(school, days[day - 1], days[day - 1])
            if DAYS - 1 in served_days:
                _week_end(school)
                school.wait_until(log_week.MONDAY + DAYS * log_week.DAY_S + 60)
                _reported(school, days)
                _exported(school, by_month=False, days=DAYS)
            assert served.end() == 0
            assert "Traceback" not in "\n".join(served.log)
    assert {one.action for one in school.naive.asked} == {
        "pass", "blocked", "rewritten", "local", "failed",
    }  # fmt: skip
    _have_only_what_levels_have(school, school.kept_days())
    school.wait_until(log_week.MONDAY + 40 * log_week.DAY_S)
    with school.serve() as served:
        _exported(school, by_month=True, month="2026-12")
        for name in dict.fromkeys(log_week.OPEN):
            school.ask_daemon("log forget", name=_wire(name).hex(), reason="asked")
        assert served.end() == 0
    assert b"example.open" not in _log_octets(school)


GROUPS = ("31", "32", "3", "100", "102")
"""Those whose grade no timetable decides."""


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let another process have a day file locked."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_after_steps_of_the_clock_kills_and_a_lost_file_the_counts_are_right(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    school = WeekSchool(tmp_path, upstream, WEEKS[-1])
    at, hour, day = log_week.MONDAY + 37_800, log_week.HOUR_S, log_week.DAY_S
    today = school.state.log_days / "2026-12-07.sqlite3"
    school.wait_until(at)
    with school.serve() as served:

        def are_killed(*numbers: int) -> None:
            running = children(pid := served.process.pid)
            for number in numbers:
                os.kill(running[number], signal.SIGKILL)
            until(lambda: not {running[one] for one in numbers} & set(children(pid)), "the end")
            until(lambda: call("status", *served.options).code == 0, "the daemon")

        school.ask_as(GROUPS, at, "lost.example")
        school.settle()
        for side in with_sides(today):
            side.unlink(missing_ok=True)  # while it is open
        school.ask_as(GROUPS, at)
        for step in (-hour, day):
            school.step(step)
            school.ask_as(GROUPS, at + step)
            school.step(-step)
            school.ask_as(GROUPS, at)
        are_killed(0)  # the manager, while workers have lookups
        school.ask_as(GROUPS, at)
        school.settle()
        are_killed(1)  # a worker that has handed over everything
        school.wait_until(log_week.MONDAY + day - 300)
        school.ask_as(GROUPS, log_week.MONDAY + day - 300)
        with _held(today):
            school.ask_daemon("log search")
            school.wait_until(log_week.MONDAY + day + 300)
            school.ask_as(GROUPS, log_week.MONDAY + day + 300)
            until(lambda: "locked" in school.ask_daemon("status")["log"]["problem"], "the problem")
        school.wait_until(log_week.MONDAY + 2 * day + 300)
        school.settle()
        assert _totals(school, 7) == _over(school)
        school.naive.asked = [one for one in school.naive.asked if one.name != "lost.example"]
        _rows_are_those_of(school)
        for number in (7, 8):
            date = f"2026-12-{number:02}"
            naive = school.naive.names(date)
            for key, devices in _names(school, date).items():
                assert devices <= naive.get(key, 0), "never too many, after whatever comes"
        assert served.end() == 0
        assert "Traceback" not in "\n".join(served.log)


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\x00"
