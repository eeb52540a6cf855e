# SPDX-License-Identifier: Apache-2.0
"""What is asked of the log, and within which bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import FilterdError
from filterd.operations.log import (
    ExplainRow,
    LookupChoice,
    ReadClassNames,
    ReadDayNames,
    ReadNewNames,
    ReadTopNames,
    SearchLog,
)
from filterd.operations.parameters.sought_names import SoughtNames
from tests.support.policies import wire

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest

AT = "2026-11-28T07:35:12.3"
NAME = wire("a.example")


def test_a_search_has_names_a_choice_and_a_place() -> None:
    asked = SearchLog.read({"name": "*.a.example", "class": "6A", "days": "3", "cursor": AT})
    choice = LookupChoice(class_="6A", days=3)
    assert asked == SearchLog(names=SoughtNames(NAME, True), choice=choice, after=AT)
    sent = {"name": NAME.hex(), "match": "subtree", "class": "6A", "days": 3, "after": AT}
    assert asked.arguments == sent
    assert SearchLog.read_sent(sent) == asked


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (SearchLog, {}),
        (ReadTopNames, {"limit": 20, "grade": "6", "action": "pass", "category": "games"}),
        (ReadTopNames, {"tier": "primary", "day": "2026-11-28"}),
        (ReadNewNames, {"days": 89, "domains": True}),
        (ExplainRow, {"id": AT}),
        (ReadClassNames, {"class": "6A"}),
        (ReadDayNames, {"day": "2026-11-28", "page": 100}),
    ],
)
def test_what_a_face_sends_the_manager_reads(
    kind: type[OperationRequest[Any]], sent: dict[str, Any]
) -> None:
    assert kind.read_sent(sent).arguments == sent


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (SearchLog, {"day": "yesterday"}),
        (SearchLog, {"day": "../2025-12-01"}),
        (SearchLog, {"day": "2026-02-30"}),
        (SearchLog, {"days": 0}),
        (SearchLog, {"days": 91}),
        (SearchLog, {"days": True}),
        (SearchLog, {"limit": 501}),
        (SearchLog, {"limit": 0}),
        (SearchLog, {"after": 5}),
        (SearchLog, {"after": "a b"}),
        (SearchLog, {"grade": "13"}),
        (SearchLog, {"class": "6\nA"}),
        (SearchLog, {"tier": "all"}),
        (SearchLog, {"action": "eaten"}),
        (SearchLog, {"category": 5}),
        (SearchLog, {"category": "a" * 65}),
        (ReadNewNames, {"days": 90}),
        (ReadNewNames, {"domains": 1}),
        (ExplainRow, {}),
        (ReadClassNames, {"class": ["6A"]}),
        (ReadDayNames, {}),
        (ReadDayNames, {"day": "2026-11-28", "page": 101}),
    ],
)
def test_what_makes_no_sense_is_refused(
    kind: type[OperationRequest[Any]], sent: dict[str, Any]
) -> None:
    with pytest.raises(FilterdError):
        kind.read_sent(sent)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(),
    lambda inner: st.lists(inner, max_size=2),
)
KEYS = ("name", "match", "part", "grade", "class", "tier", "action", "category", "days", "day")


@given(st.dictionaries(st.sampled_from(KEYS), plain))
def test_anything_else_is_an_error_with_a_reason(sent: dict[str, object]) -> None:
    text = ""
    try:
        SearchLog.read_sent(sent)
    except FilterdError as error:
        text = str(error)
    assert "\n" not in text
