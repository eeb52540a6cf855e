# SPDX-License-Identifier: Apache-2.0
"""Octets of the feed from a web server, bounded in size and time.

Everything that comes is hostile until it is verified, and this module does not
verify; it sees to it that nobody on the way can keep an appliance busy, fill
its memory or send it elsewhere:

* all octets of an answer, its header too, are counted and timed where they come
  in: a limit for the whole run, and a rate for each file;
* nothing is expanded: a compressed answer was not asked for and is refused;
* another host, port or scheme is never gone to.

The request names a program, and no school: no cookies, no credentials, no proxy
or ``.netrc`` of the machine.
"""

from __future__ import annotations

import http.client
import io
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from filterd.errors import (
    ConfigError,
    CutShortError,
    FetchError,
    ForeignContentError,
    RedirectError,
    TooLargeError,
    TooSlowError,
)
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from filterd.clock import Clock

USER_AGENT = "filterd"
CHUNK_OCTETS = 65_536
"""So much is read at once."""
_REDIRECTS = 3
_DAY_S = 86_400
_is_mark = re.compile(r'(?:W/)?"[!#-~]{1,64}"').fullmatch
"""A mark as RFC 9110 (section 8.8.3) writes it, and short: it is sent back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take (reliability.md D21).

    Attributes:
        total_s: all files together, from the first request.
        window_s: over so long the rate is measured.
        octets_s: the least rate, over each window of each file.
        silence_s: the longest wait for the next octet, or for a connection.
    """

    total_s: float = 900.0
    window_s: float = 30.0
    octets_s: float = 1_000.0
    silence_s: float = 30.0


class Pace:
    """Times what comes in; one for a run.

    Args:
        clock: tells the time.
        limits: what is allowed.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self.limits = clock, limits
        self._deadline = clock.monotonic() + limits.total_s
        self._since, self._octets = clock.monotonic(), 0

    def begin(self) -> None:
        """Begin a file: time between files does not count against its rate."""
        self._since, self._octets = self._clock.monotonic(), 0
        self.count(0)

    def count(self, octets: int) -> None:
        """Count what has come.

        Raises:
            TooSlowError: the run takes too long, or the file comes too slowly.
        """
        now = self._clock.monotonic()
        self._octets += octets
        if now >= self._deadline:
            raise TooSlowError(
                say("the feed was not taken within {seconds} s", seconds=int(self.limits.total_s))
            )
        elapsed = now - self._since
        if elapsed >= self.limits.window_s:
            if self._octets < self.limits.octets_s * elapsed:
                raise TooSlowError(
                    say(
                        "the feed came at {rate} octets a second; {least} is the least",
                        rate=int(self._octets / elapsed),
                        least=int(self.limits.octets_s),
                    )
                )
            self._since, self._octets = now, 0


def paced_session(pace: Pace) -> requests.Session:
    """Return a session whose every octet is timed, and which says nothing of who asks."""
    session = _Session()
    session.trust_env = False
    session.headers.update(
        {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept": "*/*"}
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PacedAdapter(pace))
    return session


def next_address(asked: str, answer: requests.Response) -> str:
    """Return where a redirection leads; nothing where it leads to no address at all."""
    try:
        return urljoin(asked, answer.headers["Location"])
    except ValueError:
        return ""


class _Session(requests.Session):
    """Leaves redirections to its user; a Location that is no address makes requests stumble."""

    def get_redirect_target(self, _resp: requests.Response) -> None:
        """Return that there is none."""


class Marked(NamedTuple):
    """A file's octets, and the mark by which a server knows them again; empty for none."""

    content: bytes
    etag: str


