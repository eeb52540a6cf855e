# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from requests.adapters import HTTPAdapter

from filterd.base.addresses import is_public
from filterd.base.clock import SystemClock
from filterd.base.errors import (
    CutShortError,
    FetchError,
    ForeignContentError,
    RedirectError,
    TooLargeError,
    TooSlowError,
)
from filterd.http.http_download import (
    NONE_KNOWN,
    Downloader,
    DownloadLimits,
    Pace,
    RequestPolicy,
    Validators,
    bounded,
)
from tests.support.clock import FakeClock
from tests.support.tls import Authority
from tests.support.web import Page, Web, raw_server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = b"a.example\n" * 100
HTTP = RequestPolicy(frozenset({"http"}))


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as one:
        one.pages["/list.txt"] = Page(TEXT, headers={"ETag": '"1"'})
        yield one


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def _download(
    web: Web,
    path: str,
    known: Validators = NONE_KNOWN,
    policy: RequestPolicy = HTTP,
    most: int = 10_000,
) -> tuple[bytes, Validators] | None:
    with (
        closing(Downloader(Pace(SystemClock(), DownloadLimits()), policy)) as downloader,
        downloader.get(web.address + path, "one", known) as answer,
    ):
        return None if answer is None else (b"".join(answer.chunks(most)), answer.validators)


def test_a_text_comes_with_what_to_ask_by_the_next_time(web: Web) -> None:
    new = Validators(etag='"1"')
    assert _download(web, "/list.txt") == (TEXT, new)
    assert _download(web, "/list.txt", new) is None


def test_one_octet_more_than_allowed_is_too_many(web: Web) -> None:
    assert _download(web, "/list.txt", most=len(TEXT)) is not None
    with pytest.raises(TooLargeError, match=r"^one: it has more than 999 octets$"):
        _download(web, "/list.txt", most=999)


def test_nothing_is_given_beyond_the_bound() -> None:
    given = bounded(iter(lambda: b"x" * 8, b""), 20, "text")
    assert [next(given), next(given)] == [b"x" * 8] * 2
    with pytest.raises(TooLargeError):
        next(given)


def test_an_error_has_its_status_and_when_to_come_again(web: Web) -> None:
    web.pages["/list.txt"] = Page(status=429, headers={"Retry-After": "120"})
    with pytest.raises(FetchError, match="status 429") as error:
        _download(web, "/list.txt")
    assert (error.value.status, error.value.retry_after_s) == (429, 120)


@pytest.mark.parametrize("header", [{"Content-Encoding": "gzip"}, {"Content-Type": "text/html"}])
def test_what_was_not_asked_for_is_not_taken(web: Web, header: dict[str, Any]) -> None:
    web.pages["/list.txt"] = Page(TEXT, headers=header)
    with pytest.raises(ForeignContentError):
        _download(web, "/list.txt")


def test_a_condition_asks_by_what_there_is() -> None:
    assert Validators().condition == {}
    assert Validators("a", "b").condition == {"If-None-Match": "a", "If-Modified-Since": "b"}


def test_a_text_that_breaks_off_is_no_text(web: Web) -> None:
    web.pages["/list.txt"] = Page(TEXT, breaks_off=10)
    with pytest.raises(CutShortError):
        _download(web, "/list.txt")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[tuple[Web, Authority]]:
    """A server whose certificate an authority of the school has signed."""
    authority = Authority(tmp_path)
    with serving(Web(), authority.issue("127.0.0.1")) as one:
        one.address = f"https://127.0.0.1:{urlsplit(one.address).port}"
        one.pages["/list.txt"] = Page(TEXT)
        yield one, authority


