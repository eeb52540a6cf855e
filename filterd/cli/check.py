# SPDX-License-Identifier: Apache-2.0
"""``filterd check``: what would this class get for this name, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any, NamedTuple

import typer

from filterd import control
from filterd.cli.context import Context, JsonOption, command
from filterd.cli.offline_site import grade_from, load_site_offline, open_index, qname_from
from filterd.cli.policy_changes import versions
from filterd.cli.render import explanation_table
from filterd.cli.time_options import school_clock
from filterd.daemon import known_time
from filterd.errors import ConfigError, ControlError, NameTextError
from filterd.i18n import quoted, say
from filterd.overrides.store import Store
from filterd.resolve.explain import client_of, explain
from filterd.resolve.explain_history import PastQuestion, PastState, explain_past
from filterd.resolve.site import Site
from filterd.wire import type_from_text

PASSES, BLOCKED = 0, 1


@command
def check(
    here: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name, such as www.tiktok.com.")],
    grade: Annotated[
        str | None,
        typer.Option(
            "--grade", metavar="GRADE", help="As whom: 1-12, preschool, staff, guest, ..."
        ),
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="IP", help="As the device with this address.")
    ] = None,
    qtype: Annotated[str, typer.Option("--type", metavar="TYPE", help="Type of record.")] = "A",
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="At another time: 17:00, t2 08:00 or 2026-12-01T07:30."
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask the files on disk, not the running daemon.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Tell what a class or device gets for a name, and why.

    What is to come follows from the timetable and what is set now; what was, from
    the history, with the lists of today. Exit code 0: the name passes; 1: it is
    blocked; 2: it cannot be told, or what was in force then is not known.
    """
    question = _question(name, qtype)
    who = _who(grade, client)
    clock = school_clock(here)
    when = None if at is None else clock.read(at, past=True)
    if when is not None and when < clock.now:
        explanation = _told(_explain_past(here, question, who, when, clock.told(when)), who)
    else:
        explanation = _explain(here, question, who, when, offline=offline)
    if json:
        here.print_json(explanation)
    else:
        here.console.print(explanation_table(here.texts, explanation, clock))
    raise typer.Exit(PASSES if explanation["action"] in {"pass", "rewrite"} else BLOCKED)


def _explain(
    here: Context, asked: _Question, who: _Who, when: float | None, *, offline: bool
) -> dict[str, Any]:
    """Ask the daemon if one runs, else the files on disk."""
    if not offline:
        try:
            answer = control.ask(
                here.state.control_socket,
                "check",
                qname=asked.qname.hex(),
                qtype=asked.qtype,
                grade=who.grade,
                client=who.address,
                at=None if when is None else datetime.fromtimestamp(when, UTC).isoformat(),
            )
        except ControlError:
            if control.is_running(here.state.control_socket):
                raise
        else:
            return _told(answer, who)
    return _told(_explain_offline(here, asked, who, when), who)


def _explain_offline(
    here: Context, asked: _Question, who: _Who, when: float | None
) -> dict[str, Any] | None:
    floor = known_time.floor_of(here.state)
    now = known_time.policy_time(here.clock.wall(), floor) if when is None else when
    return _explain_by(load_site_offline(here, now, floor), asked, who, now)


def _explain_past(
    here: Context, asked: _Question, who: _Who, when: float, shown: str
) -> dict[str, Any] | None:
    """Explain by what was in force then; the daemon knows the devices, and may read the history.

    Raises:
        ConfigError: that is not known.
    """
    whose = {"grade": who.grade, "client": who.address}
    question: dict[str, Any] = {"qname": asked.qname.hex(), "qtype": asked.qtype, **whose}
    told: dict[str, Any] | None
    try:
        told = control.ask(
            here.state.control_socket, "history-check", at=when, shown=shown, **question
        )
    except ControlError:
        if control.is_running(here.state.control_socket):
            raise
    else:
        return told
    past = PastState(versions(here), Store(here.state, here.clock), open_index(here))
    found = explain_past(past, PastQuestion(*asked, *who, when, shown))
    return None if found is None else found.to_plain()


def _explain_by(site: Site, asked: _Question, who: _Who, now: float) -> dict[str, Any] | None:
    client = client_of(site, who.grade, who.address)
    if client is None:
        return None
    return explain(site, client, asked.qname, asked.qtype, now).to_plain()


def _told(explanation: dict[str, Any] | None, who: _Who) -> dict[str, Any]:
    if explanation is None:
        raise ConfigError(
            say(
                "{address} may not ask here: it is in no network of the site nor in `allow_from`",
                address=who.address,
            )
        )
    return explanation


class _Question(NamedTuple):
    qname: bytes
    qtype: int


class _Who(NamedTuple):
    grade: str | None
    address: str | None


def _question(name: str, qtype: str) -> _Question:
    try:
        return _Question(qname_from(name), type_from_text(qtype.upper()))
    except NameTextError as error:
        raise ConfigError(say("--type: {reason}", reason=quoted(error.reason))) from error


def _who(grade: str | None, client: str | None) -> _Who:
    if grade is not None and client is not None:
        raise ConfigError(
            say("--grade and --client exclude each other"), hint=say("give one of them")
        )
    if client is None:
        return _Who(None if grade is None else grade_from(grade), None)
    try:
        return _Who(None, str(ip_address(client)))
    except ValueError as error:
        raise ConfigError(
            say("--client {client} is not an address", client=repr(client)),
            hint=say("such as 10.0.6.21"),
        ) from error
