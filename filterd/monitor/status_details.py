# SPDX-License-Identifier: Apache-2.0
"""Word the answer to ``status`` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.certificate_facts import fingerprint_line
from filterd.base.errors import from_plain
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import PARTLY, judge
from filterd.base.protection_line import HEADINGS, ProtectionLevel
from filterd.feed.feed_details import summary, summary_style
from filterd.lists.category_coverage import summary_line
from filterd.monitor.serving_details import (
    answers_by_source,
    cache_figures,
    datagrams_lost,
    tls_counts,
    tls_problem,
)
from filterd.overrides.current_rows import ROOMS, level_lines, levels_style
from filterd.overrides.descriptions import Describer
from filterd.texts import counted, i18n, words
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n, translated
from filterd.texts.rows import Column, Details, Listing, Row, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from filterd.control import status_answer as of
    from filterd.control.status_answer import StatusAnswer, UpstreamStanding
    from filterd.texts.i18n import Texts

STALE_S, GAP_SHOWN_FROM_S, DAY_S = 30 * 86_400.0, 120.0, 86_400.0
"""The hosts of safe modes are asked for every night where lists are followed."""


def doubts(errors: Iterable[Row], texts: Texts) -> list[str]:
    """Return unmet expectations, a line each."""
    return [from_plain(error).translated(texts.language) for error in errors]


def _lists(row: StatusAnswer, by: Wording) -> str:
    return by.texts(
        "{names}, {lists}, compiled {age} ago ({when})",
        names=counted.names(row["names"]),
        lists=counted.lists(row["lists"]),
        age=counted.duration(max(0.0, by.clock.now - (row["lists_built_at"] or by.clock.now))),
        when=by.clock.text(row["lists_built_at"]),
    )


def _protection(row: StatusAnswer, by: Wording) -> str:
    """Return how far this gateway protects; an alert of its own has its remedy."""
    judged = judge(ProtectionFacts.of(row))
    lines = [by.texts(HEADINGS[judged.level])]
    for one in judged.short:
        about = f" ({', '.join(one.items[:_MOST])})" if one.items else ""
        lines.append(f"{by.texts(one.sentence)}{about}")
        if one.alert == PARTLY:
            lines.append(by.texts(one.remedy))
    return "\n".join(lines)


def _protection_style(row: StatusAnswer) -> str:
    return _LEVELS[judge(ProtectionFacts.of(row)).level]


_LEVELS = dict(zip(ProtectionLevel, ("green", "yellow", "bold red"), strict=True))


def _modules(not_native: list[str], by: Wording) -> str:
    """Return whether native code runs, and the modules that run without it."""
    if not not_native:
        return by.texts("native")
    names = ", ".join(not_native).replace("filterd.", "")
    return by.texts("pure Python (slow): {names}", names=names)


def _address(address: of.ServerAddress, by: Wording) -> str:
    return by.texts("{address} port {port}", address=address["address"], port=address["port"])


def _upstreams(upstreams: list[UpstreamStanding], by: Wording) -> str:
    if not upstreams:
        return by.texts("none: only blocked names get an answer")
    return "\n".join(_upstream(upstream, by) for upstream in upstreams)


def _upstream(standing: UpstreamStanding, by: Wording) -> str:
    """Return one line on an upstream.

    It has the address, the round-trip time, whether it is encrypted, and what is wrong.
    """
    return (
        _address(standing, by)
        + (" TLS" if standing["tls"] != "no" else "")
        + (f" {standing['rtt_ms']} ms" if standing["rtt_ms"] is not None else "")
        + (f" ({_down(standing, by)})" if standing["down"] else "")
        + (f" ({_problem(standing, by)})" if standing["problem"] else "")
    )


def _down(standing: UpstreamStanding, by: Wording) -> str:
    since = standing.get("down_since")  # a daemon of before has none
    return by.texts("down since {when}", when=by.clock.text(since)) if since else by.texts("down")


def _problem(part: UpstreamStanding | of.LogStanding, by: Wording) -> str:
    """Return the problem of a part; a daemon of before sends it in English only."""
    return translated(i18n.from_plain(part.get("sentence", part["problem"])), by.texts.language)


def _backup(row: StatusAnswer, by: Wording) -> str:
    """Return the last nightly backup, and why a later one failed."""

    def done(found: of.NightlyOutcome) -> str:
        time, size = by.clock.text(found["done_at"]), counted.size(found["octets"])
        return by.texts("{time}, {size}", time=time, size=size)

    return _last(row.get("signals", {}).get("backup"), done, by)


def _reports(row: StatusAnswer, by: Wording) -> str:
    """Return the files of the last scheduled report, and why a later one failed."""

    def done(found: of.NightlyOutcome) -> str:
        return f"{by.clock.text(found['done_at'])}: {', '.join(found['files'])}"

    return _last(row.get("signals", {}).get("reports"), done, by)


def _last(
    found: of.NightlyOutcome | None, done: Callable[[of.NightlyOutcome], str], by: Wording
) -> str:
    """Return what was done last, and why a later time failed."""
    if found is None:
        return ""
    last = by.texts("none yet") if found["done_at"] is None else done(found)
    problem = translated(i18n.from_plain(found["problem"]), by.texts.language)
    return "\n".join(filter(None, (last, problem)))


def _gap(row: StatusAnswer, by: Wording) -> str:
    """Return the time without service before this start; empty after a day of service.

    The end of the run before is known to a minute.
    """
    gap_s = row.get("signals", {}).get("gap_s", 0.0)
    if gap_s < GAP_SHOWN_FROM_S or row["up_s"] >= DAY_S:
        return ""
    began = by.clock.now - row["up_s"] - gap_s
    return by.texts("{time}, for {gap}", time=by.clock.text(began), gap=counted.duration(gap_s))


def _enrolment(row: StatusAnswer, by: Wording) -> str:
    """Return until when the province has enrolled this gateway."""
    found = row.get("signals", {}).get("enrolment")
    return "" if found is None else by.texts("until {time}", time=by.clock.text(found["ends"]))


def _self_test(row: StatusAnswer, by: Wording) -> str:
    """Return the result of the last self-test; empty before the first."""
    test = row.get("signals", {}).get("self_test")
    if test is None:
        return ""
    return by.texts(
        "{time}: {passed} passed, {failed} failed, {unknown} could not be asked",
        time=by.clock.text(test["at"]),
        passed=number(test["passed"]),
        failed=number(test["failed"]),
        unknown=number(test["unknown"]),
    )


def _self_test_style(row: StatusAnswer) -> str:
    test = row.get("signals", {}).get("self_test")
    return "bold red" if test and test["failed"] else ""


def _clock(row: StatusAnswer, by: Wording) -> str:
    """Return why the machine's clock is not believed, and the consequence.

    Empty if it is believed.
    """
    times = row.get("clock")
    if times is None:
        return ""
    if row["time_is_known"] and times["standing"] not in {"jumped", "unconfirmed"}:
        return ""
    shown = {
        key: f"{by.clock.shows(at):%H:%M %d/%m/%Y}"
        for key, at in times.items()
        if key != "since" and isinstance(at, int | float)
    }
    if times["standing"] == "jumped":
        return by.texts(
            "the clock has jumped to {shows} and is not believed yet; policy goes by"
            " {policy_time}. If it is right: filterd clock accept",
            **shown,
        )
    if times["standing"] == "unconfirmed":
        return by.texts(
            "no source has confirmed the clock, which shows {shows}: it may be any time since"
            " {not_before}. Until a time server confirms it, what may close holds, what opens for a"
            " time holds only if that is certain, and nothing ends for good. If the clock is"
            " right: filterd clock accept",
            **shown,
        )
    unknown = by.texts(
        "the time is not known: the clock shows {shows}, and the last known time"
        " is {floor}. Until it is known all blocks and exams that have not ended"
        " hold, allows with an end do not, rooms with a timetable have its"
        " strictest grade. Set the clock (NTP, or timedatectl set-time); if it is"
        " right: filterd clock accept",
        **shown,
    )
    undated = row["log"]["undated"]
    if not undated:
        return unknown
    waiting = say_n(
        "{n} answer will be counted when the time is known",
        "{n} answers will be counted when the time is known",
        undated,
        n=number(undated),
    )
    return f"{unknown}\n{by.texts(waiting)}"


def _today(log: of.LogStanding, by: Wording) -> str:
    """Return the totals of the school's day, and what is wrong with the log."""
    totals, texts = log["today"], by.texts
    counts = ", ".join(
        f"{texts.word(words.COUNTED, action)} {number(totals[action])}"
        for action in words.COUNTED
        if action in totals
    )
    off = texts("the log is off") if log["level"] == "off" else ""
    n = log["lost"]
    lost = texts("{n} lost before they could be written", n=number(n)) if n else ""
    merged = texts(
        "too many lookups today to record each: equal ones within five minutes are "
        "one row without a device"
    )
    distinct = merged if log.get("rows_distinct") else ""
    return "\n".join(filter(None, (counts, off, lost, distinct, _problem(log, by))))


