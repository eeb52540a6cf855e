# SPDX-License-Identifier: Apache-2.0
"""Links folded into one handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.resolve.link import answered, chain
from filterd.resolve.query import Answer, Query, Source
from tests.support.chain import a_chain_query, without_waiting
from tests.support.serving import a_site

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.lists.index import Index
    from filterd.resolve.link import Handler


class Noting:
    """Notes when it is asked and when it is answered."""

    def __init__(self, name: str, notes: list[str], answer: Answer | None = None) -> None:
        self.name, self.notes, self.answer = name, notes, answer

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        self.notes.append(f"{self.name} in")
        answer = self.answer or await proceed(query)
        self.notes.append(f"{self.name} out")
        return answer


def test_the_first_link_is_the_outermost(index: Index) -> None:
    notes, last = list[str](), Answer(Source.FAILED)
    handler = chain([Noting("a", notes), Noting("b", notes), Noting("c", notes, last)])
    assert without_waiting(handler(a_chain_query(a_site(index)))) is last
    assert notes == ["a in", "b in", "c in", "c out", "b out", "a out"]


def test_a_link_may_answer_by_itself(index: Index) -> None:
    notes, early = list[str](), Answer(Source.REFUSED)
    handler = chain([Noting("a", notes, early), Noting("b", notes)])
    assert without_waiting(handler(a_chain_query(a_site(index)))) is early
    assert notes == ["a in", "a out"]


class InOnly:
    """Answers by itself, or is gone before the rest of the chain answers."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        return proceed(query) if self.answer is None else answered(self.answer)


def test_a_link_that_only_acts_on_the_way_in_passes_the_rest_on(index: Index) -> None:
    notes, last = list[str](), Answer(Source.FAILED)
    handler = chain([Noting("a", notes), InOnly(), Noting("b", notes, last)])
    assert without_waiting(handler(a_chain_query(a_site(index)))) is last
    assert notes == ["a in", "b in", "b out", "a out"]


def test_a_link_that_only_acts_on_the_way_in_may_answer(index: Index) -> None:
    notes, early = list[str](), Answer(Source.REFUSED)
    handler = chain([Noting("a", notes), InOnly(early), Noting("b", notes)])
    assert without_waiting(handler(a_chain_query(a_site(index)))) is early
    assert notes == ["a in", "a out"]


def test_a_chain_that_nobody_ends_is_a_bug(index: Index) -> None:
    with pytest.raises(AssertionError, match="no link answered"):
        without_waiting(chain([])(a_chain_query(a_site(index))))
