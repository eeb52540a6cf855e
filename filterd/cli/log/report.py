# SPDX-License-Identifier: Apache-2.0
"""``filterd report``: what was filtered in a period, as a document or a table."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from filterd.base.errors import ConfigError, excluding
from filterd.base.privileges import own_rights
from filterd.base.state_file import to_plain
from filterd.cli.console import write
from filterd.cli.context import Context, JsonOption, Options, option
from filterd.cli.named_files import check_written, read_octets, read_text, write_named
from filterd.cli.render import show
from filterd.cli.target_options import seat
from filterd.operations.parameters.report_days import LAST_MONTH
from filterd.operations.parameters.report_scope import ReportScope
from filterd.operations.report_questions import checked_answers, skeleton
from filterd.operations.reports import ReadReportFacts, ReadReportPeriod, ReadReportTemplate
from filterd.overrides.target_text import looks_like_a_class
from filterd.policy.reporting_settings import ReportAudience, ReportFileFormat
from filterd.reports.report_facts import from_plain
from filterd.reports.report_run import LARGEST_TEMPLATE, ReportFile, ReportRequest, make
from filterd.texts.i18n import UNSAID, quoted, say
from filterd.texts.rows import Listing

_SKELETON_MADE = 1
_BINARY = {"docx", "xlsx"}


def scope(
    grade: Annotated[
        str | None, option("--grade", "About this grade, within the school.", "GRADE")
    ] = None,
    class_: Annotated[
        str | None, option("--class", "About this class, within the school.", "CLASS")
    ] = None,
    inside: Annotated[
        bool, option("--inside", "For use within the school; --grade and --class imply it.")
    ] = False,
    for_parents: Annotated[
        bool, option("--for-parents", "What is filtered and stored, without figures of use.")
    ] = False,
) -> ReportScope:
    """Return the scope that the options name.

    Raises:
        ConfigError: they name two.
    """
    sitting = seat(grade, class_)
    if for_parents and (inside or sitting is not None):
        first = "--inside" if inside else "--grade" if class_ is None else "--class"
        raise excluding(first, "--for-parents")
    if for_parents:
        return ReportScope(ReportAudience.PARENTS)
    if sitting is None:
        audience = ReportAudience.INSIDE if inside else ReportAudience.OUTSIDE
        return ReportScope(audience)
    is_class = looks_like_a_class(sitting) or class_ is not None
    return ReportScope(ReportAudience.INSIDE, **{"class_id" if is_class else "grade": sitting})


class WordOptions(NamedTuple):
    """A Word template to use, one to write, and whether to list what it may use."""

    template: Path | None
    new: Path | None
    fields: bool


def word_options(
    template: Annotated[
        Path | None, option("--template", "A Word template (default: that of the site).", "FILE")
    ] = None,
    new_template: Annotated[
        Path | None,
        option("--new-template", "Write the built-in Word template, to change it.", "FILE"),
    ] = None,
    fields: Annotated[
        bool, option("--fields", "List the fields that a Word template may use.")
    ] = False,
) -> WordOptions:
    """Return the options about Word."""
    return WordOptions(template, new_template, fields)


class DocumentOptions(NamedTuple):
    """The period of a document, its file and format, and the file of answers."""

    period: str
    out: Path | None
    format_: ReportFileFormat | None
    fill: Path | None


def document_options(
    period: Annotated[
        str,
        option(
            "--period",
            "The last day, week, month, term or year; or 2026, 2026-11, 2026-11-05..2026-11-19.",
            "PERIOD",
        ),
    ] = LAST_MONTH,
    out: Annotated[
        Path | None, option("--out", "The file to write (default: print it).", "FILE")
    ] = None,
    format_: Annotated[
        ReportFileFormat | None,
        option("--format", "html, docx, xlsx, csv or json (default: that of --out).", "FORMAT"),
    ] = None,
    fill: Annotated[
        Path | None,
        option("--fill", "Your answers; a missing file is written, with the questions.", "FILE"),
    ] = None,
) -> DocumentOptions:
    """Return the options about the document."""
    return DocumentOptions(period, out, format_, fill)


def report(
    here: Context,
    about: Annotated[ReportScope, Options(scope)],
    word: Annotated[WordOptions, Options(word_options)],
    document: Annotated[DocumentOptions, Options(document_options)],
    scheduled: Annotated[
        bool,
        option(
            "--scheduled",
            "Deliver the reports that are due by `report.schedule`; for filterd-report.service.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Report what was filtered in a period, for the authorities, the school or parents.

    Without --inside it has published totals only and may leave the school, as `log export`.
    What a person must fill in is marked, and named here. That it was made is in the history.
    A report with --inside must not leave the school. Exit code 0: made; 1: the file of --fill
    was written, fill it in; 2: an error.
    """
    if scheduled:
        _deliver(here)
    elif word.new is not None:
        _write_template(here, word.new)
    elif word.fields:
        _show_fields(here, _facts(here, document.period, about), json=json)
    else:
        _report(here, about, word.template, document, json=json)


