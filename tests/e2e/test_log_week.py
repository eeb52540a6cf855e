# SPDX-License-Identifier: Apache-2.0
"""A school week through the socket: each number of the log is that of a naive count.

Five tiers have five levels; in five weeks each tier has each level once.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import log_week
from tests.support.log_week import CLASSES, DAYS, LEVELS, TIERS, K, WeekSchool
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    for row in school.tell("log totals", days=days, **switches):
        found[tuple(row[key] for key in keys)] += row["n"]
    return found


def _evening(school: WeekSchool, day: str) -> None:
    """Compare what the commands show of a day with the naive count."""
    naive = school.naive
    assert _totals(school, 1) == naive.totals(day)
    keys = ("tier", "name", "category", "action")
    names = school.tell("log names", day=day)
    shown = {tuple(row[key] for key in keys): row["devices"] for row in names["rows"]}
    assert shown == naive.names(day)
    for class_id in CLASSES:
        rows = school.tell("log class", **{"class": class_id})["rows"]
        assert len(rows) == len(naive.of_class(day, class_id))
        assert {tuple(row[key] for key in keys[1:]) for row in rows} == naive.of_class(
            day, class_id
        )
    new = school.tell("log new", limit=500)
    before = [one for one in school.kept_days() if one < day]
    shown_new = {(row["tier"], row["name"]): row["devices"] for row in new["rows"]}
    assert shown_new == naive.new(day, before)
    assert new["n"] == len(new["rows"])


def _week_end(school: WeekSchool) -> None:
    """Compare totals, rows and the names with the most lookups of the week."""
    naive = school.naive
    assert _totals(school, 7) == naive.totals()
    shown = list(school.shown_rows())
    days = sorted({row["id"][:10] for row in shown})
    rows = [one for one in naive.rows() if one.day in days]
    keys = ("grade", "class", "network", "name", "category", "action")
    assert Counter((row["id"][:10], *(row[key] for key in keys)) for row in shown) == Counter(
        (one.day, *one[2:6], *one.kind) for one in rows
    )
    assert all(bool(row["blocker"]) == (row["action"] == "blocked") for row in shown)
    by_device = Counter((row["id"][:10], row["device"]) for row in shown)
    assert sorted(by_device.values()) == sorted(
        Counter((one.day, one.address) for one in rows).values()
    )
    top = school.tell("log top", limit=500)["rows"]
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
    told, cells = school.tell("log export", **wanted), school.naive.cells(by_month=False)
    sure = {key for key, (_, devices) in cells.items() if devices >= _ONE_WORKER_HAS_K}
    if by_month:
        cells |= school.naive.cells(by_month=True)
    keys = ("period", "tier", "grade", "category", "action")
    shown = {tuple(row[key] for key in keys): row["n"] for row in told["rows"]}
    assert len(shown) == len(told["rows"])
    assert shown.items() <= {key: n for key, (n, devices) in cells.items() if devices >= K}.items()
    assert sure <= shown.keys()
    assert told["left_out"] == len(cells) - len(shown)
    assert school.tell("log export", **wanted) == told
    if by_month:  # the days of a tier add up to its grades, so no cell may be the only one missing
        missing = Counter((key[1], *key[3:]) for key in cells.keys() - shown.keys() if key[1])
        assert 1 not in missing.values()


def _octets(school: WeekSchool) -> bytes:
    """Return all that the state folder has, but the lists and their index."""
    files = (one for one in school.state.folder.rglob("*") if one.is_file())
    return b"\n".join(one.read_bytes() for one in files if one != school.state.index)


def _log_octets(school: WeekSchool) -> bytes:
    files = [*school.state.folder.glob("query-log*"), *school.state.log_days.glob("*")]
    return b"\n".join(one.read_bytes() for one in files)


def _stored(name: str) -> bytes:
    return ".".join(reversed(name.split("."))).encode()


def _have_only_what_levels_have(school: WeekSchool, days: list[str]) -> None:
    """Search the files for addresses and for names that no level keeps."""
    everything, log = _octets(school), _log_octets(school)
    for address in map(ip_address, log_week.ADDRESSES):
        turned = ".".join(reversed(str(address).split(".")))
        for text in (str(address), turned):
            assert re.search(rb"(?<![\d.])%s(?!\d)" % re.escape(text.encode()), everything) is None
        assert address.packed not in log
        assert address.packed[::-1] not in log
    for name in (log_week.CONFIDENTIAL, log_week.BOTH):
        assert name.encode() not in everything
        assert _stored(name) not in everything
    naive = school.naive
    kept = {name for day in days for _, name, *_ in naive.names(day)}
    kept |= {one.name for one in naive.rows() if one.day in days}
    for name in log_week.OPEN:
        is_there = re.search(rb"%s(?!\d)" % re.escape(_stored(name)), log) is not None
        assert is_there == (name in kept), name
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
            if DAYS - 1 in served_days:
                _week_end(school)
                school.wait_until(log_week.MONDAY + DAYS * log_week.DAY_S + 60)
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
            school.tell("log forget", name=_wire(name).hex(), reason="asked")
        assert served.end() == 0
    assert b"example.open" not in _log_octets(school)


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\x00"
