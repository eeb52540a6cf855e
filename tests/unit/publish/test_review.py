# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigErrors
from filterd.lists.lookalike_families import ACCEPTED, Decision, Waiting
from filterd.publish.review import (
    DECISIONS,
    MOST_WAITING,
    QUEUE,
    REFUSED,
    decide,
    read_decisions,
    read_queue,
    write_queue,
)

if TYPE_CHECKING:
    from pathlib import Path

WAITING = Waiting(b"sv#", "gambling", 3, 6, ("sv1.com", "sv22.com"), ("sv7.com",))
FIRST = Decision(b"sv#", "gambling", 3, ACCEPTED, "Lan", "trang cá cược", "2026-09-02")


def test_decisions_are_kept_with_who_and_why_and_the_last_one_counts(tmp_path: Path) -> None:
    other = FIRST._replace(shape=b"ku#")
    for one in (FIRST, other, FIRST._replace(decision=REFUSED, who="Minh")):
        decide(tmp_path, one)
    assert read_decisions(tmp_path) == (other, FIRST._replace(decision=REFUSED, who="Minh"))


def test_nobody_has_decided_anything_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_decisions(tmp_path) == ()


def test_a_decision_without_a_reason_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    decide(tmp_path, FIRST)
    broken = (tmp_path / DECISIONS).read_text().replace("trang cá cược", "''")
    (tmp_path / DECISIONS).write_text(broken)
    with pytest.raises(ConfigErrors, match="why"):
        decide(tmp_path, FIRST._replace(shape=b"ku#"))
    assert (tmp_path / DECISIONS).read_text() == broken


def test_several_decisions_are_written_at_once(tmp_path: Path) -> None:
    decide(tmp_path, FIRST, FIRST._replace(shape=b"ku#"))
    assert [one.shape for one in read_decisions(tmp_path)] == [b"sv#", b"ku#"]


def test_what_waits_is_kept_until_it_is_decided(tmp_path: Path) -> None:
    other = WAITING._replace(category="porn", examples=(), closes=())
    write_queue(tmp_path, [WAITING, other])
    assert read_queue(tmp_path) == (WAITING, other)
    decide(tmp_path, FIRST)
    assert read_queue(tmp_path) == (other,)


def test_a_queue_is_written_only_where_something_waits_or_did(tmp_path: Path) -> None:
    assert read_queue(tmp_path) == ()
    write_queue(tmp_path, [])
    assert not (tmp_path / QUEUE).exists()
    write_queue(tmp_path, [WAITING])
    write_queue(tmp_path, [])
    assert read_queue(tmp_path) == ()


def test_a_queue_has_no_more_than_a_person_looks_through(tmp_path: Path) -> None:
    many = [WAITING._replace(shape=b"sv%d#" % number) for number in range(MOST_WAITING + 1)]
    write_queue(tmp_path, many)
    assert read_queue(tmp_path) == tuple(many[:MOST_WAITING])
