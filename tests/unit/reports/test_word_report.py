# SPDX-License-Identifier: Apache-2.0
"""Reports in Word: the built-in template, a Department's own, and what is compared."""

from __future__ import annotations

import copy
import io
import re
import subprocess
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import segno
from docx import Document
from lxml import etree

from filterd.base.errors import ConfigError, StoreError
from filterd.reports import word_report
from filterd.reports.administrative_styles import (
    HEAD_COLUMNS,
    ISSUER_RULE,
    PAGE,
    SUBJECT_RULE,
)
from filterd.reports.report_document import ReportTable, Section, TableColumn
from filterd.reports.template_builder import built_in_template
from filterd.reports.word_report import write
from filterd.reports.xml_element import WORD
from tests.support.drawn_report import CLASSES, HOSTILE, drawn_report
from tests.support.needs import commands
from tests.support.report_sample import FACTS
from tests.support.word_files import (
    BODY,
    changed,
    packed,
    parts_of,
    template_of,
    text_of,
    with_body,
    with_relation,
)

if TYPE_CHECKING:
    from pathlib import Path

REPORT = drawn_report()
_POINTS_PER_MM = 72 / 25.4


def _own(*paragraphs: str, footer: str = "") -> str:
    return text_of(write(REPORT, FACTS, template_of(*paragraphs, footer=footer)))


def test_the_built_in_template_has_every_part_of_a_report() -> None:
    octets = write(REPORT, FACTS)
    text = text_of(octets)
    for wanted in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Số: …/BC-THCS",
        "1. Giải pháp kỹ thuật",
        f"Có một khoảng không làm việc. {HOSTILE}",
        "- Số ngày: 1.234",
        "Số học sinh: [cần điền: Số học sinh]",
        "Tập huấn: Hai buổi\nBa buổi",
        "(*)",
        "Mã kiểm tra",
        "Nơi nhận:",
        "Trần Thị Mai",
    ):
        assert wanted in text.replace("&#34;", '"').replace("&#39;", "'"), wanted
    assert "{%" not in text.replace(HOSTILE, "")
    assert any(name.startswith("word/media/") for name in parts_of(octets))
    Document(io.BytesIO(octets))


def test_tables_have_the_figures_of_the_report_and_their_sums() -> None:
    table = Document(io.BytesIO(write(REPORT, FACTS))).tables[1]
    cells = [[cell.text for cell in row.cells] for row in (table.rows[0], table.rows[-1])]
    assert cells[0] == ["Lớp, nhóm", "Lượt", "Tên"]
    total = sum(1_000 * at + n for at in range(len(CLASSES)) for n in range(14))
    assert cells[1] == ["Tổng", f"{total:,}".replace(",", "."), "3.520"]


ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr"
    " suppressLineNumbers pBdr shd tabs spacing ind contextualSpacing jc outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike color spacing w kern position sz szCs"
    " highlight u shd vertAlign lang",
    "tblPr": "tblStyle tblW jc tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "tcPr": "tcW gridSpan vMerge tcBorders shd tcMar vAlign",
    "sectPr": "headerReference footerReference type pgSz pgMar pgNumType cols titlePg docGrid",
}
"""ECMA-376, part 1, chapter 17: the elements that are used here, in their order."""


@pytest.mark.parametrize("part", [BODY, "word/styles.xml", "word/header1.xml"])
def test_properties_stand_in_the_order_on_which_word_insists(part: str) -> None:
    tree = etree.fromstring(parts_of(write(REPORT, FACTS))[part])
    for kind, names in ORDER.items():
        for one in tree.iter(f"{WORD}{kind}"):
            found = [child.tag.rpartition("}")[2] for child in one]
            assert found == sorted(found, key=names.split().index)


def test_what_is_missing_is_marked_and_nothing_else_is() -> None:
    body = parts_of(write(REPORT, FACTS))[BODY].decode()
    marked = re.findall(r'<w:highlight w:val="yellow"/>.*?<w:t[^>]*>([^<]*)', body)
    assert marked == ["[cần điền: Số học sinh]"]


def test_the_same_report_is_the_same_file_and_has_no_time_or_maker_of_its_own() -> None:
    first = write(REPORT, FACTS)
    assert first == write(REPORT, FACTS)
    about = Document(io.BytesIO(first)).core_properties
    assert about.author == FACTS.school.name
    assert b"python" not in parts_of(first)["docProps/core.xml"]


