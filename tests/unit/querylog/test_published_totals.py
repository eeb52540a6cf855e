# SPDX-License-Identifier: Apache-2.0
"""What was published of a period never changes; small cells and their complement are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import StoreError
from filterd.querylog import published_totals
from filterd.querylog.device_reach import ReachRow
from filterd.querylog.published_totals import PublishedTotals
from filterd.querylog.totals_request import Total

if TYPE_CHECKING:
    from pathlib import Path

K, DAYS, MONTH = 5, ("2026-10-01", "2026-10-02"), "2026-10"
TIER = "lower-secondary"


def counted(day: str, devices: int, **n_of: int) -> tuple[list[Total], list[ReachRow]]:
    """Return blocked games of grades (``g6=7``) on a day, and the devices of each of them."""
    of_grades = {name[1:]: n for name, n in n_of.items()}
    totals = [Total(day, grade, "games", "blocked", n) for grade, n in of_grades.items()]
    reach = [ReachRow(day, "grade", grade, "games", "blocked", devices) for grade in of_grades]
    of_tier = min(devices * len(of_grades), K)
    return totals, [*reach, ReachRow(day, "tier", TIER, "games", "blocked", of_tier)]


def published(
    before: PublishedTotals, *found: tuple[list[Total], list[ReachRow]], month: str = MONTH
) -> PublishedTotals:
    days = sorted({total.date for totals, _ in found for total in totals})
    totals = [one for part, _ in found for one in part]
    return before.with_periods(days, month, totals, [one for _, part in found for one in part], K)


def shown(of: PublishedTotals, *periods: str, confidential: tuple[str, ...] = ()) -> list[Any]:
    rows = of.rows(periods, confidential)
    return [(row["period"], row["tier"], row["grade"], row["n"]) for row in rows]


BUSY, QUIET = counted(DAYS[0], 5, g6=70, g7=20, g8=40), counted(DAYS[1], 1, g6=3)


def test_days_have_tiers_and_months_have_grades() -> None:
    found = published(PublishedTotals(), BUSY)
    assert shown(found, DAYS[0], MONTH) == [
        (DAYS[0], TIER, "", 130),
        *((MONTH, TIER, grade, n) for grade, n in (("6", 70), ("7", 20), ("8", 40))),
    ]
    assert [one.left_out for one in found.periods.values()] == [0, 0]


def test_a_small_day_is_left_out_and_a_grade_that_would_show_it() -> None:
    found = published(PublishedTotals(), BUSY, QUIET)
    assert shown(found, *DAYS) == [(DAYS[0], TIER, "", 130)]
    assert shown(found, MONTH) == [(MONTH, TIER, "6", 73), (MONTH, TIER, "8", 40)]
    assert {period: one.left_out for period, one in found.periods.items()} == {
        MONTH: 1,
        DAYS[0]: 0,
        DAYS[1]: 1,
    }


def test_the_whole_school_has_days_and_no_grades() -> None:
    totals = [Total(DAYS[0], "", "self-harm", "blocked", 9)]
    reach = [ReachRow(DAYS[0], "tier", "", "self-harm", "blocked", 5)]
    found = published(PublishedTotals(), (totals, reach))
    assert shown(found, DAYS[0], MONTH) == [(DAYS[0], "", "", 9)]


@pytest.mark.parametrize("is_frozen", [True, False])
def test_control_what_comes_late_changes_no_period_that_was_published(*, is_frozen: bool) -> None:
    before = published(PublishedTotals(), BUSY, QUIET)
    late = counted(DAYS[0], 5, g6=71, g7=20, g8=40), counted(DAYS[1], 5, g6=30)
    after = published(before if is_frozen else PublishedTotals(), *late)
    assert (after == before) is is_frozen


def test_a_day_that_was_published_before_its_month_stays_as_it_was() -> None:
    first = published(PublishedTotals(), BUSY, month="")
    assert first.lacks([MONTH])
    assert not first.lacks([DAYS[0], ""])
    both = published(first, BUSY, QUIET)
    assert both.periods[DAYS[0]] == first.periods[DAYS[0]]
    assert both == published(PublishedTotals(), BUSY, QUIET)


def test_days_whose_devices_are_not_known_are_left_out() -> None:
    totals, _ = BUSY
    found = published(PublishedTotals(), (totals, []))
    assert shown(found, DAYS[0], MONTH) == []
    assert found.periods[DAYS[0]].left_out == 1


def test_a_category_that_became_confidential_since_is_shown_no_more() -> None:
    found = published(PublishedTotals(), BUSY)
    assert shown(found, DAYS[0], MONTH, confidential=("games",)) == []


def test_a_month_comes_back_from_its_file_and_a_damaged_one_publishes_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "published"
    assert published_totals.load(folder, MONTH) == PublishedTotals()
    found = published(PublishedTotals(), BUSY, QUIET)
    published_totals.save(folder, MONTH, found)
    assert published_totals.load(folder, MONTH) == found
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes().replace(b"130", b"131"))
    with pytest.raises(StoreError, match="may differ from an earlier one"):
        published_totals.load(folder, MONTH)


def test_the_oldest_months_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_totals, "MOST_MONTHS", 2)
    for month in ("2026-12", "2026-10", "2027-01"):
        published_totals.save(tmp_path, month, PublishedTotals())
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["2026-12", "2027-01"]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "published").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        published_totals.save(tmp_path / "published", MONTH, PublishedTotals())
