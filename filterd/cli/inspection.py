# SPDX-License-Identifier: Apache-2.0
"""``filterd inspect``: the signed record of an inspection, and its verification."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from filterd import control
from filterd.cli import room_csv
from filterd.cli.context import (
    Context,
    JsonOption,
    argument,
    check_written,
    on_named_files,
    option,
    write_named,
)
from filterd.cli.time_options import read_time, school_clock
from filterd.counted import fingerprint
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.reports import report_run
from filterd.reports.inspection_facts import MOST_OCTETS
from filterd.reports.report_run import ReportRequest

_WITHIN_S = 200.0
"""The daemon tests each tier and examines the gateway before it answers."""


class PrintedFormat(StrEnum):
    """The formats of ``report_formats.FORMATS`` in which a record is printed."""

    HTML = "html"
    DOCX = "docx"


def make(
    here: Context,
    out: Annotated[
        Path | None, option("--out", "The file to write (default: show it).", "FILE")
    ] = None,
    format_: Annotated[
        PrintedFormat | None,
        option("--format", "A printed form, html or docx, in place of the signed file.", "FORMAT"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make the signed record of this gateway: lists, service, tests, exceptions, findings.

    It takes half a minute, and is recorded. It has no name that was looked up, no address and
    no person. Others verify it by `filterd inspect verify`. Exit code 0: made; 2: an error.
    """
    printed = _printed(out, format_)
    if out is not None:
        check_written(out, "--out")
    told: dict[str, Any] = control.ask(here.state.control_socket, "inspection", silence_s=_WITHIN_S)
    record: str = told["record"]
    if out is None:
        _show(here, told, json=json)
        return
    content = record.encode()
    if printed is not None:
        request = ReportRequest({}, printed, here.texts.language, record=record)
        content = report_run.make(request).octets
    write_named(out, content, "--out")
    if json:
        here.print_json({"file": str(out), **_facts(told)})
    else:
        here.console.print(here.texts("written: {file}", file=out), soft_wrap=True)
        if told["enrolment"] is None:
            here.errors.print(
                here.texts(
                    "warning: no province has enrolled this gateway, so no one can verify the"
                    " record: filterd fleet enrol"
                ),
                style="yellow",
            )


@on_named_files
def verify(
    here: Context,
    file: Annotated[Path, argument("FILE", "The record.")],
    root: Annotated[
        list[Path],
        option("--root", "The publisher's root; repeat it for newer ones, in order.", "ROOT"),
    ],
    at: Annotated[
        str | None, option("--at", "As of this time (default: now), such as 20/11/2026.", "TIME")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify a record on any machine, with nothing but the file and the publisher's root.

    Exit code 0: genuine; 1: genuine, with a warning, such as an enrolment that has ended since;
    2: an error; 61: no record; 62: changed or another key; 63: another school; 64: not enrolled
    at that time; 65: another root.
    """
    from filterd.appliance import inspection_record  # noqa: PLC0415 -- it verifies signatures
    from filterd.feed.trust import load_root  # noqa: PLC0415 -- as above
    from filterd.reports.inspection_composer import compose_inspection  # noqa: PLC0415 -- as above
    from filterd.reports.inspection_facts import PrintedRecord  # noqa: PLC0415 -- as above
    from filterd.signed_envelope import naming  # noqa: PLC0415 -- as above

    roots = [load_root(one) for one in root]
    trusted, by = inspection_record.trusted_root(roots), fingerprint(roots[0])
    octets = room_csv.read_octets(file, MOST_OCTETS)
    clock = school_clock(here)
    now = clock.now if at is None else read_time(clock, at, past=True)
    with naming(file):
        found = inspection_record.verify(octets, trusted, now)
    if json:
        told = {
            "school": {"code": found.gateway.code, "name": found.gateway.school},
            "device": found.gateway.device,
            "sha256": found.sha256,
            "root": by,
            "enrolment": {"begins": found.enrolment.begins, "ends": found.enrolment.ends},
            "notes": [str(one) for one in found.notes],
            "facts": PrintedRecord.read(octets).plain_facts(),
        }
        here.print_json(told)
    else:
        from filterd.cli.report_text import show_document  # noqa: PLC0415 -- as above

        document = compose_inspection(PrintedRecord.read(octets), here.texts, found.notes)
        show_document(here, document)
        here.console.print()
        here.console.print(
            here.texts(
                "The record is genuine: it was signed by the gateway that is enrolled for"
                " {school} ({code}).",
                school=found.gateway.school,
                code=found.gateway.code,
            ),
            style="bold green",
        )
        here.console.print(
            here.texts(
                "That is so if this is the fingerprint of the publisher's root, and no other's:"
                " {fingerprint}",
                fingerprint=by,
            ),
            soft_wrap=True,
        )
    raise typer.Exit(1 if found.notes else 0)


def _printed(out: Path | None, given: PrintedFormat | None) -> PrintedFormat | None:
    """Return the printed form that the options name; None for the signed file.

    Raises:
        ConfigError: they name two, or there is no file for one.
    """
    suffix = "" if out is None else out.suffix.lower().removeprefix(".")
    of_out = PrintedFormat(suffix) if suffix in set(PrintedFormat) else None
    if given is not None and out is None:
        raise ConfigError(say("a printed form is a file"), hint=say("give --out FILE"))
    if given is not None and of_out not in {None, given}:
        raise ConfigError(
            say("{first} and {second} exclude each other", first="--format", second="--out"),
            hint=say("give only one of them"),
        )
    return given or of_out


def _facts(told: dict[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in ("school", "enrolment", "facts")}


def _show(here: Context, told: dict[str, Any], *, json: bool) -> None:
    if json:
        here.print_json(_facts(told))
        return
    from filterd.cli.report_text import show_document  # noqa: PLC0415 -- heavy
    from filterd.reports.inspection_composer import compose_inspection  # noqa: PLC0415 -- as above
    from filterd.reports.inspection_facts import PrintedRecord  # noqa: PLC0415 -- as above

    show_document(here, compose_inspection(PrintedRecord.read(told["record"].encode()), here.texts))
