# SPDX-License-Identifier: Apache-2.0
"""What every link declares of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.resolve.link import Link, answered, leaves_all_alone
from filterd.resolve.query import Answer, Source
from tests.support.chain import a_chain_query, without_waiting
from tests.support.serving import a_site

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.lists.index import Index
    from filterd.resolve.link import Handler
    from filterd.resolve.query import Query


class Silent(Link):
    """Does not say what it leaves alone."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        return proceed(query)


def test_a_link_that_does_not_say_what_it_leaves_alone_cannot_be_made() -> None:
    made: Any = Silent
    with pytest.raises(TypeError, match="leaves_alone"):
        made()


def test_control_one_that_says_it_can_be_made_and_must_see_nothing(
    index: Index,
) -> None:
    class Saying(Silent):
        leaves_alone = staticmethod(leaves_all_alone)

    assert not Saying().must_see(a_chain_query(a_site(index)).client)


def test_an_answer_is_given_without_waiting() -> None:
    answer = Answer(Source.FAILED)
    assert without_waiting(answered(answer)) is answer