def test_a_template_of_ones_own_prints_fields_everywhere() -> None:
    octets = template_of("Đơn vị: {{ school }}", "{{ figures.days_in }} ngày", footer="{{ code }}")
    made = write(REPORT, FACTS, octets)
    assert text_of(made).splitlines()[:2] == [f"Đơn vị: {FACTS.school.name}", "1.234 ngày"]
    assert "79000701" in text_of(made, "word/footer1.xml")


def test_a_footnote_is_filled_in_once_although_a_document_has_several_sections() -> None:
    """docxtpl alone takes a value that was printed for a tag, at the second section."""
    document, octets = Document(), io.BytesIO()
    document.add_section()
    document.save(octets)
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    note = "<w:footnote><w:p><w:r><w:t>{{ texts.gap }}</w:t></w:r></w:p></w:footnote>"
    related = with_relation(octets.getvalue(), "footnotes", "footnotes.xml", "Internal")
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>'
    typed = changed(related, "[Content_Types].xml", "</Types>", override)
    name = "word/footnotes.xml"
    content = f'<w:footnotes xmlns:w="{main}">{note}</w:footnotes>'.encode()
    made = write(REPORT, FACTS, packed(parts_of(typed) | {name: content}))
    assert "{{ x }} {% for a in b %}" in text_of(made, name)


def test_a_table_of_ones_own_repeats_its_row() -> None:
    document, octets = Document(), io.BytesIO()
    table = document.add_table(4, 2)
    for (row, column), text in {
        (0, 0): "Lớp",
        (1, 0): "{%tr for row in tables.wide.rows %}",
        (2, 0): "{{ row[0] }}",
        (2, 1): "{{ row[14] }}",
        (3, 0): "{%tr endfor %}",
    }.items():
        table.cell(row, column).text = text
    document.save(octets)
    made = Document(io.BytesIO(write(REPORT, FACTS, octets.getvalue()))).tables[0]
    assert [cell.text for cell in made.rows[1].cells] == ["6A", "13"]
    assert len(made.rows) == 1 + len(CLASSES)


def test_the_built_in_form_is_changed_by_hand_and_makes_the_same_report() -> None:
    """As a Department does: its own emblem, a heading, a paragraph less, another font."""
    emblem, octets = io.BytesIO(), io.BytesIO()
    segno.make("emblem").save(emblem, kind="png")
    form = Document(io.BytesIO(built_in_template()))
    form.paragraphs[0].insert_paragraph_before().add_run().add_picture(emblem)
    subject = next(paragraph for paragraph in form.paragraphs if paragraph.text == "{{ subject }}")
    subject.runs[0].text = "{{ subj"  # as Word cuts a tag when a part of it gets a look
    subject.add_run("ect }} của {{ school | upper }}").italic = True
    receiver = next(
        paragraph for paragraph in form.paragraphs if "{{ receiver }}" in paragraph.text
    )
    receiver.text = "Gửi {{ receiver }}, kỳ {{ period }}"
    form.save(octets)
    text = text_of(write(REPORT, FACTS, octets.getvalue()))
    assert f"{REPORT.subject} của {FACTS.school.name.upper()}" in text
    assert "Gửi Sở Giáo dục và Đào tạo, kỳ từ ngày 01/09/2026" in text
    assert text_of(write(REPORT, FACTS)).splitlines()[-300:] == text.splitlines()[-300:]


def test_a_table_without_rows_and_one_of_one_column_are_drawn() -> None:
    empty = ReportTable("empty", "Trống", (TableColumn("Lớp"), TableColumn("Lượt", True)), ())
    single = ReportTable("single", "Một cột", (TableColumn("Lớp"),), (("6A",),))
    report = replace(REPORT, sections=(Section("s", "S", (empty, single)),))
    tables = Document(io.BytesIO(write(report, FACTS))).tables[1:-1]
    assert [[[cell.text for cell in row.cells] for row in table.rows] for table in tables] == [
        [["Lớp", "Lượt"]],
        [["Lớp"], ["6A"]],
    ]


