# SPDX-License-Identifier: Apache-2.0
"""Findings: their outcome, their words in two languages, their plain data."""

from __future__ import annotations

import json

from filterd.appliance.finding import ProbeOutcome, found, unseen
from filterd.i18n import from_plain, say


def test_a_fault_has_a_remedy() -> None:
    one = found(say("{n} faults", n=2), say("mend them"))
    assert one.outcome is ProbeOutcome.FOUND
    assert one.remedy == "mend them"


def test_plain_data_is_json_with_texts_that_can_be_translated() -> None:
    one = found(say("{n} faults", n=2), say("mend them"))
    plain = json.loads(json.dumps(one.to_plain()))
    assert (plain["outcome"], plain["text"], plain["remedy"]) == ("found", "2 faults", "mend them")
    assert from_plain(plain["sentence"]).template == "{n} faults"
    assert unseen(say("x")).to_plain()["remedy_sentence"] is None
