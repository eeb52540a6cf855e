# SPDX-License-Identifier: Apache-2.0
"""Each word of "now" on a page is what a device gets, over a year of changes.

A school lives a year in leaps: lessons and breaks, holidays, schedules, exceptions of its files
and of commands, rooms, exams, pauses. At each moment every page that says what is open is read as
people read it, by the operations that pages use, and each word is compared with the answer to a
real question of a device that it is about. `FILTERD_PAGES_MOMENTS` and `FILTERD_PAGES_SEED` take
more and others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.daemon.handlers.self_tests import listed
from filterd.lists.index import Index
from filterd.overrides.rights.roles import Role
from filterd.policy.grade_rows import OPEN
from filterd.resolve.explanation import passes
from filterd.web.operations import BY_NAME
from filterd.wire import name as names
from tests.support.daemon import SOURCES, asked, copy_lists, free_port, serving, write_site
from tests.support.set_clock import Clocks
from tests.support.signed_in import NAMES, token_of, visitor_of
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.long

MOMENTS = int(os.environ.get("FILTERD_PAGES_MOMENTS", "24"))
SEED = int(os.environ.get("FILTERD_PAGES_SEED", "36"))
YEAR_S, HOUR_S = 365 * 86_400, 3_600
GRADES = ("1", "6", "8", "11", "staff")
LAB, HOME = "127.0.60.1", "127.0.61.1"
SITE = """\
  lab:
    cidrs: [127.0.60.0/24]
    timetable:
      t2: {tiet-1: 6A, tiet-2: 9, tiet-5: 11}
      t3: {tiet-1: 11, tiet-3: 6A}
      t4: {tiet-2: 6A}
      t5: {tiet-4: 3}
  home-6a: {cidrs: [127.0.61.0/24], class: 6A}
classes:
  6A: {grade: 6, teachers: [lan]}
lessons:
  tiet-1: 07:00-08:00
  tiet-2: 08:00-09:30
  tiet-3: 09:30-11:00
  tiet-4: 13:00-15:00
  tiet-5: 15:00-17:00
schedules:
  in-lessons:
    - {days: [t2, t3, t4, t5, t6], from: 07:00, to: 17:00}
scheduled:
  - {schedule: in-lessons, close: {category: games}, for: {tier: lower-secondary}}
  - {schedule: in-lessons, close: {service: youtube}, for: {tier: lower-secondary}}
exceptions:
  - {allow: mo-trong-tep.example, reason: bài học, author: lan}
  - {block: chan-trong-tep.example, for: {grade: 6}, reason: bài học, author: lan}
"""


@dataclass
class School:
    """A school, its clocks, and what has been compared."""

    socket: Path
    port: int
    clocks: Clocks
    index: Index
    draw: random.Random
    token: str = ""
    number: int = 0
    compared: int = 0
    pages: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command as root at the console."""
        return control.ask(self.socket, command, **arguments)

    def sign_in(self) -> None:
        """Sign in anew: sessions have ended by now."""
        code = self.ask("account code", account=NAMES[Role.ADMIN])["code"]
        self.token = self.ask("login-code", address="127.0.0.1", code=code)["token"]

    def is_open(self, name: str, source: str) -> bool:
        """Ask the real question; only a block has an error (RFC 8914) that says so."""
        query = dns.message.make_query(name, "A", use_edns=0)
        reply = dns.message.from_wire(asked(self.port, query.to_wire(), source))
        codes = {int(option.code) for option in reply.options if hasattr(option, "code")}
        return codes.isdisjoint({15, 16, 17})

    def compare(self, page: str, word: str, name: str, source: str, *, is_open: bool) -> None:
        """Compare a word of a page with the answer to a device."""
        self.compared += 1
        self.pages.add(page)
        if self.is_open(name, source) is not is_open:
            on = [
                (one["kind"], one["target"], one["allow"], one["whom"] or one["audience"])
                for one in self.ask("exceptions")
            ]
            self.wrong.append(f"{page}: {word} ({name} asked by {source}); {on}")

    async def change(self, operation: str, **values: Any) -> None:
        """Do what a form of a page does; what is refused is no change."""
        visitor = await visitor_of(self.socket, self.token)
        with contextlib.suppress(FilterdError):
            await visitor.call(BY_NAME[operation], **values)


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    port = free_port()
    state = copy_lists(built, tmp_path / "state")
    clocks = Clocks(tmp_path / "clocks").set(is_set_by_server=True)
    with contextlib.ExitStack() as opened:
        upstream = opened.enter_context(FakeUpstream(respond=dns.message.make_response))
        config = write_site(tmp_path / "site", port=port, upstream=upstream.port, more=SITE)
        opened.enter_context(serving(config, state.folder, program=clocks.program("vouched")))
        index = Index.open(state.index)
        made = School(state.control_socket, port, clocks, index, random.Random(SEED))
        made.token = token_of(made.socket, Role.ADMIN)
        yield made
        index.close()


