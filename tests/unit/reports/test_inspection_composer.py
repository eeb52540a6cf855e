# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import HistoryHead, PrintedRecord
from filterd.reports.report_document import (
    Code,
    Figures,
    Paragraph,
    ReportDocument,
    ReportTable,
    Section,
)
from filterd.reports.report_facts import ServiceFacts
from filterd.reports.report_run import ReportRequest, make
from filterd.texts.i18n import Language, Texts, say
from tests.support.inspected import FACTS, NOW, SCHOOL, enrolled

if TYPE_CHECKING:
    from pathlib import Path

RECORD = PrintedRecord(SCHOOL, "ab" * 32, (int(NOW), int(NOW) + 86_400), FACTS, "cd" * 32)


def composed(language: Language = "en", **changed: Any) -> ReportDocument:
    record = replace(RECORD, facts=replace(FACTS, **changed))
    return compose_inspection(record, Texts(language))


def section(document: ReportDocument, id_: str) -> Section:
    return next(one for one in document.sections if one.id == id_)


def figures(document: ReportDocument) -> dict[str, Any]:
    return {
        one.id: one.value
        for part in document.parts()
        if isinstance(part, Figures)
        for one in part.figures
    }


def tables(document: ReportDocument) -> dict[str, ReportTable]:
    return {part.id: part for part in document.parts() if isinstance(part, ReportTable)}


def warnings(document: ReportDocument) -> list[str]:
    return [
        part.text for part in document.parts() if isinstance(part, Paragraph) and part.is_warning
    ]


def test_each_fact_stands_in_the_document_in_the_schools_time() -> None:
    document = composed()
    figures_shown = figures(document)
    assert (figures_shown["made"], figures_shown["code"]) == ("15:00 15/01/2027", SCHOOL["code"])
    assert (figures_shown["names"], figures_shown["days-in-service"], figures_shown["failed"]) == (
        612_000,
        364,
        1,
    )
    assert figures_shown["share"] == 99.51
    assert figures_shown["sha256"].replace(" ", "") == RECORD.sha256
    sources = "hostsvn-gambling, ut1-gambling 2026-09-01…2026-09-03"
    assert tables(document)["categories"].rows == (
        ("Gambling", 31_000, "lower secondary", sources),
    )
    assert tables(document)["longest-gaps"].rows[0][2] == 1_440
    assert tables(document)["not-passed"].rows == (("staff", "Gambling", "OPEN", "udp"),)
    assert tables(document)["exceptions"].rows == (
        ("name", "opens", "a class", "14:59 15/01/2027", "15:10 15/01/2027", "teacher"),
        ("pause", "opens", "a network", "14:59 15/01/2027", "", ""),
    )
    assert any("Every lookup of staff was stored" in warning for warning in warnings(document))


def test_the_code_identifies_the_file_the_gateway_the_school_and_the_time() -> None:
    (code,) = (part for part in composed().parts() if isinstance(part, Code))
    assert code.content.split(" ")[2:] == [
        "79000701",
        "2027-01-15T08:00:00Z",
        RECORD.sha256,
        RECORD.device,
    ]


@pytest.mark.parametrize(
    ("changed", "id_", "figures_shown"),
    [
        ({"self_test": None}, "self-test", "No self-test was made."),
        ({"findings": None}, "findings", "The gateway could not be examined."),
        ({"service": ServiceFacts()}, "service", "no record of a whole day"),
        ({"is_time_known": False}, "gateway", "did not know what time it was"),
    ],
)
def test_what_is_missing_is_reported_and_is_no_zero(
    changed: dict[str, Any], id_: str, figures_shown: str
) -> None:
    parts = section(composed(**changed), id_).parts
    assert any(isinstance(part, Paragraph) and figures_shown in part.text for part in parts)


def test_an_altered_history_and_a_missing_enrolment_are_plain() -> None:
    record = replace(RECORD, enrolment=None)
    altered = replace(FACTS, history=HistoryHead(1, "", is_sound=False))
    document = compose_inspection(replace(record, facts=altered), Texts("en"))
    figures_shown = figures(document)
    assert (figures_shown["history-sound"], figures_shown["enrolled"]) == (
        "ALTERED OR DAMAGED",
        "not enrolled",
    )


def test_notes_of_a_verification_are_warnings() -> None:
    note = say("it is from the future: one of the two clocks is wrong")
    document = compose_inspection(RECORD, Texts("vi"), (note,))
    assert any("tương lai" in warning for warning in warnings(document))
    assert document.title == "BIÊN BẢN KIỂM TRA"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_child_draws_a_record_in_a_format(tmp_path: Path, language: Language) -> None:
    record = enrolled(tmp_path).record().decode()
    made = make(ReportRequest({}, "json", language, record=record))
    assert SCHOOL["code"].encode() in made.octets
    assert made.blanks == ()


@pytest.mark.parametrize(
    ("language", "sides"),
    [
        ("en", ("For the inspection", "For the school")),
        ("vi", ("Đại diện đoàn kiểm tra", "Đại diện nhà trường")),
    ],
)
def test_the_paper_ends_with_room_for_the_signatures_of_both_sides(
    language: Language, sides: tuple[str, str]
) -> None:
    last = composed(language).sections[-1].parts[-1]
    assert isinstance(last, ReportTable)
    assert tuple(column.heading for column in last.columns) == sides
    assert all(str(cell).count("\n") > 4 for cell in last.rows[0])
    assert "...." in last.title