def _changes(row: StatusAnswer, by: Wording) -> str:
    """Return the problems of the store of changes, a line each."""
    problems = row.get("changes", {}).get("problems", ())
    return "\n".join(
        translated(i18n.from_plain(problem), by.texts.language) for problem in problems
    )


def _mistakes(row: StatusAnswer, by: Wording) -> str:
    """Return how many reported mistakes are mended or refused; empty where none was."""
    found = row.get("changes", {}).get("mistakes")
    if not found or not found["reported"]:
        return ""
    counts = by.texts(
        "{reported} reported, {mended} corrected, {refused} refused",
        **{key: number(found[key]) for key in ("reported", "mended", "refused")},
    )
    if not found["version"]:
        return counts
    last = by.texts("last answer in version {version}", version=found["version"])
    return f"{counts}; {last}"


def _pauses(row: StatusAnswer, by: Wording) -> str:
    """Return the pauses that hold, a line each; a daemon of before has none."""
    tell = Describer(*by).thing
    return "\n".join(tell("exceptions", one) for one in row.get("pauses", ()))


def _guarded(row: StatusAnswer, by: Wording) -> str:
    """Return the guarded categories that are open, a line each."""
    describe = Describer(*by)

    def line(guarded: of.OpenGuarded) -> str:
        whom = describe.whom(guarded["audience"], guarded["whom"])
        by_what = "site.yaml" if guarded["number"] is None else f"#{guarded['number']}"
        return f"{guarded['category']}: {whom} {describe.term(guarded)} ({by_what})"

    return "\n".join(map(line, row.get("guarded", ())))


