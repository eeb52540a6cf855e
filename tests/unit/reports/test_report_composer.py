# SPDX-License-Identifier: Apache-2.0
"""Facts and answers as a document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.state_file import to_plain
from filterd.operations.report_questions import QUESTIONS
from filterd.policy.reporting_settings import Programme, ReportSettings
from filterd.reports.report_composer import compose
from filterd.reports.report_document import Figures, Paragraph, ReportDocument
from filterd.reports.report_facts import LogFacts, ReportFacts
from filterd.texts.i18n import Texts
from tests.support.catalogue import has_words, read
from tests.support.report_sample import FACTS, INSIDE, PARENTS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.texts.i18n import Sentence


VI, EN = Texts("vi"), Texts("en")
ANSWERS = {one.id: "12" for one in QUESTIONS}


def test_an_answer_stands_in_the_place_of_its_question() -> None:
    document = compose(FACTS, {"pupils": "640"}, VI)
    assert "pupils" not in {blank.id for blank in document.blanks()}
    assert "sessions" in {blank.id for blank in document.blanks()}
    assert document.blanks()[0].question == "Số của văn bản"
    assert compose(FACTS, ANSWERS, VI).blanks() == ()


def test_the_head_is_that_of_an_administrative_document() -> None:
    document = compose(FACTS, {"number": "12"}, VI)
    head = document.head
    assert head is not None
    assert (head.superior, head.issuer) == (
        "UBND PHƯỜNG BẾN THÀNH",
        'TRƯỜNG THCS <NGUYỄN TRÃI> & "BẠN"',
    )
    assert head.number == "Số: 12/BC-THCS"
    assert head.place_and_date == "Thành phố Hồ Chí Minh, ngày 03 tháng 11 năm 2026"
    assert document.title == "BÁO CÁO"
    assert document.receiver == "Sở GD&ĐT"
    assert document.recipients == ("Như trên;", "Lưu: VT.")
    plain = replace(SETTINGS, recipients=("Như trên", "Phòng VH-XH", "Lưu: VT"))
    recipients = compose(replace(FACTS, settings=plain), {}, VI).recipients
    assert recipients == ("Như trên;", "Phòng VH-XH;", "Lưu: VT.")
    assert document.signature is not None
    assert (document.signature.post, document.signature.name) == ("HIỆU TRƯỞNG", "Trần Thị Mai")


def test_what_is_written_by_hand_has_dots() -> None:
    head = compose(replace(FACTS, settings=ReportSettings()), {}, VI).head
    assert head is not None
    assert head.number == "Số: ......../BC"
    assert head.place_and_date.startswith("........, ngày 03")


def test_legal_bases_of_all_programmes_end_as_the_decree_has_them() -> None:
    document = compose(FACTS, {}, VI)
    assert document.subject.startswith(
        "Kết quả thực hiện Chương trình 2021-2025 và Chương trình 2026-2030, từ ngày"
    )
    assert document.legal_bases == (
        "Căn cứ Quyết định số 830/QĐ-TTg ngày 01/6/2021;",
        "Căn cứ Luật số 116/2025/QH15.",
    )
    whole = replace(SETTINGS, programmes=(Programme("A", legal_bases=("Căn cứ Luật Trẻ em;",)),))
    assert compose(replace(FACTS, settings=whole), {}, VI).legal_bases == ("Căn cứ Luật Trẻ em.",)


def test_without_a_programme_the_subject_states_what_the_report_is_about() -> None:
    document = compose(replace(FACTS, settings=ReportSettings()), {}, VI)
    assert document.subject.startswith("Kết quả bảo vệ trẻ em trên môi trường mạng tại nhà trường,")
    assert (document.receiver, document.legal_bases, document.recipients) == ("", (), ())


@pytest.mark.parametrize("facts", [FACTS, INSIDE])
def test_both_languages_have_the_same_structure_and_figures(facts: ReportFacts) -> None:
    vietnamese, english = (compose(facts, {}, one) for one in (VI, EN))
    sections = "school documents education measures handling training inspection proposals"
    assert [section.id for section in english.sections] == sections.split()
    for one, other in zip(vietnamese.parts(), english.parts(), strict=True):
        assert (type(one), one.id) == (type(other), other.id)
    numbers = [
        [value for row in rows for value in row if isinstance(value, int)]
        for document in (vietnamese, english)
        for rows in [[row for part in document.parts() for row in getattr(part, "rows", ())]]
    ]
    assert numbers[0] == numbers[1] != []


def test_a_report_for_the_school_is_marked_and_addressed_to_no_authority() -> None:
    inside, of_class = (compose(one, {}, EN) for one in (INSIDE, replace(INSIDE, scope="6A")))
    for one in (inside, of_class):
        assert one.warnings()[0].startswith("For use inside the school only")
        assert (one.receiver, one.legal_bases, one.recipients) == ("", (), ())


def test_a_report_on_a_class_has_no_head_and_no_signature() -> None:
    of_class = compose(replace(INSIDE, scope="6A"), {}, EN)
    assert (of_class.head, of_class.signature, of_class.blanks()) == (None, None, ())
    assert of_class.subject.startswith("Lookups of class 6A, from")
    assert not any("inside the school" in warning for warning in compose(FACTS, {}, EN).warnings())


def test_the_mark_of_left_out_cells_is_explained_where_there_are_any() -> None:
    assert compose(FACTS, {}, EN).notes[0].startswith("(*): no answer, or a figure of fewer")
    assert not any("(*)" in note for note in compose(replace(FACTS, left_out=False), {}, EN).notes)


KNOWN = {one.id if isinstance(one.id, str) else one.id[0] for one in read()}


class MarkedTexts(Texts):
    """Texts in which all that is translated has a mark, and is in the catalogue."""

    def __call__(self, text: str, /, **values: object) -> str:
        assert getattr(text, "template", text) in KNOWN
        return f"«{super().__call__(text, **values)}»"

    def word(self, words: Mapping[str, Sentence], key: str) -> str:
        return f"«{super().word(words, key)}»"


def strings_of(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict):
        for key, value in plain.items():
            if key not in ("id", "look", "language"):
                yield from strings_of(value)
    elif isinstance(plain, list):
        for one in plain:
            yield from strings_of(one)


@pytest.mark.parametrize("facts", [FACTS, INSIDE, PARENTS])
def test_every_text_is_translated_or_of_the_school(facts: ReportFacts) -> None:
    own = {part.casefold() for one in strings_of(facts.to_plain()) for part in one.split(", ")}
    document = compose(facts, {}, MarkedTexts("en"))
    plain = [one for one in strings_of(to_plain(document)) if "«" not in one and has_words(one)]
    parts = {part.casefold() for one in plain for part in one.split(", ")}
    assert sorted(parts - own) == []


SCHOOL = replace(
    PARENTS, school=replace(PARENTS.school, tiers=("primary", "lower-secondary", "staff"))
)


def letter(facts: ReportFacts) -> ReportDocument:
    return compose(facts, {}, Texts("en"))


def texts_of(facts: ReportFacts) -> dict[str, str]:
    return {part.id: part.text for part in letter(facts).parts() if isinstance(part, Paragraph)}


def test_categories_stand_once_for_all_pupils_then_by_tier() -> None:
    closed = next(part for part in letter(SCHOOL).parts() if isinstance(part, Figures))
    assert [(figure.label, figure.value) for figure in closed.figures] == [
        ("All pupils", "Gambling"),
        ("Lower secondary", "=Social media, Self-harm"),
    ]
    assert texts_of(SCHOOL)["open-1"] == "Of these open to grade 9: =Social media."


def test_what_is_kept_is_the_sentence_of_the_level_with_its_days() -> None:
    assert texts_of(PARENTS)["kept-counts"].startswith("The school keeps only totals")
    log = LogFacts({"primary": "off", "lower-secondary": "blocked", "staff": "full"}, 14, 200, 5)
    texts = texts_of(replace(SCHOOL, log=log))
    assert texts["kept-off"] == "Primary: The school keeps nothing about lookups."
    assert texts["kept-blocked"].startswith("Lower secondary: The school keeps closed addresses")
    assert "for 14 days" in texts["kept-blocked"]
    assert texts["kept-totals"] == "Totals are kept for 200 days."
    assert "kept-full" not in texts


def test_it_states_whether_every_lookup_was_recorded_and_when() -> None:
    assert texts_of(PARENTS)["full-log-1"].startswith("From 21:13 21/09/2026 until")
    never = replace(PARENTS, log=replace(PARENTS.log, full=()))
    assert texts_of(never)["full-log-1"].startswith("At no time was every lookup recorded")


def test_it_names_the_school_and_the_help_line() -> None:
    texts = texts_of(PARENTS)
    assert PARENTS.school.contact in texts["contact"]
    assert "111" in texts["help-line"]


def test_it_has_no_figure_of_use_even_if_the_facts_had_some() -> None:
    with_cells = replace(PARENTS, cells=FACTS.cells, handling=FACTS.handling)
    assert letter(with_cells) == letter(PARENTS)
