# SPDX-License-Identifier: Apache-2.0
"""The status comes with the alerts that follow from it."""

from __future__ import annotations

from filterd.web.operations.status_operations import ACCEPT_CLOCK, ALERTS, CLOCK, RELOAD, STATUS
from tests.support.fake_daemon import STATUS as REPORTED
from tests.support.operations import RecordedVisitor
from tests.support.policies import NOW

LATE = {**REPORTED, "clock": {"shows": NOW}, "reload_failures": 1}


def test_a_status_has_its_alerts() -> None:
    visitor = RecordedVisitor(answers={"status": LATE})
    outcome = visitor.do(STATUS)
    assert outcome["alerts"] == visitor.do(ALERTS)
    assert all(one["remedy"] for one in outcome["alerts"])
    assert visitor.asked[-1] == ("status", {"totals_old_s": 60})


def test_the_clock_is_shown_and_accepted_and_the_files_are_loaded() -> None:
    visitor = RecordedVisitor(answers={"reload": {"policy": "0123456789ab"}})
    assert visitor.do(CLOCK)["policy_time"] == NOW
    assert visitor.last(ACCEPT_CLOCK, reason="đúng giờ")["kind"] == "clock-accept"
    visitor.do(RELOAD)
    assert visitor.asked[-1] == ("reload", {})
