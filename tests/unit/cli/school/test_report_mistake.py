# SPDX-License-Identifier: Apache-2.0
"""A mistake of a list is opened, reported, and seen to be mended."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.mistake_envelope import read_reports
from filterd.lists.index import Index
from filterd.publish.mistake_inbox import SenderStanding
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8
from tests.support.policies import an_index

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon

REPORT = ("report-mistake", "university.example", "--reason", "Một trường đại học")


@pytest.fixture
def lists(quiet: StateFolder, tmp_path: Path) -> Path:
    """Lists of a third party that name a university."""
    _compile(quiet, tmp_path, "university.example")
    return quiet.index


def _compile(state: StateFolder, folder: Path, *entries: str) -> None:
    folder = folder / f"lists{len(list(folder.iterdir()))}"
    folder.mkdir()
    an_index(folder, {"third-party": ("games", "domains", False, ["other.example", *entries])})
    (folder / "index").replace(state.index)


def test_the_entry_is_open_and_reported(here: list[str], daemon: FakeDaemon, lists: Path) -> None:
    done = call(*REPORT, *here)
    assert (done.code, done.err) == (0, "")
    assert "university.example is open until 08:00 15/12/2025, and reported" in done.out
    (one,) = daemon.store.current().exceptions
    assert (one.kind, one.target, one.ends_at) == (
        "entry",
        "university.example",
        MONDAY_AT_8 + 14 * 86_400,
    )
    assert lists.exists()


def test_what_was_reported_is_shown_until_it_is_mended(
    here: list[str], daemon: FakeDaemon, lists: Path, quiet: StateFolder, tmp_path: Path
) -> None:
    assert call("report-mistake", "--list", *here).out == "No mistake has been reported.\n"
    call(*REPORT, "--until", "17:00", *here)
    shown = call("report-mistake", "--list", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    assert "third-party, line 2" in shown
    before = Index.open(lists).digest
    _compile(quiet, tmp_path)
    index = Index.open(lists)
    assert index.digest != before
    (row,) = json.loads(call("report-mistake", "--list", "--json", *here).out)
    assert (row["mended"], row["listed"]) == (True, [])
    mended = row["mended_in"], row["mended_at"]
    assert mended == (index.digest.hex()[:12], index.build["when"])
    shown = call("report-mistake", "--list", *here).out
    assert "corrected 13:30, in" in shown
    assert max(map(len, shown.splitlines())) <= 80
    call("undo", "1", *here)
    assert json.loads(call("report-mistake", "--list", "--json", *here).out) == []
    assert "report-mistake" in str(daemon.asked)


def test_reports_are_written_for_the_centre_without_their_authors(
    here: list[str], daemon: FakeDaemon, lists: Path, tmp_path: Path
) -> None:
    call(*REPORT, *here)
    out = tmp_path / "reports.json"
    done = call("report-mistake", "--export", out, *here)
    assert (done.code, lists.exists()) == (0, True)
    found = read_reports(out.read_bytes(), None, MONDAY_AT_8)
    (report,) = found.reports
    assert (found.standing, report.school, report.name) == (
        SenderStanding.SIGNED,
        "Trường mẫu",
        "university.example",
    )
    assert daemon.author not in base64.b64decode(json.loads(out.read_bytes())["payload"]).decode()


def test_a_key_that_cannot_be_used_is_an_error_with_a_remedy(
    here: list[str], daemon: FakeDaemon, lists: Path, quiet: StateFolder, tmp_path: Path
) -> None:
    call(*REPORT, *here)
    quiet.device_key.write_text("no key")
    quiet.device_key.chmod(0o600)
    done = call("report-mistake", "--export", tmp_path / "reports.json", *here)
    assert (done.code, len(done.error_lines), lists.exists()) == (2, 1, True)
    assert "the reports cannot be signed: " in done.err
    assert daemon.store.current().exceptions
    assert not (tmp_path / "reports.json").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "NAME is missing (filterd report-mistake NAME --reason"),
        ("a.example", "--reason is missing"),
        ("a.example --list", "take no name"),
        ("10.0.0.1 --reason b", "is an address"),
        ("--export nowhere/file.jsonl", "there is no folder nowhere (check --export)"),
        ("a.example --reason b --until 2026-02-01", "14 days at most"),
    ],
)
def test_what_is_no_report_is_refused(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("report-mistake", *words.split(), *here)
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert why in done.err
    assert daemon.store.current().exceptions == ()
