# SPDX-License-Identifier: Apache-2.0
"""A week of a school of forty classes: its spreadsheet, two computer rooms, one flat Wi-Fi.

Manager and worker are real, and so are commands, store, timetable and socket; the clock is
moved. Devices are known by MAC. Each answer is compared with ``NaiveWeek``, which computes the
rules of one second by themselves, and each right with the school's files.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.message
import pytest

from filterd.base.errors import ControlError
from filterd.cli import spreadsheet
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.neighbours import Neighbour
from filterd.daemon.serving import worker
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy import policy_file
from tests.support.asking import Asker
from tests.support.clock import FakeClock
from tests.support.commands import call
from tests.support.daemon import build_lists
from tests.support.feed_school import answer
from tests.support.naive_week import NaiveWeek
from tests.support.oracle_school import _Blind
from tests.support.team import School
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides
    from tests.support.team import Team

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("patient")]

DAY_S, ZONE_S = 86_400, 7 * 3_600
MONDAY = 1_764_522_000.0
"""2025-12-01 00:00 in Viet Nam."""
CLASSES = [f"{grade}{letter}" for grade in (6, 7, 8, 9) for letter in "ABCDEGHIKL"]
STARTS = [7 * 3_600 + 3_000 * n for n in range(5)] + [13 * 3_600 + 3_000 * n for n in range(5)]
LENGTH_S = 2_700
ROOMS = {"phong-may-1": "PM1", "phong-may-2": "P. máy 2"}
CATEGORY = {"phim.example": "streaming", "game.example": "games", "adult.example": "porn",
            "hoc.example": ""}  # fmt: skip
LINK = "127.0.60.0/24"


class Device(NamedTuple):
    """A device of the Wi-Fi, and the network that its MAC has, if any."""

    address: str
    mac: str
    network: str | None


def _device(number: int, network: str | None) -> Device:
    return Device(f"127.0.60.{number}", f"00:00:5e:00:53:{number:02x}", network)


DEVICES = [_device(1, "phong-may-1"), _device(2, "phong-may-1"), _device(3, "phong-may-2"),
           _device(4, "tablets"), _device(5, "phones"), _device(6, None)]  # fmt: skip
TABLET = _device(7, "tablets")
"""Unknown until a command assigns it."""


def _site() -> str:
    macs: dict[str, list[str]] = {}
    for one in DEVICES:
        if one.network:
            macs.setdefault(one.network, []).append(f"'{one.mac}'")
    networks = {
        "phong-may-1": "grade: 9, room: true",
        "phong-may-2": "grade: 9, room: true",
        "tablets": "class: 8C, room: true",
        "phones": "grade: staff",
    }
    lines = [f"  {one}: {{{what}, macs: [{', '.join(macs[one])}]}}"
             for one, what in networks.items()]  # fmt: skip
    lines.append("classes:")
    lines += [f"  {one}: {{grade: {one[0]}, teachers: [gv-{one.lower()}]}}" for one in CLASSES]
    lines.append("lessons:")
    lines += [f"  tiet-{n}: {_time(start)}-{_time(start + LENGTH_S)}"
              for n, start in enumerate(STARTS, 1)]  # fmt: skip
    lines.append("unknown: 6")
    lines.append("lists:")
    for name, category in CATEGORY.items():
        if category:
            lines.append(f"  - {{id: own-{category}, file: {name}.txt, category: {category}}}")
    return "\n".join((*lines, ""))


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def _grid(chance: random.Random) -> list[list[str]]:
    """Return the school's timetable: days and sessions in merged cells, a column for each class."""
    table = [["THỜI KHÓA BIỂU"], ["Thứ", "Buổi", "Tiết", *CLASSES]]
    for day in range(2, 8):
        for number in range(len(STARTS)):
            cells = [chance.choice(("Toán", "Văn - cô Hoa", "")) for _ in CLASSES]
            for column, spelt in zip(chance.sample(range(40), 2), ROOMS.values(), strict=True):
                if chance.random() < 0.8:
                    cells[column] = f"Tin - thầy Sơn - {spelt}"
            shown = f"Thứ {day}" if number == 0 else ""
            session = {0: "Sáng", 5: "Chiều"}.get(number, "")
            table.append([shown, session, str(number % 5 + 1), *cells])
    return table