def _locked_parts(row: StatusAnswer, by: Wording) -> str:
    """Return the parts that stay closed while their category is open, a line each."""
    describe = Describer(*by)

    def line(one: of.LockedPartRow) -> str:
        by_what = "site.yaml" if one["number"] is None else f"#{one['number']}"
        whom = describe.whom(one["audience"], one["whom"])
        return f"{one['part']} ({one['whole']}): {whom} ({by_what})"

    return "\n".join(map(line, row.get("day", {}).get("locked_parts", ())))


def _safe_search(row: StatusAnswer, by: Wording) -> str:
    """Return since when the hosts of safe modes were not found.

    Empty unless that is long ago.
    """
    found = row.get("safe_search")
    if not found:  # no grade has one, or a daemon of before
        return ""
    at = found["verified_at"]
    if at is None:
        return by.texts("never verified; to ask for its hosts: filterd safesearch verify")
    if by.clock.now - at < STALE_S:
        return ""
    return by.texts(
        "not verified since {when}; to ask for its hosts: filterd safesearch verify",
        when=by.clock.text(at),
    )


def _blocked(row: StatusAnswer, by: Wording) -> str:
    """Return today's blocks by class or grade, the most first."""
    blocked: Mapping[str, int] = row.get("day", {}).get("blocked_today", {})
    tell = Describer(*by).grade
    parts = [f"{tell(one)}: {number(n)}" for one, n in blocked.items()]
    return _some(parts, ", ", "log totals", by)


def _things(kind: str, command: str) -> Callable[[Row, Wording], str]:
    """Return what words the things of a kind that are set, a line each."""

    def details(row: Row, by: Wording) -> str:
        tell = Describer(*by).thing
        lines = [tell(kind, one) for one in row.get("day", {}).get(kind, ())]
        return _some(lines, "\n", command, by)

    return details


def _rooms(row: StatusAnswer, by: Wording) -> str:
    """Return the grade or class in each room now, why, and until when, a line each."""
    lines = []
    for one in row.get("day", {}).get("rooms", ()):
        sitting, because, until = (column.cell(one, by)[0] for column in ROOMS.columns[1:4])
        line = f"{one['room']}: {Describer(*by).grade(sitting)}"
        because += f" {by.texts('until {when}', when=until)}" if until else ""
        lines.append(f"{line} ({because.strip()})" if because else line)
    return _some(lines, "\n", "room list", by)


def _some(parts: list[str], between: str, command: str, by: Wording) -> str:
    """Join the first parts, and name the command that shows the others."""
    shown = between.join(parts[:_MOST])
    more = len(parts) - _MOST
    if more <= 0:
        return shown
    return shown + between + by.texts("{n} more: filterd {command}", n=more, command=command)


def _troubled(upstreams: list[UpstreamStanding], by: Wording) -> str:
    """Return the upstreams that do not answer as they should; empty where all do."""
    some = [upstream for upstream in upstreams if upstream["down"] or upstream["problem"]]
    if upstreams and not some:
        return ""
    remedy = by.texts("is the line up? `upstreams` in site.yaml names others")
    return f"{_upstreams(some, by)}\n{remedy}"


