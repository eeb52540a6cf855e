# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigErrors
from filterd.publish.review import ACCEPTED, DECISIONS, REFUSED, Decision, decide, read_decisions

if TYPE_CHECKING:
    from pathlib import Path

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
