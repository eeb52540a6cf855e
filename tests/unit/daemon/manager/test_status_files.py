# SPDX-License-Identifier: Apache-2.0
"""The status has what the units beside the daemon left, and nothing where they left nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.status_files import (
    BACKUP,
    ENROLMENT,
    LINKS,
    REPORTS,
    KeptEnrolment,
    LinkRules,
    NightlyBackup,
    ScheduledReports,
    facts,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_outcomes_are_plain_data_and_the_enrolment_has_no_envelope(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    assert facts(state) == dict.fromkeys(("backup", "reports", "links", "enrolment"))
    BACKUP.save(
        state.backup_outcome, NightlyBackup(1.0, 2.0, say("no stick"), "/media/usb/b.zip", 5)
    )
    reports = ScheduledReports({"month docx mail": "2026-10-31"}, 1.0, 2.0, say("no"), ("a.docx",))
    REPORTS.save(state.report_outcome, reports)
    ENROLMENT.save(state.enrolment, KeptEnrolment(1, 2, "ab", "{}"))
    LINKS.save(state.link_rules, LinkRules(3.0, {"lan0": "open"}))
    found = facts(state)
    assert found["links"] == {"read_at": 3.0, "passages": {"lan0": "open"}}
    backup, made = found["backup"], found["reports"]
    assert backup is not None
    assert (backup["done_at"], backup["failing_since"], backup["octets"]) == (1.0, 2.0, 5)
    assert BACKUP.load(state.backup_outcome).problem == "no stick"
    assert made is not None
    assert (made["done_at"], made["failing_since"], made["files"]) == (1.0, 2.0, ["a.docx"])
    assert REPORTS.load(state.report_outcome) == reports
    assert found["enrolment"] == {"begins": 1, "ends": 2, "device": "ab"}


def test_a_damaged_enrolment_is_none(tmp_path: Path) -> None:
    StateFolder(tmp_path).enrolment.write_bytes(b"damaged")
    assert facts(StateFolder(tmp_path))["enrolment"] is None
