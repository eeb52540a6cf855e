# SPDX-License-Identifier: Apache-2.0
"""Draw charts and QR codes as SVG. Pure.

``templates/charts.html`` draws the shapes that are worked out here. A chart is as wide as its
place: x and widths are per cent of it, y and heights are pixels, so that text keeps its size on a
phone. Each series has a pattern beside its colour.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.reports.report_document import BarChart


TEMPLATES = Path(__file__).parent / "templates"
"""The folder of ``charts.html``."""
STYLE = TEMPLATES / "charts.css"
PLOT_PX = 160
"""The height of the bars of a chart; lines of text come beneath."""
_GAP, _LEAST_PX, _MOST_LABELS = 0.15, 1.0, 8
_STEPS = (10, 12, 14, 16, 18, 20, 24, 30, 40, 50, 60, 80, 100)
"""First digits of the number at the upper edge; half of it is written too."""


class Shape(NamedTuple):
    """One rectangle: its series, place, and the label shown when pointed at."""

    look: str
    x: float
    y: float
    width: float
    height: float
    label: str


class StackedBars(NamedTuple):
    """A chart of bars that stand beside each other, each of several parts, as shapes."""

    chart: BarChart

    @property
    def height(self) -> int:
        """The height of the bars, in pixels."""
        return PLOT_PX

    @property
    def top(self) -> int:
        """The number at the upper edge, a round one."""
        return round_up(max((_height(counts) for _, counts in self.chart.bars), default=0))

    def shapes(self) -> Iterator[Shape]:
        """Yield the rectangles; what is not zero is at least a pixel high."""
        step, top = 100 / max(1, len(self.chart.bars)), self.top
        for place, (label, counts) in enumerate(self.chart.bars):
            y = float(PLOT_PX)
            for series, n in zip(self.chart.series, counts, strict=True):
                if not n:
                    continue
                height = max(_LEAST_PX, n / top * PLOT_PX)
                y -= height
                x, width = round((place + _GAP / 2) * step, 2), round((1 - _GAP) * step, 2)
                yield Shape(series.look, x, round(max(0.0, y), 2), width, round(height, 2), label)

    def left_out(self) -> Iterator[float]:
        """Yield the middle of each bar of which a count is left out."""
        step = 100 / max(1, len(self.chart.bars))
        for place, (_, counts) in enumerate(self.chart.bars):
            if None in counts:
                yield round((place + 0.5) * step, 2)

    def labels(self) -> Iterator[tuple[float, str]]:
        """Yield the labels beneath the bars with their middle, few enough for a phone."""
        bars = self.chart.bars
        step, each = 100 / max(1, len(bars)), -(-len(bars) // _MOST_LABELS)
        for place in range(0, len(bars), max(1, each)):
            yield round((place + 0.5) * step, 2), bars[place][0]

    def marks(self) -> list[tuple[float, int]]:
        """Return the numbers at the left with their height: the top and its half."""
        return [(PLOT_PX * (1 - n / self.top), n) for n in (self.top, self.top // 2)]


class RowBar(NamedTuple):
    """One line of a chart of rows; ``part`` is the length of its bar in per cent."""

    label: str
    n: int
    part: float
    link: str


def row_bars(rows: Sequence[tuple[str, int, str]]) -> list[RowBar]:
    """Return the bars of label, number and link; the largest measures the others."""
    most = max((n for _, n, _ in rows), default=0) or 1
    return [RowBar(label, n, round(n / most * 100, 1), link) for label, n, link in rows]


def spark_points(values: Sequence[float], width: int = 100, height: int = 24) -> str:
    """Return the points of a small line through values, as ``polyline`` has them."""
    most, last = max(values, default=0) or 1, max(1, len(values) - 1)
    return " ".join(
        f"{place / last * width:.1f},{height - value / most * (height - 2) - 1:.1f}"
        for place, value in enumerate(values)
    )


def _height(counts: Iterable[int | None]) -> int:
    return sum(n or 0 for n in counts)


def round_up(n: int) -> int:
    """Return a round even number that is not less; at least 10."""
    unit: int = 10 ** max(0, len(str(n)) - 2)
    return next(step for step in _STEPS if step * unit >= n) * unit


def qr_code(text: str, label: str) -> Markup:
    """Return a text as a QR code, dark on light in every theme; ``label`` is its name."""
    import segno  # noqa: PLC0415 -- memory, where no code is drawn

    drawn = BytesIO()
    segno.make(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, border=4, omitsize=True, light="#fff"
    )
    svg = Markup(drawn.getvalue().decode().strip())  # noqa: S704 -- a path of numbers
    return Markup('<div class="qr" role="img" aria-label="{}">{}</div>').format(label, svg)
