# SPDX-License-Identifier: Apache-2.0
"""The facts of a certificate are read without parsing it, and worded for people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.base.certificate_facts import FACTS, FILE, CertificateFacts, facts_in
from filterd.base.certificate_facts import fingerprint_line as line
from filterd.base.state_file import to_plain
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from pathlib import Path

ENDS_AT = 1_764_550_800.0
MADE = CertificateFacts("abcd 0123", 0.0, ENDS_AT, ("filterd",), ("10.0.0.2",))
BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def test_what_is_damaged_or_missing_is_none(tmp_path: Path) -> None:
    assert facts_in(tmp_path) is None
    FACTS.save(tmp_path / FILE, MADE)
    assert facts_in(tmp_path) == MADE
    (tmp_path / FILE).write_bytes(b"\0" * 100)
    assert facts_in(tmp_path) is None


def test_the_status_has_one_line_and_none_of_an_earlier_daemon() -> None:
    row = {"signals": {"certificate": to_plain(MADE)}}
    assert line(row, BY) == "abcd 0123 (until 08:00 01/12/2025)"
    assert line({}, BY) == line({"signals": {"certificate": None}}, BY) == ""
