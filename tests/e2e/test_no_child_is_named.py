# SPDX-License-Identifier: Apache-2.0
"""Whoever polls a school for a day, in each role, learns of no child that asks for help.

One device of a class asks for a name of self-harm at a quiet moment. Before and after it each role
reads all that it may. What differs could only be that lookup.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.monitor.metrics import exposition
from filterd.overrides.history.store import Store
from filterd.overrides.rights.roles import Role
from tests.support.clock import FakeClock
from tests.support.daemon import asked, copy_lists, free_port, serving, write_site
from tests.support.set_clock import Clocks
from tests.support.signed_in import BOX, NAMES
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")
SECRET, CLOSED, OPEN = "self-harm.blocked.filterd.example", "www.tiktok.com", "good.example"
HELP, ALONE = "www.tongdai111.vn", "www.tinder.com"
CHILD, OTHERS = "127.0.200.9", [f"127.0.200.{n}" for n in range(1, 4)]
MORE = """\
  home-6a: {class: 6A, cidrs: [127.0.200.0/24]}
classes:
  6A: {grade: 6, teachers: [lan]}
lessons:
  t1: '07:00-07:45'
  t2: '08:00-08:45'
time_zone: UTC
"""
HOUR_S, QUIET_POLLS = 3_600, 6
MORNING = datetime(2037, 11, 26, 7, 10, tzinfo=UTC).timestamp()
"""After any day on which the lists may be compiled, else no clock would be believed at once."""
OF_6A: dict[str, Any] = {"class": "6A"}
TERM: dict[str, Any] = {"tier": "lower-secondary", "ends_at": MORNING + 6 * 86_400}
WHOLE_SCHOOL = {"answers", "log", "traffic"}
"""Parts of a status that an ordinary lookup moves at once; none has a category, grade or class."""
NOISE = {"up_s", "clock", "signals", "pid", "rtt_ms", "upstreams", "latency_ms", "sum_us", "pace"}
BEFORE = {"first": "2037-11-25", "last": "2037-11-26"}
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("log totals", {"days": 1}),
    ("log totals", {"days": 3}),
    ("log totals", {"days": 1, "by_hour": True}),
    ("log totals", {"days": 1, "by_class": True, "by_network": True, "by_hour": True}),
    ("log totals", {"days": 1, "class": "6A"}),
    ("log class", {"class": "6A"}),
    ("log top", {}),
    ("log export", {"days": 3}),
    ("log export", {"month": "2037-10"}),
    ("log help", {"month": "2037-10"}),
    ("history", {"limit": 50}),
    ("report-facts", {"audience": "inside", "kind": "span", "id": "", **BEFORE}),
    ("report-facts", {"audience": "inside", "kind": "span", "id": "", "grade": "6", **BEFORE}),
)


class School:
    """A school whose clock a test sets, and people of each role."""

    def __init__(self, served: Served, clocks: Clocks, port: int) -> None:
        self.socket, self._clocks, self._port = served.state.control_socket, clocks, port
        self._accounts = set[Role]()
        # The clock has jumped by years: it is believed at the next look.
        until(lambda: control.ask(self.socket, "status")["time_is_known"], "the time")
        until(self._is_history_verified, "the verification of the history")

    def _is_history_verified(self) -> bool:
        return control.ask(self.socket, "status")["signals"]["history"]["ok"] is not None

    def asks(self, source: str, name: str) -> None:
        """Have a device ask for a name."""
        asked(self._port, a_query(name), source)

    def sleeps(self, seconds: float) -> None:
        """Let time pass, and wait until the daemon goes by it: else it would move in a poll."""
        then = control.ask(self.socket, "clock")["policy_time"] + seconds
        self._clocks = self._clocks.passes(seconds)
        until(lambda: control.ask(self.socket, "clock")["policy_time"] >= then, "the hour")

    def tokens(self) -> dict[Role, str]:
        """Sign the people of all roles in; a session ends with the hour."""
        found = {}
        for role in Role:
            if role not in self._accounts:
                roles = sorted({Role.READER, role})
                control.ask(self.socket, "account add", account=NAMES[role], roles=roles)
                self._accounts.add(role)
            code = control.ask(self.socket, "account code", account=NAMES[role])["code"]
            found[role] = control.ask(self.socket, "login-code", address=BOX, code=code)["token"]
        return found

    def read(self, role: Role, token: str) -> dict[str, Any]:
        """Return all that a person of a role sees now, by what was asked."""
        found = dict[str, Any]()
        for command, arguments in (("status", {}), *ASKED):
            try:
                answer = control.ask(self.socket, command, act_for=token, address=BOX, **arguments)
            except FilterdError as error:
                answer = str(error)
            found[f"{role} {command} {arguments}"] = _steady(answer)
            if command == "status":
                found[f"{role} metrics"] = _samples(answer)
        return found

    def poll(self, tokens: dict[Role, str]) -> dict[str, Any]:
        """Return all that anybody sees now."""
        found = dict[str, Any]()
        for role, token in tokens.items():
            found |= self.read(role, token)
        return found

    def quiet(self, tokens: dict[Role, str]) -> dict[str, Any]:
        """Poll until nothing moves any more: what was counted before has to be written."""
        before = self.poll(tokens)
        for _ in range(QUIET_POLLS):
            now = self.poll(tokens)
            if now == before:
                return now
            before = now
        now = self.poll(tokens)
        moved = {key: _moved(before[key], one) for key, one in _differ(before, now)}
        raise AssertionError(moved)


def _steady(answer: Any) -> Any:
    """Return an answer without what moves by itself; of times only how many they are."""
    if isinstance(answer, dict):
        if "buckets" in answer:
            return sum(answer["buckets"].values())
        if answer.get("subject") == "disk":  # it says how much is free, and others write, too
            return answer["state"]
        return {key: _steady(one) for key, one in answer.items() if key not in NOISE}
    if isinstance(answer, list | tuple):
        return [_steady(one) for one in answer]
    return answer


def _samples(status: Any) -> list[str]:
    """Return the lines of a scrape, without those that move by themselves."""
    lines = exposition(status).decode().splitlines()
    moving = ("uptime", "duration_seconds_sum", "duration_seconds_bucket", "disk_free", "rtt")
    return [line for line in lines if not any(part in line for part in moving)]


def _differ(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key, after[key]) for key in before if before[key] != after.get(key)]


def _moved(before: Any, now: Any) -> Any:
    """Return what an answer has now and had not before."""
    if isinstance(now, dict) and isinstance(before, dict):
        return {
            key: _moved(before.get(key), one) for key, one in now.items() if one != before.get(key)
        }
    if isinstance(now, list) and isinstance(before, list):
        return [one for one in now if one not in before]
    return now


def _serve(
    built: StateFolder, folder: Path, *how: str, upstream: int, level: str = ""
) -> tuple[Any, Clocks, int]:
    port, clocks = free_port(), Clocks(folder / "clocks")
    config = write_site(folder / "site", port=port, upstream=upstream, more=MORE)
    clocks = clocks.set(wall_s=MORNING - SystemClock().wall(), is_set_by_server=True)
    state = copy_lists(built, folder / "state")
    if level:
        store = Store(state, FakeClock(wall=MORNING - HOUR_S))
        store.change("log-level", {"level": level, **TERM}, author="lan", reason="điều tra")
        store.change("log-confirm", {"id": 1}, author="minh", reason="đồng ý")
    return serving(config, state.folder, program=clocks.program("vouched", *how)), clocks, port


@pytest.fixture
def upstream() -> Iterator[int]:
    with FakeUpstream() as running:
        for name in (OPEN, HELP):
            running.add(f"{name}. 60 IN A 198.18.0.1")
        yield running.port


def _attack(school: School, hours: int) -> tuple[list[str], list[str]]:
    """Poll for some hours; return what told of the child, and of an ordinary block's category."""
    found, singled_out = list[str](), list[str]()
    for hour in range(hours):
        tokens = school.tokens()
        for source in OTHERS[: 1 + hour % len(OTHERS)]:
            school.asks(source, OPEN)
            school.asks(source, CLOSED)
        before = school.quiet(tokens)
        school.asks(CHILD, SECRET)
        for _ in range(3):
            found += [
                f"{key}: {_moved(before[key], now)}"
                for key, now in _differ(before, school.poll(tokens))
            ]
        school.asks(CHILD, CLOSED)
        for key, now in _differ(before, school.quiet(tokens)):
            is_sum = "status" in key and _grew_by_sums_only(before[key], now)
            if "metrics" in key:
                is_sum = not any("tier=" in one for one in set(now) - set(before[key]))
            if not is_sum:
                singled_out.append(key)
        school.sleeps(HOUR_S)
    return found, singled_out