def test_every_word_of_now_is_what_a_device_gets(school: School) -> None:
    categories = _names_of_categories(school)
    services = asyncio.run(_names_of_services(school))
    for _ in range(MOMENTS):
        leap_s = school.draw.uniform(HOUR_S, 2 * YEAR_S / MOMENTS)
        school.clocks = school.clocks.passes(leap_s)
        asyncio.run(_settle(school))
        school.sign_in()
        asyncio.run(_live(school))
        asyncio.run(_read(school, categories, services))
    assert school.compared > MOMENTS * 50
    assert {"/policy", "services", "grades", "/rooms", "/exceptions", "/why"} <= school.pages
    assert not school.wrong, "\n".join(school.wrong)


@pytest.mark.control
def test_control_a_page_that_tells_what_the_files_say_is_noticed(school: School) -> None:
    categories = _names_of_categories(school)
    asyncio.run(school.change("block", targets=["category:dating"], reason="bài học", for_s=900))
    asyncio.run(school.change("pause", for_s=600, reason="bài học"))

    async def read() -> None:
        visitor = await visitor_of(school.socket, school.token)
        matrix = await visitor.call(BY_NAME["readPolicyMatrix"])
        for row in matrix["categories"]:
            for cell in row["cells"].values():
                cell["states"] = cell["files"]
        _matrix(school, matrix | {"services": []}, categories, {})

    asyncio.run(read())
    assert school.wrong != []


async def _settle(school: School) -> None:
    """Wait until the daemon goes by the new time."""
    wanted = SystemClock().wall() + school.clocks.wall_s
    for _ in range(300):
        if abs((school.ask("clock")["policy_time"] or 0.0) - wanted) < 60:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the time has not come")


def _names_of_categories(school: School) -> dict[str, str]:
    """Return a listed name of each category that no other one lists."""
    known = {one.category for one in school.index.lists}
    found = {one: listed(school.index, one) for one in sorted(known)}
    return {key: names.to_text(some[0]) for key, some in found.items() if some}


async def _names_of_services(school: School) -> dict[str, str]:
    """Return of each service a name that no list but those of its category has."""
    visitor, found = await visitor_of(school.socket, school.token), dict[str, str]()
    for row in await visitor.call(BY_NAME["readServices"]):
        if row["id"] not in _TARGETS["service"]:
            continue
        for name in row["names"]:
            entries = await visitor.call(BY_NAME["findEntries"], name=name)
            if {entry["category"] for entry in entries} <= {row["group"]}:
                found[row["id"]] = name
                break
    return found


async def _live(school: School) -> None:
    """Make up to three changes, as people do."""
    draw = school.draw
    whom = draw.choice(["everybody", "tier:lower-secondary", "grade:6", "grade:8", "class:6A"])
    term: dict[str, Any] = {"for_s": draw.choice([900, HOUR_S, 40 * 86_400])}
    for what in draw.sample(("name", "service", "category", "room", "exam", "pause"), 3):
        school.number += 1
        opens = draw.choice(("allow", "block"))
        if what == "name":
            target = f"trang{school.number}.example"
            await school.change(opens, targets=[target], for_whom=whom, reason="bài học", **term)
        elif what in ("service", "category"):
            target = draw.choice(_TARGETS[what])
            await school.change(
                opens, targets=[f"{what}:{target}"], for_whom=whom, reason="bài học", **term
            )
        elif what == "room":
            seat = draw.choice(("6A", "11", "staff"))
            await school.change("setRoom", room="lab", grade=seat, reason="bài học", for_s=HOUR_S)
        elif what == "exam":
            await school.change(
                "startExam", room="lab", names=["thi.example"], reason="bài học", for_s=HOUR_S
            )
        elif draw.random() < 0.3:
            await school.change("pause", for_whom=whom, for_s=600, reason="bài học")


_TARGETS = {
    "service": ("youtube", "tiktok", "roblox", "zalo", "facebook"),
    "category": ("games", "social-media", "streaming", "ads-trackers"),
}


async def _read(school: School, categories: dict[str, str], services: dict[str, str]) -> None:
    visitor = await visitor_of(school.socket, school.token)
    matrix = await visitor.call(BY_NAME["readPolicyMatrix"])
    states = _matrix(school, matrix, categories, services)
    await _grades(school, visitor, categories, services)
    await _rooms_and_exams(school, visitor, states, categories)
    await _exceptions(school, visitor)
    await _why(school, visitor, [*categories.values(), *services.values()])
    await _lesson(school, visitor, services)


