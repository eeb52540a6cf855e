# SPDX-License-Identifier: Apache-2.0
"""What was published of a period never changes; small cells and their complement are left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filterd.base.errors import StoreError
from filterd.querylog import published_totals, suppression
from filterd.querylog.day_reach import ReachRow
from filterd.querylog.disclosure import Threshold
from filterd.querylog.published_totals import PublishedTotals
from filterd.querylog.totals_request import Total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
    assert [period.left_out for period in found.periods.values()] == [0, 0]


def test_a_small_day_is_left_out_of_both_tables() -> None:
    found = published(PublishedTotals(), BUSY, QUIET)
    assert shown(found, *DAYS) == [(DAYS[0], TIER, "", 130)]
    assert shown(found, MONTH) == [
        (MONTH, TIER, grade, n) for grade, n in (("6", 70), ("7", 20), ("8", 40))
    ]
    assert {period: one.leaves_out for period, one in found.periods.items()} == {
        MONTH: True,
        DAYS[0]: False,
        DAYS[1]: True,
    }


@pytest.mark.parametrize("n", [1, 37, 10_000])
def test_lookups_of_one_device_on_one_sunday_take_no_figure_out_of_the_month(n: int) -> None:
    sunday = counted(DAYS[1], 1, g6=n)
    before, after = published(PublishedTotals(), BUSY), published(PublishedTotals(), BUSY, sunday)
    assert shown(after, MONTH) == shown(before, MONTH)


def test_control_a_month_with_that_sunday_would_lose_grades() -> None:
    cells = [suppression.TableCell(grade, "", "pass", 37 + 30, 9) for grade in "6"]
    sunday = [suppression.TableCell(TIER, "", "pass", 37, 1)]
    assert suppression.of_month(cells, sunday, K) == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), max_size=6))
def test_what_few_devices_do_on_quiet_days_changes_no_month(
    quiet: list[tuple[int, int]],
) -> None:
    grades = "678"
    more = [
        counted(f"2026-10-{10 + at:02}", 1, **{f"g{grades[grade % 3]}": n})
        for at, (grade, n) in enumerate(quiet)
    ]
    plain, with_quiet = (
        published(PublishedTotals(), BUSY),
        published(PublishedTotals(), BUSY, *more),
    )
    assert shown(with_quiet, MONTH) == shown(plain, MONTH)


@pytest.mark.parametrize("devices", [1, 4])
def test_whether_anything_was_left_out_says_nothing_of_confidential_cells(devices: int) -> None:
    totals = [Total(DAYS[0], "", "self-harm", "blocked", 9)]
    reach = [ReachRow(DAYS[0], "tier", "", "self-harm", "blocked", devices)]
    quiet, told = (
        published(PublishedTotals(), BUSY),
        published(PublishedTotals(), BUSY, (totals, reach)),
    )
    assert told.periods[DAYS[0]].cells == quiet.periods[DAYS[0]].cells
    assert [period.leaves_out for period in told.periods.values()] == [
        period.leaves_out for period in quiet.periods.values()
    ]
    assert told.periods[DAYS[0]].left_out == 1  # control: the number would give it away


def test_each_period_has_the_k_of_its_time() -> None:
    first = published(PublishedTotals(), BUSY, month="")
    last = first.with_periods(DAYS, MONTH, *BUSY, 7)
    assert [period.least_devices for period in last.periods.values()] == [7, K, 7]


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


def test_a_folder_that_cannot_be_is_reported(tmp_path: Path) -> None:
    (tmp_path / "published").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        published_totals.save(tmp_path / "published", MONTH, PublishedTotals())


class Answers(NamedTuple):
    """What a device was answered on a day, and whether the counts have it.

    ``early``: when the day was exported; ``late``: when the month was.
    """

    day: str
    device: int
    n: int
    early: bool
    late: bool

    @property
    def grade(self) -> str:
        return "678"[self.device % 3]


class Unknown(NamedTuple):
    """What a reader of both exports has no figure of: its number, devices, and side.

    ``side`` is 1 for what the days have beyond their figures, -1 for what the grades have.
    """

    n: int
    devices: frozenset[int]
    side: int


class TwoExports:
    """Days are exported, and later the month, with another k; ``k`` is the smaller one."""

    def __init__(self, answers: Sequence[Answers], days: Iterable[str], ks: Sequence[int]) -> None:
        self.k = min(ks)
        early = [answer for answer in answers if answer.early and answer.day in days]
        late = [answer for answer in answers if answer.late]
        self._early, self._late = _in_parts(early, ks[0]), _in_parts(late, ks[1])
        first = PublishedTotals().with_periods(list(days), "", *_counts(early), ks[0])
        last = first.with_periods("abc", "m", *_counts(late), ks[1])
        self.has_grades = bool(last.periods["m"].cells)
        self.unknown = list(self._unknown(last, first.periods))

    def _unknown(self, last: PublishedTotals, before: Iterable[str]) -> Iterator[Unknown]:
        of_days = {day: last.periods[day].cells for day in "abc"}
        of_grades = {cell.id for cell in last.periods["m"].cells}
        for day, shown in of_days.items():
            if shown and day in before:
                both = (self._late, self._early, 1), (self._early, self._late, -1)
                for some, others, side in both:
                    here = [one for one in some if one.day == day and one not in others]
                    yield from _unknown(here, side)
        for grade in set("678") - of_grades:
            counted_in = (one for one in self._late if of_days[one.day])
            yield from _unknown([one for one in counted_in if one.grade == grade], -1)

    def learnt(self) -> list[str]:
        """Return what the two exports reveal of fewer than k devices together.

        The days' figures and what they lack have the same sum as the grades' have.
        """
        if not self.has_grades:
            return []
        found = []
        for side in (1, -1):
            here = [one for one in self.unknown if one.side == side]
            there = [one.n for one in self.unknown if one.side != side]
            for some in chain.from_iterable(combinations(here, n + 1) for n in range(len(here))):
                if len(frozenset().union(*(one.devices for one in some))) >= self.k:
                    continue
                true, rest = sum(one.n for one in some), sum(one.n for one in here)
                excess = sum(there) - len(there)
                if len(some) == len(here) and true - excess > len(some):
                    found.append(f"{some} have {true - excess} at least")
                if not there and rest - (len(here) - len(some)) < 2 * true:
                    found.append(f"{some} have {rest} at most")
        return found


def _in_parts(found: Sequence[Answers], k: int) -> list[Answers]:
    """Return the answers of those grades that have k devices on their day."""
    devices = defaultdict[tuple[str, str], set[int]](set)
    for one in found:
        devices[one.day, one.grade].add(one.device)
    return [one for one in found if len(devices[one.day, one.grade]) >= k]


def _counts(found: Iterable[Answers]) -> tuple[list[Total], list[ReachRow]]:
    totals = Counter[tuple[str, str]]()
    devices = defaultdict[tuple[str, str, str], set[int]](set)
    for one in found:
        totals[one.day, one.grade] += one.n
        devices[one.day, "grade", one.grade].add(one.device)
        devices[one.day, "tier", TIER].add(one.device)
    rows = [ReachRow(*key, "games", "blocked", len(of)) for key, of in devices.items()]
    return [Total(*key, "games", "blocked", n) for key, n in totals.items()], rows


def _unknown(found: Sequence[Answers], side: int) -> Iterator[Unknown]:
    if found:
        yield Unknown(sum(one.n for one in found), frozenset(one.device for one in found), side)


SOME_ANSWERS = st.lists(
    st.builds(
        Answers, st.sampled_from("abc"), st.integers(0, 8), st.integers(1, 6), *[st.booleans()] * 2
    ),
    min_size=1,
    max_size=14,
)
BUSY_DAY = [Answers("a", device, 3, early=True, late=True) for device in range(6)]
LATE = Answers("a", 0, 9, early=False, late=True)
GONE = Answers("a", 0, 9, early=True, late=False)


@given(SOME_ANSWERS, st.sets(st.sampled_from("abc")), st.tuples(*[st.integers(2, 4)] * 2))
@example([*BUSY_DAY, LATE], {"a"}, (2, 2))
@example([*BUSY_DAY, GONE], {"a"}, (2, 2))
def test_no_reader_of_two_exports_learns_what_fewer_than_k_devices_did(
    answers: list[Answers], days: set[str], ks: tuple[int, int]
) -> None:
    assert TwoExports(answers, sorted(days), ks).learnt() == []


@pytest.mark.parametrize("is_safe", [True, False])
def test_control_late_counts_that_are_not_hidden_follow_from_the_month(
    monkeypatch: pytest.MonkeyPatch, *, is_safe: bool
) -> None:
    if not is_safe:
        monkeypatch.setattr(
            published_totals, "of_month", lambda found, _, k: suppression.of_month(found, (), k)
        )
    assert (TwoExports([*BUSY_DAY, LATE], "a", (2, 2)).learnt() == []) is is_safe


PARTS = tuple((grade, category) for grade in "67" for category in ("", "games", "dating"))
LOOKED = (0, 0), (1, 1), (1, 2), (2, 2), (2, 3)
"""Devices of a part, and their blocks; k is two."""
MOST_OF_FEW = 2
OF_FEW = (0, 0), (1, 1), (1, 2), (1, 3), (1, 4)
"""The same of "dating", which stands for the dozens of categories that few devices ask for."""


def _seen_by_a_principal(world: Sequence[tuple[int, int]], *, by_tier: bool = False) -> str:
    """Return the figures of a closed day: the totals by grade, and what is published."""
    of = dict(zip(PARTS, world, strict=True))
    found = [(part, devices, n) for part, (devices, n) in of.items() if n]
    reach = [ReachRow("a", "grade", *part, "blocked", devices) for part, devices, _ in found]
    tiers = Counter[str]()
    for (_, category), devices, _ in found:  # no device moves to another grade
        tiers[category] += devices
    totals = [(0, *part, "blocked", "", "", n) for part, _, n in found]
    grades = Counter[tuple[str, str]]()
    for row in Threshold(2, "grade").applied(totals, reach):
        grades[row[1], row[2]] += row[6]
    reach += [ReachRow("a", "tier", TIER, one, "blocked", n) for one, n in tiers.items()]
    if by_tier:  # as it was: the devices of the tier alone counted
        reach += [ReachRow("a", "grade", *part, "blocked", 2) for part, _, _ in found]
    cells = [Total("a", *part, "blocked", n) for part, _, n in found]
    out = PublishedTotals().with_periods("a", "m", cells, reach, 2)
    said = [(period.cells, period.leaves_out) for period in out.periods.values()]
    return repr((sorted(grades.items()), said))


def _follow(*, by_tier: bool) -> int:
    """Return in how many schools a part of one device follows from what a principal sees.

    It follows if it is there in every school that looks the same. What few devices ask for may be
    of any other category, too: so the schools have as much of those as of games, and more.
    """
    alike = defaultdict[str, list[tuple[tuple[int, int], ...]]](list)
    for world in product(*[LOOKED, LOOKED, OF_FEW] * 2):
        alike[_seen_by_a_principal(world, by_tier=by_tier)].append(world)
    games, rest = (1, 4), (2, 5)
    return sum(
        any(all(one[at][0] == 1 for one in some) for at in games)
        for some in alike.values()
        if any(all(one[at][1] <= MOST_OF_FEW for at in rest) for one in some)
    )


@pytest.mark.parametrize("by_tier", [False, True])
def test_control_no_category_of_one_device_follows_for_a_principal_from_all_figures(
    *, by_tier: bool
) -> None:
    """In all 15,625 schools of two grades; by the devices of the tier alone some follow."""
    assert bool(_follow(by_tier=by_tier)) is by_tier