def _release(row: StatusAnswer, by: Wording) -> str:
    """Return which release of filterd waits, and why; empty for none."""
    program = row.get("program")  # a daemon of before has none
    if not program or not program["waits_for"] or program["waiting_since"] is None:
        return ""
    why = translated(i18n.from_plain(program["sentence"]), by.texts.language)
    return by.texts("{version}: {why}", version=program["offered"], why=why)


def _slow(not_native: list[str], by: Wording) -> str:
    """Return the consequence of missing native modules, and the remedy.

    Empty if none is missing.
    """
    remedy = by.texts(
        "install gcc and python3-dev, then `make setup`; or install the package again"
    )
    return f"{_modules(not_native, by)}\n{remedy}" if not_native else ""


_MOST = 10
"""Things of one kind that a status shows."""
_SUMMARY = (
    Column(say("School"), "school"),
    Column(say("Protection"), worded=_protection, style=_protection_style),
    Column(say("Lists"), worded=_lists),
    Column(say("Coverage"), worded=lambda row, by: summary_line(row.get("coverage", ()), by)),
    Column(say("Feed"), "feed", summary, style=summary_style),
    Column(say("Safe search"), worded=_safe_search, style="yellow"),
    Column(say("Today"), "log", _today),
    Column(say("Blocked today"), worded=_blocked),
)
NOW = (
    Column(
        say("Query log"),
        worded=lambda row, by: level_lines(row.get("day", {}), by),
        style=lambda row: levels_style(row.get("day", {})),
    ),
    Column(say("Paused"), worded=_pauses, style="yellow"),
    Column(say("Guarded, but open"), worded=_guarded, style="yellow"),
    Column(say("Locked, so not opened"), worded=_locked_parts, style="yellow"),
    Column(say("For a time"), worded=_things("exceptions", "exceptions list")),
    Column(say("Lent"), worded=_things("loans", "class list")),
    Column(say("Rooms now"), worded=_rooms),
    Column(say("Exams"), worded=_things("exams", "exam list")),
    Column(say("Clock"), worded=_clock, style="yellow"),
    Column(say("Upstreams"), "upstreams", _troubled, style="yellow"),
    Column(say("DNS over TLS"), worded=tls_problem, style="yellow"),
    Column(say("Modules"), "not_native", _slow, style="yellow"),
    Column(say("New release"), worded=_release, style="yellow"),
    Column(say("Certificate"), worded=fingerprint_line),
    Column(say("Out of service"), worded=_gap, style="yellow"),
    Column(say("Self-test"), worded=_self_test, style=_self_test_style),
    Column(say("Backup"), worded=_backup),
    Column(say("Reports"), worded=_reports),
    Column(say("Enrolment by the province"), worded=_enrolment),
    Column(say("Mistakes of lists"), worded=_mistakes),
    Column(say("Changes"), worded=_changes, style="yellow"),
    Column(
        say("Look at"),
        "doubts",
        lambda errors, by: "\n".join(doubts(errors, by.texts)),
        style="yellow",
    ),
)
"""What holds for a time, and what is wrong."""
STATUS = Details(
    (*_SUMMARY, *NOW),
    lambda row, by: by.texts(
        "filterd {version} is running, for {time}",
        version=row["version"],
        time=counted.duration(row["up_s"]),
    ),
)
"""What a school wants to know."""
UPSTREAMS = Listing(
    say("Upstreams"),
    say("none: only blocked names get an answer"),
    (
        Column(say("Address"), worded=_address),
        Column(say("Encrypted"), "tls", lambda tls, by: "" if tls == "no" else by.texts("yes")),
        Column(say("Round trip, ms"), "rtt_ms", is_number=True),
        Column(
            say("State"),
            worded=lambda one, by: (
                _problem(one, by)
                if one["problem"]
                else _down(one, by)
                if one["down"]
                else by.texts("up")
            ),
        ),
    ),
)
COUNTERS = Details(
    (
        Column(say("Policy"), "policy"),
        Column(say("Modules"), "not_native", _modules),
        Column(
            say("Listens on"),
            "listen",
            lambda listen, by: ", ".join(_address(one, by) for one in listen),
        ),
        Column(say("Upstreams"), "upstreams", _upstreams),
        Column(say("Answers"), "answers", answers_by_source),
        Column(say("Cache"), "cache", cache_figures),
        Column(say("In flight"), "in_flight"),
        Column(say("Datagrams"), worded=datagrams_lost),
        Column(say("DNS over TLS"), worded=tls_counts),
    )
)
"""What an engineer wants to know besides."""
