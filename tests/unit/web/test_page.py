# SPDX-License-Identifier: Apache-2.0
"""A row of a live page has the texts of the same row in its table."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.texts.i18n import Texts, say
from filterd.texts.rows import Column, Listing, SchoolClock, Wording
from filterd.web.page import PART_ROWS, Part, cells, part_of


def test_cells_are_texts_in_the_order_of_the_columns() -> None:
    columns = (Column(say("Menu"), "name"), Column(say("Menu"), "n", each="several"))
    row = {"name": "a.example", "several": [{"n": 1}, {"n": 2}]}
    wording = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))
    assert cells(Listing(say("Menu"), say("Menu"), columns), row, wording) == ["a.example", "1\n2"]


NUMBERS = [{"id": n, "name": f"Phòng {n}"} for n in range(1, 251)]


def _part(**given: str) -> Part:
    return part_of(NUMBERS, given, "/rooms", lambda row: row["name"])


def test_the_first_part_leads_to_the_next_one() -> None:
    part = _part()
    assert (len(part.rows), part.first, part.last, part.n) == (PART_ROWS, 1, 100, 250)
    assert (part.before, part.after) == (None, "/rooms?q=&from=101")


def test_the_last_part_leads_back() -> None:
    part = _part(**{"from": "201"})
    assert (part.first, part.last, part.after) == (201, 250, None)
    assert part.before == "/rooms?q=&from=101"


def test_a_text_is_found_without_diacritics() -> None:
    part = _part(q="PHONG 25", all="on")
    assert [row["id"] for row in part.rows] == [25, 250]
    assert _part(q="q&x=1", **{"from": "1"}).rows == []


def test_links_keep_the_query_and_encode_it() -> None:
    after = _part(q="phòng", all="on", other="x").after
    assert after == "/rooms?all=on&q=ph%C3%B2ng&from=101"


@pytest.mark.parametrize("written", ["", "0", "-5", "x", "99999999", "²", "9" * 5000])
def test_what_is_no_place_leads_somewhere_in_the_list(written: str) -> None:
    assert _part(**{"from": written}).rows


def test_an_empty_list_has_one_empty_part() -> None:
    assert part_of([], {}, "/rooms", str)[:6] == ([], 0, 0, 0, None, None)
