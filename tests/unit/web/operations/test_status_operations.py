# SPDX-License-Identifier: Apache-2.0
"""The status comes with the alerts that follow from it."""

from __future__ import annotations

from filterd.web.operations.status_operations import ALERTS, RELOAD, STATUS
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


def test_a_page_says_that_the_files_are_in_force() -> None:
    done = RELOAD.done
    assert done is not None
    assert done({}, RecordedVisitor()) == "The files and the lists are in force."
