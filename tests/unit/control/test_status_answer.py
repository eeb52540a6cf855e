# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.control.status_answer import (
    FeedStandingFacts,
    LogStanding,
    SchoolDay,
    StatusAnswer,
    UpstreamStanding,
)
from filterd.operations.answers import worked_out
from filterd.operations.status import STATUS


def test_all_that_the_description_of_the_api_promises_is_named() -> None:
    promised = worked_out(STATUS.answer)["properties"]
    assert set(promised) <= set(StatusAnswer.__annotations__)
    assert set(promised["day"]["properties"]) <= set(SchoolDay.__annotations__)
    assert set(promised["log"]["properties"]) <= set(LogStanding.__annotations__)
    upstream = promised["upstreams"]["items"]["properties"]
    assert set(upstream) <= set(UpstreamStanding.__annotations__)


def test_what_readers_want_of_a_feed_is_promised() -> None:
    promised = worked_out(STATUS.answer)["properties"]["feed"]["properties"]
    assert set(FeedStandingFacts.__annotations__) <= set(promised)
