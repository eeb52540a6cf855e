# SPDX-License-Identifier: Apache-2.0
"""``filterd alerts``: show the active alerts, and try the ways they are sent."""

from __future__ import annotations

from typing import Any

import typer

from filterd import control, i18n, words
from filterd.cli.context import Context, JsonOption
from filterd.cli.render import show
from filterd.errors import ConfigError, DeliveryError
from filterd.i18n import UNSAID, say, translated
from filterd.monitor.alert_message import ALERTS
from filterd.monitor.alert_rules import Alert, AlertSeverity, active
from filterd.privileges import own_rights
from filterd.rows import Column, Listing, Row, Wording


def _outcome(row: Row, by: Wording) -> str:
    return translated(i18n.from_plain(row["sentence"]), by.texts.language)


SENT = Listing(
    UNSAID,
    UNSAID,
    (
        Column(say("Way"), "way", words.ALERT_WAY),
        Column(say("Result"), worded=_outcome, style=lambda row: "" if row["ok"] else "red"),
    ),
)


def list_(here: Context, json: JsonOption = False) -> None:
    """Show the active alerts, each with its remedy.

    `status` shows them, too. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    status = control.ask(here.state.control_socket, "status")
    show(here, ALERTS, [one.to_plain() for one in active(status, here.clock.wall())], json=json)


def try_(here: Context, json: JsonOption = False) -> None:
    """Send a test message each way that `alerts` in site.yaml names.

    It reads the secrets of mail and webhook, as root. Exit code 0: each server took it; 2: one
    did not, or an error.
    """
    # requests and smtplib are for this command only.
    from filterd.monitor.alert_message import AlertEvent, AlertMessage  # noqa: PLC0415
    from filterd.monitor.alert_watch import ask_settings, ways_of  # noqa: PLC0415

    settings, now = ask_settings(here.state.control_socket), here.clock.wall()
    ways = {} if settings is None else ways_of(settings, here.config, here.clock)
    if settings is None or not ways:
        raise ConfigError(
            say("site.yaml names no way for alerts"),
            hint=say("write mail or webhook under alerts, then filterd reload"),
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
    show(here, SENT, rows, json=json)
    if not all(one["ok"] for one in rows):
        raise typer.Exit(DeliveryError.exit_code)
