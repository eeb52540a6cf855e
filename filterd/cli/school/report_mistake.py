# SPDX-License-Identifier: Apache-2.0
"""``filterd report-mistake``: open a name that is listed by mistake, and report it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.cli.change_request import print_change
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.effective_state import offline, policy_in_force, send_else
from filterd.cli.named_files import check_written, write_named
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.lists.index import Index
from filterd.operations.mistakes import ReadMistakes, ReportMistake
from filterd.operations.parameters.term import TermWords
from filterd.overrides.mistake_reports import Mistakes, Report, from_plain
from filterd.overrides.override_rows import MISTAKES
from filterd.overrides.target_text import name_from
from filterd.texts.i18n import quoted, say, say_n

_OF_REPORT = [field.name for field in fields(Report)]


def report_mistake(
    here: Context,
    name: Annotated[str | None, argument("NAME", "The name that is on a list by mistake.")] = None,
    reason: Annotated[str | None, option("--reason", "Reason why it is a mistake.", "TEXT")] = None,
    until: Annotated[
        str | None, option("--until", "Open it until this time (default: 14 days).", "TIME")
    ] = None,
    show: Annotated[
        bool, option("--list", "Show the reports, and which lists have corrected them.")
    ] = False,
    export: Annotated[
        Path | None, option("--export", "Write all reports to a file for the centre.", "FILE")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Open a name that is on a list by mistake, and report it.

    For 14 days, for everybody. The report names no person. What an authority orders is not
    opened. The file of --export is signed by this gateway; `feed mistakes` reads it at the
    centre. Exit code 0: done; 2: an error.
    """
    if show or export is not None:
        if name is not None:
            raise ConfigError(say("--list and --export take no name"), hint=say("leave it out"))
        _show_reports(here, export, json=json)
        return
    if name is None or reason is None:
        missing = say("NAME") if name is None else quoted("--reason")
        hint = say('filterd report-mistake NAME --reason "..."')
        raise ConfigError(say("{missing} is missing", missing=missing), hint=hint)
    clock, wanted = school_clock(here), name_from(name)
    term = TermWords(until=until)
    ends_at = term.read(clock, may_be_open=True).payload.get("ends_at")
    answer = here.send(ReportMistake(name=wanted, ends_at=ends_at, reason=reason))
    until_text = clock.text(answer.get("until") or ends_at)
    what = here.texts(
        "{name} is open until {when}, and reported as a mistake of a list",
        name=wanted,
        when=until_text or "14 d",
    )
    print_change(here, answer, what, json=json)


def _show_reports(here: Context, export: Path | None, *, json: bool) -> None:
    answer = _mistakes(here)
    if export is not None:
        check_written(export, "--export")
        reports = [from_plain({key: one[key] for key in _OF_REPORT}) for one in answer]
        write_named(export, _sealed(here, reports), "--export")
        if not json:
            here.console.print(
                here.texts(
                    say_n("{n} report is in {file}", "{n} reports are in {file}", len(answer)),
                    file=export,
                )
            )
            return
    show(here, MISTAKES, answer, json=json)


def _sealed(here: Context, reports: list[Report]) -> bytes:
    """Return the reports as a file that this gateway has signed.

    Raises:
        ConfigError: this user may not use the key of the gateway, or it is damaged.
    """
    from filterd.appliance.mistake_envelope import sealed_reports  # noqa: PLC0415 -- it signs

    policy = policy_in_force(here)
    code = "" if policy.report is None else policy.report.code
    try:
        return sealed_reports(reports, code, policy.school, here.state, here.clock.wall())
    except (ConfigError, StoreError) as error:
        raise ConfigError(
            say("the reports cannot be signed: {why}", why=error.sentence),
            hint=say("run the command as root"),
        ) from error


def _mistakes(here: Context) -> list[dict[str, Any]]:
    """Return the reports, from the daemon or from the disk."""

    def on_disk() -> list[dict[str, Any]]:
        mistakes = Mistakes(here.state, offline().store(here))
        return [one.to_plain() for one in mistakes.all(policy_in_force(here).school, _index(here))]

    found: list[dict[str, Any]] = send_else(here, on_disk, ReadMistakes())
    return found


def _index(here: Context) -> Index | None:
    """Open the lists, if this user may read them."""
    try:
        index: Index = offline().open_index(here)
    except FilterdError:
        return None
    return index
