# SPDX-License-Identifier: Apache-2.0
"""``filterd reload`` and ``filterd status``: what needs a running daemon."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.text import Text

from filterd import control, i18n
from filterd.cli import feed_status
from filterd.cli.context import Context, JsonOption, command
from filterd.cli.log import ACTIONS
from filterd.cli.render import facts, number, titled
from filterd.cli.time_options import SchoolClock, school_clock
from filterd.errors import from_plain
from filterd.texts import Texts


@command
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
    here.console.print(here.texts("reload.done", **{**done, "names": number(done["names"])}))
    if done["restart_for"]:
        here.console.print(here.texts("reload.restart_for", what=", ".join(done["restart_for"])))
    for doubt in _doubts(here.texts, done):
        line = here.texts("policy.warning", warning=doubt)
        here.errors.print(Text(line, style="yellow"), soft_wrap=True)


@command
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
        "status.names_on_lists",
        names=number(told["names"]),
        lists=told["lists"],
        when=clock.told(told["lists_built_at"]),
    )
    table = facts(
        [
            (texts("status.school"), told["school"]),
            (texts("status.up"), texts("status.seconds", n=number(told["up_s"]))),
            (texts("status.policy"), told["policy"]),
            (texts("status.lists"), lists),
            (texts("status.feed"), feed_status.summary(texts, told["feed"], clock)),
            (texts("status.modules"), _modules(texts, told["not_native"])),
            (texts("status.listen"), ", ".join(texts("place", **one) for one in told["listen"])),
            (texts("status.upstreams"), _upstreams(texts, told["upstreams"])),
            (texts("status.answers"), _answers(texts, told["answers"])),
            (texts("status.cache"), texts("status.cache_line", **cache)),
            (texts("status.in_flight"), str(told["in_flight"])),
            (texts("status.datagrams"), _datagrams(texts, told)),
            (texts("status.clock"), _clock(texts, told, clock)),
            (texts("status.today"), _today(texts, told["log"])),
            (texts("status.changes"), "\n".join(_problems(texts, told.get("changes", {})))),
            (texts("status.doubts"), "\n".join(_doubts(texts, told))),
        ],
    )
    return titled(texts("status.title", version=told["version"]), table)


def _doubts(texts: Texts, told: dict[str, Any]) -> list[str]:
    """Return what is expected and not so, a line each."""
    return [from_plain(one).told(texts.language) for one in told["doubts"]]


def _problems(texts: Texts, changes: dict[str, Any]) -> list[str]:
    """Return what is wrong with the store of changes, a line each."""
    found = map(i18n.from_plain, changes.get("problems", ()))
    return [i18n.told(one, texts.language) for one in found]


def _clock(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> str:
    """Say that the machine's clock is not believed, where it is not, and what follows."""
    times = told.get("clock")
    if times is None or (told["time_is_known"] and times["standing"] != "jumped"):
        return ""
    shown = {
        key: f"{clock.shows(at):%Y-%m-%d %H:%M}"
        for key, at in times.items()
        if key != "standing" and at is not None
    }
    if times["standing"] == "jumped":
        return texts("status.jumped", **shown)
    undated = told["log"]["undated"]
    waiting = texts("status.no_time", n=number(undated)) if undated else ""
    return "\n".join(filter(None, (texts("status.clock_unknown", **shown), waiting)))


def _modules(texts: Texts, not_native: list[str]) -> str:
    """Say whether native code does the work, and for which modules their twins do."""
    if not not_native:
        return texts("status.native")
    return texts("status.pure", names=", ".join(not_native).replace("filterd.", ""))


def _answers(texts: Texts, counted: dict[str, int]) -> str:
    most_first = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{texts.word('answered', what)} {number(n)}" for what, n in most_first)


def _today(texts: Texts, log: dict[str, Any]) -> str:
    """Return the totals of the school's day, and what is wrong with the log."""
    counted = ", ".join(
        f"{texts.word('counted', action)} {number(log['today'][action])}"
        for action in ACTIONS
        if action in log["today"]
    )
    lost = texts("status.log_lost", n=number(log["lost"])) if log["lost"] else ""
    off = texts("status.log_off") if log["level"] == "off" else ""
    sentence = i18n.from_plain(log.get("sentence", log["problem"]))
    problem = i18n.told(sentence, texts.language)
    return "\n".join(one for one in (counted, off, lost, problem) if one)


def _datagrams(texts: Texts, told: dict[str, Any]) -> str:
    counted = told["datagrams"]
    truncated = counted["truncated_rate"] + counted["truncated_overload"]
    dropped = counted["dropped_rate"] + counted["dropped_overload"]
    return texts(
        "status.datagrams_line",
        received=number(counted["received"]),
        truncated=number(truncated),
        dropped=number(dropped),
        lost=number(told["receive_drops"]),
    )


def _upstreams(texts: Texts, upstreams: list[dict[str, Any]]) -> str:
    if not upstreams:
        return texts("status.no_upstream")
    return "\n".join(_upstream(texts, one) for one in upstreams)


def _upstream(texts: Texts, one: dict[str, Any]) -> str:
    """Return one line: where it is, how fast, whether it is encrypted, what is wrong with it."""
    return (
        texts("place", address=one["address"], port=one["port"])
        + (" TLS" if one["tls"] != "no" else "")
        + (f" {one['rtt_ms']} ms" if one["rtt_ms"] is not None else "")
        + (f" ({texts('status.up_down')})" if one["down"] else "")
        + (f" ({one['problem']})" if one["problem"] else "")
    )
