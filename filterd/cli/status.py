# SPDX-License-Identifier: Apache-2.0
"""Ask the daemon for its state; have it take new files or an edit, or believe its clock.

``filterd status``, ``alerts``, ``reload``, ``site apply``, ``clock accept``.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, DeliveryError
from filterd.base.privileges import own_rights
from filterd.cli.change_request import change, print_change
from filterd.cli.context import Context, JsonOption, ReasonOption, option
from filterd.cli.render import show, show_details
from filterd.cli.school_clock import school_clock
from filterd.monitor.alert import Alert, AlertSeverity
from filterd.monitor.alert_message import ACTIVE, ALERTS, AlertEvent, AlertMessage
from filterd.monitor.alert_rules import active
from filterd.monitor.status_details import COUNTERS, STATUS, doubts
from filterd.texts import counted, i18n, words
from filterd.texts.i18n import say

_STATUS = STATUS._replace(columns=(ACTIVE, *STATUS.columns))


def reload(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Put the site's files and the compiled lists in force.

    If they are wrong, nothing changes. Exit code 0: done; 2: an error.
    """
    done = here.ask("reload")
    if json:
        here.print_json(done)
        return
    here.print(
        say(
            "Reloaded: policy {policy}, {names} on {lists}.",
            policy=done["policy"],
            names=counted.names(done["names"]),
            lists=counted.lists(done["lists"]),
        )
    )
    if done["restart_for"]:
        here.print(say("Restart filterd to change: {what}", what=", ".join(done["restart_for"])))
    for doubt in doubts(done["doubts"], here.texts):
        line = here.texts("warning: {warning}", warning=doubt)
        here.errors.print(Text(line, style="yellow"), soft_wrap=True)


def status(
    here: Context,
    verbose: Annotated[
        bool, option("--verbose", "Show upstreams, cache and datagrams, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show the state of the school and of the running daemon.

    Alerts, lists and their age, blocks today, what is open for a time, rooms, exams, and what
    is wrong. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    answer = present_status(here)
    show_details(here, _STATUS, answer, json=json)
    if verbose and not json:
        show_details(here, COUNTERS, answer)


def present_status(here: Context, **asked: Any) -> dict[str, Any]:
    """Return the daemon's answer to ``status``, with the alerts that follow from it.

    Raises:
        ControlError: no daemon answers.
    """
    answer = here.ask("status", **asked)
    now = SystemClock().wall()
    return {**answer, "alerts": [one.to_plain() for one in active(answer, now)]}


def accept(
    here: Context,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Believe the clock of this machine from now on.

    For a clock that filterd does not believe (`filterd status`) although it is right: the last
    known time came from a clock that was ahead, or the clock was set by hand. What was set
    while that was so keeps its length. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    answer = change(here, "clock-accept", reason)
    what = here.texts(
        "the machine's clock is believed: {when}", when=f"{clock.shows(clock.now):%H:%M %d/%m/%Y}"
    )
    print_change(here, answer, what, json=json)


def alerts_list(here: Context, json: JsonOption = False) -> None:
    """Show the active alerts, each with its remedy.

    `status` shows them, too. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    status = here.ask("status")
    show(here, ALERTS, [one.to_plain() for one in active(status, here.clock.wall())], json=json)


def alerts_test(here: Context, json: JsonOption = False) -> None:
    """Send a test message each way that `alerts` in site.yaml names.

    It reads site.yaml and the secrets of mail and webhook, as root; no daemon need run. Exit
    code 0: each server took it; 2: one did not, or an error.
    """
    # requests and smtplib are for this command only.
    from filterd.config.compile_run import read_destinations  # noqa: PLC0415
    from filterd.monitor.alert_watch import ways_of  # noqa: PLC0415

    with own_rights():
        settings, now = read_destinations(here.config).alerts, here.clock.wall()
    ways = {} if settings is None else ways_of(settings, here.config, here.clock)
    if settings is None or not ways:
        raise ConfigError(
            say("site.yaml names no way for alerts"),
            hint=say("write mail or webhook under alerts"),
        )
    alert = Alert("test", AlertSeverity.NOTICE, say("this is a test message"), say("none needed"))
    message = AlertMessage(settings, [AlertEvent(alert, now)], now)
    rows: list[dict[str, Any]] = []
    for name, way in ways.items():
        result, is_sent = say("sent"), True
        try:
            with own_rights():
                way.send(message)
        except DeliveryError as error:
            result, is_sent = error.sentence, False
        plain = i18n.to_plain(result)
        rows.append({"way": name, "ok": is_sent, "result": str(result), "sentence": plain})
        if not json:  # a line each, whole: a table would break the path in it
            line = f"{here.texts.word(words.ALERT_WAY, name)}: {here.texts(result)}"
            here.console.print(Text(line, "" if is_sent else "red"), soft_wrap=True)
    if json:
        here.print_json(rows)
    if not all(one["ok"] for one in rows):
        raise typer.Exit(DeliveryError.exit_code)


def apply(here: Context) -> None:
    """Put the proposed site.yaml in force.

    On a gateway the daemon may not write site.yaml: an edit in the dashboard waits in the state
    folder until root applies it, which filterd-site.service does at once. It is checked again,
    nothing but site.yaml is written, and the former file comes back if the daemon refuses it.
    Exit code 0: it is in force; 2: an error, nothing is changed.
    """
    from filterd.appliance.setup.site_edit import apply as put_in_force  # noqa: PLC0415 -- heavy

    put_in_force(here.config, here.state, partial(here.ask, "reload"))
    here.print(say("The site is in force."))
