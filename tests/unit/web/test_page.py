# SPDX-License-Identifier: Apache-2.0
"""A row of a live page has the texts of the same row in its table."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from filterd.i18n import Texts, say
from filterd.rows import Column, Listing, SchoolClock, Wording
from filterd.web.page import cells


def test_cells_are_texts_in_the_order_of_the_columns() -> None:
    columns = (Column(say("Menu"), "name"), Column(say("Menu"), "n", each="several"))
    row = {"name": "a.example", "several": [{"n": 1}, {"n": 2}]}
    wording = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))
    assert cells(Listing(say("Menu"), say("Menu"), columns), row, wording) == ["a.example", "1\n2"]
