# SPDX-License-Identifier: Apache-2.0
"""What is removed from the log is in none of its files, nor in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import ChangeError, ControlError, StoreError
from filterd.i18n import UNSAID, say
from tests.support.looked_log import (
    BEFORE,
    CLASS_6A,
    DAY,
    MAC,
    PASSED_6A,
    TODAY,
    LookedLog,
    lookups,
    run,
)
from tests.support.policies import NOW, wire

if TYPE_CHECKING:
    from pathlib import Path

SUBTREE: dict[str, Any] = {"name": wire("wiki.example").hex(), "match": "subtree"}


@pytest.fixture
def log(tmp_path: Path) -> LookedLog:
    made = LookedLog(tmp_path)
    device = made.pseudonyms.of(MAC, NOW)
    rows = [
        *lookups("www.wiki.example", PASSED_6A, range(1, 9)),
        *lookups("wiki.example", PASSED_6A, range(1, 9)),
        *lookups("wiki.example", PASSED_6A, at=NOW - DAY),
        *lookups("mine.example", devices=[device]),
        *lookups("other.example", PASSED_6A, range(1, 9)),
    ]
    run(made, lambda: made.add(*rows))
    return made


def _left(log: LookedLog) -> set[str]:
    search, of_class = run(
        log, lambda: log.ask("log search"), lambda: log.ask("log class", **CLASS_6A)
    )
    return {row["name"] for row in (*search["rows"], *of_class["rows"])}


def _octets(log: LookedLog) -> bytes:
    return b"".join(path.read_bytes() for path in log.folder.iterdir())


def remove(log: LookedLog, command: str = "log forget", **request: Any) -> Any:
    (told,) = run(log, lambda: log.ask(command, reason="a parent asked", **request))
    return told


def test_a_subtree_is_in_no_file_and_in_no_memory(log: LookedLog) -> None:
    assert b"example.wiki" in _octets(log)
    assert remove(log, **SUBTREE) == {"removed": "name", "rows": 17, "unreadable": []}
    assert _left(log) == {"mine.example", "other.example"}
    assert b"example.wiki" not in _octets(log)
    assert log.rings_emptied == 1


def test_a_name_alone_leaves_those_beneath_it(log: LookedLog) -> None:
    remove(log, name=wire("wiki.example").hex())
    assert _left(log) == {"www.wiki.example", "mine.example", "other.example"}


def test_a_device_is_forgotten_by_its_mac(log: LookedLog) -> None:
    remove(log, device=MAC.upper())
    assert _left(log) == {"wiki.example", "www.wiki.example", "other.example"}
    assert b"example.mine" not in _octets(log)


@pytest.mark.parametrize(
    ("day", "left"), [(BEFORE, {TODAY}), (TODAY, {BEFORE}), ("2025-11-29", {TODAY, BEFORE})]
)
def test_a_day_is_removed_alone(log: LookedLog, day: str, left: set[str]) -> None:
    remove(log, day=day)
    assert {path.name[:10] for path in log.folder.iterdir()} == left
    is_in_memory = bool(log.seen.of_class(TODAY, "6A"))
    assert is_in_memory is (day != TODAY)


def test_a_purge_leaves_nothing(log: LookedLog) -> None:
    remove(log, "log purge")
    assert list(log.folder.iterdir()) == []
    assert _left(log) == set()


def test_the_history_has_the_reason_and_not_what_is_forgotten(log: LookedLog) -> None:
    remove(log, **SUBTREE)
    remove(log, device=MAC)
    remove(log, day=BEFORE)
    remove(log, "log purge")
    assert log.noted == [
        ("name", "", "root", "a parent asked"),
        ("device", "", "root", "a parent asked"),
        ("day", BEFORE, "root", "a parent asked"),
        ("all", "", "root", "a parent asked"),
    ]


def test_what_workers_hold_is_written_first_or_nothing_is_removed(log: LookedLog) -> None:
    log.problem = say("the disk is full")
    with pytest.raises(StoreError, match="nothing is removed yet: the disk is full"):
        remove(log, **SUBTREE)
    log.problem, log.silent = UNSAID, 1
    with pytest.raises(StoreError, match="nothing is removed yet: a worker does not answer"):
        remove(log, **SUBTREE)
    assert b"example.wiki" in _octets(log)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"name": wire("a.example").hex(), "day": TODAY},
        {"name": "zz"},
        {"device": "all"},
        {"device": 5},
        {"day": "*"},
        {"day": TODAY, "reason": ""},
        {"day": TODAY, "reason": "x" * 5_000},
    ],
)
def test_a_removal_that_makes_no_sense_is_refused(log: LookedLog, request_: dict[str, Any]) -> None:
    with pytest.raises((ControlError, ChangeError)):
        run(log, lambda: log.ask("log forget", **{"reason": "asked", **request_}))
    assert log.noted == []


def test_without_a_key_no_device_can_be_found(log: LookedLog, tmp_path: Path) -> None:
    log.pseudonyms.of(MAC, NOW + DAY)
    (tmp_path / "log-key").unlink()
    (tmp_path / "log-key").mkdir()
    with pytest.raises(StoreError, match="there is no key of today's pseudonyms"):
        remove(log, device=MAC)