@pytest.mark.parametrize(
    ("paragraphs", "why"),
    [
        (["Trường: {{ schol }}"], "did you mean 'school'.*in the paragraph: Trường: {{ schol }}"),
        (["{{ figures.day_in }}"], "no field 'figures.day_in' .did you mean 'days_in'"),
        (["{{ ''.__class__ }}"], "the template is refused"),
        (["{% for part in sections %}"], "the template is refused: Unexpected end of template"),
        (["{%p if school %}", "{%p endfor %}"], "the template is refused"),
        (["{{p school }}"], "loses a value that it prints"),
    ],
)
def test_a_wrong_template_is_refused_with_the_reason(paragraphs: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        _own(*paragraphs)


def test_a_loop_that_cuts_a_table_is_refused() -> None:
    tags = "{%tc if figures.days_in > 9999 %}", "{% endif %}"
    first, last = (f"<w:p><w:r><w:t>{tag}</w:t></w:r></w:p>" for tag in tags)
    cut = f"<w:tbl><w:tblGrid/><w:tr><w:tc>{first}</w:tc></w:tr></w:tbl>{last}"
    with pytest.raises(ConfigError, match="cut its paragraphs or tables"):
        write(REPORT, FACTS, with_body(built_in_template(), cut))


def test_control_without_the_comparison_a_template_loses_a_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(word_report, "_compare", lambda *_: None)
    assert FACTS.school.name not in _own("{{p school }}")


def test_control_without_the_comparison_wrong_totals_get_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = (TableColumn("Lớp"), TableColumn("Lượt", True))
    wrong = ReportTable("wrong", "Sai", columns, (("6A", 3), ("6B", 4)), ("Tổng", 8))
    report = replace(REPORT, sections=(Section("s", "S", (wrong,)),))
    with pytest.raises(StoreError, match="not those of the report"):
        write(report, FACTS)
    monkeypatch.setattr(word_report, "_compare_tables", lambda *_: None)
    assert "8" in text_of(write(report, FACTS))


@pytest.mark.long
def test_the_built_in_template_saved_by_libreoffice_makes_the_same_report(tmp_path: Path) -> None:
    commands("soffice")
    (tmp_path / "own.docx").write_bytes(built_in_template())
    office = f"-env:UserInstallation=file://{tmp_path}/office"
    for kind, file in (("odt", "own.docx"), ("docx", "own.odt")):
        command = ["soffice", office, "--headless", "--convert-to", kind, file]
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    made = write(REPORT, FACTS, (tmp_path / "own.docx").read_bytes())
    assert text_of(made).split() == text_of(write(REPORT, FACTS)).split()


def test_a_document_that_names_an_address_of_its_own_is_not_handed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    linked = with_relation(write(REPORT, FACTS), "hyperlink", "https://a.example/")
    monkeypatch.setattr(word_report._WordTemplate, "filled", lambda _: linked)
    with pytest.raises(StoreError, match="an address that its template does not have"):
        write(REPORT, FACTS)


def test_a_table_that_lost_a_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(tree: Any) -> None:
        row = next(tree.iter(f"{WORD}tblHeader")).getparent().getparent().getnext()
        row.getparent().remove(row)

    monkeypatch.setattr(word_report, "lay_out_tables", cut)
    with pytest.raises((StoreError, ConfigError)):
        write(REPORT, FACTS)


def test_a_form_altered_anywhere_is_filled_in_or_refused_in_one_line() -> None:
    random, parts = Random(11), parts_of(built_in_template())
    names = [name for name in parts if name.endswith((".xml", ".rels"))]
    short = replace(REPORT, sections=(Section("s", "S", REPORT.sections[0].parts[:5]),))
    refused = list[str]()
    for _ in range(40):
        name = random.choice([BODY, *names])
        tree = etree.fromstring(parts[name])
        for _ in range(random.randint(1, 4)):
            one = random.choice(list(tree.iter()))
            if one is tree:
                continue
            if random.random() < 0.5:
                one.addnext(copy.deepcopy(one))
            else:
                one.getparent().remove(one)
        try:
            write(short, FACTS, packed(parts | {name: etree.tostring(tree)}))
        except ConfigError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 40
    assert not any("\n" in one for one in refused)


class _Box(NamedTuple):
    """A word on a page; millimetres from its upper left corner."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


@pytest.fixture(
    scope="module", params=[pytest.param(one, marks=pytest.mark.long) for one in ("vi", "en")]
)
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built-in document, as LibreOffice prints it."""
    commands("soffice", "pdftotext", "pdftoppm")
    folder: Path = tmp_path_factory.mktemp("printed")
    (folder / "report.docx").write_bytes(write(drawn_report(request.param), FACTS))
    office = f"-env:UserInstallation=file://{folder}/office"
    command = ["soffice", office, "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
    subprocess.run([*command, str(folder / "report.docx")], check=True, capture_output=True)
    return folder / "report.pdf"


@pytest.fixture
def boxes(printed: Path) -> list[_Box]:
    """Return the words of the printed document."""
    answer = subprocess.run(
        ["pdftotext", "-bbox", str(printed), "-"], check=True, capture_output=True
    )
    found, page = [], 0
    for line in answer.stdout.decode().splitlines():
        if "<page " in line:
            page += 1
        word = re.search(r'xMin="(.+)" yMin="(.+)" xMax="(.+)" yMax="(.+)">(.*)</word>', line)
        if word:
            edges = (float(group) / _POINTS_PER_MM for group in word.groups()[:4])
            found.append(_Box(page, word[5], *edges))
    return found


def test_the_text_is_within_the_margins_of_the_decree(boxes: list[_Box]) -> None:
    upright = [box for box in boxes if box.page == 1]
    left, right = min(one.left for one in upright), max(one.right for one in upright)
    assert left == pytest.approx(PAGE.left, abs=3)
    assert right == pytest.approx(PAGE.width - PAGE.right, abs=3)
    assert min(one.top for one in upright) == pytest.approx(PAGE.top, abs=1.5)
    assert max(one.bottom for one in upright) <= PAGE.height - PAGE.bottom + 1


def test_pages_are_numbered_in_the_middle_of_the_top_margin_but_the_first(
    boxes: list[_Box],
) -> None:
    above = [box for box in boxes if box.top < PAGE.top - 2]
    pages = max(box.page for box in boxes)
    assert pages > 10
    assert [(one.page, one.text) for one in above] == [(n, str(n)) for n in range(2, pages + 1)]
    middle = PAGE.left + PAGE.text_width / 2
    across = PAGE.left + PAGE.across_width / 2
    for one in above:
        centre = (one.left + one.right) / 2
        assert min(abs(centre - middle), abs(centre - across)) < 2


def test_the_head_has_two_columns_side_by_side(boxes: list[_Box]) -> None:
    first = [box for box in boxes if box.page == 1]
    issuer, nation = (next(one for one in first if one.text == text) for text in ("UBND", "NAM"))
    assert issuer.top == pytest.approx(nation.top, abs=0.5)
    assert issuer.right < PAGE.left + 63 < nation.left


def test_lines_are_drawn_beneath_the_issuer_the_motto_and_the_subject(
    printed: Path, boxes: list[_Box]
) -> None:
    drawn = sorted(_drawn_lines(printed))
    issuer, motto = sorted(drawn[:2], key=lambda one: one.left)
    subject = next(one for one in drawn if one.top > motto.top + 10)
    words = [box for box in boxes if box.page == 1 and motto.top - 7 < box.top < motto.top]
    text = [word for word in words if word.left > PAGE.left + HEAD_COLUMNS[0]]
    assert motto.left == pytest.approx(min(one.left for one in text), abs=2)
    assert motto.right == pytest.approx(max(one.right for one in text), abs=2)
    assert issuer.right - issuer.left == pytest.approx(ISSUER_RULE, abs=1)
    assert (issuer.left + issuer.right) / 2 == pytest.approx(PAGE.left + HEAD_COLUMNS[0] / 2, abs=1)
    assert subject.right - subject.left == pytest.approx(SUBJECT_RULE, abs=1)


class _Line(NamedTuple):
    """A line across on the first page; millimetres."""

    top: float
    left: float
    right: float


def _drawn_lines(path: Path, *, per_inch: int = 150) -> list[_Line]:
    """Return the dark lines of more than 15 mm."""
    command = ["pdftoppm", "-gray", "-r", str(per_inch), "-l", "1", str(path)]
    octets = subprocess.run(command, check=True, capture_output=True).stdout
    head = re.match(rb"P5\s(\d+)\s(\d+)\s255\s", octets)
    assert head is not None
    width, height, mm = int(head[1]), int(head[2]), 25.4 / per_inch
    dark = re.compile(rb"[\x00-\xa0]{%d,}" % (15 / mm))
    rows = (octets[head.end() + width * y :][:width] for y in range(height))
    runs = [(y, one) for y, row in enumerate(rows) for one in dark.finditer(row)]
    return [_Line(y * mm, one.start() * mm, one.end() * mm) for y, one in runs]


def test_the_heading_of_a_long_table_is_on_each_of_its_pages(boxes: list[_Box]) -> None:
    heads = [box for box in boxes if box.text == "Lượt"]
    assert len({head.page for head in heads}) > 8
    numbers = [box for box in boxes if box.text in ("39.013", "39,013")]
    assert numbers
