# SPDX-License-Identifier: Apache-2.0
"""The pages as files: one each, small, without script, and no text becomes markup."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

import pytest

from filterd.blockpage.pupil_markup import (
    HEADERS,
    PageSchool,
    ReviewForm,
    field_page,
    message_page,
    why_page,
)
from filterd.blockpage.pupil_words import PupilWords
from filterd.texts.i18n import Texts

MOST_OCTETS = 20_000
HOSTILE = "<script>alert(1)</script>\"'&\x00\udcff" + "x" * 250
PAGE = PupilWords(HOSTILE, (HOSTILE,) * 3, (HOSTILE,) * 3, HOSTILE, may_ask=True, is_help=True)
SCHOOL = PageSchool(HOSTILE, HOSTILE)
ENGLISH = Texts("en")


def _pages() -> list[str]:
    review = ReviewForm(HOSTILE, HOSTILE)
    pages = (
        why_page(PAGE, SCHOOL, ENGLISH, review=review, again="/why?name=a", is_home=True),
        field_page(SCHOOL, Texts("vi"), "/"),
        message_page(HOSTILE, HOSTILE, SCHOOL, ENGLISH, is_home=True),
    )
    return [page.decode() for page in pages]


def test_each_page_is_one_small_file_without_script() -> None:
    for page in _pages():
        assert page.startswith("<!doctype html>\n<html lang=")
        assert len(page.encode()) <= MOST_OCTETS
        assert "<script>" not in page
        assert re.search(r"\s(on\w+|style|src)=", page) is None
        assert re.findall(r'<link[^>]*href="([^"]*)', page) == ["data:,"]


def test_no_text_leaves_its_attribute() -> None:
    (page, *_) = _pages()
    assert 'value="<script&gt;alert(1)</script&gt;&quot;' in page
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", _pages()[0], re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(HEADERS)["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_every_field_has_a_label_and_headings_are_in_order() -> None:
    for page in _pages():
        assert len(re.findall(r'type="text"', page)) == len(re.findall(r'for="name"', page))
        assert re.findall(r"<h(\d)", page)[0] == "1"
        assert set(re.findall(r"<h(\d)", page)) <= {"1", "2"}


def test_diacritics_are_right() -> None:
    page = field_page(PageSchool("Trường THCS Nguyễn Du"), Texts("vi")).decode()
    assert '<meta charset="utf-8">' in page
    assert "Vì sao một trang không mở được?" in page
    assert "Trường THCS Nguyễn Du" in page


@pytest.mark.parametrize(
    ("again", "link"), [("/", "/?lang=vi"), ("/why?name=a", "name=a&amp;lang")]
)
def test_a_link_leads_to_the_other_language(again: str, link: str) -> None:
    assert link in field_page(SCHOOL, ENGLISH, again).decode()
