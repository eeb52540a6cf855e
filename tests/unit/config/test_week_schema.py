# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.config.week_schema import ScheduledEntry, TargetEntry, WindowEntry
from filterd.documents import parse, validate


def test_days_are_all_days_where_they_are_left_out() -> None:
    window = validate(parse(b"from: 07:00\nto: 7:30\n", "site.yaml"), WindowEntry)
    assert (window.days, window.from_, window.to) == (None, 25200, 27000)


@pytest.mark.parametrize("kind", ["category", "service", "list", "tier"])
def test_a_target_tells_its_kind_and_id(kind: str) -> None:
    target = validate(parse(f"{kind}: primary\n".encode(), "site.yaml"), TargetEntry)
    assert target.named == (kind, "primary")


@pytest.mark.parametrize("verb", ["open", "close"])
def test_an_entry_tells_what_happens_to_what(verb: str) -> None:
    text = f"schedule: s\n{verb}: {{category: games}}\n"
    entry = validate(parse(text.encode(), "site.yaml"), ScheduledEntry)
    assert (entry.verb, entry.target.named) == (verb, ("category", "games"))
