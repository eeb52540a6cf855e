# SPDX-License-Identifier: Apache-2.0
"""``filterd serve``, ``reload``, ``status`` and ``clock accept``: start and ask the daemon."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

from rich.console import Group
from rich.text import Text

from filterd import control, counted, i18n, words
from filterd.cli.change_request import change, print_change
from filterd.cli.context import Context, JsonOption, on_named_files, option
from filterd.cli.entry import find_only_what_is_installed
from filterd.cli.render import facts, titled
from filterd.cli.time_options import school_clock
from filterd.counted import number
from filterd.errors import from_plain
from filterd.i18n import Texts, say, say_n
from filterd.rows import SchoolClock


def reload(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Put the site's files and the compiled lists in force.

    If they are wrong, nothing changes. Exit code 0: done; 2: not.
    """
    done = control.ask(here.state.control_socket, "reload")
    if json:
        here.print_json(done)
        return
    here.console.print(
        here.texts(
            "Reloaded: policy {policy}, {names} on {lists}.",
            policy=done["policy"],
            names=counted.names(done["names"]),
            lists=counted.lists(done["lists"]),
        )
    )
    if done["restart_for"]:
        here.console.print(
            here.texts("A restart is needed to change: {what}", what=", ".join(done["restart_for"]))
        )
    for doubt in _doubts(here.texts, done):
        line = here.texts("warning: {warning}", warning=doubt)
        here.errors.print(Text(line, style="yellow"), soft_wrap=True)