class Fetcher(FetcherInterface):
    """What both kinds of source share: a bounded file in memory.

    Attributes:
        base: where the feed's ``metadata/`` and ``targets/`` are, with a slash at the end.
    """

    base: str

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return a whole file.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        return _whole(url, self._fetch(url), max_length)

    def download_changed(self, url: str, max_length: int, _known: str) -> Marked | None:
        """Return a whole file, or ``None`` where it is still the one of a known mark.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        return Marked(self.download_bytes(url, max_length), "")

    def _fetch(self, url: str) -> Generator[bytes]:
        raise NotImplementedError


class WebFetcher(Fetcher):
    """Asks a web server.

    Args:
        base: the feed's address, ``http://`` or ``https://``. Trust does not rest on it.
        clock, limits: what bounds the run.

    Raises:
        ConfigError: the address is none, or has a name and password in it.
    """

    def __init__(self, base: str, clock: Clock, limits: Limits | None = None) -> None:
        parts = _split(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ConfigError(
                say("'{address}' is no address of a feed", address=base),
                hint=say("write https://HOST/PATH, without a name or password"),
            )
        self.base = base if base.endswith("/") else f"{base}/"
        self._pace = Pace(clock, limits or Limits())
        self._session = paced_session(self._pace)

    def download_changed(self, url: str, max_length: int, known: str) -> Marked | None:
        """Return a whole file, or ``None`` where the server says that its mark is the known one."""
        conditions = {"If-None-Match": known} if _is_mark(known) else {}
        with self._told(url), closing(self._answer(url, conditions)) as answer:
            if conditions and answer.status_code == 304:
                return None
            content = _whole(url, self._octets(url, answer), max_length)
            etag = answer.headers.get("ETag", "")
            return Marked(content, etag if _is_mark(etag) else "")

    def _fetch(self, url: str) -> Generator[bytes]:
        with self._told(url), closing(self._answer(url, {})) as answer:
            yield from self._octets(url, answer)

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        """Time a file, and tell of whatever fails in our own words."""
        self._pace.begin()
        try:
            yield
        except FetchError:
            raise
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise TooSlowError(say("{url}: nothing came for too long", url=url)) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise failure(url, error) from error

    def _answer(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Ask, and follow within the same server."""
        asked = url
        for _ in range(_REDIRECTS + 1):
            answer = self._get(asked, headers)
            self._session.cookies.clear()
            if not answer.is_redirect:
                return answer
            answer.close()
            to = next_address(asked, answer)
            if _origin(to) != _origin(asked):
                raise RedirectError(
                    say("{url}: it points to another server, {to}", url=url, to=to[:200])
                )
            asked = to
        raise RedirectError(say("{url}: it points in a circle", url=url))

    def _get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Ask once; and again where the server had given up the connection meanwhile."""
        silence_s = self._pace.limits.silence_s
        how: Any = {"stream": True, "allow_redirects": False, "timeout": (silence_s, silence_s)}
        how["headers"] = headers
        try:
            return self._session.get(url, **how)
        except requests.ConnectionError as error:
            if not _hung_up(error):
                raise
            return self._session.get(url, **how)

    def _octets(self, url: str, answer: requests.Response) -> Generator[bytes]:
        _judge_header(url, answer)
        chunk = answer.raw.read1(CHUNK_OCTETS, decode_content=False)
        if url.endswith(".json") and chunk.lstrip()[:1] == b"<":
            raise ForeignContentError(_page(url))
        while chunk:
            yield chunk
            chunk = answer.raw.read1(CHUNK_OCTETS, decode_content=False)


class _PacedReader(io.RawIOBase):
    """A connection's octets, counted and timed as they come, before anybody parses them."""

    def __init__(self, raw: Any, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        self._pace.count(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedAdapter(HTTPAdapter):
    """Has every connection read through a ``_PacedReader``, and never asks twice."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._pace)


def _pools(pace: Pace) -> dict[str, type[HTTPConnectionPool]]:
    class Response(http.client.HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.fp = io.BufferedReader(_PacedReader(sock.makefile("rb", buffering=0), pace))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):
        response_class = Response

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _whole(url: str, chunks: Generator[bytes], most: int) -> bytes:
    content = bytearray()
    with closing(chunks):
        for chunk in chunks:
            content += chunk
            if len(content) > most:
                raise TooLargeError(
                    say("{url}: it is longer than {most} octets", url=url, most=most)
                )
    return bytes(content)


def _wanted_pause_s(answer: requests.Response) -> float:
    """Return how long a busy server asks to be left alone, a day at most."""
    wanted = answer.headers.get("Retry-After", "")
    return float(min(int(wanted), _DAY_S)) if re.fullmatch("[0-9]{1,9}", wanted) else 0.0


def _judge_header(url: str, answer: requests.Response) -> None:
    if answer.status_code in (403, 404):
        raise DownloadHTTPError(f"{url}: {answer.status_code}", answer.status_code)
    if answer.status_code != 200:
        error = FetchError(
            say("{url}: the server answers with status {code}", url=url, code=answer.status_code)
        )
        error.retry_after_s = _wanted_pause_s(answer)
        raise error
    if answer.headers.get("Content-Encoding", "identity") not in ("identity", ""):
        raise ForeignContentError(say("{url}: it came compressed, unasked", url=url))
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise ForeignContentError(_page(url))


def _page(url: str) -> Any:
    return say("{url}: a web page came instead; does this network want a login?", url=url)


def failure(url: str, error: Exception) -> FetchError:
    """Return why a request failed: within the file, or before it."""
    # requests and urllib3 wrap one another; what came first says it.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FetchError):
            return cause
        if isinstance(cause, (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)):
            return CutShortError(say("{url}: the connection ended before the file", url=url))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError(
            say("{url}: no secure connection; is the clock of this machine right?", url=url)
        )
    return FetchError(say("{url}: the server cannot be reached", url=url))


def _hung_up(error: BaseException | None) -> bool:
    """Tell whether a connection ended before it brought a single octet."""
    while error is not None:
        if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError)):
            return True
        error = error.__context__
    return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = _split(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts
