# SPDX-License-Identifier: Apache-2.0
"""Tables whose columns were repeated, and pages across for wide ones."""

from __future__ import annotations

from typing import Any

from lxml import etree

from filterd.reports.table_layout import lay_out_tables, set_of_run

_NS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_W = f"{{{_NS}}}"
_SECTION = (
    '<w:sectPr><w:headerReference w:type="default"/><w:pgSz w:w="11906" w:h="16838"/>'
    "<w:titlePg/></w:sectPr>"
)


def _table(*cells: str, columns: int = 1) -> str:
    row = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="1"/></w:tcPr><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>'
        for cell in cells
    )
    width = '<w:tblPr><w:tblW w:w="1" w:type="dxa"/></w:tblPr>'
    return (
        f"<w:tbl>{width}<w:tblGrid>{'<w:gridCol/>' * columns}</w:tblGrid><w:tr>{row}</w:tr></w:tbl>"
    )


def _laid_out(*parts: str) -> Any:
    body = f'<w:body xmlns:w="{_NS}"><w:p/>{"".join(parts)}<w:p/>{_SECTION}</w:body>'
    tree = etree.fromstring(body)
    lay_out_tables(tree)
    return tree


def _sections(tree: Any) -> list[str]:
    return [one.get(f"{_W}orient", "portrait") for one in tree.iter(f"{_W}pgSz")]


def test_columns_are_as_wide_as_their_texts() -> None:
    tree = _laid_out(_table("Nhóm nội dung rất dài", "12"))
    first, second = (int(one.get(f"{_W}w")) for one in tree.iter(f"{_W}gridCol"))
    assert first > 3 * second
    assert [int(one.get(f"{_W}w")) for one in tree.iter(f"{_W}tcW")] == [first, second]
    assert [int(one.get(f"{_W}w")) for one in tree.iter(f"{_W}tblW")] == [first + second]


def test_no_number_is_broken_and_the_letters_of_a_table_across_are_the_largest_that_fit() -> None:
    for months, size in ((10, "20"), (11, "18"), (12, "16")):
        tree = _laid_out(_table("Giáo dục thường xuyên", *["17.585.230"] * months))
        widths = [int(one.get(f"{_W}w")) for one in tree.iter(f"{_W}gridCol")]
        assert {one.get(f"{_W}val") for one in tree.iter(f"{_W}sz")} == {size}
        assert min(widths) > 10 * 5 * int(size)  # a digit is half as wide as high: 10 / 20 pt
        assert sum(widths) < 56.7 * 252 + len(widths)


def test_a_table_of_narrow_columns_stays_upright() -> None:
    tree = _laid_out(_table("Nhóm", *["12"] * 8))
    assert _sections(tree) == ["portrait"]


def test_a_table_of_as_many_columns_as_in_the_template_stays() -> None:
    tree = _laid_out(_table("dài dài dài dài", "2", columns=2))
    assert [one.get(f"{_W}w") for one in tree.iter(f"{_W}tcW")] == ["1", "1"]


def test_a_title_stays_with_its_table_where_libreoffice_has_saved_the_template() -> None:
    title = '<w:p><w:pPr><w:pStyle w:val="Tnbng"/></w:pPr></w:p>'  # Tên bảng
    tree = _laid_out(title, _table(*"abcdefghijkl"))
    assert [one.tag for one in tree].index(f"{_W}tbl") == 3  # text, end of section, title


def test_a_wide_table_is_on_pages_across_and_the_pages_after_it_are_upright() -> None:
    wide = _table(*"abcdefghijkl")
    title = '<w:p><w:pPr><w:pStyle w:val="TableTitle"/></w:pPr></w:p>'
    tree = _laid_out(title, wide)
    assert _sections(tree) == ["portrait", "landscape", "portrait"]
    assert len(list(tree.iter(f"{_W}titlePg"))) == len(list(tree.iter(f"{_W}headerReference"))) == 1
    sections = list(tree.iter(f"{_W}sectPr"))
    assert sections[0].find(f"{_W}titlePg") is not None
    assert tree.index(sections[0].getparent().getparent()) < tree.index(tree.find(f"{_W}tbl")) - 1


def test_two_wide_tables_share_their_pages_across() -> None:
    wide = _table(*"abcdefghijkl")
    assert _sections(_laid_out(wide, wide)) == ["portrait", "landscape", "portrait"]
    assert _sections(_laid_out(wide, "<w:p><w:r/></w:p>", wide)) == [
        *("portrait", "landscape", "portrait", "landscape", "portrait")
    ]


def test_a_property_of_a_run_stands_once_and_in_its_place() -> None:
    run = etree.fromstring(f'<w:r xmlns:w="{_NS}"><w:rPr><w:b/><w:lang/></w:rPr><w:t>x</w:t></w:r>')
    for size in ("18", "20"):
        set_of_run(run, "sz", size)
    set_of_run(run, "highlight", "yellow")
    names = [one.tag.removeprefix(_W) for one in run[0]]
    assert names == ["b", "sz", "highlight", "lang"]
    assert [one.get(f"{_W}val") for one in run.iter(f"{_W}sz")] == ["20"]
    assert run[0].tag == f"{_W}rPr"


def test_cells_and_the_end_have_a_paragraph_and_empty_rows_and_tables_go() -> None:
    empty = "<w:tbl><w:tblGrid/><w:tr/></w:tbl>"
    cell = "<w:tbl><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc><w:tcPr/></w:tc></w:tr></w:tbl>"
    tree = etree.fromstring(f'<w:body xmlns:w="{_NS}">{empty}{cell}{_SECTION}</w:body>')
    lay_out_tables(tree)
    assert [one.tag.removeprefix(_W) for one in tree] == ["tbl", "p", "sectPr"]
    assert next(tree.iter(f"{_W}tc"))[-1].tag == f"{_W}p"
