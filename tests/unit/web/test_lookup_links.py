# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.lookup_links."""

from __future__ import annotations

from filterd.web import pages
from filterd.web.lookup_links import TABS, to_lookup, to_name


def test_each_tab_is_a_page() -> None:
    assert {path for path, _ in TABS} <= {one.path for one in pages.ORDER}


def test_hostile_names_stay_in_the_query() -> None:
    row = {"name": "a&whom=x#<b>/../", "grade": "6", "class": ""}

    assert to_name(row) == "/why?name=a%26whom%3Dx%23%3Cb%3E%2F..%2F&whom=grade%3A6"
    assert to_name({"name": "a.example"}) == "/why?name=a.example"


def test_the_id_of_a_row_is_one_part_of_the_address() -> None:
    assert to_lookup({"id": "2025-12-01T13:30:00.0"}) == ("/lookups/rows/2025-12-01T13%3A30%3A00.0")
