# SPDX-License-Identifier: Apache-2.0
"""No reader of all published tables learns what fewer than k devices did.

The reader here knows the worst: which cells have answers, and which of them are left out.
What is left out is tried with all numbers up to a bound.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.querylog import suppression
from filterd.querylog.suppression import TableCell, of_day, of_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

K, TIER, MOST = 2, "lower-secondary", 80


class Answers(NamedTuple):
    """What a device of a grade was answered on a day."""

    day: str
    grade: str
    device: int
    n: int


class Hidden(NamedTuple):
    """A cell that was left out: its true number, and the devices behind it."""

    n: int
    devices: frozenset[int]


class Cube:
    """The tables of a month of one tier, category and action."""

    def __init__(self, answers: Iterable[Answers], *, keep_grades: bool = True) -> None:
        of_days, of_grades = (
            defaultdict[str, list[Answers]](list),
            defaultdict[str, list[Answers]](list),
        )
        for answer in answers:
            of_days[answer.day].append(answer)
            of_grades[answer.grade].append(answer)
        self.days = {day: cell(TIER, found) for day, found in of_days.items()}
        self.shown_days = {day for day, one in self.days.items() if of_day([one], K)}
        hidden = [one for day, one in self.days.items() if day not in self.shown_days]
        grades = {grade: month(grade, found) for grade, found in of_grades.items()}
        shown = of_month(grades.values(), hidden, K) if keep_grades else []
        self.published = (
            sum(self.days[day].n for day in self.shown_days),
            sum(one.n for one in shown),
        )
        self.is_published = any(self.published)
        self.hidden_days = left_out(of_days, self.shown_days)
        self.hidden_grades = left_out(of_grades, {one.id for one in shown})

    def small_sums(self) -> Iterator[tuple[Sequence[Hidden], Sequence[Hidden], int]]:
        """Yield cells of fewer than k devices together, the others of their table, and its sum."""
        for cells, here in ((self.hidden_days, 0), (self.hidden_grades, 1)):
            for size in range(1, len(cells) + 1):
                for some in combinations(range(len(cells)), size):
                    chosen = [cells[index] for index in some]
                    if len(frozenset().union(*(one.devices for one in chosen))) < K:
                        rest = [cell for index, cell in enumerate(cells) if index not in some]
                        yield chosen, rest, here

    def possible(self, chosen: Sequence[Hidden], rest: Sequence[Hidden], here: int) -> list[int]:
        """Return the sums of cells with which the published tables agree."""
        there = self.hidden_grades if here == 0 else self.hidden_days
        fits = self.published[1 - here] - self.published[here]
        others = {fits + total for total in sums(there)}
        return [one for one in sums(chosen) if any(one + more in others for more in sums(rest))]


def sums(cells: Sequence[Hidden]) -> range:
    return range(len(cells), len(cells) * MOST + 1) if cells else range(1)


def cell(id_: str, answers: Sequence[Answers]) -> TableCell:
    return TableCell(
        id_,
        "games",
        "blocked",
        sum(answer.n for answer in answers),
        len({answer.device for answer in answers}),
    )


def month(grade: str, answers: Sequence[Answers]) -> TableCell:
    """The cell of a grade; its devices are those of the day with the most."""
    by_day = defaultdict[str, set[int]](set)
    for answer in answers:
        by_day[answer.day].add(answer.device)
    return cell(grade, answers)._replace(devices=max(map(len, by_day.values())))


def left_out(found: dict[str, list[Answers]], shown: set[str]) -> list[Hidden]:
    return [
        Hidden(sum(answer.n for answer in answers), frozenset(answer.device for answer in answers))
        for key, answers in found.items()
        if key not in shown
    ]


def learnt(answers: Sequence[Answers]) -> list[str]:
    """Return what the published tables reveal of fewer than k devices."""
    cube, days_alone = Cube(answers), Cube(answers, keep_grades=False)
    if not cube.is_published:
        return []
    found = []
    for chosen, rest, here in cube.small_sums():
        true, possible = sum(one.n for one in chosen), cube.possible(chosen, rest, here)
        if min(possible) > len(chosen):
            found.append(f"{chosen} have {min(possible)} at least")
        others = days_alone.hidden_days if here == 0 else days_alone.hidden_grades
        beside = [one for one in others if one not in chosen]
        most = max(days_alone.possible(chosen, beside, here), default=MOST)
        if max(possible) < min(2 * true, most):
            found.append(f"{chosen} have {max(possible)} at most")
    return found


DEVICES = st.integers(0, 5)
ANSWERS = st.lists(
    st.builds(
        lambda day, device, n: Answers(day, "678"[device % 3], device, n),
        st.sampled_from("abc"),
        DEVICES,
        st.integers(1, 6),
    ),
    min_size=1,
    max_size=9,
)


@given(ANSWERS)
def test_nothing_is_learnt_of_fewer_than_k_devices(answers: list[Answers]) -> None:
    assert learnt(answers) == []


WEEKEND = [
    *(Answers("a", "6", device, 3) for device in (0, 3)),
    *(Answers("a", "7", device, 2) for device in (1, 4)),
    Answers("b", "6", 0, 2),
]
"""On day b there was one device."""

ONE_OF_A_GRADE = [*(Answers("a", "6", device, 3) for device in (0, 3)), Answers("a", "7", 1, 4)]


@pytest.mark.parametrize("answers", [WEEKEND, ONE_OF_A_GRADE])
@pytest.mark.parametrize("is_safe", [True, False])
def test_control_without_complementary_suppression_a_cell_follows(
    monkeypatch: pytest.MonkeyPatch, answers: list[Answers], *, is_safe: bool
) -> None:
    if not is_safe:
        monkeypatch.setattr(suppression, "_hides", lambda *_: True)
    assert (learnt(answers) == []) is is_safe


def month_of(*grades: tuple[str, int, int], hidden: Sequence[int] = ()) -> list[str]:
    """Return the grades that are published; k is 5."""
    cells = [TableCell(grade, "games", "blocked", n, devices) for grade, n, devices in grades]
    days = [TableCell(TIER, "games", "blocked", n, 1) for n in hidden]
    return [one.id for one in of_month(cells, days, 5)]


def test_the_smallest_grade_that_hides_a_day_is_left_out_and_the_others_stay() -> None:
    grades = ("6", 100, 9), ("7", 30, 9), ("8", 60, 9), ("9", 200, 9)
    assert month_of(*grades) == ["7", "8", "6", "9"]
    assert month_of(*grades, hidden=[12, 9]) == ["8", "6", "9"]
    assert month_of(*grades, hidden=[50]) == ["7", "6", "9"]
    assert month_of(*grades, hidden=[210]) == ["8", "6"]
    assert month_of(*grades, hidden=[1_000]) == []


def test_another_tier_category_or_action_hides_nothing() -> None:
    cells = [TableCell("6", "games", "blocked", 9, 9), TableCell("10", "games", "blocked", 7, 7)]
    hidden = [
        TableCell("upper-secondary", "games", "blocked", 3, 1),
        TableCell(TIER, "", "pass", 3, 1),
    ]
    assert of_month(cells, hidden, 5) == cells[:1]
