# SPDX-License-Identifier: Apache-2.0
"""Shapes of charts: their places, lengths and labels."""

from __future__ import annotations

import pytest

from filterd.reports.charts import PLOT_PX, StackedBars, qr_code, round_up, row_bars, spark_points
from filterd.reports.report_document import BarChart, BarSeries
from filterd.texts.i18n import say

SERIES = BarSeries(say("passed"), "passed"), BarSeries(say("blocked"), "blocked")


def _chart(*counts: tuple[int, int]) -> StackedBars:
    bars = tuple((f"{at}", n) for at, n in enumerate(counts))
    return StackedBars(BarChart("hours", "", "", SERIES, bars))


@pytest.mark.parametrize(
    ("n", "top"), [(0, 10), (7, 10), (11, 12), (99, 100), (100, 100), (20_300, 24_000)]
)
def test_the_upper_edge_is_a_round_number(n: int, top: int) -> None:
    assert round_up(n) == top


def test_parts_of_a_bar_stand_on_each_other() -> None:
    lower, upper = _chart((30, 10)).shapes()

    assert (lower.look, upper.look) == ("passed", "blocked")
    assert upper.y + upper.height == lower.y
    assert lower.y + lower.height == PLOT_PX


def test_a_single_answer_among_millions_is_still_seen() -> None:
    *_, small = _chart((1_000_000, 0), (0, 1)).shapes()

    assert small.height == 1.0


def test_a_bar_that_is_left_out_is_marked_and_not_drawn() -> None:
    bars = ("9", (None,)), ("10", (4,))
    drawn = StackedBars(BarChart("hours", "", "", SERIES[:1], bars))
    assert list(drawn.left_out()) == [25.0]
    assert [shape.label for shape in drawn.shapes()] == ["10"]


def test_bars_stay_within_the_chart() -> None:
    shapes = list(_chart(*((n, n) for n in range(24))).shapes())

    assert all(shape.x >= 0 and shape.x + shape.width <= 100 for shape in shapes)
    assert all(shape.y >= 0 and shape.y + shape.height <= PLOT_PX + 1 for shape in shapes)


def test_labels_are_few_enough_for_a_phone() -> None:
    assert [text for _, text in _chart(*[(1, 1)] * 24).labels()] == [
        str(hour) for hour in range(0, 24, 3)
    ]


def test_a_chart_of_nothing_is_empty() -> None:
    assert list(_chart().shapes()) == []
    assert list(_chart((0, 0)).shapes()) == []


def test_the_largest_row_measures_the_others() -> None:
    first, second = row_bars([("6A", 40, "/x"), ("6B", 10, "")])

    assert first == ("6A", 40, 100.0, "/x")
    assert second.part == 25.0
    assert row_bars([("6A", 0, "")])[0].part == 0.0


def test_a_line_goes_from_edge_to_edge() -> None:
    assert spark_points([0, 5, 10]) == "0.0,23.0 50.0,12.0 100.0,1.0"
    assert spark_points([]) == ""
    assert spark_points([3]) == "0.0,1.0"


def test_a_code_is_drawn_by_attributes_only() -> None:
    drawn = qr_code("otpauth://totp/x?secret=A", 'of "lan"')
    assert drawn.startswith('<div class="qr" role="img" aria-label="of &#34;lan&#34;"><svg')
    assert "style" not in drawn
    assert 'fill="#fff"' in drawn
