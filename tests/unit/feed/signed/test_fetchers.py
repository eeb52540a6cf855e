# SPDX-License-Identifier: Apache-2.0
"""Single answers; ``tests/e2e/test_feed_attacks`` has the hostile ones."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.exceptions import DownloadHTTPError

from filterd.base.errors import (
    ConfigError,
    CutShortError,
    FetchError,
    ForeignContentError,
    TooLargeError,
    TooSlowError,
)
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.http.http_download import DownloadLimits
from tests.support.clock import FakeClock
from tests.support.publisher import Server, send, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "feed",
        "ftp://feed.example/",
        "file:///etc",
        "https://",
        "https://me:pw@feed.example/",
        "http://feed.example:99999/",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(address: str, clock: FakeClock) -> None:
    with pytest.raises(ConfigError, match="not an address of a feed"):
        WebFetcher(address, clock)


def test_a_file_comes_whole(server: Server, clock: FakeClock) -> None:
    fetcher = WebFetcher(server.url.rstrip("/"), clock)
    assert fetcher.base == server.url
    assert fetcher.download_bytes(f"{server.url}a", 100_000) == b"x" * 100_000


def test_one_octet_more_than_allowed_is_too_many(server: Server, clock: FakeClock) -> None:
    with pytest.raises(TooLargeError, match="more than 99999 octets"):
        WebFetcher(server.url, clock).download_bytes(f"{server.url}a", 99_999)


def test_a_missing_file_is_reported_as_tuf_wants_it(server: Server, clock: FakeClock) -> None:
    with pytest.raises(DownloadHTTPError) as error:
        WebFetcher(server.url, clock).download_bytes(f"{server.url}b", 1)
    assert error.value.status_code == 404


def test_an_unreachable_server_is_a_reason_to_try_again(clock: FakeClock) -> None:
    with pytest.raises(FetchError, match="cannot be reached"):
        WebFetcher("http://127.0.0.1:1/", clock).download_bytes("http://127.0.0.1:1/a", 1)


def test_a_server_that_is_silent_is_too_slow(server: Server, clock: FakeClock) -> None:
    done = threading.Event()

    def wait(_handler: Any) -> None:
        done.wait(20)

    server.answers["/a"] = wait
    try:
        with pytest.raises(TooSlowError, match="sent nothing for too long"):
            WebFetcher(server.url, clock, DownloadLimits(silence_s=0.05)).download_bytes(
                f"{server.url}a", 1
            )
    finally:
        done.set()


@pytest.mark.parametrize(
    ("said", "pause_s"),
    [("120", 120), ("999999999", 86_400), ("soon", 0), ("-5", 0), ("1" * 5_000, 0), ("", 0)],
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks_and_no_longer_than_a_day(
    server: Server, clock: FakeClock, said: str, pause_s: float
) -> None:
    server.answers["/a"] = lambda handler: send(handler, b"", status=503, Retry_After=said)
    with pytest.raises(FetchError, match="status 503") as error:
        WebFetcher(server.url, clock).download_bytes(f"{server.url}a", 1)
    assert error.value.retry_after_s == pause_s


def test_a_server_that_does_not_speak_tls_is_distinguished(
    server: Server, clock: FakeClock
) -> None:
    secure = server.url.replace("http://", "https://")
    with pytest.raises(FetchError, match="no secure connection; is the clock"):
        WebFetcher(secure, clock).download_bytes(f"{secure}a", 1)


def test_a_file_in_pieces_that_ends_early_is_cut_short(server: Server, clock: FakeClock) -> None:
    def answer(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
        handler.close_connection = True

    server.answers["/a"] = answer
    with pytest.raises(CutShortError):
        WebFetcher(server.url, clock).download_bytes(f"{server.url}a", 100)


def test_a_connection_that_was_given_up_meanwhile_is_made_again(
    server: Server, clock: FakeClock
) -> None:
    asked = 0

    def answer(handler: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            handler.close_connection = True  # without a word
        else:
            send(handler, b"yes")

    server.answers["/b"] = answer
    assert WebFetcher(server.url, clock).download_bytes(f"{server.url}b", 3) == b"yes"
    asked = 0
    server.answers["/b"] = lambda handler: setattr(handler, "close_connection", True)
    with pytest.raises(FetchError):
        WebFetcher(server.url, clock).download_bytes(f"{server.url}b", 3)
    assert len(server.asked) == 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feed/metadata").mkdir(parents=True)
    (tmp_path / "feed/metadata/a.json").write_bytes(b"abc")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "feed"


def read(folder: Path, name: str, most: int = 10) -> bytes:
    fetcher = FolderFetcher(folder, FakeClock())
    return fetcher.download_bytes(fetcher.base + name, most)


def test_a_plain_file_is_read(folder: Path) -> None:
    assert read(folder, "metadata/a.json", 3) == b"abc"
    with pytest.raises(TooLargeError):
        read(folder, "metadata/a.json", 2)


def test_the_folder_itself_may_be_a_link_as_a_mounted_stick_is(folder: Path) -> None:
    (folder.parent / "usb").symlink_to(folder)
    assert read(folder.parent / "usb", "metadata/a.json") == b"abc"


@pytest.mark.parametrize("name", ["metadata/b.json", "nothing/a.json", "metadata/a.json/b"])
def test_a_missing_file_is_reported_as_by_a_server(folder: Path, name: str) -> None:
    with pytest.raises(DownloadHTTPError) as error:
        read(folder, name)
    assert error.value.status_code == 404


@pytest.mark.parametrize(
    "name", ["../secret", "metadata/../../secret", "/etc/hostname", "", "metadata//a.json", "a\0b"]
)
def test_no_name_leaves_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(ForeignContentError, match="leaves the folder"):
        read(folder, name)


def test_no_link_is_followed_neither_of_a_file_nor_of_a_folder(folder: Path) -> None:
    (folder / "metadata/b.json").symlink_to(folder.parent / "secret")
    (folder / "up").symlink_to(folder.parent)
    (folder / "metadata/loop.json").symlink_to(folder / "metadata/loop.json")
    for name in ("metadata/b.json", "up/secret", "metadata/loop.json"):
        with pytest.raises(ForeignContentError, match="link"):
            read(folder, name)


def test_neither_pipe_nor_folder_is_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "metadata/pipe.json")
    for name in ("metadata/pipe.json", "metadata"):
        with pytest.raises(ForeignContentError, match="not a plain file"):
            read(folder, name)


def test_a_device_on_a_stick_is_not_even_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watchdog, for one, restarts the machine once it was opened."""
    os.mkfifo(folder / "metadata/device.json")
    opened, really = list[object](), os.open

    def noted(name: str, *rest: int, **named: int) -> int:
        opened.append(name)
        return really(name, *rest, **named)

    monkeypatch.setattr(os, "open", noted)
    with pytest.raises(ForeignContentError, match="not a plain file"):
        read(folder, "metadata/device.json")
    assert "device.json" not in opened


def test_a_stick_that_cannot_be_read_is_a_reason_to_try_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", broken)
    with pytest.raises(FetchError, match="cannot be read: Input/output error"):
        read(folder, "metadata/a.json")


def descriptors_to(folder: Path) -> list[str]:
    """Return what this process has open of a folder; tests before this one may close theirs."""
    found = list[str]()
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.append(str(one.readlink()))
    return [one for one in found if one.startswith(str(folder))]


def test_no_descriptor_stays_open(folder: Path) -> None:
    (folder / "metadata/b.json").symlink_to("a.json")
    for name in ("metadata/a.json", "metadata", "metadata/b.json", "metadata/none"):
        with contextlib.suppress(FetchError, DownloadHTTPError):
            read(folder, name)
    assert not descriptors_to(folder)
