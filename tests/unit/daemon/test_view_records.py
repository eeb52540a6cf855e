# SPDX-License-Identifier: Apache-2.0
"""A look at names or lookups is in the history, once in ten minutes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.daemon.view_records import ONCE_IN_S, ViewRecords
from filterd.errors import ChangeError, StoreError
from filterd.i18n import say
from filterd.overrides.read_access import RECORDED, View
from filterd.overrides.roles import Author, Rank
from filterd.overrides.store import Store
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAN, MINH = (Author(one, Rank.ADMIN) for one in ("lan", "minh"))
TODAY = {"days": ["2026-11-28"], "class": ""}


class Looks:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(wall=NOW)
        self.state = StateFolder(folder)
        self.store = Store(self.state, self.clock)
        self.records = ViewRecords(self.clock, self._record)

    def _record(self, kind: str, payload: Mapping[str, Any], author: Author, reason: str) -> None:
        self.store.change(kind, payload, author=author.name, reason=reason)

    def rows(self) -> list[tuple[str, Any]]:
        return [(row.author, json.loads(row.payload)) for row in reversed(self.store.rows())]


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def test_a_look_is_recorded_with_author_view_days_and_class_and_no_name(looks: Looks) -> None:
    about = {"days": ["2026-11-28", "2026-11-27"], "class": "6A", "name": "a.example"}
    looks.records.note(View.ROWS, LAN, about)
    days = ["2026-11-27", "2026-11-28"]
    assert looks.rows() == [("lan", {"view": "rows", "days": days, "class_id": "6A"})]
    assert looks.store.verify().is_sound


def test_a_look_that_is_repeated_within_ten_minutes_is_one_row(looks: Looks) -> None:
    for _ in range(50):
        looks.records.note(View.NAMES, LAN, TODAY)
        looks.clock.advance(ONCE_IN_S / 100)
    looks.records.note(View.NAMES, MINH, TODAY)
    looks.records.note(View.NAMES, LAN, TODAY | {"days": ["2026-11-27"]})
    assert len(looks.rows()) == 3
    looks.clock.advance(ONCE_IN_S)
    looks.records.note(View.NAMES, LAN, TODAY)
    assert len(looks.rows()) == 4


def test_totals_are_looked_at_without_a_record(looks: Looks) -> None:
    for view in View:
        looks.records.note(view, LAN, TODAY)
    assert {told["view"] for _, told in looks.rows()} == {one.value for one in RECORDED}


def test_an_altered_look_breaks_the_chain(looks: Looks) -> None:
    looks.records.note(View.ROWS, LAN, TODAY)
    looks.records.note(View.ROWS, MINH, TODAY)
    path = looks.state.overrides
    path.write_bytes(path.read_bytes().replace(b"minh", b"hung"))
    assert looks.store.verify().first_bad == 2


def test_what_cannot_be_recorded_is_an_error_and_is_tried_again(looks: Looks) -> None:
    with pytest.raises(ChangeError):
        looks.records.note(View.ROWS, LAN, {"days": ["6A"]})

    def full(*_: Any) -> None:
        raise StoreError(say("full"))

    for _ in range(2):
        with pytest.raises(StoreError):
            ViewRecords(looks.clock, full).note(View.ROWS, LAN, TODAY)
