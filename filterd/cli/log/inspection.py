# SPDX-License-Identifier: Apache-2.0
"""``filterd inspect``: the signed record of an inspection, and its verification.

A record that is verified comes from elsewhere, and so may texts in it that would move the
cursor or turn the direction of writing: they are shown by their codes.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from filterd.base.errors import ConfigError, excluding
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.named_files import check_written, read_octets, write_named
from filterd.cli.render import facts, grid
from filterd.cli.school_clock import school_clock
from filterd.operations.parameters.time import read_time
from filterd.operations.reports import ReadInspection
from filterd.reports import report_run
from filterd.reports.inspection_facts import MOST_OCTETS
from filterd.reports.report_document import (
    Code,
    Figures,
    Paragraph,
    Part,
    ReportDocument,
    ReportTable,
    cell_text,
)
from filterd.reports.report_run import ReportRequest
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.appliance.inspection_record import InspectionRecord

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
    answer = here.send(ReadInspection(), silence_s=_WITHIN_S)
    record: str = answer["record"]
    if out is None:
        _show(here, answer, json=json)
        return
    content = record.encode()
    if printed is not None:
        request = ReportRequest({}, printed, here.texts.language, record=record)
        content = report_run.make(request).octets
    write_named(out, content, "--out")
    if json:
        here.print_json({"file": str(out), **_facts(answer)})
    else:
        here.print(say("written: {file}", file=out), whole=True)
        if answer["enrolment"] is None:
            here.warn(
                say(
                    "warning: no province has enrolled this gateway, so no one can verify the"
                    " record: filterd fleet enrol"
                )
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
    from filterd.base.signed_envelope import naming  # noqa: PLC0415 -- as above
    from filterd.feed.signed.trust import load_root  # noqa: PLC0415 -- as above

    roots = [load_root(one) for one in root]
    trusted, by = inspection_record.trusted_root(roots), fingerprint(roots[0])
    octets = read_octets(file, MOST_OCTETS)
    clock = school_clock(here)
    now = clock.now if at is None else read_time(clock, at, past=True)
    with naming(file):
        verified = inspection_record.verify(octets, trusted, now)
    _show_verified(here, verified, octets, by, json=json)
    raise typer.Exit(1 if verified.notes else 0)


def _show_verified(
    here: Context, verified: InspectionRecord, octets: bytes, by: str, *, json: bool
) -> None:
    """Print a genuine record; ``by`` is the fingerprint of the root that it was verified by."""
    from filterd.reports.inspection_composer import compose_inspection  # noqa: PLC0415 -- as below
    from filterd.reports.inspection_facts import PrintedRecord  # noqa: PLC0415 -- as below

    gateway, enrolment = verified.gateway, verified.enrolment
    if json:
        answer = {
            "school": {"code": gateway.code, "name": gateway.school},
            "device": gateway.device,
            "sha256": verified.sha256,
            "root": by,
            "enrolment": {"begins": enrolment.begins, "ends": enrolment.ends},
            "notes": [str(note) for note in verified.notes],
            "facts": PrintedRecord.read(octets).plain_facts(),
        }
        here.print_json(answer)
        return
    show_document(here, compose_inspection(PrintedRecord.read(octets), here.texts, verified.notes))
    here.console.print()
    here.print(
        say(
            "The record is genuine: it was signed by the gateway that is enrolled for"
            " {school} ({code}).",
            school=gateway.school,
            code=gateway.code,
        ),
        "bold green",
    )
    here.print(
        say(
            "That is so if this is the fingerprint of the publisher's root, and no other's:"
            " {fingerprint}",
            fingerprint=by,
        ),
        whole=True,
    )


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
        raise excluding("--format", "--out")
    return given or of_out


def _facts(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("school", "enrolment", "facts")}


def _show(here: Context, answer: dict[str, Any], *, json: bool) -> None:
    if json:
        here.print_json(_facts(answer))
        return
    from filterd.reports.inspection_composer import compose_inspection  # noqa: PLC0415 -- heavy
    from filterd.reports.inspection_facts import PrintedRecord  # noqa: PLC0415 -- as above

    show_document(
        here, compose_inspection(PrintedRecord.read(answer["record"].encode()), here.texts)
    )


_WARNING = "yellow"


def show_document(here: Context, document: ReportDocument) -> None:
    """Print all sections; charts and blanks are for paper only."""
    here.console.print(Text(f"{document.title}: {document.subject}", "bold"))
    for section in document.sections:
        here.console.print()
        here.console.print(Text(section.title, style="bold"))
        for part in section.parts:
            _show_part(here, part, document.language)


def _show_part(here: Context, part: Part, language: str) -> None:
    match part:
        case Paragraph():
            here.console.print(Text(part.text, _WARNING if part.is_warning else ""))
        case Figures():
            rows = [
                (figure.label, Text(cell_text(figure.value, language))) for figure in part.figures
            ]
            here.console.print(facts(rows))
        case ReportTable() if part.rows:
            table = grid(
                ((column.heading, column.is_number) for column in part.columns), whole=True
            )
            for row in part.rows:
                table.add_row(*(Text(cell_text(one, language)) for one in row))
            here.console.print(Text(part.title, style="dim"))
            here.console.print(table)
        case Code():
            here.console.print(Text(part.content, "dim"), soft_wrap=True)
        case _:
            pass
