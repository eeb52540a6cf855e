# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.publish import mistake_inbox
from filterd.publish.mistake_inbox import INBOX, Inbox, SchoolReports, SenderStanding

if TYPE_CHECKING:
    from pathlib import Path

FIRST = SchoolReports(SenderStanding.ENROLLED, "79", "THCS", "ab" * 32, 100, ())
OTHER = replace(FIRST, standing=SenderStanding.SIGNED, sender="cd" * 32)


def test_a_newer_file_of_a_gateway_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    assert inbox.paths() == []
    assert inbox.keep(b"1", FIRST, None)
    assert inbox.keep(b"2", replace(FIRST, made_at=101), FIRST)
    assert not inbox.keep(b"1", FIRST, replace(FIRST, made_at=101))
    (path,) = inbox.paths()
    assert path.read_bytes() == b"2"
    before = path.stat().st_ino
    newer = replace(FIRST, made_at=101)
    assert inbox.keep(b"2", newer, newer)  # the same file again: nothing is written
    assert path.stat().st_ino == before


def test_a_school_that_is_enrolled_later_is_kept_once(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.keep(b"1", replace(FIRST, standing=SenderStanding.SIGNED), None)
    inbox.keep(b"2", FIRST, None)
    assert [path.name for path in inbox.paths()] == [f"{FIRST.sender}.enrolled"]


def test_unknown_senders_fill_no_disk_and_keep_no_enrolled_school_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mistake_inbox, "MOST_NOT_ENROLLED", 1)
    inbox = Inbox(tmp_path)
    inbox.keep(b"1", OTHER, None)
    with pytest.raises(StoreError, match="has 1 files of gateways that are not enrolled"):
        inbox.keep(b"1", replace(OTHER, sender="ef" * 32), None)
    assert inbox.keep(b"2", OTHER, OTHER)
    assert inbox.keep(b"1", FIRST, None)
    assert len(list((tmp_path / INBOX).iterdir())) == 2