def _report(
    here: Context,
    about: ReportScope,
    template: Path | None,
    document: DocumentOptions,
    *,
    json: bool,
) -> None:
    """Make a report, and write or print it."""
    out = document.out
    chosen = _format(out, ReportFileFormat.JSON if json else None, document.format_)
    if template is not None and chosen is not ReportFileFormat.DOCX:
        raise ConfigError(say("--template is for docx"), hint=say("such as --out report.docx"))
    if out is not None:
        check_written(out, "--out")
    answers, form = _answers(here, document.fill), _template(template)
    facts = _facts(here, document.period, about)
    if chosen is ReportFileFormat.DOCX and about.audience is ReportAudience.OUTSIDE:
        form = form or _template_of_site(here)
    made = _made(ReportRequest(facts, chosen, here.texts.language, answers, form), template)
    for warning in made.warnings:
        here.note(quoted(warning))
    if made.blanks:
        here.note(say("not filled in: {ids} (--fill FILE)", ids=", ".join(made.blanks)))
    if out is None:
        _print(made.octets, chosen)
        return
    write_named(
        out, made.octets, "--out", mode=0o600 if about.audience is ReportAudience.INSIDE else 0o644
    )
    here.note(say("written: {file}", file=out))


def _format(
    out: Path | None, by_json: ReportFileFormat | None, given: ReportFileFormat | None
) -> ReportFileFormat:
    """Return the format that the options name.

    Raises:
        ConfigError: they name several, or one that a terminal cannot show.
    """
    suffix = "" if out is None else out.suffix.lower().removeprefix(".")
    of_out = ReportFileFormat(suffix) if suffix in set(ReportFileFormat) else None
    named = {
        name: one
        for name, one in (("--json", by_json), ("--format", given), ("--out", of_out))
        if one is not None
    }
    if len(set(named.values())) > 1:
        first, second, *_ = named
        raise excluding(first, second)
    if out is not None and not named:
        known = ", ".join(ReportFileFormat)
        raise ConfigError(
            say("the format of {file} is not known", file=out),
            hint=say("end its name in one of {known}, or give --format", known=known),
        )
    chosen = next(iter(named.values()), ReportFileFormat.HTML)
    if chosen in _BINARY and out is None and sys.stdout.isatty():
        raise ConfigError(
            say("{format} is not for a terminal", format=chosen), hint=say("give --out FILE")
        )
    return chosen


def _deliver(here: Context) -> None:
    from filterd.appliance.report_schedule import deliver_due  # noqa: PLC0415 -- it brings smtplib

    files = deliver_due(here.config, here.state, here.clock)
    for file in files:
        here.print(say("delivered: {file}", file=file), whole=True)
    if not files:
        here.print(say("No report is due."))


def _facts(here: Context, period: str, about: ReportScope) -> dict[str, Any]:
    days = to_plain(here.send(ReadReportPeriod(period)))
    return here.send(ReadReportFacts(**days, scope=about))


def _answers(here: Context, fill: Path | None) -> dict[str, str]:
    """Return the answers of a file.

    Raises:
        ConfigError: it is no YAML, or has other answers than the questions ask for.
        StoreError: it cannot be read.
        typer.Exit: there was no such file; it is there now.
    """
    if fill is None:
        return {}
    with own_rights():
        is_new = not fill.exists()
    if is_new:
        write_named(fill, skeleton(here.texts), "--fill", mode=0o600)
        here.note(say("{file} is written: fill it in and repeat the command", file=fill))
        raise typer.Exit(_SKELETON_MADE)
    from filterd.documents import parse  # noqa: PLC0415 -- a YAML reader

    data = parse(read_text(fill).encode(), str(fill)).data
    try:
        if not isinstance(data, dict):
            raise ConfigError(say("each line has the form of pupils: 640"))  # noqa: TRY301
        return checked_answers(data)
    except ConfigError as error:
        raise ConfigError(error.reason, path=str(fill), hint=error.hint) from error


def _made(request: ReportRequest, template: Path | None) -> ReportFile:
    """Make the file; an error of the template names the template."""
    try:
        return make(request)
    except ConfigError as error:
        path = str(template or "")
        raise ConfigError(error.reason, path=path, hint=error.hint) from error


def _write_template(here: Context, path: Path) -> None:
    from filterd.reports.template_builder import built_in_template  # noqa: PLC0415 -- heavy

    write_named(path, built_in_template(here.texts.language), "--new-template")
    here.note(say("written: {file}", file=path))


def _show_fields(here: Context, plain: dict[str, Any], *, json: bool) -> None:
    """List the fields of this report, with which a template of its own may be made."""
    from filterd.reports import report_fields  # noqa: PLC0415 -- heavy, as the next one
    from filterd.reports.report_composer import compose  # noqa: PLC0415

    document = compose(from_plain(plain), {}, here.texts)
    listing = Listing(say("Fields of a Word template"), UNSAID, report_fields.COLUMNS)
    show(here, listing, report_fields.field_rows(document, here.texts), json=json)


def _template(path: Path | None) -> bytes | None:
    """Return a Word template; None for none.

    Raises:
        ConfigError: it is too large.
        StoreError: it cannot be read.
    """
    if path is None:
        return None
    content = read_octets(path, LARGEST_TEMPLATE)
    if len(content) > LARGEST_TEMPLATE:
        most = say("at most {mib} MiB", mib=LARGEST_TEMPLATE >> 20)
        raise ConfigError(say("the file is too large"), path=str(path), hint=most)
    return content


def _template_of_site(here: Context) -> bytes | None:
    """Return the Word template of the site, which is for authorities; None for none."""
    return base64.b64decode(here.send(ReadReportTemplate()) or "") or None


def _print(octets: bytes, chosen: ReportFileFormat) -> None:
    if chosen in _BINARY:
        sys.stdout.buffer.write(octets)
    else:
        write(octets.decode())
