# SPDX-License-Identifier: Apache-2.0
"""``filterd inspect``: a record is made, shown and verified."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from filterd import control
from filterd.base.state_folder import StateFolder
from filterd.cli.context import Context
from filterd.cli.log.inspection import PrintedFormat, show_document
from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import InspectedFinding, plain_of
from filterd.reports.report_formats import FORMATS
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import Sentence, Texts, quoted
from tests.support.commands import call
from tests.support.inspected import FACTS, SCHOOL, enrolled
from tests.unit.reports.test_inspection_composer import RECORD

if TYPE_CHECKING:
    from tests.support.inspected import EnrolledGateway


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnrolledGateway:
    """Stand for a daemon that has just signed the sample's record."""
    school = enrolled(tmp_path)
    answer = {
        "record": school.record().decode(),
        "school": SCHOOL,
        "facts": plain_of(FACTS),
        "enrolment": None,
    }
    monkeypatch.setattr(control, "ask", lambda *_, **__: answer)
    return school


def test_the_printed_forms_are_formats_of_reports() -> None:
    assert set(PrintedFormat) <= FORMATS.keys()


def test_the_file_is_what_the_daemon_has_signed(school: EnrolledGateway, tmp_path: Path) -> None:
    out = tmp_path / "record.json"
    done = call("inspect", "--out", out, "--lang", "en")
    assert (done.code, out.read_bytes()) == (0, school.record())
    assert "no province has enrolled this gateway" in done.err


def test_without_a_file_it_is_shown_and_json_has_the_facts(school: EnrolledGateway) -> None:
    shown = call("inspect", "--lang", "vi").out
    assert school.gateway.code in shown
    assert "BIÊN BẢN KIỂM TRA" in shown
    assert json.loads(call("inspect", "--json").out)["facts"]["filterd"] == "0.9.0"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--format", "html"), "a printed form is a file (give --out FILE)"),
        (("--format", "html", "--out", "a.docx"), "--format and --out exclude each other"),
        (("--out", "nowhere/a.json"), "there is no folder nowhere"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_made(
    school: EnrolledGateway, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], why: str
) -> None:
    assert school
    monkeypatch.setattr(control, "ask", None)
    done = call("inspect", *options, "--lang", "en")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert why in done.err


def test_a_verification_names_the_file_and_has_a_code_for_scripts(
    school: EnrolledGateway, tmp_path: Path
) -> None:
    record, root = tmp_path / "record.json", tmp_path / "root.json"
    record.write_bytes(school.record()[:50])
    root.write_bytes(school.province.root)
    done = call("inspect", "verify", record, "--root", root, "--json", "--lang", "en")
    printed: dict[str, Any] = json.loads(done.out)
    assert (done.code, printed["code"]) == (61, "envelope-format")
    assert done.error_lines == [f"filterd: {record}: it is cut short"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "../../etc/passwd", "a\x00b", ""])
def test_control_characters_of_a_record_do_not_reach_the_terminal(
    school: EnrolledGateway, tmp_path: Path, zone: str
) -> None:
    attack = "\x1b]0;x\x07\x1b[2J\x9b1mA\u202eB\r\nThe record is genuine"
    finding = InspectedFinding(attack, attack, Sentence(attack + "{a}", {"a": attack}))
    record, root = tmp_path / "record.json", tmp_path / "root.json"
    lists = replace(FACTS.lists, built_at=253_402_214_400, version=attack)
    changed: dict[str, Any] = {"filterd": attack, "findings": (finding,), "time_zone": zone}
    record.write_bytes(school.record(**changed, unmet=(quoted(attack),), lists=lists))
    root.write_bytes(school.province.root)
    done = call("inspect", "verify", record, "--root", root, "--lang", "en")
    assert (done.code, done.err) == (1, "")  # the time of the sample is not now
    seen = {one for one in done.out if not one.isprintable()}
    assert seen <= {"\n", "\u202f"}
    assert "\\x1b]0;x" in done.out


def test_newer_roots_are_given_in_order(school: EnrolledGateway, tmp_path: Path) -> None:
    school.province.renew_root()
    record = tmp_path / "record.json"
    record.write_bytes(school.record())
    roots = [school.province.metadata / f"{number}.root.json" for number in (1, 2)]
    words = "--root", roots[0], "--root", roots[1], "--at", "2027-01-16", "--lang", "en"
    shown = call("inspect", "verify", record, *words).out
    assert "The record is genuine" in shown
    assert fingerprint(roots[0].read_bytes()) in shown  # a school could hand out a root of its own
    swapped = call("inspect", "verify", record, "--root", roots[1], "--root", roots[0])
    assert swapped.code == 65


def shown(width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    here = Context(Path(), StateFolder(Path()), Texts("en"), console, console)
    school = {"code": "1", "name": "Trường [bold]mẫu"}
    show_document(here, compose_inspection(replace(RECORD, school=school), Texts("en")))
    return out.getvalue()


def test_all_parts_are_shown_within_the_terminal() -> None:
    lines = shown().splitlines()
    assert max(len(line) for line in lines if not line.startswith("filterd-inspection")) <= 80
    text = "\n".join(lines)
    for part in ("Trường [bold]mẫu", "31,000", "Every lookup of staff", "filterd-inspection 1"):
        assert part in text
