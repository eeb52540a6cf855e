# SPDX-License-Identifier: Apache-2.0
"""``filterd check`` and ``services``: what a grade or device gets, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any

import typer

from filterd.base.errors import ConfigError, NameTextError, excluding
from filterd.cli.context import Context, JsonOption, Options, argument, option
from filterd.cli.effective_state import in_force, offline, send_else
from filterd.cli.render import listed, show_details
from filterd.cli.school_clock import school_clock
from filterd.cli.target_options import seat
from filterd.operations.parameters.time import read_time
from filterd.operations.parameters.wire_name import AskedRecord
from filterd.operations.policy import CheckName, past_of
from filterd.overrides.target_text import grade_from, qname_from
from filterd.policy.grade_rows import SERVICE, SERVICES, as_told, service_row, whole_service_row
from filterd.policy.model import GRADES
from filterd.resolve.explanation import EXPLANATION, passes
from filterd.texts.i18n import did_you_mean, quoted, say
from filterd.texts.rows import Wording
from filterd.wire import type_from_text

PASSES, BLOCKED = 0, 1


def check(
    here: Context,
    name: Annotated[str, argument("NAME", "The name, such as www.tiktok.com.")],
    whom: Annotated[str | None, Options(seat)],
    client: Annotated[
        str | None, option("--client", "Ask as the device with this address.", "IP")
    ] = None,
    qtype: Annotated[str, option("--type", "Type of record.", "TYPE")] = "A",
    at: Annotated[
        str | None,
        option("--at", "Ask for another time: 17:00, t2 08:00 or 2026-12-01T07:30.", "TIME"),
    ] = None,
    offline_: Annotated[
        bool, option("--offline", "Ask the files on disk, not the running daemon.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what a grade or device gets for a name, and why.

    A time to come is judged by the timetable and what is set now; a past one by the
    history, with the lists of today. Exit code 0: the name passes; 1: it is
    blocked; 2: an error, or what was in force then is not known.
    """
    clock = school_clock(here)
    asked = _asked(name, qtype, *_client(whom, client))
    when = None if at is None else read_time(clock, at, past=True)
    if when is not None and when < clock.now:
        past = past_of(asked, when, clock.text(when))
        found = send_else(here, lambda: offline().explain_then(here, past), past)
    else:
        asked = replace(asked, at=when)
        found = _now_or_later(here, asked, offline_=offline_)
    if found is None:
        raise ConfigError(
            say(
                "{address} may not use this resolver: it is in no network of the site, nor in"
                " `allow_from`",
                address=client,
            )
        )
    if when is not None:
        found["at"] = datetime.fromtimestamp(when, UTC).isoformat()
    show_details(here, EXPLANATION, found, json=json, clock=clock)
    raise typer.Exit(PASSES if passes(found["action"]) else BLOCKED)


def _now_or_later(here: Context, asked: CheckName, *, offline_: bool) -> dict[str, Any] | None:
    """Ask the daemon if one runs, else the files on disk."""

    def by_files() -> Any:
        return offline().explain_now(here, asked)

    return by_files() if offline_ else send_else(here, by_files, asked)


def _asked(name: str, qtype: str, grade: str | None, client: str | None) -> CheckName:
    try:
        question = AskedRecord(qname_from(name), type_from_text(qtype.upper()))
    except NameTextError as error:
        raise ConfigError(say("--type: {reason}", reason=quoted(error.reason))) from error
    return CheckName(question=question, grade=grade, client=client)


def _client(grade: str | None, client: str | None) -> tuple[str | None, str | None]:
    if grade is not None and client is not None:
        raise excluding("--grade", "--client")
    if client is None:
        return grade, None
    try:
        return None, str(ip_address(client))
    except ValueError as error:
        raise ConfigError(
            say("--client {client} is not an address", client=repr(client)),
            hint=say("such as 10.0.6.21"),
        ) from error


def services_list(
    here: Context,
    grade: Annotated[
        str | None, option("--grade", "Also show what this grade may use now.", "GRADE")
    ] = None,
    group: Annotated[str | None, option("--group", "Only this category.", "ID")] = None,
    json: JsonOption = False,
) -> None:
    """Show the services that can be opened and closed by name.

    Exit code 0: shown; 2: an error.
    """
    wanted = None if grade is None else grade_from(grade)
    now = in_force(here)
    if group is not None and group not in now.policy.categories:
        hint = did_you_mean(group, now.policy.categories)
        raise ConfigError(say("'{group}' is not a category", group=group), hint=hint)
    policy = as_told(now.moment.policy, now.clock.now)
    found = [service for service in now.policy.services.values() if group in (None, service.group)]
    if json:
        here.print_json([whole_service_row(policy, one) for one in found])
    else:
        of_grade = policy.grades[wanted or GRADES[0]]  # without a grade no state is shown
        rows = [service_row(policy, of_grade, one) for one in found]
        listing = SERVICES if wanted else SERVICES.without("state")
        here.console.print(listed(Wording(here.texts, now.clock), listing, rows))


def service_show(
    here: Context,
    service: Annotated[str, argument("SERVICE", "Id of the service, such as youtube.")],
    json: JsonOption = False,
) -> None:
    """Show one service: its names, and who may use it now.

    Exit code 0: shown; 2: no such service, or error.
    """
    now = in_force(here)
    if service not in now.policy.services:
        hint = did_you_mean(service, now.policy.services)
        raise ConfigError(say("'{service}' is not a service", service=service), hint=hint)
    row = whole_service_row(as_told(now.moment.policy, now.clock.now), now.policy.services[service])
    show_details(here, SERVICE, row, json=json, clock=now.clock)
