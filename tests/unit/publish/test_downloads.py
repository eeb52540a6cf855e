# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from filterd.clock import SystemClock
from filterd.errors import CutShortError, RedirectError, StoreError, TooLargeError
from filterd.feed.http_fetcher import Limits, Pace, paced_session
from filterd.lists.catalog import PublicSource
from filterd.publish import downloads
from filterd.publish.downloads import Validators, download, write_bounded
from tests.support.web import Page, Web, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = b"a.example\n" * 100


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as one:
        one.pages["/list.txt"] = Page(TEXT, headers={"ETag": '"1"'})
        yield one


def _download(web: Web, target: Path, path: str, condition: dict[str, str]) -> Validators | None:
    at, nobody = web.address + path, "https://example.com/"
    source = PublicSource("one", "A", "games", "domains", at, nobody, "MIT", "n", checked=True)
    with paced_session(Pace(SystemClock(), Limits())) as session:
        return download(session, source, condition, target, frozenset({"http"}))


def test_a_text_comes_with_what_to_ask_by_the_next_time(web: Web, tmp_path: Path) -> None:
    target = tmp_path / "text"
    new = _download(web, target, "/list.txt", {})
    assert new == Validators(etag='"1"')
    assert target.read_bytes() == TEXT
    assert _download(web, target, "/list.txt", new.condition) is None


def test_a_condition_asks_by_what_there_is() -> None:
    assert Validators().condition == {}
    assert Validators("a", "b").condition == {"If-None-Match": "a", "If-Modified-Since": "b"}


def test_a_text_that_breaks_off_is_no_text(web: Web, tmp_path: Path) -> None:
    web.pages["/list.txt"] = Page(TEXT, breaks_off=10)
    with pytest.raises(CutShortError):
        _download(web, tmp_path / "text", "/list.txt", {})


@pytest.mark.parametrize("to", ["https://example.com/x", "file:///etc/passwd", "//x:y@[", "ftp:a"])
def test_a_redirection_does_not_change_the_scheme(web: Web, tmp_path: Path, to: str) -> None:
    web.pages["/list.txt"] = Page(status=302, headers={"Location": to})
    with pytest.raises(RedirectError):
        _download(web, tmp_path / "text", "/list.txt", {})


def test_nothing_is_written_beyond_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_OCTETS", 20)
    endless = iter(lambda: b"x" * 8, b"")
    with pytest.raises(TooLargeError):
        write_bounded(endless, tmp_path / "text")
    assert (tmp_path / "text").stat().st_size <= 20
    write_bounded(iter([b"x" * 20]), tmp_path / "text")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be written"):
        write_bounded(iter([b"x"]), tmp_path / "file" / "text")


def test_a_link_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_bytes(b"root")
    (tmp_path / "text").symlink_to(tmp_path / "passwd")
    write_bounded(iter([io.BytesIO(b"x").read()]), tmp_path / "text")
    assert (tmp_path / "passwd").read_bytes() == b"root"
