# SPDX-License-Identifier: Apache-2.0
"""Single answers; ``tests/e2e/test_feed_attacks`` has the hostile ones."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.exceptions import DownloadHTTPError

from filterd.errors import ConfigError, CutShortError, FetchError, TooLargeError, TooSlowError
from filterd.feed.http_fetcher import WebFetcher
from filterd.http_download import DownloadLimits
from tests.support.clock import FakeClock
from tests.support.publisher import Server, send, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    with pytest.raises(TooLargeError, match="longer than 99999 octets"):
        WebFetcher(server.url, clock).download_bytes(f"{server.url}a", 99_999)


def test_a_missing_file_is_told_as_tuf_wants_it(server: Server, clock: FakeClock) -> None:
    with pytest.raises(DownloadHTTPError) as error:
        WebFetcher(server.url, clock).download_bytes(f"{server.url}b", 1)
    assert error.value.status_code == 404


def test_nobody_there_is_a_reason_to_try_again(clock: FakeClock) -> None:
    with pytest.raises(FetchError, match="cannot be reached"):
        WebFetcher("http://127.0.0.1:1/", clock).download_bytes("http://127.0.0.1:1/a", 1)


def test_a_server_that_is_silent_is_too_slow(server: Server, clock: FakeClock) -> None:
    done = threading.Event()

    def wait(_handler: Any) -> None:
        done.wait(20)

    server.answers["/a"] = wait
    try:
        with pytest.raises(TooSlowError, match="nothing came for too long"):
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


def test_a_server_that_does_not_speak_tls_is_told_apart(server: Server, clock: FakeClock) -> None:
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