def _seats(grid: list[list[str]]) -> dict[tuple[int, int, str], str]:
    """Return the class in each room by day and lesson, read from the grid once more."""
    return {
        (row // 10, row % 10, room): CLASSES[column]
        for row, cells in enumerate(grid[2:])
        for column, cell in enumerate(cells[3:])
        for room, spelt in ROOMS.items()
        if spelt in cell
    }


class Week:
    """The school while it is served."""

    def __init__(self, team: Team, clock: FakeClock, port: int, policy: Policy) -> None:
        self.team, self.clock, self._port, self.policy = team, clock, port, policy
        self.devices, self.asked = [*DEVICES, TABLET._replace(network=None)], 0
        self.wrong = list[str]()

    async def to(self, moment: float) -> None:
        """Let time pass until then; the link is looked at again."""
        self.clock.advance(moment - self.clock.wall())
        for one in self.team.workers:
            links = Links(lan=(Prefix(ip_network(LINK), "lo"),))
            one._surroundings.take_links(links)
            seen = (
                Neighbour(ip_address(each.address), "lo", each.mac, True) for each in self.devices
            )
            one._surroundings.take_neighbours(tuple(seen))
        await asyncio.sleep(0)

    async def change(self, kind: str, author: str = "", /, **payload: Any) -> Any:
        """Give a command as a teacher, or as an administrator."""
        who = Author(author, Rank.TEACHER) if author else Author("hieu-pho", Rank.ADMIN)
        request = {"kind": kind, "reason": "tuần 14", **payload}
        return await self.team.manager.changes.change(request, who)

    @property
    def overrides(self) -> Overrides:
        """All that commands have set."""
        return self.team.manager.site.timed.overrides

    async def look(self) -> None:
        """Ask as every device for every name, and compare."""
        naive, now = NaiveWeek(self.policy, self.overrides), self.clock.wall()
        got = await asyncio.to_thread(self._ask_all)
        for device in self.devices:
            sight = naive.sight(device.network, device.address, now)
            allowed = {name for exam in self.overrides.exams if str(exam.id) == sight.exam
                       for name in exam.names}  # fmt: skip
            for name, category in CATEGORY.items():
                closed = category in sight.closed or (sight.allow_only and name not in allowed)
                self.asked += 1
                if got[device.address, name] is closed:
                    shown = naive.wall(now)
                    self.wrong.append(f"{shown} {device} {name}: {sight.grade} {sight.class_id}")

    def _ask_all(self) -> dict[tuple[str, str], bool]:
        found = {}
        for device in self.devices:
            with Asker(("127.0.0.1", self._port), device.address) as asker:
                for name in CATEGORY:
                    reply = dns.message.from_wire(asker.by_udp(a_query(name, message_id=1)))
                    found[device.address, name] = bool(reply.answer)
        return found


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(respond=answer) as made:
        yield made


async def _bells(week: Week, day: int) -> None:
    """Look just before and at each bell of a day that is to come, and within lessons."""
    for start in STARTS:
        for second in (start - 1, start, start + 900, start + LENGTH_S - 1, start + LENGTH_S):
            moment = MONDAY + day * DAY_S + second
            if moment > week.clock.wall():
                await week.to(moment)
                await week.look()


class Forty(NamedTuple):
    """The school before it is served: its files, its compiled policy, its spreadsheet."""

    school: School
    policy: Policy
    grid: list[list[str]]


@pytest.fixture
def forty(tmp_path: Path, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> Forty:
    """The school, whose timetable came from its spreadsheet."""
    monkeypatch.setattr(worker, "Observer", _Blind)
    grid = _grid(random.Random(14))
    table = tmp_path / "tkb.xlsx"
    table.write_bytes(spreadsheet.to_xlsx(grid))
    school = School(tmp_path / "school", _lists_that_ship(tmp_path), upstream.port)
    for name in CATEGORY:
        (school.config / f"{name}.txt").write_text(f"{name}\n", encoding="utf-8")
    school.write(_site())
    options = "--config", school.config, "--state", school.state.folder, "--lang", "en"
    done = call("timetable", "import", table, "--yes", *options)
    assert done.code == 0, done.err
    build_lists(school.config, school.state.folder)
    school.compiled()
    return Forty(school, policy_file.load(school.state.policy), grid)


def test_the_timetables_are_those_of_the_spreadsheet(forty: Forty) -> None:
    written = {
        (one.weekday, int(one.lesson.removeprefix("tiet-")) - 1, network.id): one.grade
        for network in forty.policy.networks
        for one in network.timetable
    }
    assert written == _seats(forty.grid)
    assert len(written) > 80


def test_a_school_of_forty_classes_has_no_wrong_answer_in_a_week(forty: Forty) -> None:
    clock = FakeClock(MONDAY)

    async def work(team: Team) -> None:
        week = Week(team, clock, forty.school.port, forty.policy)
        await week.to(MONDAY)
        await _each_third_class_plays(week)
        await week.look()
        await _bells(week, 0)
        await _tuesday(week)
        await _wednesday(week)
        for day in (3, 4, 5):
            await _bells(week, day)
        await week.to(MONDAY + 6 * DAY_S + 36_000)
        await week.look()
        sys.stdout.write(f"forty classes: {week.asked} answers\n")
        assert week.wrong == []
        assert week.asked > 6_000

    forty.school.serve(work, clock=clock)


def test_control_a_cell_of_another_class_would_be_noticed(forty: Forty) -> None:
    clock = FakeClock(MONDAY)
    room = next(network for network in forty.policy.networks if network.id == "phong-may-1")
    first, *rest = room.timetable
    other = "9A" if first.grade[0] in "67" else "6A"
    changed = replace(room, timetable=(replace(first, grade=other), *rest))
    networks = tuple(changed if network is room else network for network in forty.policy.networks)

    async def work(team: Team) -> None:
        week = Week(team, clock, forty.school.port, replace(forty.policy, networks=networks))
        await _bells(week, first.weekday)
        assert week.wrong

    forty.school.serve(work, clock=clock)


async def _each_third_class_plays(week: Week) -> None:
    """Let classes of one grade differ: wherever these sit, games are open to them."""
    for one in CLASSES[::3]:
        what = {"target_kind": "category", "target": "games", "allow": True}
        until = MONDAY + 6 * DAY_S
        await week.change("exception", **what, audience="class", whom=one, ends_at=until)


async def _tuesday(week: Week) -> None:
    """A tablet is assigned to 8C, whose teacher is ill: a substitute teacher has it for the day."""
    morning = MONDAY + DAY_S + STARTS[0]
    await week.to(morning)
    macs = [one.mac for one in (*DEVICES, TABLET) if one.network == "tablets"]
    await week.change("room-devices", room="tablets", macs=macs)
    week.devices[-1] = TABLET
    await week.look()
    opens = {"target_kind": "category", "target": "games", "allow": True, "audience": "class"}
    lesson = {**opens, "whom": "8C", "for_s": 600}
    with pytest.raises(ControlError, match="class 8C"):
        await week.change("exception", "minh", **lesson)
    await week.change("class-lend", "gv-8c", class_id="8C", to="minh", ends_at=morning + 30_000)
    await week.change("exception", "minh", **lesson)
    await week.look()
    with pytest.raises(ControlError, match="class 9A"):
        await week.change("exception", "minh", **lesson | {"whom": "9A"})
    await week.to(morning + 601)
    await week.look()
    await _bells(week, 1)
    await week.to(morning + 30_001)
    with pytest.raises(ControlError, match="class 8C"):
        await week.change("exception", "minh", **lesson)


async def _wednesday(week: Week) -> None:
    """An exam in the second room over a bell, a pause of grade 9, and one of a network."""
    start = MONDAY + 2 * DAY_S + STARTS[1]
    await week.to(start - 60)
    await week.change(
        "exam", room="phong-may-2", names=["hoc.example"], services=[], ends_at=start + 5_400
    )
    await week.change("pause", audience="grade", whom="9", for_s=1_800)
    await week.change("pause", audience="network", whom="phong-may-1", for_s=300)
    for second in (-59, 0, 239, 240, 241, 600, 1_739, 1_740, 2_700, 3_000, 5_399, 5_400, 5_401):
        await week.to(start + second)
        await week.look()
    await _bells(week, 2)


def _lists_that_ship(folder: Path) -> StateFolder:
    """Compile the lists that ship, which the school's own stand beside later."""
    config = folder / "first"
    config.mkdir()
    (config / "site.yaml").write_text(
        "school: {name: A}\nlisten: ['127.0.0.1:5353']\nupstreams: [192.0.2.53]\n",
        encoding="utf-8",
    )
    return build_lists(config, folder / "built")
