# SPDX-License-Identifier: Apache-2.0
"""A school week whose log is read, and a naive count of what was asked and answered.

The daemon is a real one with two workers and a clock that the week sets. ``NaiveLog`` has
each question with its answer, and computes from these what each command must show. It shares
nothing with ``filterd.querylog`` or ``filterd.policy``.
"""

from __future__ import annotations

import functools
import random
import shutil
import socket
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import dns.message
import dns.rcode

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from filterd.overrides.history.store import Store
from tests.support.clock import FakeClock
from tests.support.daemon import free_port, serving, write_site
from tests.support.policies import an_index
from tests.support.set_clock import Clocks
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.support.daemon import Served
    from tests.support.policies import ListTexts
    from tests.support.upstream import FakeUpstream

WITHIN_S, K, WORKERS = 20.0, 5, 2
DAY_S, HOUR_S = 86_400, 3_600
MONDAY = 1_796_576_400
"""2026-12-07 00:00 in Vietnam; no holiday is near."""
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = 5
MOMENTS_S = [60 * (60 * hour + minute) for hour, minute in ((0, 10), (7, 20), (8, 20), (15, 30))]
NIGHT_S = 23 * HOUR_S + 50 * 60
LEVELS = ("off", "counts", "names", "blocked", "full")
TIERS = ("primary", "lower-secondary", "upper-secondary", "staff", "guest")

CONFIDENTIAL, BOTH = "harm.example", "both.example"
"""The second is also on a list of a category that is not confidential."""
LOCAL, SEARCH, BROKEN = "localhost", "www.google.com", "broken.example"
CATEGORY = {
    "clips.example": "social-media",
    "play.example": "games",
    "bets.example": "gambling",
    CONFIDENTIAL: "self-harm",
    BOTH: "self-harm",
}
OPEN = [f"open-{number}.example" for number in range(24)]
NAMES = [*OPEN, *OPEN[:6], *OPEN[:6], *CATEGORY, *CATEGORY, LOCAL, SEARCH, BROKEN]
LISTS: ListTexts = {
    category: (category, "domains", True, [one for one in CATEGORY if CATEGORY[one] == category])
    for category in dict.fromkeys(CATEGORY.values())
} | {"more-games": ("games", "domains", True, [BOTH])}
_SAFE, _PLAIN = "198.18.0.11", "198.18.0.10"

CLASSES = {"3A": "3", "3B": "3", "7A": "7", "11B": "11"}
TIMETABLE = {("tiet-1", day): who for day, who in enumerate(("7A", "11", "3B", "7A", ""))} | {
    ("tiet-2", day): who for day, who in enumerate(("11B", "7A", "7A", "", "3A"))
}
"""The class or grade in the room, by lesson and weekday."""
FALLBACK = "3"
SITE = """\
  home-3a: {{cidrs: [127.0.31.0/24], class: 3A}}
  home-3b: {{cidrs: [127.0.32.0/24], class: 3B}}
  home-7a: {{cidrs: [127.0.71.0/24], class: 7A}}
  home-11b: {{cidrs: [127.0.111.0/24], class: 11B}}
  lab: {{cidrs: [127.0.50.0/24], grade: {fallback}, timetable: {{{timetable}}}}}
classes: {{{classes}}}
lessons: {{tiet-1: 07:00-07:45, tiet-2: 08:00-08:45}}
unknown: 8
workers: {workers}
time_zone: Asia/Ho_Chi_Minh
log: {{level: counts, keep_days: 3, tiers: {{{tiers}}}}}
"""
GROUPS = {"31": 8, "32": 4, "71": 12, "111": 7, "50": 12, "3": 3, "100": 12, "102": 6, "200": 11}
"""The number of devices by the third octet of their address."""
Place: TypeAlias = tuple[str, str, str]
_PLACES: dict[str, Place] = {
    "31": ("3", "3A", "home-3a"),
    "32": ("3", "3B", "home-3b"),
    "71": ("7", "7A", "home-7a"),
    "111": ("11", "11B", "home-11b"),
    "3": ("3", "", "of-3"),
    "100": ("staff", "", "of-staff"),
    "102": ("guest", "", "of-guest"),
    "200": ("8", "", ""),
}
"""Grade, class and network; those of the room go by its timetable."""
_TIER = {"3": TIERS[0], "7": TIERS[1], "8": TIERS[1], "11": TIERS[2]}