def status(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Show how the running daemon fares.

    Exit code 0: shown; 2: it cannot be told, or no daemon runs.
    """
    told = control.ask(here.state.control_socket, "status")
    if json:
        here.print_json(told)
    else:
        here.console.print(_status_table(here.texts, told, school_clock(here)))


def _status_table(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> Group:
    cache = {key: number(value) for key, value in told["cache"].items()}
    lists = texts(
        "{names}, {lists}, compiled {when}",
        names=counted.names(told["names"]),
        lists=counted.lists(told["lists"]),
        when=clock.told(told["lists_built_at"]),
    )
    table = facts(
        [
            (texts("School"), told["school"]),
            (texts("Up"), texts(counted.duration(told["up_s"]))),
            (texts("Policy"), told["policy"]),
            (texts("Lists"), lists),
            (texts("Feed"), feed_summary(texts, told["feed"], clock)),
            (texts("Modules"), _modules(texts, told["not_native"])),
            (
                texts("Listens on"),
                ", ".join(texts("{address} port {port}", **one) for one in told["listen"]),
            ),
            (texts("Upstreams"), _upstreams(texts, told["upstreams"])),
            (texts("Answers"), _answers(texts, told["answers"])),
            (
                texts("Cache"),
                texts(
                    "{entries} entries, {octets} octets, {hits} hits, {misses} misses,"
                    " {stale} stale, {refreshed} refreshed ahead, {failures} failures"
                    " remembered",
                    **cache,
                ),
            ),
            (texts("In flight"), str(told["in_flight"])),
            (texts("Datagrams"), _datagrams(texts, told)),
            (texts("Clock"), _clock(texts, told, clock)),
            (texts("Today"), _today(texts, told["log"])),
            (texts("Changes"), "\n".join(_problems(texts, told.get("changes", {})))),
            (texts("Look at"), "\n".join(_doubts(texts, told))),
        ],
    )
    return titled(texts("filterd {version} is running", version=told["version"]), table)


def _doubts(texts: Texts, told: dict[str, Any]) -> list[str]:
    """Return unmet expectations, a line each."""
    return [from_plain(one).told(texts.language) for one in told["doubts"]]


def _problems(texts: Texts, changes: dict[str, Any]) -> list[str]:
    """Return the problems of the store of changes, a line each."""
    found = map(i18n.from_plain, changes.get("problems", ()))
    return [i18n.told(one, texts.language) for one in found]


def _clock(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> str:
    """Return why the machine's clock is not believed, and the consequence; empty if it is."""
    times = told.get("clock")
    if times is None or (told["time_is_known"] and times["standing"] != "jumped"):
        return ""
    shown = {
        key: f"{clock.shows(at):%Y-%m-%d %H:%M}"
        for key, at in times.items()
        if key != "standing" and at is not None
    }
    if times["standing"] == "jumped":
        return texts(
            "the clock has jumped to {shows} and is not believed yet; policy goes by"
            " {policy_time}. If it is right: filterd clock accept",
            **shown,
        )
    undated = told["log"]["undated"]
    waiting = (
        texts(
            say_n(
                "{n} answer will be counted when the time is known",
                "{n} answers will be counted when the time is known",
                undated,
                n=number(undated),
            )
        )
        if undated
        else ""
    )
    return "\n".join(
        filter(
            None,
            (
                texts(
                    "the time is not known: the clock shows {shows}, and the last known time"
                    " is {floor}. Until it is known all blocks and exams that have not ended"
                    " hold, allows with an end do not, rooms with a timetable have its"
                    " strictest grade. Set the clock (NTP, or timedatectl set-time); if it is"
                    " right: filterd clock accept",
                    **shown,
                ),
                waiting,
            ),
        )
    )


def _modules(texts: Texts, not_native: list[str]) -> str:
    """Return whether native code runs, and the modules that run without it."""
    if not not_native:
        return texts("native")
    return texts("pure Python (slow): {names}", names=", ".join(not_native).replace("filterd.", ""))


def _answers(texts: Texts, counted: dict[str, int]) -> str:
    most_first = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{texts.word(words.ANSWERED, what)} {number(n)}" for what, n in most_first)


def _today(texts: Texts, log: dict[str, Any]) -> str:
    """Return the totals of the school's day, and what is wrong with the log."""
    counted = ", ".join(
        f"{texts.word(words.COUNTED, action)} {number(log['today'][action])}"
        for action in words.COUNTED
        if action in log["today"]
    )
    lost = (
        texts("{n} lost before they could be written", n=number(log["lost"])) if log["lost"] else ""
    )
    off = texts("the log is off") if log["level"] == "off" else ""
    return "\n".join(one for one in (counted, off, lost, _problem(texts, log)) if one)


def _problem(texts: Texts, told: dict[str, Any]) -> str:
    """Return the problem of a part; a daemon of before sends it in English only."""
    return i18n.told(i18n.from_plain(told.get("sentence", told["problem"])), texts.language)


def _datagrams(texts: Texts, told: dict[str, Any]) -> str:
    counted = told["datagrams"]
    truncated = counted["truncated_rate"] + counted["truncated_overload"]
    dropped = counted["dropped_rate"] + counted["dropped_overload"]
    return texts(
        "{received} received, {truncated} sent to TCP, {dropped} dropped, {lost} lost to full"
        " queues",
        received=number(counted["received"]),
        truncated=number(truncated),
        dropped=number(dropped),
        lost=number(told["receive_drops"]),
    )


def _upstreams(texts: Texts, upstreams: list[dict[str, Any]]) -> str:
    if not upstreams:
        return texts("none: only blocked names are answered")
    return "\n".join(_upstream(texts, one) for one in upstreams)


def _upstream(texts: Texts, one: dict[str, Any]) -> str:
    """Return one line: where it is, how fast, whether it is encrypted, what is wrong with it."""
    return (
        texts("{address} port {port}", address=one["address"], port=one["port"])
        + (" TLS" if one["tls"] != "no" else "")
        + (f" {one['rtt_ms']} ms" if one["rtt_ms"] is not None else "")
        + (f" ({texts('down')})" if one["down"] else "")
        + (f" ({_problem(texts, one)})" if one["problem"] else "")
    )


def feed_summary(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> Text:
    """Return the state of a feed in a line or two; empty for no feed."""
    if not told["address"]:
        return Text(feed_problem(texts, told), style="yellow")
    lines = [feed_served(texts, told)]
    if is_worrying(told):
        lines.append(feed_age(texts, told, clock))
        lines.append(feed_problem(texts, told))
    shown = "\n".join(line for line in lines if line)
    return Text(shown, style=feed_style(told) if is_worrying(told) else "")


def is_worrying(told: dict[str, Any]) -> bool:
    """Return whether the state of a feed needs an administrator."""
    if not told["address"]:
        return bool(told["problem"])
    waits = bool(told["judgement"] or told["held"] or told["problem"] or not told["trusted"])
    return waits or told["freshness"] != "fresh"


def feed_served(texts: Texts, told: dict[str, Any]) -> str:
    """Return the version that the lists in force are of."""
    if not told["served"]:
        return texts("the lists that ship with filterd")
    version = str(told["served"])
    if version.startswith("-"):
        key = say("earlier lists, with the orders of version {version}")
    else:
        key = say("version {version}")
    return texts(key, version=version.removeprefix("-"))


def feed_age(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> str:
    """Return when a feed was last verified, and how old that is."""
    freshness = texts.word(words.FRESHNESS, told["freshness"])
    if told["verified_at"] is None:
        return freshness
    return f"{clock.told(told['verified_at'])}: {freshness}"


def feed_problem(texts: Texts, told: dict[str, Any]) -> str:
    """Return the problem of the last run; empty for none."""
    return i18n.told(i18n.from_plain(told["sentence"]), texts.language)


def feed_style(told: dict[str, Any]) -> str:
    """Return the style of a feed's age."""
    return {"fresh": "", "very-old": "bold red"}.get(told["freshness"], "yellow")


def accept(
    here: Context,
    reason: Annotated[str, option("--reason", "Why.", "TEXT")],
    json: JsonOption = False,
) -> None:
    """Believe the clock of this machine from now on.

    For a clock that filterd does not believe (`filterd status`) although it is right: the
    last known time came from a clock that was ahead, or the clock was set by hand. What
    was set while that was so keeps its length. Exit code 0: done; 2: not.
    """
    clock = school_clock(here)
    told = change(here, "clock-accept", reason)
    what = here.texts(
        "the machine's clock is believed: {when}", when=f"{clock.shows(clock.now):%Y-%m-%d %H:%M}"
    )
    print_change(here, told, what, json=json)


@on_named_files
def serve(
    here: Context,
    try_it: Annotated[
        bool, option("--try", "Print commands that show what different classes get.")
    ] = False,
) -> None:
    """Answer lookups until told to stop.

    SIGHUP reloads, SIGTERM and Ctrl-C stop. Exit code 0: it was told to stop; 2: it
    could not begin.
    """
    arguments = [str(here.config), str(here.state.folder), here.texts.language]
    serving = [sys.executable, "-m", "filterd.daemon.main", *arguments, "yes" if try_it else "no"]
    find_only_what_is_installed()
    # Signals wait until the daemon handles them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    os.execv(sys.executable, serving)  # noqa: S606 -- it becomes the one that serves
