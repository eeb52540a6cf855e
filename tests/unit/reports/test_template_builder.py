# SPDX-License-Identifier: Apache-2.0
"""The built-in Word template, as Word reads it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from docx import Document
from docx.oxml.ns import qn

from filterd.reports.administrative_styles import STYLES
from filterd.reports.template_builder import built_in_template
from tests.support.word_files import BODY, parts_of, text_of

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

_TAG = re.compile(r"\{%\w* (\w+)")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_has_all_styles_and_every_paragraph_has_one_of_them(language: Language) -> None:
    document = Document(io.BytesIO(built_in_template(language)))
    ids = {style.element.get(qn("w:styleId")) for style in document.styles}
    assert set(STYLES) <= ids
    used = set(re.findall(r'w:pStyle w:val="(\w+)"', parts_of(built_in_template())[BODY].decode()))
    assert used <= set(STYLES)


def test_loops_and_choices_end_where_they_begin() -> None:
    open_ = []
    for word in _TAG.findall(text_of(built_in_template())):
        if word in ("for", "if"):
            open_.append(word)
        elif word.startswith("end"):
            assert open_.pop() == word.removeprefix("end")
    assert open_ == []


def test_the_heading_of_a_table_is_on_each_page_and_no_row_is_cut() -> None:
    body = parts_of(built_in_template())[BODY].decode()
    assert body.count("<w:tblHeader/>") == 1
    assert body.count("<w:cantSplit/>") == body.count("<w:tr>") + body.count("<w:tr ")


def test_the_signature_never_stands_alone_on_a_page() -> None:
    body = parts_of(built_in_template())[BODY].decode()
    note = next(one for one in body.split("<w:p>") if "{{ note }}" in one)
    assert "<w:keepNext/>" in note


def test_the_page_number_is_a_field_in_the_head_of_all_pages_but_the_first() -> None:
    parts = parts_of(built_in_template())
    heads = sorted(name for name in parts if name.startswith("word/header"))
    assert sum(b'w:instr="PAGE"' in parts[name] for name in heads) == 1
    assert b"<w:titlePg/>" in parts[BODY]


def test_fixed_words_are_in_the_language_and_nothing_names_the_maker() -> None:
    assert "Độc lập - Tự do - Hạnh phúc" in text_of(built_in_template("vi"))
    assert "Independence - Freedom - Happiness" in text_of(built_in_template("en"))
    parts = parts_of(built_in_template())
    assert b"python" not in parts["docProps/core.xml"]
    assert len(built_in_template()) < 20_000
