# SPDX-License-Identifier: Apache-2.0
"""Texts of public lists: a new one that is unlike the last is not taken."""

from __future__ import annotations

import gzip
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError, ForeignContentError, StoreError
from filterd.feed.feed_details import SOURCES
from filterd.feed.followed import sources
from filterd.feed.followed.source_limits import FetchRules, RunBudget
from filterd.feed.followed.sources import (
    SourceFolder,
    SourceOutcome,
    SourceReport,
    counted,
    fetch_sources,
    kept_reports,
    look_at,
    read_sources,
    source_rows,
)
from filterd.feed.followed.text_judgement import TextFacts
from filterd.http.http_download import DownloadLimits, RequestPolicy
from filterd.lists.catalogs.catalog import PublicSource, shipped_sources
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.clock import FakeClock
from tests.support.web import Page, Web, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.feed.followed.text_judgement import ArrivedText


TEXT = b"".join(b"a%d.example\n" % number for number in range(40))
HTTP = FetchRules(policy=RequestPolicy(frozenset({"http"}), is_one_server=True))


@pytest.fixture(autouse=True)
def _judged_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge in this process; ``test_text_judgement`` has the child."""
    monkeypatch.setattr(sources, "judge", lambda text, _limit_s: text.judged())


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as one:
        one.pages["/list.txt"] = Page(TEXT, headers={"ETag": '"1"'})
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> SourceFolder:
    return SourceFolder(tmp_path / "sources")


def _source(address: str, source_id: str = "one", list_format: str = "domains") -> PublicSource:
    nobody = "https://example.com/"
    return PublicSource(
        source_id, "A list", "games", list_format, address, nobody, "MIT", "nobody", checked=True
    )


def _fetch(web: Web, folder: SourceFolder, path: str = "/list.txt") -> SourceReport:
    [report] = fetch_sources([_source(web.address + path)], folder, SystemClock(), rules=HTTP)
    return report


def test_a_text_is_taken(web: Web, folder: SourceFolder) -> None:
    report = _fetch(web, folder)
    counts = (40, 0, len(TEXT))
    digest = sha256(TEXT).hexdigest()
    taken = SourceReport("one", SourceOutcome.TAKEN, report.reason, *counts, sha256=digest)
    assert report == replace(taken, since=report.since)
    assert report.since > 0
    assert folder.text("one").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b" \n<!DOCTYPE html><title>Sign in</title>", "a web page came"),
        (b"0.0.0.0 a.example\n0.0.0.0 b.example\n", "not in the format domains"),
        (b"Please sign in\nto the network of the school\n", "not in the format domains"),
        (b"\x89PNG\0\0", "it is not text"),
        (b"# nothing\n", "it has no names"),
    ],
)
def test_what_a_person_would_follow_is_looked_at_first(
    web: Web, folder: SourceFolder, monkeypatch: pytest.MonkeyPatch, body: bytes, why: str
) -> None:
    monkeypatch.setattr(sources, "AT_ONCE", HTTP)
    source = _source(f"{web.address}/list.txt")
    assert look_at(source, folder, SystemClock()).entries == 40
    assert folder.note(source) is None
    web.pages["/list.txt"] = Page(body)
    with pytest.raises(ForeignContentError, match=why):
        look_at(source, folder, SystemClock())
    assert not folder.candidate(source.id).exists()
    web.pages.clear()
    with pytest.raises(FetchError, match="404"):
        look_at(source, folder, SystemClock())


def test_a_request_reveals_nothing_of_its_sender(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    [(_, headers)] = web.asked
    assert headers.keys() == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert headers["Accept-Encoding"] == "identity"


def test_a_text_that_has_not_changed_is_not_sent_again(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    report = _fetch(web, folder)
    assert (report.outcome, report.entries) == (SourceOutcome.UNCHANGED, 40)
    assert web.asked[-1][1]["If-None-Match"] == '"1"'


def test_a_date_is_asked_for_where_there_is_no_tag(web: Web, folder: SourceFolder) -> None:
    date = "Wed, 02 Sep 2026 00:00:00 GMT"
    web.pages["/list.txt"] = Page(TEXT, headers={"Last-Modified": date})
    _fetch(web, folder)
    assert _fetch(web, folder).outcome is SourceOutcome.UNCHANGED  # the same octets came again
    assert web.asked[-1][1]["If-Modified-Since"] == date


def test_the_same_octets_are_not_read_again_as_a_list(
    web: Web, folder: SourceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _fetch(web, folder)
    web.pages["/list.txt"] = Page(TEXT, headers={"ETag": '"2"'})
    judged = list[TextFacts | None]()

    def noting(text: ArrivedText, _limit_s: float) -> TextFacts | None:
        judged.append(text.judged())
        return judged[-1]

    monkeypatch.setattr(sources, "judge", noting)
    assert _fetch(web, folder) == replace(before, outcome=SourceOutcome.UNCHANGED)
    assert judged == [None]
    _fetch(web, folder)
    assert web.asked[-1][1]["If-None-Match"] == '"2"'


def test_a_damaged_text_is_fetched_again(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    folder.text("one").write_bytes(TEXT[:-2])
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN
    assert folder.text("one").read_bytes() == TEXT


def test_a_new_address_is_a_new_list(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    web.pages["/other.txt"] = Page(b"other.example\n", headers={"ETag": '"1"'})
    assert _fetch(web, folder, "/other.txt").entries == 1


PAGE = b"\xef\xbb\xbf\n <!DOCTYPE html><html>sign in</html>"
BAD = {
    "a page": (Page(PAGE), "a web page"),
    "a page by its type": (Page(TEXT, headers={"Content-Type": "text/html"}), "a web page"),
    "empty": (Page(b""), "has no names"),
    "comments": (Page(b"# nothing today\n" * 9), "has no names"),
    "NULs": (Page(b"\0" * 100), "not text"),
    "UTF-16": (Page(TEXT.decode().encode("utf-16")), "not text"),
    "another format": (Page(b"||a.example^$third-party\n" * 40 + TEXT[:90]), "not in the format"),
    "half of it": (Page(b"".join(TEXT.splitlines(keepends=True)[:19])), "has 19 names and had 40"),
    "gone": (Page(status=404), "status 404"),
    "an error": (Page(status=500), "status 500"),
    "cut short": (Page(TEXT, breaks_off=100), "broke|ended before"),
    "compressed": (Page(TEXT, headers={"Content-Encoding": "gzip"}), "compressed"),
    "elsewhere": (Page(status=302, headers={"Location": "file:///etc/passwd"}), "another server"),
    "nowhere": (Page(status=302, headers={"Location": "/list.txt"}), "in a circle"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_leaves_the_last_good_text(web: Web, folder: SourceFolder, bad: str) -> None:
    _fetch(web, folder)
    web.pages["/list.txt"], reason = BAD[bad]
    report = _fetch(web, folder)
    assert report.outcome is SourceOutcome.KEPT
    assert any(part in report.reason for part in reason.split("|"))
    assert report.entries == 40
    assert folder.text("one").read_bytes() == TEXT
    web.pages["/list.txt"] = Page(TEXT + b"more.example\n")
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN


def test_without_a_good_text_the_list_is_missing(web: Web, folder: SourceFolder) -> None:
    web.pages["/list.txt"] = Page(PAGE)
    report = _fetch(web, folder)
    assert report.outcome is SourceOutcome.MISSING
    assert "a web page" in report.reason
    assert not folder.text("one").exists()
    assert list(folder.text("one").parent.iterdir()) == []


def test_exactly_half_is_taken(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    web.pages["/list.txt"] = Page(b"".join(TEXT.splitlines(keepends=True)[:20]))
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN


def test_a_shrunk_list_is_taken_once_its_record_is_removed(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    web.pages["/list.txt"] = Page(b"a.example\n")
    assert "remove one.json" in _fetch(web, folder).reason
    folder.text("one").with_suffix(".json").unlink()
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN


def test_a_text_without_end_is_not_taken(
    web: Web, folder: SourceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_OCTETS", len(TEXT) - 1)
    assert "more than" in _fetch(web, folder).reason
    monkeypatch.setattr(sources, "MAX_OCTETS", len(TEXT))
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN


def test_a_text_that_comes_too_late_is_not_taken(web: Web, folder: SourceFolder) -> None:
    source = _source(f"{web.address}/list.txt")
    late = DownloadLimits(total_s=0.0)
    [report] = fetch_sources([source], folder, SystemClock(), rules=replace(HTTP, limits=late))
    assert report.outcome is SourceOutcome.MISSING
    assert "within 0 s" in report.reason


def test_a_redirection_is_followed_by_the_same_scheme(web: Web, folder: SourceFolder) -> None:
    web.pages["/moved"] = Page(status=301, headers={"Location": f"{web.address}/list.txt"})
    assert _fetch(web, folder, "/moved").outcome is SourceOutcome.TAKEN


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "file:///etc/passwd", "ftp://x/y", ""])
def test_only_https_is_asked(folder: SourceFolder, address: str) -> None:
    [report] = fetch_sources([_source(address)], folder, SystemClock())
    assert "not an https address" in report.reason


def test_a_server_that_is_not_there_holds_up_no_other(web: Web, folder: SourceFolder) -> None:
    there = _source(f"{web.address}/list.txt", "there")
    steps = list[tuple[int, int]]()
    reports = fetch_sources(
        [_source("http://127.0.0.1:1/x"), there],
        folder,
        SystemClock(),
        rules=HTTP,
        progress=lambda done, of: steps.append((done, of)),
    )
    assert [report.outcome for report in reports] == [SourceOutcome.MISSING, SourceOutcome.TAKEN]
    assert "cannot be reached" in reports[0].reason
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert counted(reports)[SourceOutcome.TAKEN] == counted(reports)[SourceOutcome.MISSING] == 1


def test_texts_are_read_from_a_folder_alike(tmp_path: Path, folder: SourceFolder) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "one.txt").write_bytes(TEXT)
    sources = [_source("https://example.com/1"), _source("https://example.com/2", "two")]
    one, two = read_sources(sources, folder, given)
    assert (one.outcome, one.entries) == (SourceOutcome.TAKEN, 40)
    assert (two.outcome, "No such file" in two.reason) == (SourceOutcome.MISSING, True)
    (given / "one.txt").write_bytes(PAGE)
    one, _ = read_sources(sources, folder, given)
    assert one.outcome is SourceOutcome.KEPT
    assert folder.text("one").read_bytes() == TEXT


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be written"):
        sources._write([b"x"], tmp_path / "file" / "text")


def test_a_link_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_bytes(b"root")
    (tmp_path / "text").symlink_to(tmp_path / "passwd")
    sources._write([b"x"], tmp_path / "text")
    assert (tmp_path / "passwd").read_bytes() == b"root"


def test_a_note_of_an_earlier_release_counts(web: Web, folder: SourceFolder) -> None:
    _fetch(web, folder)
    note = folder.text("one").with_suffix(".json")
    asked, digest = f"domains {web.address}/list.txt", sha256(TEXT).hexdigest()
    note.write_text(
        f'{{\n "asked": "{asked}",\n "sha256": "{digest}",\n "octets": 460,\n "entries": 40,\n '
        '"problems": 0,\n "etag": "\\"1\\"",\n "last_modified": ""\n}'
    )
    assert _fetch(web, folder).outcome is SourceOutcome.UNCHANGED
    assert web.asked[-1][1]["If-None-Match"] == '"1"'


def _mirrored(web: Web, *paths: str) -> PublicSource:
    first, *mirrors = (web.address + path for path in paths)
    return replace(_source(first), mirrors=tuple(mirrors))


def test_mirrors_are_asked_in_their_order(web: Web, folder: SourceFolder) -> None:
    web.pages["/login"] = Page(b"<html>sign in")
    source = _mirrored(web, "/gone", "/login", "/list.txt", "/never")
    [report] = fetch_sources([source], folder, SystemClock(), rules=HTTP)
    assert (report.outcome, report.mirror) == (SourceOutcome.TAKEN, web.address + "/list.txt")
    assert [path for path, _ in web.asked] == ["/gone", "/login", "/list.txt"]


def test_an_etag_goes_back_to_where_it_came_from(web: Web, folder: SourceFolder) -> None:
    source = _mirrored(web, "/gone", "/list.txt")
    for _ in range(2):
        [report] = fetch_sources([source], folder, SystemClock(), rules=HTTP)
    assert report.outcome is SourceOutcome.UNCHANGED
    assert [headers.get("If-None-Match") for _, headers in web.asked[2:]] == [None, '"1"']


def test_where_all_fail_the_first_address_gives_the_reason(web: Web, folder: SourceFolder) -> None:
    web.pages["/busy"] = Page(status=500)
    [report] = fetch_sources([_mirrored(web, "/gone", "/busy")], folder, SystemClock(), rules=HTTP)
    assert report.outcome is SourceOutcome.MISSING
    assert "status 404" in report.reason


def test_a_server_that_is_busy_is_left_alone_with_all_its_files(
    web: Web, folder: SourceFolder
) -> None:
    clock = FakeClock()
    web.pages["/list.txt"] = Page(status=429, headers={"Retry-After": "7200"})
    both = [_source(f"{web.address}/list.txt"), _source(f"{web.address}/other.txt", "two")]
    reports = fetch_sources(both, folder, clock, rules=HTTP)
    assert "status 429" in reports[0].reason
    assert "asked for a pause; it is asked again in 120 min" in reports[1].reason
    clock.advance(7_100)
    fetch_sources(both, folder, clock, rules=HTTP)
    assert len(web.asked) == 1
    web.pages["/list.txt"] = Page(TEXT)
    clock.advance(101)
    assert fetch_sources(both, folder, clock, rules=HTTP)[0].outcome is SourceOutcome.TAKEN


def test_control_without_waits_a_source_is_asked_again_at_once(
    web: Web, folder: SourceFolder
) -> None:
    web.pages["/list.txt"] = Page(status=429, headers={"Retry-After": "7200"})
    for _ in range(3):
        fetch_sources(
            [_source(f"{web.address}/list.txt")],
            folder,
            SystemClock(),
            rules=replace(HTTP, waits=False),
        )
    assert len(web.asked) == 3


def test_a_text_that_grows_beyond_belief_is_not_taken_without_approval(
    web: Web, folder: SourceFolder
) -> None:
    nightly = replace(HTTP, most_times=3.0)
    source = _source(f"{web.address}/list.txt")
    web.pages["/list.txt"] = Page(b"".join(b"a%d.example\n" % n for n in range(2_000)))
    fetch_sources([source], folder, SystemClock(), rules=nightly)
    web.pages["/list.txt"] = Page(b"".join(b"a%d.example\n" % n for n in range(20_000)))
    [report] = fetch_sources([source], folder, SystemClock(), rules=nightly)
    assert (report.outcome, report.entries) == (SourceOutcome.KEPT, 2_000)
    assert "20000 names and had 2000" in report.reason
    assert f"lists update --accept {source.id}" in report.reason
    accepted = replace(nightly, accepted=frozenset({source.id}))
    for rules in (accepted, HTTP):  # the latter is a control
        [report] = fetch_sources([source], folder, SystemClock(), rules=rules)
        assert (report.outcome, report.entries) == (SourceOutcome.TAKEN, 20_000)
        web.pages["/list.txt"] = Page(b"".join(b"a%d.example\n" % n for n in range(2_000)))
        fetch_sources([source], folder, SystemClock(), rules=accepted)
        web.pages["/list.txt"] = Page(b"".join(b"a%d.example\n" % n for n in range(20_000)))


def test_a_night_has_one_budget(web: Web, folder: SourceFolder) -> None:
    some = [_source(f"{web.address}/list.txt", one) for one in ("one", "two", "three")]
    small = replace(HTTP, budget=RunBudget(octets=len(TEXT) + 10, seconds=60.0))
    outcomes = [
        source.outcome for source in fetch_sources(some, folder, SystemClock(), rules=small)
    ]
    assert outcomes == [SourceOutcome.TAKEN, SourceOutcome.MISSING, SourceOutcome.MISSING]
    assert len(web.asked) == 2


def test_a_packed_text_is_unpacked(web: Web, folder: SourceFolder) -> None:
    web.pages["/list.txt.gz"] = Page(gzip.compress(TEXT))
    assert _fetch(web, folder, "/list.txt.gz").entries == 40
    assert folder.text("one").read_bytes() == TEXT


def test_a_host_that_is_no_name_holds_up_no_other(web: Web, folder: SourceFolder) -> None:
    odd = _source(f"{web.address}/list.txt".replace("127.0.0.1", "a" * 64 + ".example"), "odd")
    policy = replace(HTTP.policy, is_one_server=False, is_public_only=True)
    reports = fetch_sources(
        [odd, _source(f"{web.address}/list.txt")],
        folder,
        SystemClock(),
        rules=replace(HTTP, policy=policy),
    )
    assert "cannot be reached" in reports[0].reason
    assert "which is not a public address" in reports[1].reason


def test_no_private_address_is_asked(web: Web, folder: SourceFolder) -> None:
    public = replace(HTTP, policy=replace(HTTP.policy, is_public_only=True))
    source = _source(f"{web.address}/list.txt")
    [report] = fetch_sources([source], folder, SystemClock(), rules=public)
    assert "leads to 127.0.0.1, which is not a public address" in report.reason
    assert web.asked == []


def test_control_a_policy_without_that_rule_asks_it(web: Web, folder: SourceFolder) -> None:
    assert _fetch(web, folder).outcome is SourceOutcome.TAKEN


def test_another_host_is_not_followed(web: Web, folder: SourceFolder) -> None:
    other = web.address.replace("127.0.0.1", "localhost")
    web.pages["/moved"] = Page(status=302, headers={"Location": f"{other}/list.txt"})
    assert "redirects to another server" in _fetch(web, folder, "/moved").reason


def test_control_a_policy_for_any_server_lets_a_list_come_from_another(
    web: Web, folder: SourceFolder
) -> None:
    other = web.address.replace("127.0.0.1", "localhost")
    web.pages["/moved"] = Page(status=302, headers={"Location": f"{other}/list.txt"})
    anywhere = FetchRules(policy=RequestPolicy(frozenset({"http"})))
    [report] = fetch_sources(
        [_source(f"{web.address}/moved")], folder, SystemClock(), rules=anywhere
    )
    assert report.outcome is SourceOutcome.TAKEN


def test_good_texts_are_reported_without_asking(web: Web, folder: SourceFolder) -> None:
    source, other = _source(f"{web.address}/list.txt"), _source(f"{web.address}/other.txt", "two")
    taken = _fetch(web, folder)
    reports = kept_reports([source, other], folder)
    assert [report.sha256 for report in reports] == [taken.sha256, ""]
    assert len(web.asked) == 1


def test_a_row_shows_how_its_source_is_followed(tmp_path: Path) -> None:
    folder = SourceFolder(tmp_path)
    rows = list(source_rows(shipped_sources(), folder, {"urlhaus": "command"}))
    [row] = [one for one in rows if one["followed"]]
    assert (row["id"], row["followed"], row["here"]) == ("urlhaus", "command", False)
    wording = Wording(Texts("vi"), SchoolClock(ZoneInfo("UTC"), 0))
    assert ("lệnh, chưa tải", "") in SOURCES.columns[3].cells(row, wording)
    assert len(rows) == len(shipped_sources())