def _grew_by_sums_only(before: Any, now: Any) -> bool:
    """Return whether nothing of a category, grade or class has moved in a status."""
    return all(now[part] == before[part] for part in now if part not in WHOLE_SCHOOL) and all(
        now["traffic"][part] == before["traffic"][part] for part in ("responses", "blocked")
    )


@pytest.mark.parametrize("hours", [2, pytest.param(10, marks=pytest.mark.long)])
def test_who_polls_for_a_day_in_any_role_names_no_child(
    built: StateFolder, tmp_path: Path, upstream: int, hours: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, upstream=upstream)
    with daemon as served:
        school = School(served, clocks, port)
        assert _attack(school, hours) == ([], [])
        tokens = school.tokens()
        shown = school.poll(tokens)
        assert any("social-media" in str(one) for one in shown.values())  # its hour is over
        assert not any("self-harm" in str(figure) for figure in _figures(shown))
        school.sleeps(24 * HOUR_S)  # one device is fewer than k: no closed day has it either
        assert not any(
            "self-harm" in str(figure) for figure in _figures(school.poll(school.tokens()))
        )


def _figures(shown: dict[str, Any]) -> list[Any]:
    return [one for key, one in shown.items() if "log totals" in key or "export" in key]


@pytest.mark.control
def test_control_without_the_definition_the_same_polls_find_the_child(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, "telling", upstream=upstream)
    with daemon as served:
        found, singled_out = _attack(School(served, clocks, port), 1)
    readers = {key.partition(" ")[0] for key in found}
    assert readers == set(Role)
    assert any("metrics" in key for key in found)
    assert singled_out


