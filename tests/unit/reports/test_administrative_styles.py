# SPDX-License-Identifier: Apache-2.0
"""The layout of an administrative document, against the figures of Decree 30/2020."""

from __future__ import annotations

import pytest

from filterd.reports.administrative_styles import (
    FONT,
    FOOT_COLUMNS,
    HEAD_COLUMNS,
    ISSUER_RULE,
    PAGE,
    STYLES,
    SUBJECT_RULE,
)

DECREE = {
    "Superior": (12, 13, ""),
    "Issuer": (12, 13, "b"),
    "Nation": (12, 13, "b"),
    "Motto": (13, 14, "b"),
    "Number": (13, 13, ""),
    "PlaceDate": (13, 14, "i"),
    "DocumentTitle": (13, 14, "b"),
    "Subject": (13, 14, "b"),
    "LegalBasis": (13, 14, "i"),
    "Body": (13, 14, ""),
    "RecipientsTitle": (12, 12, "bi"),
    "Recipients": (11, 11, ""),
    "Capacity": (13, 14, "b"),
    "Signer": (13, 14, "b"),
    "PageNumber": (13, 14, ""),
}
"""Appendix I: the least and greatest size, bold and italic."""


@pytest.mark.parametrize("id_", DECREE)
def test_letters_are_as_the_decree_has_them(id_: str) -> None:
    least, greatest, look = DECREE[id_]
    style = STYLES[id_]
    assert least <= style.size <= greatest
    assert (style.is_bold, style.is_italic) == ("b" in look, "i" in look)


def test_the_page_is_a4_with_the_margins_of_the_decree() -> None:
    assert (PAGE.width, PAGE.height, FONT) == (210, 297, "Times New Roman")
    assert 20 <= PAGE.top <= 25
    assert 20 <= PAGE.bottom <= 25
    assert 30 <= PAGE.left <= 35
    assert 15 <= PAGE.right <= 20
    assert PAGE.page_number < PAGE.top


def test_the_body_is_justified_with_an_indent_of_1_or_1_27_cm_and_space_between() -> None:
    body = STYLES["Body"]
    assert (body.alignment, body.first_line) == ("both", 12.7)
    assert body.after >= 6
    assert 1 <= body.spacing <= 1.5


def test_drawn_lines_are_a_third_to_a_half_of_what_they_stand_beneath() -> None:
    assert 1 / 3 <= ISSUER_RULE / HEAD_COLUMNS[0] <= 1 / 2
    assert 1 / 3 <= SUBJECT_RULE / PAGE.text_width <= 1 / 2
    assert sum(HEAD_COLUMNS) == sum(FOOT_COLUMNS) == PAGE.text_width
