# SPDX-License-Identifier: Apache-2.0
"""The page of today: what is answered and blocked, what is open, what is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd.feed.feed_details import summary
from filterd.lists.category_coverage import summary_line
from filterd.monitor.alert_message import ALERTS
from filterd.monitor.status_details import UPSTREAMS, doubts
from filterd.operations.review_requests import REQUESTS
from filterd.operations.totals import TOTALS
from filterd.overrides.current_rows import ROOMS, level_lines
from filterd.overrides.descriptions import Describer
from filterd.overrides.override_rows import EXAMS, EXCEPTIONS
from filterd.overrides.rights.read_access import READERS, View
from filterd.querylog.querylog_rows import levels_shown
from filterd.reports.charts import StackedBars, row_bars, spark_points
from filterd.reports.report_document import BarChart, BarSeries
from filterd.texts import counted, i18n, words
from filterd.texts.i18n import say, translated
from filterd.web.form_choices import names_of
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.operations.status_operations import STATUS
from filterd.web.page import Page
from filterd.web.protection_band import band

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.control.status_answer import SchoolDay, StatusAnswer
    from filterd.texts.rows import Row, Wording
    from filterd.web.visitor import Visitor

_DAYS = 8
_MOST = 20
"""Of what is open now; the page of exceptions has all."""
_SCHOOL_DAY = range(6, 18)
"""Hours that the chart always has."""

_SERIES = {
    BarSeries(words.COUNTED["pass"], "passed"): ("pass", "local"),
    BarSeries(words.COUNTED["rewritten"], "safe"): ("rewritten",),
    BarSeries(words.COUNTED["blocked"], "blocked"): ("blocked",),
    BarSeries(words.COUNTED["failed"], "failed"): ("failed", "refused"),
}
"""The parts of a bar, and what is counted as each."""


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    status: StatusAnswer
    hours: list[Row]
    week: list[Row]
    status, hours, week = await asyncio.gather(
        visitor.call(STATUS),
        visitor.call(TOTALS, days=1, by_hour=True),
        visitor.call(TOTALS, days=_DAYS),
    )
    requests = await visitor.call(REQUESTS) if visitor.may(REQUESTS) else []
    by = visitor.wording
    names = names_of(await visitor.call(CATEGORIES), by) if status["protection"]["starter"] else {}
    shown = band(status, names, by)
    tell, day = Describer(*by), status["day"]
    of_rows = not visitor.roles.isdisjoint(READERS[View.ROWS])
    return {
        "status": status,
        "band": shown,
        "alerts": [one for one in status["alerts"] if one["id"] not in shown.alerts],
        "requests": len(requests),
        "alert_listing": ALERTS,
        "troubles": list(_troubles(status, by)),
        "figures": list(_figures(status, by)),
        "hours": _hours(hours, by),
        "week": _week(week, by),
        "seats": row_bars(_seats(day, by)),
        "categories": row_bars(_categories(day, by, links=of_rows)),
        "open_now": [*status["pauses"], *day["exceptions"]],
        "exceptions": EXCEPTIONS.without("state")._replace(
            title=say("Open or closed for a time"), none=say("Nothing is open for a time.")
        ),
        "loans": [tell.thing("loans", one) for one in day["loans"]],
        "rooms": ROOMS._replace(title=say("Rooms now")),
        "exams": EXAMS.without("state"),
        "upstreams": UPSTREAMS,
        "levels": _levels(status, by, shows_rows=of_rows),
        "most": _MOST,
        "number": counted.number,
    }


def _troubles(status: StatusAnswer, by: Wording) -> Iterator[str]:
    """Yield what alerts only count: problems of stores, unmet expectations."""
    for one in status["changes"]["problems"]:
        yield translated(i18n.from_plain(one), by.texts.language)
    yield from doubts(status["doubts"], by.texts)


def _figures(status: StatusAnswer, by: Wording) -> Iterator[tuple[str, str, str]]:
    """Yield the figures of the day: what, number, and a word on it."""
    texts, counts, pace = by.texts, status["log"]["today"], status["log"]["pace"]
    n, blocked = sum(counts.values()), counts.get("blocked", 0)
    about = ""
    if pace and pace["last_week"]:
        about = texts(
            "this hour {now}; a week ago {before}",
            now=counted.number(pace["now"]),
            before=counted.number(pace["last_week"]),
        )
    yield texts("Answers today"), counted.number(n), about
    part = texts("{part} % of all", part=round(100 * blocked / n)) if n else ""
    yield texts("Blocked today"), counted.number(blocked), part
    age = counted.duration(max(0.0, by.clock.now - (status["lists_built_at"] or by.clock.now)))
    feed = summary(status["feed"], by)
    yield (
        texts("Names on lists"),
        counted.number(status["names"]),
        "\n".join(filter(None, (texts("compiled {age} ago", age=age), feed))),
    )
    if covered := status.get("coverage"):
        first, *others = summary_line(covered, by).splitlines()
        filled = sum(not one["starter_only"] for one in covered)
        yield (
            texts("Categories with lists"),
            counted.number(filled),
            "\n".join((first, *others[:1])),
        )


def _levels(status: StatusAnswer, by: Wording, *, shows_rows: bool) -> list[str]:
    """Return what each log level keeps, and the levels that people have set."""
    day = status["day"]
    by_command = [one for one in day["log_levels"] if one["setting"]]
    return [
        *levels_shown(status["log"]["levels"], by, shows_rows=shows_rows),
        *level_lines({**day, "log_levels": by_command}, by).splitlines(),
    ]


def _hours(rows: Iterable[Row], by: Wording) -> StackedBars:
    """Return the chart of the hours of today that are over."""
    found: dict[int, Counter[str]] = {hour: Counter() for hour in _SCHOOL_DAY}
    for row in rows:
        found.setdefault(by.clock.shows(row["hour"]).hour, Counter())[row["action"]] += row["n"]
    bars = tuple(
        (f"{hour}:00", _counts(found.get(hour, Counter())))
        for hour in range(min(found), max(found) + 1)
    )
    title, heading = by.texts("Answers by the hour"), by.texts("Hour")
    return StackedBars(BarChart("hours", title, heading, tuple(_SERIES), bars))


def _counts(of: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sum(of.get(action, 0) for action in actions) for actions in _SERIES.values())


def _week(rows: Iterable[Row], by: Wording) -> tuple[str, str]:
    """Return a sentence on the blocks of the days before, and their line."""
    days = Counter[str]()
    for row in rows:
        days[row["date"]] += row["n"] if row["action"] == "blocked" else 0
    today = f"{by.clock.shows(by.clock.now):%Y-%m-%d}"
    before = [n for day, n in days.items() if day != today]
    if not before:
        return "", ""
    usual = counted.number(round(sum(before) / len(before)))
    text = by.texts(
        "blocks of the last {days}: {usual} a day", days=counted.days(len(before)), usual=usual
    )
    return text, spark_points([days[day] for day in sorted(days)])


def _seats(day: SchoolDay, by: Wording) -> list[tuple[str, int, str]]:
    tell = Describer(*by).grade
    return [(tell(one), n, "") for one, n in day["blocked_today"].items()]


def _categories(day: SchoolDay, by: Wording, *, links: bool) -> list[tuple[str, int, str]]:
    return [
        (
            day["category_names"].get(one, {}).get(by.texts.language, one)
            or by.texts("(other blocks)"),
            n,
            f"/lookups?action=blocked&category={one}" if links and one else "",
        )
        for one, n in day["blocked_categories"].items()
    ]


PAGE = Page(path="/", title=say("Today"), template="today.html", load=_load)
