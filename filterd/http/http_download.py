# SPDX-License-Identifier: Apache-2.0
"""Download files by HTTP within bounds of size, time, rate and addresses.

What comes is hostile until its reader has verified it. This module does not verify; with it
no server and no attacker on the way can keep a machine busy, fill its memory or send it away:

* all octets of an answer, its header too, are counted and timed where they come
  in: a limit for the whole run, and a rate for each file (``DownloadLimits``);
* nothing is expanded: a compressed answer was not asked for and is refused;
* redirections lead where a ``RequestPolicy`` lets them, and their number is bounded; so do
  host names, which may have to lead to public addresses only;
* a server's certificate is judged by the machine's authorities, those that a school has
  added among them, and not by those of a Python package;
* a file that has not changed is not sent again (``Validators``), and a busy server is
  left alone as long as it asks (``FetchError.retry_after_s``), a day at most.

The request names a program, and no school: no cookies, no credentials, no proxy
or ``.netrc`` of the machine. No process that answers lookups loads this.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from contextlib import closing, contextmanager, suppress
from functools import lru_cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from filterd.base.addresses import is_public
from filterd.base.errors import (
    RedirectError,
    TooLargeError,
    TooSlowError,
)
from filterd.base.value_class import frozen
from filterd.http.http_failures import failing_as, hung_up, judge_header, status_error
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.base.clock import Clock

CHUNK_OCTETS = 65_536
"""So much is read at once."""


@frozen
class DownloadLimits:
    """What one run may take.

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


@frozen
class RequestPolicy:
    """Where requests may go.

    Attributes:
        schemes: of addresses, redirections included.
        redirects: how many are followed for one file.
        is_one_server: redirections may not lead to another host, port or scheme.
        is_public_only: no host may have a private address: what others write must not
            make this machine ask the networks behind it.
    """

    schemes: frozenset[str] = frozenset({"https"})
    redirects: int = 5
    is_one_server: bool = False
    is_public_only: bool = False


class Validators(NamedTuple):
    """What a server gave to ask with the next time (RFC 9110, section 8.8).

    A field is empty if the server gave nothing.
    """

    etag: str = ""
    last_modified: str = ""

    @property
    def condition(self) -> dict[str, str]:
        """The header fields that ask for a file only if it has changed."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {key: value for key, value in asked.items() if value}


NONE_KNOWN = Validators()


class Pace:
    """Times what comes in; one for a run.

    Args:
        clock: the source of time.
        limits: of size, rate and time.
    """

    def __init__(self, clock: Clock, limits: DownloadLimits) -> None:
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
                say(
                    "it was not downloaded within {seconds} s",
                    seconds=int(self.limits.total_s),
                )
            )
        elapsed = now - self._since
        if elapsed >= self.limits.window_s:
            if self._octets < self.limits.octets_s * elapsed:
                raise TooSlowError(
                    say(
                        "the download ran at {rate} octets a second; at least {least} are needed",
                        rate=int(self._octets / elapsed),
                        least=int(self.limits.octets_s),
                    )
                )
            self._since, self._octets = now, 0


class HttpResponse:
    """The file that a server sends.

    Args:
        name: what errors call it.
        response: its header has come, and is good.
    """

    def __init__(self, name: str, response: requests.Response) -> None:
        self._name, self._response = name, response
        headers = response.headers
        self.validators = Validators(headers.get("ETag", ""), headers.get("Last-Modified", ""))

    def chunks(self, most_octets: int) -> Iterator[bytes]:
        """Give its octets as they come.

        Raises:
            TooLargeError: there are more than ``most_octets``.
        """
        read = partial(self._response.raw.read1, CHUNK_OCTETS, decode_content=False)
        return bounded(iter(read, b""), most_octets, self._name)


class Downloader:
    """Asks web servers, within one run's pace.

    Args:
        pace: times all that comes.
        policy: where it may go.
    """

    def __init__(self, pace: Pace, policy: RequestPolicy) -> None:
        self._pace, self._policy, self._session = pace, policy, _paced_session(pace, policy)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    @contextmanager
    def get(
        self, url: str, name: str = "", known: Validators = NONE_KNOWN
    ) -> Iterator[HttpResponse | None]:
        """Ask for a file; yield it, or None where it is still the one that is known.

        Args:
            url: its address.
            name: what errors call it; the address where it has no other name.
            known: of the last answer.

        Raises:
            FetchError: one of its kinds, ``status`` where the server answered with another
                than 200. What fails within the block is raised so, too.
        """
        self._pace.begin()
        name = name or url
        with failing_as(url), closing(self._followed(url, name, known.condition)) as response:
            if known.condition and response.status_code == requests.codes.not_modified:
                yield None
            else:
                judge_header(name, response)
                yield HttpResponse(name, response)

    def post(self, url: str, name: str, content: bytes, headers: Mapping[str, str]) -> None:
        """Send content; no redirection is followed, and the answer's content is not read.

        Args:
            url: where to; it may have a secret, so errors have ``name`` in its place.
            name: of the server.
            content: the octets.
            headers: the fields beside those of every request.

        Raises:
            FetchError: one of its kinds, ``status`` where it was answered with another than 2xx.
        """
        self._pace.begin()
        waits = (self._pace.limits.silence_s,) * 2
        send = partial(self._session.post, url, data=content, headers=headers, timeout=waits)
        with failing_as(name), closing(send(stream=True, allow_redirects=False)) as response:
            if response.status_code // 100 != 2:
                raise status_error(name, response)

    def _followed(self, url: str, name: str, condition: dict[str, str]) -> requests.Response:
        """Ask, and follow redirections as far as the policy goes."""
        asked = url
        for _ in range(self._policy.redirects + 1):
            self._check(asked, url, name)
            response = self._ask(asked, condition)
            self._session.cookies.clear()
            if not response.is_redirect:
                return response
            response.close()
            try:
                asked = urljoin(asked, response.headers["Location"])
            except ValueError:
                asked = ""  # it leads to no address at all
        raise RedirectError(say("{url}: redirects in a circle", url=name))

    def _check(self, address: str, first: str, name: str) -> None:
        if self._policy.is_one_server and _origin(address) != _origin(first):
            raise RedirectError(
                say("{url}: redirects to another server, {to}", url=name, to=address[:200])
            )
        if split(address).scheme not in self._policy.schemes:
            raise RedirectError(
                say("{id}: {address} is not an https address", id=name, address=address[:200])
            )

    def _ask(self, url: str, condition: dict[str, str]) -> requests.Response:
        """Ask once; and again where the server had given up the connection meanwhile."""
        silence_s = self._pace.limits.silence_s
        get = partial(self._session.get, stream=True, allow_redirects=False, headers=condition)
        try:
            return get(url, timeout=(silence_s, silence_s))
        except requests.ConnectionError as error:
            if not hung_up(error):
                raise
            return get(url, timeout=(silence_s, silence_s))


def bounded(chunks: Iterable[bytes], most_octets: int, name: str) -> Iterator[bytes]:
    """Give octets as they come.

    Raises:
        TooLargeError: there are more than ``most_octets``; ``name`` is what they are of.
    """
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > most_octets:
            raise TooLargeError(
                say("{url}: it has more than {most} octets", url=name, most=most_octets)
            )
        yield chunk


def split(url: str) -> Any:
    """Return the parts of an address; of one that is none they are empty."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _paced_session(pace: Pace, policy: RequestPolicy) -> requests.Session:
    """Return a session that times every octet and sends nothing about the client."""
    session = _Session()
    session.trust_env = False
    session.headers.update(
        {"User-Agent": "filterd", "Accept-Encoding": "identity", "Accept": "*/*"}
    )
    session.mount("http://", _PacedAdapter(pace, policy, None))
    session.mount("https://", _PacedAdapter(pace, policy, _machine_trust()))
    return session