def test_a_teachers_stream_has_blocks_of_the_class_and_no_other(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, upstream=upstream)
    with daemon as served:
        school = School(served, clocks, port)
        tokens, events = school.tokens(), list[dict[str, Any]]()
        for role in set(Role) - {Role.TEACHER, Role.ADMIN}:
            with pytest.raises(FilterdError, match="may not look at what happens now"):
                next(_followed(school, tokens[role]))
        begun = threading.Event()

        def follow() -> None:
            for some in _followed(school, tokens[Role.TEACHER]):
                begun.set()
                events.extend(one for one in some if "levels" not in one)
                if sum(event["n"] for event in events) >= 2:
                    return

        teacher = threading.Thread(target=follow, daemon=True)
        teacher.start()
        until(begun.is_set, "the stream")
        for source, name in (
            (CHILD, SECRET),
            (CHILD, CLOSED),
            ("127.0.7.1", CLOSED),
            (CHILD, SECRET),
            (OTHERS[0], CLOSED),
        ):
            school.asks(source, name)
        teacher.join(60)
    assert sum(event["n"] for event in events) == 2
    assert all(event.keys() == {"id", "at", "class", "action", "n"} for event in events)
    assert {event["class"] for event in events} == {"6A"}


def _of_class(school: School, token: str) -> set[str]:
    """Return the categories of blocks of 6A that its teacher sees."""
    rows = control.ask(
        school.socket, "log totals", act_for=token, address=BOX, days=1, by_class=True
    )
    return {row["category"] for row in rows if row["action"] == "blocked"}


def _seen_with_the_fifth_device(school: School) -> list[set[str]]:
    """Return what the teacher sees after four devices of an hour ago, and with a fifth one now."""
    for source in (*OTHERS, "127.0.200.4"):
        school.asks(source, CLOSED)
    school.sleeps(HOUR_S)
    token = school.tokens()[Role.TEACHER]
    before = _of_class(school, token)
    school.asks(CHILD, CLOSED)
    return [before, *(_of_class(school, token) for _ in range(3))]


def test_no_category_of_a_class_appears_with_the_lookup_that_makes_its_devices_enough(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, upstream=upstream)
    with daemon as served:
        school = School(served, clocks, port)
        assert _seen_with_the_fifth_device(school) == [{""}] * 4
        school.sleeps(HOUR_S)
        assert _of_class(school, school.tokens()[Role.TEACHER]) == {"social-media"}


@pytest.mark.control
def test_control_by_the_devices_of_the_moment_the_category_appears_with_the_lookup(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, "moving", upstream=upstream)
    with daemon as served:
        before, *after = _seen_with_the_fifth_device(School(served, clocks, port))
    assert before == {""}
    assert after[-1] == {"social-media"}


def _followed(school: School, token: str) -> Any:
    return control.stream(school.socket, "log-follow", act_for=token, address=BOX)


