# SPDX-License-Identifier: Apache-2.0
"""``filterd check``: what would this class get for this name, and why."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, NamedTuple

import typer

from filterd import control
from filterd.cli.context import Context, JsonOption, command
from filterd.cli.render import explanation_table
from filterd.cli.sites import grade_from, load_site_offline, qname_from
from filterd.clock import SystemClock
from filterd.errors import ConfigError, ControlError, NameTextError
from filterd.resolve.explain import client_of, explain, parse_time
from filterd.wire import type_from_text

PASSES, BLOCKED = 0, 1


@command
def check(
    here: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name, such as www.tiktok.com.")],
    grade: Annotated[
        str | None,
        typer.Option("--grade", metavar="G", help="As whom: 1-12, preschool, staff, guest, ..."),
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="IP", help="As the device with this address.")
    ] = None,
    qtype: Annotated[str, typer.Option("--type", metavar="T", help="Type of record.")] = "A",
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="At another time: 2026-12-01T07:30, in the school's zone."
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask the files on disk, not the running daemon.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Tell what a class or device gets for a name, and why.

    Exit code 0: the name passes; 1: it is blocked; 2: it cannot be told.
    """
    question = _question(name, qtype)
    who = _who(grade, client)
    explanation = _explain(here, question, who, at, offline=offline)
    if json:
        here.print_json(explanation)
    else:
        here.console.print(explanation_table(here.texts, explanation))
    raise typer.Exit(PASSES if explanation["action"] in {"pass", "rewrite"} else BLOCKED)


def _explain(
    here: Context, asked: _Question, who: _Who, at: str | None, *, offline: bool
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
                at=at,
            )
        except ControlError:
            if control.is_running(here.state.control_socket):
                raise
        else:
            return _told(here, answer, who)
    return _told(here, _explain_offline(here, asked, who, at), who)


def _explain_offline(
    here: Context, asked: _Question, who: _Who, at: str | None
) -> dict[str, Any] | None:
    site = load_site_offline(here)
    now = SystemClock().wall() if at is None else parse_time(at, site.policy.time_zone)
    client = client_of(site, who.grade, who.address)
    return (
        None if client is None else explain(site, client, asked.qname, asked.qtype, now).as_dict()
    )


def _told(here: Context, explanation: dict[str, Any] | None, who: _Who) -> dict[str, Any]:
    if explanation is None:
        raise ConfigError(here.texts("check.may_not_ask", address=who.address))
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
        raise ConfigError(f"--type: {error.reason}") from error


def _who(grade: str | None, client: str | None) -> _Who:
    if grade is not None and client is not None:
        raise ConfigError("--grade and --client exclude each other", hint="give one of them")
    if client is None:
        return _Who(None if grade is None else grade_from(grade), None)
    try:
        return _Who(None, str(ip_address(client)))
    except ValueError as error:
        raise ConfigError(f"--client {client!r} is no address", hint="such as 10.0.6.21") from error
