# SPDX-License-Identifier: Apache-2.0
"""Commands that show names and rows: what is shown, to which roles, and what never is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError, ConfigError, ControlError, FilterdError, StoreError
from filterd.daemon.handlers import log_commands
from filterd.overrides.rights import read_access
from filterd.policy.log_levels import LogLevel
from filterd.texts.i18n import UNSAID, say
from tests.support.looked_log import (
    BEFORE,
    CALLERS,
    CLASS_6A,
    CLASS_9B,
    DAY,
    MAC,
    PASSED_6A,
    PASSED_9B,
    TODAY,
    LookedLog,
    lookups,
    run,
)
from tests.support.policies import NOW, wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> LookedLog:
    made = LookedLog(tmp_path)
    rows = [
        *lookups("www.games.example"),
        *lookups("wiki.example", PASSED_6A, range(1, 10)),
        *lookups("rare.example", PASSED_6A, range(1, 4)),
        *lookups("chat.harm.example", PASSED_6A, range(1, 10)),
        *lookups("nine.example", PASSED_9B, range(1, 9)),
        *lookups("wiki.example", PASSED_6A, at=NOW - DAY),
    ]
    run(made, lambda: made.add(*rows))
    return made


def ask(log: LookedLog, command: str, **request: Any) -> Any:
    (row,) = run(log, lambda: log.ask(command, **request))
    return row


def names_of(answer: dict[str, Any]) -> set[str]:
    return {row["name"] for row in answer["rows"]}


def test_a_search_returns_rows_days_and_levels_after_a_fresh_collection(log: LookedLog) -> None:
    answer = ask(log, "log search", name=wire("games.example").hex(), match="subtree")
    (row,) = answer["rows"]
    assert (row["name"], row["class"], row["blocker"]) == ("www.games.example", "6A", "of-games")
    assert answer["days"] == [TODAY, BEFORE]
    assert answer["levels"]["primary"] == "full"
    assert (answer["cursor"], answer["late"], answer["skipped"]) == ("", False, [])
    assert log.collected == 1


def test_a_search_of_another_day_has_nothing_to_collect(log: LookedLog) -> None:
    answer = ask(log, "log search", part="WIKI", day=BEFORE)
    assert [row["name"] for row in answer["rows"]] == ["wiki.example"]
    assert log.collected == 0


def test_a_class_or_grade_has_the_level_of_its_tier_only(log: LookedLog) -> None:
    for about in ({"class": "6A"}, {"grade": "7"}, {"tier": "lower-secondary"}):
        assert ask(log, "log search", **about)["levels"] == {"lower-secondary": "full"}


def test_pages_follow_each_other_by_the_cursor(log: LookedLog) -> None:
    first = ask(log, "log search", part="wiki", limit=4)
    second = ask(log, "log search", part="wiki", limit=4, after=first["cursor"])
    ids = [row["id"] for row in (*first["rows"], *second["rows"])]
    assert len(set(ids)) == len(ids) == 8


def test_the_history_has_the_reader_and_the_days_and_no_name(log: LookedLog) -> None:
    ask(log, "log search", part="wiki", **CLASS_6A)
    ask(log, "log new")
    assert log.noted == [
        ("rows", "root", {"days": [TODAY, BEFORE], "class": "6A"}),
        ("names", "root", {"days": [TODAY], "class": ""}),
    ]


def test_what_cannot_be_recorded_is_not_shown(
    log: LookedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise ControlError(say("the disk is full"))

    monkeypatch.setattr(log, "note_view", full)
    for command, request in READS.items():
        with pytest.raises(ControlError, match="the disk is full"):
            ask(log, command, **request)


def test_confidential_names_are_in_no_view(log: LookedLog) -> None:
    assert "chat.harm.example" not in names_of(ask(log, "log search"))
    assert "chat.harm.example" not in names_of(ask(log, "log search", part="harm"))
    assert "chat.harm.example" not in names_of(ask(log, "log top"))
    assert "chat.harm.example" not in names_of(ask(log, "log class", **CLASS_6A))


def test_control_without_the_present_lists_they_would_be_shown(
    log: LookedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(log.site.confidential), "__contains__", lambda *_: False)
    assert "chat.harm.example" in names_of(ask(log, "log search"))
    assert "chat.harm.example" in names_of(ask(log, "log top"))
    assert "chat.harm.example" in names_of(ask(log, "log class", **CLASS_6A))


def test_the_names_with_the_most_lookups_are_reported(log: LookedLog) -> None:
    rows = ask(log, "log top", action="pass")["rows"]
    assert [(row["name"], row["n"]) for row in rows] == [
        ("wiki.example", 10),
        ("nine.example", 8),
        ("rare.example", 3),
    ]


def test_all_names_of_a_day_come_in_pages(log: LookedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    async def three_names() -> None:
        for name in ("a.example", "b.example", "chat.harm.example", "c.example"):
            seen = [log.seen.add(TODAY, lookup) for lookup in lookups(name, PASSED_6A, range(5))]
            await log.files.add_seen(TODAY, [one for one in seen if one])

    monkeypatch.setattr(log_commands, "NAMES_A_PAGE", 2)
    pages = (
        lambda number=number: log.ask("log names", day=TODAY, page=number) for number in (1, 2)
    )
    _, first, second = run(log, three_names, *pages)
    found = [row["name"] for page in (first, second) for row in page["rows"]]
    assert sorted(found) == ["a.example", "b.example", "c.example"]
    assert (first["more"], second["more"]) == (True, False)


def test_new_names_are_compared_with_the_days_that_there_are(tmp_path: Path) -> None:
    log = LookedLog(tmp_path, LogLevel.NAMES)

    async def two_days() -> None:
        seen = [
            log.seen.add(TODAY, lookup) for lookup in lookups("new.example", PASSED_6A, range(5))
        ]
        await log.files.add_seen(TODAY, [one for one in seen if one])
        await log.add(*lookups("old.example", PASSED_6A, at=NOW - DAY))

    _, answer = run(log, two_days, lambda: log.ask("log new"))
    (row,) = answer["rows"]
    assert (row["name"], row["tier"], row["devices"]) == ("new.example", "lower-secondary", 5)
    assert (answer["n"], answer["day"], answer["compared"]) == (1, TODAY, 1)


def test_a_row_is_judged_by_what_was_in_force_then(log: LookedLog) -> None:
    (row,) = ask(log, "log search", part="games")["rows"]
    answer = ask(log, "log why", id=row["id"])
    then = answer["then"]
    assert answer["row"] == row
    assert (then["qname"], then["class"], then["client"]) == ("www.games.example", "6A", None)
    assert (then["action"], then["list"]) == ("nxdomain", "of-games")


def test_a_policy_of_then_that_is_not_known_is_reported_beside_the_row(log: LookedLog) -> None:
    (row,) = ask(log, "log search", part="wiki", day=BEFORE)["rows"]
    answer = ask(log, "log why", id=row["id"])
    assert (answer["row"], answer["then"]) == (row, None)
    assert answer["problem"] == f"the policy of {row['id']} is not known"


@pytest.mark.parametrize("row", ["2025-12-01T00:00:00.0", "2024-01-01T00:00:00.0"])
def test_a_row_that_is_not_there_is_reported(log: LookedLog, row: str) -> None:
    with pytest.raises(ControlError, match=f"the log has no row {row} to show: there is none"):
        ask(log, "log why", id=row)


def test_a_teacher_sees_names_of_several_devices_of_an_own_class(log: LookedLog) -> None:
    answer = ask(log, "log class", caller=CALLERS["teacher"], **CLASS_6A)
    assert names_of(answer) == {"wiki.example"}
    assert (answer["level"], answer["least_devices"], answer["day"]) == ("full", 5, TODAY)


def test_a_teacher_sees_no_other_class_nor_another_day(log: LookedLog) -> None:
    with pytest.raises(ControlError, match="teacher may not look at class 9B; administrators may"):
        ask(log, "log class", caller=CALLERS["teacher"], **CLASS_9B)
    answer = ask(log, "log class", caller=CALLERS["teacher"], **CLASS_6A)
    assert answer["day"] == TODAY


def test_a_tier_without_names_has_none_for_its_classes(tmp_path: Path) -> None:
    log = LookedLog(tmp_path, LogLevel.COUNTS)
    _, answer = run(
        log,
        lambda: log.add(*lookups("wiki.example", PASSED_6A, range(9))),
        lambda: log.ask("log class", **CLASS_6A),
    )
    assert (answer["rows"], answer["level"]) == ([], "counts")


@pytest.mark.parametrize("command", ["log search", "log top"])
@pytest.mark.parametrize("asked", [{"class": "6Z"}, {"category": "gmes"}])
def test_a_misspelt_class_or_category_is_no_empty_answer(
    log: LookedLog, command: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="is not known here"):
        ask(log, command, **asked)


def test_a_class_that_is_not_there_is_reported(log: LookedLog) -> None:
    with pytest.raises(ConfigError, match="'6B' is not a class of this site"):
        ask(log, "log class", **{**CLASS_6A, "class": "6B"})


READS: dict[str, dict[str, Any]] = {
    "log search": {},
    "log top": {},
    "log new": {},
    "log why": {"id": "2025-12-01T00:00:00.0"},
    "log names": {"day": TODAY},
    "log class": {"class": "6A"},
}
REMOVALS: dict[str, dict[str, Any]] = {
    "log forget": {"day": BEFORE, "reason": "asked"},
    "log purge": {"reason": "asked"},
}
ALLOWED = {
    "log search": {"admin"},
    "log top": {"admin"},
    "log new": {"admin"},
    "log why": {"admin"},
    "log names": {"admin"},
    "log class": {"admin", "teacher"},
    "log forget": {"admin"},
    "log purge": {"admin"},
}
ALL = READS | REMOVALS


def _is_refused(log: LookedLog, command: str, role: str) -> bool:
    try:
        ask(log, command, caller=CALLERS[role], **ALL[command])
    except FilterdError as error:
        return "may not" in str(error)
    return False


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize("command", ALL)
def test_each_role_is_refused_what_it_may_not(log: LookedLog, command: str, role: str) -> None:
    assert _is_refused(log, command, role) is (role not in ALLOWED[command])
    if role not in ALLOWED[command]:
        assert log.noted == []
        assert len(ask(log, "log search")["rows"]) == 22


def test_every_command_is_in_the_table_of_roles(log: LookedLog) -> None:
    for_all = {"log levels", "log-follow"}
    """The other one is for whom ``live_lookups`` lets follow."""
    assert set(ALL) == set(ALLOWED) == set(log.commands()) - for_all


def test_everyone_sees_the_levels(log: LookedLog) -> None:
    answer = ask(log, "log levels", caller=CALLERS["reader"])
    assert {one["level"] for one in answer["tiers"]} == {"full"}
    assert answer["waiting"] == []


@pytest.mark.parametrize("command", READS)
def test_control_without_the_check_of_views_every_role_would_see(
    log: LookedLog, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_commands, "check_view", lambda *_: None)
    monkeypatch.setattr(log_commands, "check_class", lambda *_: None)
    assert not any(_is_refused(log, command, role) for role in CALLERS)


def test_the_table_of_views_has_each_role_of_these_commands() -> None:
    assert {role.value for role in read_access.READERS[read_access.View.ROWS]} == {"admin"}
    assert {role.value for role in read_access.READERS[read_access.View.NAMES]} == {"admin"}


@pytest.mark.parametrize(
    "request_",
    [
        {"name": "zz"},
        {"day": "../2025-12-01"},
        {"after": "x"},
        {"class": "6\u2019A"},
    ],
)
def test_what_makes_no_sense_is_refused_and_not_recorded(
    log: LookedLog, request_: dict[str, Any]
) -> None:
    with pytest.raises((ControlError, ChangeError)):
        ask(log, "log search", **request_)
    assert log.noted == []


def test_a_damaged_day_is_left_out_and_reported(log: LookedLog) -> None:
    (log.folder / f"{BEFORE}.sqlite3").write_bytes(b"nothing" * 999)
    answer = ask(log, "log search", part="wiki")
    assert len(answer["rows"]) == 9
    assert [one["day"] for one in answer["skipped"]] == [BEFORE]


def test_a_search_reads_while_the_writer_holds_the_file(log: LookedLog) -> None:
    with closing(sqlite3.connect(log.folder / f"{TODAY}.sqlite3", isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        file.execute("DELETE FROM lookups")
        assert len(ask(log, "log search", day=TODAY)["rows"]) == 21


SUBTREE: dict[str, Any] = {"name": wire("wiki.example").hex(), "match": "subtree"}


@pytest.fixture
def removable(tmp_path: Path) -> LookedLog:
    made = LookedLog(tmp_path)
    device = made.pseudonyms.of(MAC, NOW)
    rows = [
        *lookups("www.wiki.example", PASSED_6A, range(1, 10)),
        *lookups("wiki.example", PASSED_6A, range(1, 10)),
        *lookups("wiki.example", PASSED_6A, at=NOW - DAY),
        *lookups("mine.example", devices=[device]),
        *lookups("other.example", PASSED_6A, range(1, 10)),
    ]
    run(made, lambda: made.add(*rows))
    return made


def _left(removable: LookedLog) -> set[str]:
    search, of_class = run(
        removable,
        lambda: removable.ask("log search"),
        lambda: removable.ask("log class", **CLASS_6A),
    )
    return {row["name"] for row in (*search["rows"], *of_class["rows"])}


def _octets(removable: LookedLog) -> bytes:
    return b"".join(path.read_bytes() for path in removable.folder.iterdir())


def remove(removable: LookedLog, command: str = "log forget", **request: Any) -> Any:
    (row,) = run(removable, lambda: removable.ask(command, reason="a parent asked", **request))
    return row


def test_a_subtree_is_in_no_file_and_in_no_memory(removable: LookedLog) -> None:
    assert b"example.wiki" in _octets(removable)
    assert remove(removable, **SUBTREE) == {"removed": "name", "rows": 19, "unreadable": []}
    assert _left(removable) == {"mine.example", "other.example"}
    assert b"example.wiki" not in _octets(removable)
    assert removable.rings_emptied == 1


def test_a_name_alone_leaves_those_beneath_it(removable: LookedLog) -> None:
    remove(removable, name=wire("wiki.example").hex())
    assert _left(removable) == {"www.wiki.example", "mine.example", "other.example"}


def test_a_device_is_forgotten_by_its_mac(removable: LookedLog) -> None:
    remove(removable, device=MAC.upper())
    assert _left(removable) == {"wiki.example", "www.wiki.example", "other.example"}
    assert b"example.mine" not in _octets(removable)


@pytest.mark.parametrize(
    ("day", "left"), [(BEFORE, {TODAY}), (TODAY, {BEFORE}), ("2025-11-29", {TODAY, BEFORE})]
)
def test_a_day_is_removed_alone(removable: LookedLog, day: str, left: set[str]) -> None:
    remove(removable, day=day)
    assert {path.name[:10] for path in removable.folder.iterdir()} == left
    is_in_memory = bool(removable.seen.of_class(TODAY, "6A"))
    assert is_in_memory is (day != TODAY)


def test_a_purge_leaves_nothing(removable: LookedLog) -> None:
    remove(removable, "log purge")
    assert list(removable.folder.iterdir()) == []
    assert _left(removable) == set()


def test_the_history_has_the_reason_and_not_what_is_forgotten(removable: LookedLog) -> None:
    remove(removable, **SUBTREE)
    remove(removable, device=MAC)
    remove(removable, day=BEFORE)
    remove(removable, "log purge")
    assert removable.noted == [
        ("name", "", "root", "a parent asked"),
        ("device", "", "root", "a parent asked"),
        ("day", BEFORE, "root", "a parent asked"),
        ("all", "", "root", "a parent asked"),
    ]


def test_what_workers_hold_is_written_first_or_nothing_is_removed(removable: LookedLog) -> None:
    removable.problem = say("the disk is full")
    with pytest.raises(StoreError, match="nothing is removed yet: the disk is full"):
        remove(removable, **SUBTREE)
    removable.problem, removable.silent = UNSAID, 1
    with pytest.raises(StoreError, match="nothing is removed yet: a worker does not answer"):
        remove(removable, **SUBTREE)
    assert b"example.wiki" in _octets(removable)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"name": wire("a.example").hex(), "day": TODAY},
        {"name": "zz"},
        {"part": "a"},
        {"device": "all"},
        {"day": "*"},
        {"day": TODAY, "reason": ""},
        {"day": TODAY, "reason": "x" * 5_000},
    ],
)
def test_a_removal_that_makes_no_sense_is_refused(
    removable: LookedLog, request_: dict[str, Any]
) -> None:
    with pytest.raises((ControlError, ChangeError)):
        run(removable, lambda: removable.ask("log forget", **{"reason": "asked", **request_}))
    assert removable.noted == []


def test_without_a_key_no_device_can_be_found(removable: LookedLog, tmp_path: Path) -> None:
    removable.pseudonyms.of(MAC, NOW + DAY)
    (tmp_path / "log-key").unlink()
    (tmp_path / "log-key").mkdir()
    with pytest.raises(StoreError, match="there is no key of today's pseudonyms"):
        remove(removable, device=MAC)
