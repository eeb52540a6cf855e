# SPDX-License-Identifier: Apache-2.0
"""``filterd report``: what it asks the daemon for, what it writes, what it refuses."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.appliance import report_schedule
from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.cli.completion import FORMATS as COMPLETED
from filterd.cli.completion import PERIODS
from filterd.cli.log import report
from filterd.documents import parse
from filterd.operations.report_questions import QUESTIONS
from filterd.policy.reporting_settings import (
    PeriodKind,
    ReportAudience,
    ReportFileFormat,
    ReportSettings,
)
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import LARGEST_TEMPLATE, ReportFile, ReportRequest
from tests.support.commands import call
from tests.support.report_sample import FACTS, INSIDE, PARENTS
from tests.support.word_files import text_of

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = b"of the site"
PERIOD = {"first": FACTS.first, "last": FACTS.last, "kind": "span", "id": ""}
DAYS = {key: one for key, one in PERIOD.items() if one}
OF_AUDIENCE = {one.audience: one for one in (FACTS, INSIDE, PARENTS)}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Stand for a daemon that has the sample's facts."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(_: Path, command: str, **arguments: Any) -> Any:
        asked.append((command, arguments))
        if command == "report-period":
            return PERIOD
        if command == "report-template":
            return base64.b64encode(TEMPLATE).decode()
        return OF_AUDIENCE[ReportAudience(arguments["audience"])].to_plain()

    monkeypatch.setattr(control, "ask", ask)
    return asked


@pytest.mark.parametrize(
    ("options", "audience", "scope"),
    [
        ("", "outside", {}),
        ("--inside", "inside", {}),
        ("--class 6A", "inside", {"class": "6A"}),
        ("--grade 6", "inside", {"grade": "6"}),
        ("--grade 6A", "inside", {"class": "6A"}),
        ("--for-parents", "parents", {}),
    ],
)
def test_the_daemon_names_the_days_and_then_has_the_facts(
    tmp_path: Path,
    asked: list[tuple[str, dict[str, Any]]],
    options: str,
    audience: str,
    scope: dict[str, Any],
) -> None:
    done = call("report", "--json", "--period", "term", *options.split(), "--state", tmp_path)
    assert done.code == 0
    assert asked == [
        ("report-period", {"text": "term"}),
        ("report-facts", {**DAYS, "audience": audience, **scope}),
    ]
    assert json.loads(done.out)["facts"]["audience"] == audience


@pytest.mark.usefixtures("asked")
def test_a_file_is_written_and_what_is_not_filled_in_is_named(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    done = call("report", "--out", out, "--lang", "en", "--state", tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "not filled in: number, pupils, " in done.err
    assert done.error_lines[-1] == f"written: {out}"
    assert out.stat().st_mode & 0o777 == 0o644
    assert json.loads(out.read_text())["facts"]["audience"] == "outside"


@pytest.mark.usefixtures("asked")
def test_a_report_for_the_school_is_readable_by_its_author_only(tmp_path: Path) -> None:
    out = tmp_path / "6A.json"
    assert call("report", "--class", "6A", "--out", out, "--state", tmp_path).code == 0
    assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("asked")
def test_a_missing_file_of_answers_is_written_and_a_filled_one_is_in_the_report(
    tmp_path: Path,
) -> None:
    fill = tmp_path / "answers.yaml"
    options = "--fill", fill, "--json", "--lang", "en", "--state", tmp_path
    first = call("report", *options)
    assert (first.code, first.out) == (1, "")
    assert first.err == f"{fill} is written: fill it in and repeat the command\n"
    assert list(parse(fill.read_bytes(), "").data) == [one.id for one in QUESTIONS]
    assert "# Number of pupils\npupils:\n" in fill.read_text()

    fill.write_text(fill.read_text().replace("pupils:\n", "pupils: 640\n", 1))
    second = call("report", *options)
    assert second.code == 0
    assert '"answer": "640"' in second.out
    assert "pupils" not in second.err.replace("session-pupils", "")


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("pupil: 640", "'pupil' is not a question of the report (did you mean 'pupils'?)"),
        ("pupils: many", "pupils: a whole number is wanted (digits only, such as 1250)"),
        ("640", "each line has the form of pupils: 640"),
    ],
)
def test_a_wrong_answer_is_one_line_with_the_file(tmp_path: Path, content: str, error: str) -> None:
    fill = tmp_path / "a.yaml"
    fill.write_text(content)
    done = call("report", "--fill", fill, "--json", "--lang", "en", "--state", tmp_path)
    assert (done.code, done.err) == (2, f"filterd: {fill}: {error}\n")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("--json --out x.docx", "--json and --out exclude each other"),
        ("--format csv --out x.xlsx", "--format and --out exclude each other"),
        ("--out report", "the format of report is not known (end its name in one of html"),
        ("--for-parents --inside", "--inside and --for-parents exclude each other"),
        ("--for-parents --class 6A", "--class and --for-parents exclude each other"),
        ("--class 6A --grade 6", "--grade and --class exclude each other"),
        ("--template x.docx --json", "--template is for docx"),
        ("--template x.docx --out y.docx", "x.docx: cannot be read: No such file"),
        ("--out nowhere/x.html", "there is no folder nowhere"),
        ("--out tests.html", "tests.html is not a plain file"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_recorded(
    tmp_path: Path,
    asked: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    error: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests.html").symlink_to("/dev/null")
    done = call("report", *options.split(), "--lang", "en", "--state", tmp_path)
    assert (done.code, asked) == (2, [])
    assert done.err.startswith(f"filterd: {error}")
    assert len(done.error_lines) == 1


def test_a_binary_file_is_not_printed_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    with pytest.raises(ConfigError, match="docx is not for a terminal"):
        report._format(None, None, ReportFileFormat.DOCX)


def test_a_template_is_bounded(tmp_path: Path) -> None:
    big = tmp_path / "big.docx"
    with big.open("wb") as file:
        file.truncate(LARGEST_TEMPLATE + 1)
    out = tmp_path / "x.docx"
    options = "--template", big, "--out", out, "--lang", "en", "--state", tmp_path
    done = call("report", *options)
    assert (done.code, done.err) == (
        2,
        f"filterd: {big}: the file is too large (at most 4 MiB)\n",
    )
    assert not out.exists()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("options", "template"),
    [
        ("", TEMPLATE),
        ("--template own.docx", b"own"),
        ("--inside", None),
        ("--inside --template own.docx", b"own"),
        ("--for-parents", None),
    ],
)
def test_the_template_of_the_site_is_for_authorities_and_another_one_may_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, template: bytes | None
) -> None:
    made: list[ReportRequest] = []

    def note(request: ReportRequest) -> ReportFile:
        made.append(request)
        return ReportFile(b"PK", ())

    monkeypatch.setattr(report, "make", note)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.docx").write_bytes(b"own")
    call("report", "--out", "x.docx", *options.split(), "--state", tmp_path)
    assert [one.template for one in made] == [template]
    assert (tmp_path / "x.docx").read_bytes() == b"PK"


def test_the_built_in_template_is_written_without_a_daemon(tmp_path: Path) -> None:
    new = tmp_path / "form.docx"
    done = call("report", "--new-template", new, "--lang", "en", "--state", tmp_path)
    assert (done.code, done.err) == (0, f"written: {new}\n")
    assert "sections" in text_of(new.read_bytes())


@pytest.mark.usefixtures("asked")
def test_the_fields_of_a_template_are_listed(tmp_path: Path) -> None:
    done = call("report", "--fields", "--lang", "en", "--state", tmp_path)
    assert "{{ school }}" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    rows = json.loads(call("report", "--fields", "--json", "--state", tmp_path).out)
    assert "{{ figures.days_in_service }}" in {row["field"] for row in rows}


def test_what_completes_a_line_is_what_is_taken() -> None:
    assert tuple(ReportFileFormat) == tuple(FORMATS) == COMPLETED
    assert set(PERIODS) == set(PeriodKind) - {PeriodKind.SPAN}


def test_a_site_without_a_schedule_has_no_report_that_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"settings": to_plain(ReportSettings()), "language": "en"}
    monkeypatch.setattr(control, "ask", lambda *_, **__: answer)
    done = call("report", "--scheduled", "--lang", "en", "--state", tmp_path)
    assert (done.code, done.out) == (0, "No report is due.\n")


def test_each_file_that_was_delivered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("/media/usb/bao-cao-2026-10.docx", "bao-cao-2026-10.xlsx")
    monkeypatch.setattr(report_schedule, "deliver_due", lambda *_: files)
    done = call("report", "--scheduled", "--lang", "en", "--state", tmp_path)
    assert done.out.splitlines() == [f"delivered: {file}" for file in files]
