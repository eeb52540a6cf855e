# SPDX-License-Identifier: Apache-2.0
"""Findings: their outcome, their words in two languages, their plain data."""

from __future__ import annotations

import json

import pytest

from filterd.appliance.finding import ProbeFinding, ProbeOutcome, clean, found, unseen
from filterd.i18n import say


def test_a_fault_has_a_remedy() -> None:
    one = found(say("{n} faults", n=2), say("mend them"))
    assert one.outcome is ProbeOutcome.FOUND
    assert one.remedy == "mend them"


def test_plain_data_is_json_and_comes_back_as_it_was() -> None:
    findings = [
        found(say("{n} faults", n=2), say("mend them")),
        clean(say("fine")),
        unseen(say("x")),
    ]
    for one in findings:
        back = ProbeFinding.from_plain(json.loads(json.dumps(one.to_plain())))
        assert back == one
        assert back.text.template == one.text.template


def test_what_is_no_finding_is_refused() -> None:
    with pytest.raises((KeyError, ValueError)):
        ProbeFinding.from_plain({**clean(say("fine")).to_plain(), "outcome": "perhaps"})
    with pytest.raises((KeyError, ValueError)):
        ProbeFinding.from_plain({})