def test_an_authority_that_the_machine_trusts_is_enough(
    school: tuple[Web, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    web, authority = school
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert _download(web, "/list.txt", policy=RequestPolicy()) is not None


def test_another_is_refused_with_the_remedy(
    school: tuple[Web, Authority], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web, _ = school
    (tmp_path / "others").mkdir()
    other = Authority(tmp_path / "others")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.certificate))
    with pytest.raises(FetchError, match="signed by no authority that this machine trusts"):
        _download(web, "/list.txt", policy=RequestPolicy())
    assert web.asked == []


def test_one_that_is_added_counts_without_a_new_start(
    school: tuple[Web, Authority], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web, authority = school
    (tmp_path / "others").mkdir()
    store = tmp_path / "store.pem"
    store.write_bytes(Authority(tmp_path / "others").certificate.read_bytes())
    os.utime(store, ns=(1, 1))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    with pytest.raises(FetchError):
        _download(web, "/list.txt", policy=RequestPolicy())
    store.write_bytes(authority.certificate.read_bytes())
    assert _download(web, "/list.txt", policy=RequestPolicy()) is not None


def test_control_the_authorities_of_requests_do_not_count(
    school: tuple[Web, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a package had the authority that the machine no longer trusts."""
    web, authority = school
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(authority.certificate))
    with pytest.raises(FetchError, match="signed by no authority"):
        _download(web, "/list.txt", policy=RequestPolicy())
    monkeypatch.setattr(
        "filterd.http.http_download._PacedAdapter.cert_verify", HTTPAdapter.cert_verify
    )
    assert _download(web, "/list.txt", policy=RequestPolicy()) is not None


OK, CHUNKED = b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
MISBEHAVING: dict[str, tuple[bytes, ...]] = {
    "less than it says": (OK, b"Content-Length: 100\r\n\r\na.example\n"),
    "a chunk of no length": (OK, CHUNKED, b"zz\r\na.example\n\r\n"),
    "a chunk of 16 EB": (OK, CHUNKED, b"ffffffffffffffff\r\na.example\n"),
    "a long header": (OK, b"X: " + b"a" * 200_000 + b"\r\n\r\n"),
    "many headers": (OK, b"X: a\r\n" * 5_000 + b"\r\n"),
    "no header": (b"a.example\n",),
    "octets": (b"\0\xff" * 500,),
    "no answer": (b"",),
    "a part": (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\na.example\n",),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n",),
    "status 999": (b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",),
}


@pytest.mark.parametrize("how", MISBEHAVING)
def test_a_server_that_misbehaves_is_refused_in_a_line(how: str) -> None:
    with raw_server(*MISBEHAVING[how]) as address, pytest.raises(FetchError) as refused:
        _download_from(address)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ((OK, CHUNKED, b"2710\r\n" + b"a.example\n" * 1_000 + b"\r\n"), TooLargeError),
        ((b"HTTP/1.1 100 Continue\r\n\r\n",), TooSlowError),
    ],
)
def test_an_answer_without_end_is_ended(parts: tuple[bytes, ...], error: type[FetchError]) -> None:
    with raw_server(*parts, endless=True) as address, pytest.raises(error):
        _download_from(address, DownloadLimits(total_s=0.3))


def _download_from(address: str, limits: DownloadLimits | None = None) -> None:
    with (
        closing(Downloader(Pace(SystemClock(), limits or DownloadLimits()), HTTP)) as downloader,
        downloader.get(f"{address}/list.txt", "one") as answer,
    ):
        assert answer is not None
        assert b"".join(answer.chunks(100_000)) is None


@pytest.mark.parametrize("to", ["https://example.com/x", "file:///etc/passwd", "//x:y@[", "ftp:a"])
def test_a_redirection_does_not_change_the_scheme(web: Web, to: str) -> None:
    web.pages["/list.txt"] = Page(status=302, headers={"Location": to})
    with pytest.raises(RedirectError):
        _download(web, "/list.txt")


def test_a_circle_ends(web: Web) -> None:
    web.pages["/list.txt"] = Page(status=302, headers={"Location": "/list.txt"})
    with pytest.raises(RedirectError, match="circle"):
        _download(web, "/list.txt")


def test_another_server_is_gone_to_where_the_policy_lets_it(web: Web) -> None:
    with serving(Web()) as other:
        other.pages["/list.txt"] = Page(TEXT)
        web.pages["/list.txt"] = Page(status=302, headers={"Location": other.address + "/list.txt"})
        assert _download(web, "/list.txt") == (TEXT, Validators())
        with pytest.raises(RedirectError, match="another server"):
            _download(
                web, "/list.txt", policy=RequestPolicy(frozenset({"http"}), is_one_server=True)
            )


@pytest.mark.parametrize(("octets", "slow"), [(29_999, True), (30_000, False)])
def test_the_rate_is_measured_over_each_window(clock: FakeClock, octets: int, slow: bool) -> None:
    pace = Pace(clock, DownloadLimits())
    pace.begin()
    clock.advance(29.9)
    pace.count(octets)  # within the first window nothing is said
    clock.advance(0.1)
    if slow:
        with pytest.raises(TooSlowError):
            pace.count(0)
    else:
        pace.count(0)
        clock.advance(30)
        with pytest.raises(TooSlowError):  # what came before does not count
            pace.count(29_000)


def test_time_between_files_does_not_count_against_their_rate(clock: FakeClock) -> None:
    pace = Pace(clock, DownloadLimits())
    pace.begin()
    clock.advance(300)
    pace.begin()
    pace.count(0)


def test_the_whole_run_ends_between_files_too(clock: FakeClock) -> None:
    pace = Pace(clock, DownloadLimits())
    clock.advance(899)
    pace.begin()
    clock.advance(1)
    with pytest.raises(TooSlowError, match="900 s"):
        pace.begin()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("9.9.9.9", True),
        ("2620:fe::fe", True),
        ("10.1.2.3", False),
        ("100.64.1.1", False),
        ("169.254.169.254", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.251", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:192.168.1.1", False),
        ("::ffff:9.9.9.9", True),
        ("64:ff9b::a00:1", False),
        ("2002:c0a8:101::1", False),
    ],
)
def test_which_addresses_are_public(address: str, expected: bool) -> None:
    assert is_public(ip_address(address)) is expected


def test_a_host_with_one_private_address_is_not_asked(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (one, 443)) for one in ("9.9.9.9", "192.168.1.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(RedirectError, match=r"leads to 192\.168\.1\.1"):
        _download(web, "/list.txt", policy=replace(HTTP, is_public_only=True))


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.http.http_download.is_public", lambda _: True)
    resolve, asked = socket.getaddrinfo, list[str]()

    def rebinding(host: str, *rest: Any, **how: Any) -> Any:
        asked.append(host)
        return resolve(host if host[0].isdigit() else "127.0.0.1", *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    web.address = web.address.replace("127.0.0.1", "lists.example")
    assert _download(web, "/list.txt", policy=replace(HTTP, is_public_only=True)) is not None
    assert asked.count("lists.example") == 1