def _machine_trust() -> ssl.SSLContext:
    """Return what trusts the machine's authorities, as they are now."""
    paths = ssl.get_default_verify_paths()
    places = tuple(one for one in (paths.cafile, paths.capath) if one)
    return _trust_of(places, tuple(_age_of(place) for place in places))


@lru_cache(maxsize=1)  # some hundred certificates are parsed
def _trust_of(_places: tuple[str, ...], _ages: tuple[int, ...]) -> ssl.SSLContext:
    return ssl.create_default_context()


def _age_of(place: str) -> int:
    with suppress(OSError):
        return Path(place).stat().st_mtime_ns
    return 0


class _Session(requests.Session):
    """Leaves redirections to its user: ``requests`` fails at a bad Location."""

    def get_redirect_target(self, _resp: requests.Response) -> None:
        """Return that there is none."""


class PacedReader(io.RawIOBase):
    """A connection's octets, counted and timed as they arrive, before they are parsed."""

    def __init__(self, raw: Any, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come."""
        count: int | None = self._raw.readinto(buffer)
        self._pace.count(count or 0)
        return count

    def close(self) -> None:
        """Close the connection's file."""
        self._raw.close()
        super().close()


class _PacedAdapter(HTTPAdapter):
    """Has every connection read through a ``PacedReader``, and never asks twice.

    Args:
        pace, policy: of the run.
        trust: judges certificates; None where there are none.
    """

    def __init__(self, pace: Pace, policy: RequestPolicy, trust: ssl.SSLContext | None) -> None:
        self._pace, self._policy, self._trust = pace, policy, trust
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def cert_verify(self, *_: Any) -> None:
        """Leave that to ``trust``: ``requests`` would add the authorities of ``certifi``."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._pace, self._policy)


def _pools(pace: Pace, policy: RequestPolicy) -> dict[str, type[HTTPConnectionPool]]:
    class Response(http.client.HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.fp = io.BufferedReader(PacedReader(sock.makefile("rb", buffering=0), pace))

    class Plain(HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            if not policy.is_public_only:
                return super()._new_conn()
            # Connecting by name would resolve it again, perhaps to another address.
            host = self._dns_host
            try:
                *others, last = public_addresses(host, self.port)
                for self._dns_host in others:
                    with suppress(urllib3.exceptions.HTTPError):
                        return super()._new_conn()
                self._dns_host = last
                return super()._new_conn()
            finally:
                self._dns_host = host

    class Secure(Plain, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def public_addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host, at least one.

    Raises:
        RedirectError: one is not a public address.
        OSError: it has none.
    """
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:  # a label is too long, or empty
        raise OSError(host) from error
    for address in found:
        if not is_public(ip_address(address)):
            raise RedirectError(
                say(
                    "{host}: leads to {address}, which is not a public address",
                    host=host,
                    address=address,
                )
            )
    return list(dict.fromkeys(found))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = split(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