def _matrix(
    school: School, matrix: dict[str, Any], categories: dict[str, str], services: dict[str, str]
) -> dict[tuple[str, str], bool]:
    """Compare the cells of some rows; return by seat and category whether it is open."""
    found = dict[tuple[str, str], bool]()
    for kind, known in (("categories", categories), ("services", services)):
        rows = [one for one in matrix[kind] if one["id"] in known]
        always = [one for one in rows if one["id"] in (*_TARGETS["service"], *_TARGETS["category"])]
        some = school.draw.sample(rows, min(6, len(rows)))
        for row in {one["id"]: one for one in [*always, *some]}.values():
            for seat, state in _by_seat(row["cells"]).items():
                is_open = state == OPEN
                if kind == "categories":
                    found[seat, row["id"]] = is_open
                source = HOME if seat == "6A" else SOURCES.get(seat, "")
                if seat in (*GRADES, "6A"):
                    word = f"{row['id']} is {state} to {seat}"
                    school.compare("/policy", word, known[row["id"]], source, is_open=is_open)
    return found


def _by_seat(cells: dict[str, Any]) -> dict[str, str]:
    states = {
        key: state
        for cell in cells.values()
        for state, keys in cell["states"].items()
        for key in keys
    }
    return {"6A": states.get("6", ""), **states}


async def _grades(
    school: School, visitor: Any, categories: dict[str, str], services: dict[str, str]
) -> None:
    """Compare what `policy show` and the API say of grades and services now."""
    for row in await visitor.call(BY_NAME["readServices"]):
        if row["id"] in services and row["id"] in _TARGETS["service"]:
            for seat in GRADES:
                is_open = row["grades"][seat] == OPEN
                name, word = services[row["id"]], f"{row['id']} {row['grades'][seat]} to {seat}"
                school.compare("services", word, name, SOURCES[seat], is_open=is_open)
    for row in await visitor.call(BY_NAME["readGrades"]):
        if row["grade"] in GRADES and "class" not in row:
            for one in _TARGETS["category"]:
                if one in categories:
                    word = f"{one} {row['now'][one]} to {row['grade']}"
                    is_open, source = row["now"][one] == OPEN, SOURCES[row["grade"]]
                    school.compare("grades", word, categories[one], source, is_open=is_open)


async def _rooms_and_exams(
    school: School, visitor: Any, states: dict[tuple[str, str], bool], categories: dict[str, str]
) -> None:
    row = next(one for one in await visitor.call(BY_NAME["readRooms"]) if one["room"] == "lab")
    exams = [one for one in await visitor.call(BY_NAME["readExams"]) if one.get("state") == "on"]
    assert bool(row["exam"]) is bool(exams), "two pages on one exam"
    school.compare("/rooms", "exam", "mot-trang-khac.example", LAB, is_open=not row["exam"])
    if row["exam"]:
        school.compare("/exams", "needed", "thi.example", LAB, is_open=True)
        return
    seat = row["class"] or row["grade"]
    for category, name in categories.items():
        if (seat, category) in states and row["why"] != "between":
            is_open = states[seat, category]
            word = f"{seat} sits in lab, {category} {'open' if is_open else 'closed'}"
            school.compare("/rooms", word, name, LAB, is_open=is_open)


async def _exceptions(school: School, visitor: Any) -> None:
    rows = await visitor.call(BY_NAME["readExceptions"])
    rows += [
        {**one, "id": "site.yaml"} for one in await visitor.call(BY_NAME["readFileExceptions"])
    ]
    on = [row for row in rows if row["state"] == "on"]
    if any(one["kind"] == "pause" for one in on):
        return  # it opens what another one blocks
    for one in on:
        source = _source_of(one)
        if one["kind"] == "name" and source:
            word = f"{one['target']} {'open' if one['allow'] else 'blocked'} by {one['id']}"
            school.compare("/exceptions", word, one["target"], source, is_open=one["allow"])


def _source_of(row: dict[str, Any]) -> str:
    if row["audience"] == "class":
        return HOME
    if row["audience"] == "grade":
        return SOURCES[row["whom"]]
    return SOURCES["6"]


async def _why(school: School, visitor: Any, some: list[str]) -> None:
    own = ["mo-trong-tep.example", "chan-trong-tep.example", "thi.example"]
    own += [f"trang{school.number}.example", "mot-trang-khac.example"]
    for name in (*own, *school.draw.sample(some, 6)):
        for source in (SOURCES["6"], SOURCES["11"], HOME, LAB):
            found = await visitor.call(BY_NAME["checkName"], name=name, client=source)
            word = f"{found['action']} because {found['reason']}"
            school.compare("/why", word, name, source, is_open=passes(found["action"]))


async def _lesson(school: School, visitor: Any, services: dict[str, str]) -> None:
    found = (await visitor.call(BY_NAME["readOwnLesson"], place="class:6A"))["chosen"]
    for one in (found or {}).get("services", ()):
        if one["open_by"] is not None and one["id"] in services:
            word = f"{one['id']} is open"
            school.compare("/lesson", word, services[one["id"]], HOME, is_open=True)
