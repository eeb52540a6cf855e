# SPDX-License-Identifier: Apache-2.0
"""Show alerts, and try the ways that they take: ``filterd alerts``."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from filterd.base.errors import ConfigError, DeliveryError
from filterd.base.privileges import own_rights
from filterd.cli.context import Context, JsonOption
from filterd.cli.render import show
from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import ALERTS, AlertEvent, AlertMessage
from filterd.monitor.alert_rules import active
from filterd.operations.alerts import AlertSeverity, ReadAlerts
from filterd.texts import i18n, words
from filterd.texts.i18n import say


def list_(here: Context, json: JsonOption = False) -> None:
    """Show the active alerts, each with its remedy.

    `status` shows them, too. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    status = here.send(ReadAlerts())
    show(here, ALERTS, [one.to_plain() for one in active(status, here.clock.wall())], json=json)


def send_test(here: Context, json: JsonOption = False) -> None:
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
    if not all(row["ok"] for row in rows):
        raise typer.Exit(DeliveryError.exit_code)
