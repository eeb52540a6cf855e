# SPDX-License-Identifier: Apache-2.0
"""``filterd top``: the state of the running daemon as a live page."""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from filterd.cli.console import as_json
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.school.status import present_status
from filterd.cli.school_clock import wording_of
from filterd.cli.terminal import pause
from filterd.control import UnansweredError
from filterd.daemon.worker_sums import rates
from filterd.monitor.alert_message import ACTIVE
from filterd.monitor.status_details import NOW
from filterd.operations.status import ReadStatus
from filterd.overrides.descriptions import Describer
from filterd.texts import words
from filterd.texts.counted import duration, number, size
from filterd.texts.i18n import say
from filterd.texts.rows import Wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Row

INTERVAL_S = 2.0
_TOTALS_OLD_S = 30
"""A live page would have the totals of today written to the disk at every look."""

_UPPER, _LEAST_BELOW = 8, 3
"""Lines of the upper blocks at most, and of the others at least."""
_WIDE, _COLUMNS, _NARROW_COLUMNS = 34, (12, 12), (9, 11)
"""Cells of a wide block, and of the two values in a line of a wide and of a narrow one."""
_PATHS = {"fast": say("Fast p50/99"), "chain": say("Others p50/99")}


def top(
    here: Context,
    interval: Annotated[
        float, option("--interval", "Seconds between two looks.", "S", min=1, max=60)
    ] = INTERVAL_S,
    once: Annotated[bool, option("--once", "Show the page once, after one interval.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the state of the running daemon as a live page, until Enter or Ctrl-C.

    Answers a second, latency, cache, upstreams, blocks of today, what is open, and what is
    wrong: the numbers of `filterd status --json`. Without a terminal it is shown once; with
    --json each look is a line. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    is_live = here.console.is_terminal and not here.console.is_dumb_terminal and not json
    looks = _looks(here, interval, is_one=once or not (is_live or json))
    try:
        if json:
            for status, since in looks:
                event = as_json({"rates": since, "status": status})
                here.console.out(event, highlight=False)
        elif once or not is_live:
            for status, since in looks:
                for line in _page(here, status, since):
                    here.console.print(line.plain.rstrip(), soft_wrap=True)
        else:
            _show_live(here, looks)
    except KeyboardInterrupt:
        return


def _looks(here: Context, interval: float, *, is_one: bool) -> Iterator[tuple[Row, Row]]:
    """Yield the state of the daemon and the rates since the look before.

    While it does not answer, the last state with ``silent_since`` is yielded.

    Raises:
        ControlError: no daemon answers at first, or it refuses.
    """
    before, asked_at = present_status(here), here.clock.monotonic()
    if not is_one:
        yield before, rates(None, before, 0.0)
    asked, silent_since = ReadStatus(totals_old_s=0 if is_one else _TOTALS_OLD_S), None
    while not pause(interval, to_the_end=is_one):
        now_s = here.clock.monotonic()
        try:
            status = present_status(here, asked)
        except UnansweredError:
            silent_since = silent_since or here.clock.wall()
            yield {**before, "silent_since": silent_since}, rates(before, before, 1.0)
            continue
        silent_since = None
        yield status, rates(before, status, now_s - asked_at)
        before, asked_at = status, now_s
        if is_one:
            return


def _show_live(here: Context, looks: Iterable[tuple[Row, Row]]) -> None:
    from rich.console import Group  # noqa: PLC0415 -- slow to import, and few commands need it
    from rich.live import Live  # noqa: PLC0415

    shown: AbstractContextManager[Live] = Live(
        console=here.console, screen=True, auto_refresh=False
    )
    with shown as live:
        for status, since in looks:
            live.update(Group(*_page(here, status, since)), refresh=True)


def _page(here: Context, status: Row, since: Row) -> list[Text]:
    width, height = here.console.size
    return page(wording_of(here), status, since, width, height - 1)


def page(by: Wording, status: Row, since: Row, width: int, height: int) -> list[Text]:
    """Return the lines of the page.

    Args:
        by: the language and the time.
        status: the state of the daemon.
        since: the rates; see ``worker_sums.rates``.
        width: cells of a line at most.
        height: lines at most.
    """
    half = (width - 2) // 2
    day: Row = status.get("day", {})
    upper = _beside(
        _answers(by, status, since, half), _resolution(by, status, since, half), half, _UPPER
    )
    below = [*_now(by, status, width)]
    room = height - 1 - len(upper) - 1
    below = _first(by, below, max(_LEAST_BELOW, room - _LEAST_BELOW - 1), width)
    grade_text = Describer(*by).grade
    seats = {
        grade_text(one) if one else by.texts("whole school"): n for one, n in _of(day, "today")
    }
    kinds = {one or by.texts("(other blocks)"): n for one, n in _of(day, "categories")}
    blocked = _beside(
        _counted(by, say("Blocked today by grade, class"), seats, half),
        _counted(by, say("Blocked today by category"), kinds, half),
        half,
        max(0, room - len(below)),
        by,
    )
    rule = Text("─" * width, style="dim")
    lines = [_title(by, status, width), *upper, rule, *blocked]
    lines += below
    for line in lines:  # of a terminal too small for two blocks
        line.truncate(width)
    return lines[:height]


def _of(day: Row, what: str) -> Iterable[tuple[str, int]]:
    blocked: dict[str, int] = day.get(f"blocked_{what}", {})
    return blocked.items()


def _title(by: Wording, status: Row, width: int) -> Text:
    up = by.texts(
        "filterd {version}, for {time}", version=status["version"], time=duration(status["up_s"])
    )
    clock = f"{by.clock.shows(by.clock.now):%H:%M:%S}"
    if silent := status.get("silent_since"):
        at = f"{by.clock.shows(silent):%H:%M:%S}"
        up = by.texts("filterd does not answer since {at}", at=at)
    left = f"{up} · {status['school']}"
    style = "bold red" if silent else "bold"
    return Text(f"{_cut(left, width - len(clock) - 1)} {clock}", style=style)


def _answers(by: Wording, status: Row, since: Row, width: int) -> Iterator[Text]:
    """Yield the answers by source: since the start, and a second."""
    answers: dict[str, int] = status["answers"]
    most_first = sorted(answers.items(), key=lambda item: (-item[1], item[0]))
    texts, rates_of = by.texts, since["answers"]
    row = partial(_row, width=width, is_one=True)
    yield row(texts("Answers"), texts("in all"), texts("a second"), style="bold")
    all_s = sum(rates_of.values())
    yield row(texts("all sources"), number(sum(answers.values())), _rate(all_s))
    for source, n in most_first:
        word = texts.word(words.ANSWERED, source)
        yield row(word, number(n), _rate(rates_of.get(source, 0.0)))


def _resolution(by: Wording, status: Row, since: Row, width: int) -> Iterator[Text]:
    """Yield cache, latency, upstreams and the state of the log."""
    texts, cache = by.texts, status["cache"]
    hits = "-" if since["hits"] is None else f"{since['hits']:.0%}".replace("%", " %")
    yield _row(texts("Cache hits"), hits, size(cache["octets"]), width)
    for path, called in _PATHS.items():
        if times := since["latency_ms"].get(path):
            yield _row(texts(called), _ms(times["p50"]), _ms(times["p99"]), width)
    for one in status["upstreams"]:
        is_bad = one["down"] or one["problem"]
        state = texts("down") if one["down"] else texts("trouble") if is_bad else texts("up")
        rtt = "" if one["rtt_ms"] is None else f"{one['rtt_ms']:g} ms"
        style = "red" if is_bad else ""
        yield _row(one["address"], rtt, state, width, style, is_one=True)
    log = status["log"]
    n = log["lost"] + log.get("rows_lost", 0)
    style = "yellow" if n else ""
    yield _row(texts("Query log"), log["level"], texts("{n} lost", n=number(n)), width, style)


def _now(by: Wording, status: Row, width: int) -> Iterator[Text]:
    """Yield what holds for a time and what is wrong, a line each."""
    for column in (ACTIVE, *NOW):
        if column.key == "upstreams":  # they are above
            continue
        text, style = column.cell(status, by)
        heading = by.texts(column.heading)
        for line in text.splitlines():
            yield Text(_cut(f"{heading}: {line}", width).rstrip(), style=style)


def _counted(by: Wording, heading: Sentence, counts: dict[str, int], width: int) -> Iterator[Text]:
    yield Text(_cut(by.texts(heading), width), style="bold")
    for name, n in counts.items():
        yield _row(name, "", number(n), width)


def _beside(
    left: Iterable[Text], right: Iterable[Text], width: int, height: int, by: Wording | None = None
) -> list[Text]:
    """Return two blocks side by side, each cut to so many lines."""
    blocks = [[*left], [*right]]
    if by is not None:
        blocks = [_first(by, block, height, width) for block in blocks]
    empty = Text(" " * width)
    pairs = zip_longest(*(block[:height] for block in blocks), fillvalue=empty)
    return [Text("  ").join(pair) for pair in pairs]


def _first(by: Wording, lines: Sequence[Text], most: int, width: int) -> list[Text]:
    """Return the first lines; the last of too many is their number."""
    if len(lines) <= most:
        return [*lines]
    n = len(lines) - most + 1
    more = Text(_cut(by.texts("{n} more", n=n), width), style="dim")
    return [*lines[: max(0, most - 1)], more]


def _row(
    name: str, middle: str, last: str, width: int, style: str = "", *, is_one: bool = False
) -> Text:
    """Return a name at the left and two values at the right, of so many cells in all.

    With ``is_one`` a narrow line has the last value only, the middle one if that is empty.
    """
    is_wide = width >= _WIDE
    of_middle, of_last = _COLUMNS if is_wide else _NARROW_COLUMNS
    if not is_wide and is_one:
        middle, last = "", last or middle
    if not middle:
        of_middle, of_last = 0, max(of_last, cell_len(last) + 1)
    room = max(1, width - of_last - of_middle)
    values = [_right(middle, of_middle)] if middle else []
    return Text("".join([_cut(name, room), *values, _right(last, of_last)]), style=style)


def _right(text: str, width: int) -> str:
    return f" {_cut(text, width - 1)}" if cell_len(text) >= width else text.rjust(width)


def _cut(text: str, width: int) -> str:
    """Return a text of so many cells, with a mark where it was cut."""
    cut = set_cell_size(text, width)
    return cut if cut.startswith(text) else f"{set_cell_size(text, width - 1)}…"


def _rate(a_second: float) -> str:
    return f"{a_second:.1f}" if a_second < 100 else number(round(a_second))


def _ms(bound: float | None) -> str:
    return "> 2.5 s" if bound is None else f"{bound:g} ms"
