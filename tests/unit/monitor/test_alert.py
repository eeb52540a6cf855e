# SPDX-License-Identifier: Apache-2.0
"""An alert as plain data."""

from __future__ import annotations

from filterd.monitor.alert import Alert
from filterd.operations.alerts import AlertSeverity
from filterd.texts.i18n import from_plain, say


def test_an_alert_is_plain_with_its_texts_and_their_sentences() -> None:
    sentence, remedy = say("{n} of {all} links", n=3, all=4), say("details: filterd status")
    plain = Alert("clock", AlertSeverity.WARNING, sentence, remedy).to_plain()
    assert (plain["id"], plain["severity"], plain["text"]) == ("clock", "warning", "3 of 4 links")
    assert [from_plain(one) for one in plain["sentences"]] == [sentence, remedy]


def test_the_most_severe_comes_first() -> None:
    assert [*AlertSeverity] == ["critical", "warning", "notice"]