def tier_of(grade: str) -> str:
    """Return the tier of a grade of this school."""
    return _TIER.get(grade, grade)


def address_of(group: str, device: int) -> str:
    """Return the address of a device."""
    return f"127.0.{group}.{130 + device}"


ADDRESSES = [address_of(group, one) for group, devices in GROUPS.items() for one in range(devices)]


@functools.cache
def _day_of(at: int) -> str:
    return datetime.fromtimestamp(at, ZONE).date().isoformat()


class Asked(NamedTuple):
    """A question of a device, and its answer."""

    at: int
    address: str
    grade: str
    class_id: str
    network: str
    name: str
    action: str

    @property
    def category(self) -> str:
        """The category as it is counted; what a confidential one passes has none."""
        found = CATEGORY.get(self.name, "")
        return "" if found == "self-harm" and self.action != "blocked" else found

    @property
    def day(self) -> str:
        """The day of the school."""
        return _day_of(self.at)

    @property
    def tier(self) -> str:
        """The tier of the grade."""
        return tier_of(self.grade)

    @property
    def kind(self) -> tuple[str, str]:
        """Category and action."""
        return self.category, self.action


class NaiveLog:
    """All that was asked; ``levels`` by tier."""

    def __init__(self, levels: Mapping[str, str]) -> None:
        self.levels, self.asked = levels, list[Asked]()

    def counted(self) -> list[Asked]:
        """Return what is counted: where rows are kept, no sum has what no row has."""
        counted = (one for one in self.asked if self.levels[one.tier] != "off")
        return [one for one in counted if not self._is_unlisted(one)]

    def _is_unlisted(self, asked: Asked) -> bool:
        """Return whether it would be a row, but for the name; a confidential block is none."""
        level = self.levels[asked.tier]
        is_row = level == "full" or (level in LEVELS[2:] and asked.action == "blocked")
        is_hidden = asked.name in (CONFIDENTIAL, BOTH) and asked.category != "self-harm"
        return is_row and is_hidden

    def totals(self, day: str = "") -> Counter[tuple[Any, ...]]:
        """Return the totals by day, hour, tier, grade, class, network, category and action."""
        found = Counter[tuple[Any, ...]]()
        for one in self.counted():
            if day in ("", one.day):
                where: tuple[Any, ...] = (one.at // HOUR_S * HOUR_S, one.tier, *one[2:5])
                if one.category == "self-harm":
                    midnight = datetime.fromtimestamp(one.at, ZONE).replace(hour=0, minute=0)
                    where = (int(midnight.timestamp()), "", "", "", "")
                found[one.day, *where, *one.kind] += 1
        return found

    def _is_named(self, asked: Asked) -> bool:
        return self.levels[asked.tier] in LEVELS[2:] and asked.name not in (CONFIDENTIAL, BOTH)

    def _named(self) -> list[Asked]:
        return list(filter(self._is_named, self.asked))

    def names(self, day: str) -> dict[tuple[str, ...], int]:
        """Return the devices (at most k) of the distinct names of a day.

        The keys are tier, name, category and action.
        """
        devices = self._devices(lambda one: one.day == day, lambda one: one.tier)
        return {key: min(n, K) for key, n in devices.items() if n >= K or key[3] == "blocked"}

    def of_class(self, day: str, class_id: str) -> set[tuple[str, ...]]:
        """Return name, category and action of names that k pupils' devices of a class have."""
        devices = self._devices(
            lambda one: one.day == day and one.class_id == class_id, lambda one: one.class_id
        )
        return {key[1:] for key, n in devices.items() if n >= 2 * K - 1}

    def _devices(
        self, has: Callable[[Asked], bool], group: Callable[[Asked], str]
    ) -> dict[tuple[str, ...], int]:
        found = defaultdict[tuple[str, ...], set[str]](set)
        for one in filter(has, self.asked):
            if self._is_named(one):
                found[group(one), one.name, *one.kind].add(one.address)
        return {key: len(devices) for key, devices in found.items()}

    def distinct(self) -> Counter[tuple[str, ...]]:
        """Return how many distinct names were blocked, as far as the levels know it.

        The keys are day, tier, grade, class and category; at ``names`` without grade and class.
        """
        found = defaultdict[tuple[str, ...], set[str]](set)
        for one in self._named():
            if one.action == "blocked":
                by_class = self.levels[one.tier] != "names"
                place = (one.grade, one.class_id) if by_class else ("", "")
                found[one.day, one.tier, *place, one.category].add(one.name)
        return Counter({key: len(names) for key, names in found.items()})

    def new(self, day: str, days: Collection[str]) -> dict[tuple[str, str], int]:
        """Return the allowed names that a tier did not have on these days before."""
        known = {(tier, name) for one in days for tier, name, *_ in self.names(one)}
        known |= {(row.tier, row.name) for row in self.rows() if row.day in days}
        return {
            (tier, name): n
            for (tier, name, _, action), n in self.names(day).items()
            if action in ("pass", "rewritten") and (tier, name) not in known
        }

    def rows(self) -> list[Asked]:
        """Return the lookups of which there are rows."""
        return [
            one
            for one in self._named()
            if self.levels[one.tier] == "full"
            or (self.levels[one.tier] == "blocked" and one.action == "blocked")
        ]

    def parts(self) -> dict[tuple[str, ...], tuple[int, int]]:
        """Return answers and devices of the smallest parts that a principal sees.

        The keys are day, tier, grade, category and action; both are empty for the whole school.
        """
        n, devices = Counter[tuple[str, ...]](), defaultdict[tuple[str, ...], set[str]](set)
        for one in self.counted():
            place = ("", "") if one.category == "self-harm" else (one.tier, one.grade)
            key = one.day, *place, *one.kind
            n[key] += 1
            devices[key].add(one.address)
        return {key: (n[key], len(devices[key])) for key in n}


class WeekSchool:
    """The school while its week passes.

    Args:
        folder: of the site and its state.
        upstream: it is asked for what is not blocked.
        levels: by tier; ``full`` is set by command for the week, and confirmed.
    """

    def __init__(self, folder: Path, upstream: FakeUpstream, levels: Mapping[str, str]) -> None:
        self.naive, self.port = NaiveLog(levels), free_port()
        self._chance = random.Random(",".join(levels.values()))
        for name in {*OPEN, *CATEGORY, "lost.example"}:
            upstream.add(f"{name}. 300 IN A 198.18.0.1")
        upstream.add(f"{SEARCH}. 300 IN A {_PLAIN}")
        upstream.add(f"forcesafesearch.google.com. 300 IN A {_SAFE}")
        upstream.respond = lambda query: _answered(upstream, query)
        more = SITE.format(
            fallback=FALLBACK,
            workers=WORKERS,
            timetable=", ".join(
                f"t{day + 2}: {{{', '.join(_lessons(day))}}}" for day in range(DAYS)
            ),
            classes=", ".join(f"{one}: {{grade: {grade}}}" for one, grade in CLASSES.items()),
            tiers=", ".join(f"{tier}: {of}" for tier, of in levels.items() if of != "full"),
        )
        self.config = write_site(folder / "site", port=self.port, upstream=upstream.port, more=more)
        self.state, lists = StateFolder(folder / "state"), folder / "lists"
        for one in (self.state.folder, lists):
            one.mkdir()
        an_index(lists, LISTS)
        shutil.copyfile(lists / "index", self.state.index)
        now = SystemClock().wall()
        self._clocks = Clocks(folder / "clocks").set(wall_s=MONDAY - now)  # monotonic time goes on
        self.wait_until(MONDAY + 60)
        store = Store(self.state, FakeClock(MONDAY))
        store.start()
        (tier,) = (one for one, level in levels.items() if level == "full")
        full = {"level": "full", "tier": tier, "ends_at": MONDAY + 7.0 * DAY_S}
        store.change("log-level", full, author="lan", reason="điều tra")
        store.change("log-confirm", {"id": 1}, author="minh", reason="đồng ý")

    def serve(self) -> contextlib.AbstractContextManager[Served]:
        """Serve by the clock of the week."""
        return serving(self.config, self.state.folder, program=self._clocks.program("vouched"))

    def ask_daemon(self, command: str, **arguments: Any) -> Any:
        """Ask the daemon, as a command does."""
        return control.ask(self.state.control_socket, command, **arguments)

    def wait_until(self, moment: float) -> None:
        """Let time pass until then."""
        self._clocks = self._clocks.passes(moment - SystemClock().wall() - self._clocks.wall_s)

    def step(self, seconds: float) -> None:
        """Set the wall clock alone."""
        self._clocks = self._clocks.set(wall_s=self._clocks.wall_s + seconds)

    def pass_moment(self, day: int, of_day_s: int) -> None:
        """Ask as all of the school's devices at a time of a day."""
        at = MONDAY + day * DAY_S + of_day_s
        self.wait_until(at)
        self.ask_as(GROUPS, at, "", _in_room(day, of_day_s))

    def ask_as(
        self, groups: Iterable[str], at: int, name: str = "", in_room: Place = ("", "", "")
    ) -> None:
        """Ask as some of the devices of groups.

        Args:
            groups: see ``GROUPS``.
            at: what the clock shows.
            name: what to ask for; empty for some of all names.
            in_room: grade, class and network in the room.
        """
        for group in groups:
            devices, place = GROUPS[group], _PLACES.get(group, in_room)
            for one in [name] if name else self._chance.sample(NAMES, 9):
                for device in self._chance.sample(range(devices), self._chance.randint(1, devices)):
                    for _ in range(self._chance.choice((1, 1, 2))):
                        address = address_of(group, device)
                        action = self.ask(address, one)
                        self.naive.asked.append(Asked(at, address, *place, one, action))
        # Answers of the fast path are added in the last second of an hour, which is left out here.
        until(lambda: self.ask_daemon("status")["workers"] == WORKERS, "all workers")

    def settle(self) -> None:
        """Wait until all answers are on the disk; commands show what is there in time."""

        def are_written() -> bool:
            self.ask_daemon("log search")
            status = self.ask_daemon("status")
            waiting = status["log"]["waiting"] + status["log"]["rows_waiting"]
            return status["workers"] == WORKERS and not waiting

        until(are_written, "all answers on the disk")

    def ask(self, address: str, name: str) -> str:
        """Ask from an address; return what its answer is."""
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.settimeout(WITHIN_S)
            stub.bind((address, 0))
            stub.sendto(a_query(name), ("127.0.0.1", self.port))
            action = _action_of(stub.recv(4096)[2:])
        return "local" if action == "pass" and name == LOCAL else action

    def kept_days(self) -> list[str]:
        """Return the days that have a file."""
        return sorted(one.stem for one in self.state.log_days.glob("*.sqlite3"))

    def shown_rows(self) -> Iterator[dict[str, Any]]:
        """Yield all rows that ``log search`` has, page by page."""
        page = self.ask_daemon("log search", limit=500)
        yield from page["rows"]
        while page["cursor"]:
            page = self.ask_daemon("log search", limit=500, after=page["cursor"])
            yield from page["rows"]


@functools.lru_cache(4096)
def _action_of(answer_but_id: bytes) -> str:
    """Return what an answer is: one that passes has texts, as a local one has."""
    answer = dns.message.from_wire(bytes(2) + answer_but_id)
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return "blocked"
    if answer.rcode() == dns.rcode.SERVFAIL:
        return "failed"
    texts = {str(record) for rrset in answer.answer for record in rrset}
    assert texts, answer
    return "rewritten" if _SAFE in texts else "pass"


def _lessons(day: int) -> Iterator[str]:
    for (lesson, of_day), who in TIMETABLE.items():
        if of_day == day and who:
            yield f"{lesson}: {who}"


def _in_room(day: int, of_day_s: int) -> Place:
    """Return grade, class and network of the devices in the room at a time of a day."""
    lesson = {MOMENTS_S[1]: "tiet-1", MOMENTS_S[2]: "tiet-2"}.get(of_day_s, "")
    who = TIMETABLE.get((lesson, day), "") or FALLBACK
    return (CLASSES[who], who, "lab") if who in CLASSES else (who, "", "lab")


def _answered(upstream: FakeUpstream, query: dns.message.Message) -> dns.message.Message:
    name = query.question[0].name.to_text(omit_final_dot=True).lower()
    if name != BROKEN:
        return upstream._from_records(query, name)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response
