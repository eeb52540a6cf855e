# SPDX-License-Identifier: Apache-2.0
"""The feed is a part of the status; a decision that takes long goes on by itself."""

from __future__ import annotations

from filterd.web.operations import BY_NAME
from filterd.web.operations.list_operations import FEED_STATUS, decided
from tests.support.operations import RecordedVisitor


def test_after_a_while_a_decision_goes_on_by_itself() -> None:
    visitor, approve = RecordedVisitor(), BY_NAME["approveVersion"]
    assert approve.done is decided
    sentence = visitor.texts(decided({"at_work": "feed approve"}, visitor))
    assert "history of versions" in sentence
    assert visitor.texts(decided([], visitor)) == "Done."


def test_the_feed_is_shown() -> None:
    visitor = RecordedVisitor(answers={"status": {"feed": {"served": 1}}})
    assert visitor.do(FEED_STATUS) == {"served": 1}