def _rows_and_sums(school: School) -> tuple[list[Counter[str]], list[int]]:
    """Return what rows and totals of 6A have, and by how much each sum of the present grew.

    A child asks for help, and for what is closed to it as self-harm and, in an exam, with all else.
    """
    exam: dict[str, Any] = {
        "kind": "exam",
        "names": [OPEN],
        "room": "home-6a",
        "ends_at": MORNING + HOUR_S / 2,
    }
    before = _sums(school)
    for source in OTHERS:
        for name in (OPEN, CLOSED):
            school.asks(source, name)
    for name in (HELP, HELP, SECRET):
        school.asks(CHILD, name)
    control.ask(school.socket, "change", **exam, reason="thi")
    for name in (SECRET, HELP, CLOSED):
        school.asks(CHILD, name)
    until(lambda: _sums(school)["rows"] - before["rows"] >= 7, "the rows")
    grown = [now - before[key] for key, now in _sums(school).items()]
    school.sleeps(HOUR_S)
    rows = control.ask(school.socket, "log totals", days=1, **OF_6A)
    return [_by_action(_found(school)), _by_action(rows)], grown


def _found(school: School) -> list[dict[str, Any]]:
    found = control.ask(school.socket, "log search", days=1, limit=500, **OF_6A)
    return list(found["rows"])


def _by_action(rows: list[dict[str, Any]]) -> Counter[str]:
    found = Counter[str]()
    for row in rows:
        found[row["action"]] += row.get("n", 1)
    return found


def _sums(school: School) -> dict[str, int]:
    status = control.ask(school.socket, "status")
    return {
        "rows": _by_action(_found(school)).total(),
        "answers": sum(status["answers"].values()),
        "log": sum(status["log"]["today"].values()),
    }


def test_while_all_is_recorded_no_sum_has_more_than_the_rows(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, upstream=upstream, level="full")
    with daemon as served:
        found, grown = _rows_and_sums(School(served, clocks, port))
    assert found == [{"pass": 3, "blocked": 4}] * 2
    assert grown == [7, 7, 7]


@pytest.mark.control
def test_control_sums_of_all_answers_show_that_a_child_sought_help(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, "summing", upstream=upstream, level="full")
    with daemon as served:
        (rows, totals), grown = _rows_and_sums(School(served, clocks, port))
    assert (rows["pass"], totals["pass"]) == (3, 6)
    assert grown[1:] == [10, 10]


def _categories(shown: dict[str, Any], role: Role) -> set[str]:
    """Return the categories that any figure of a role has."""
    found = set[str]()
    for key, answer in shown.items():
        if key.startswith(f"{role} log totals") and isinstance(answer, list):
            found |= {one["category"] for one in answer}
        elif key.startswith(f"{role} log export") and isinstance(answer, dict):
            found |= {one["category"] for one in answer["rows"]}
        elif key.startswith(f"{role} report-facts") and isinstance(answer, dict):
            found |= {one["category"] for one in answer["cells"]}
        elif key.startswith(f"{role} status"):
            found |= set(answer["day"]["blocked_categories"])
            found |= {one for of in answer["traffic"]["blocked"].values() for one in of}
        elif key.startswith(f"{role} metrics"):
            found |= set(re.findall(r'filterd_blocked_total{category="([^"]*)"', "\n".join(answer)))
    return found


def _seen_of_one_and_of_five(school: School) -> dict[Role, set[str]]:
    """Return the categories that each role has seen, by the hours of a day and the day after.

    Five devices ask for what is closed; one asks for another category, as often.
    """
    found = {role: set[str]() for role in Role}
    school.poll(school.tokens())
    for passes in (HOUR_S, HOUR_S, 24 * HOUR_S):
        if passes == HOUR_S:
            for source in (*OTHERS, CHILD, "127.0.200.4"):
                school.asks(source, CLOSED)
                school.asks(CHILD, ALONE)
        school.sleeps(passes)
        shown = school.poll(school.tokens())
        for role in Role:
            found[role] |= _categories(shown, role)
    reports = [one for key, one in shown.items() if "report-facts" in key]
    assert all(isinstance(report, dict) and report["cells"] for report in reports)
    return found


def test_a_category_of_one_device_is_in_no_figure_but_for_administrators(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, upstream=upstream)
    with daemon as served:
        found = _seen_of_one_and_of_five(School(served, clocks, port))
    assert all("social-media" in one for one in found.values()), "of five devices"
    assert {role for role, one in found.items() if "dating" in one} == {Role.ADMIN}


@pytest.mark.control
def test_control_without_a_threshold_every_role_sees_the_category_of_one_device(
    built: StateFolder, tmp_path: Path, upstream: int
) -> None:
    daemon, clocks, port = _serve(built, tmp_path, "counting", upstream=upstream)
    with daemon as served:
        found = _seen_of_one_and_of_five(School(served, clocks, port))
    assert all("dating" in one for one in found.values())
