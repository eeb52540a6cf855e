# SPDX-License-Identifier: Apache-2.0
"""filterd's serving half on real sockets of loopback, and stubs that ask it.

The resolver and its listeners run in a thread with an event loop of their own; tests
ask from outside with plain blocking sockets, as a stub does. Any logged error that a
test does not expect fails it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from array import array
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import dns.message
import uvloop

from filterd.appliance.setup import web_certificate
from filterd.base.errors import ConfigError
from filterd.daemon.serving.tcp_listener import TcpListener, TcpSlots
from filterd.daemon.serving.tls_certificate import TlsCertificate
from filterd.daemon.serving.tls_listener import HandshakeThread, TlsListener
from filterd.fastpath.core_filler import NATIVE, FastPath, Relay
from filterd.fastpath.coroutine_runner import Stepper
from filterd.fastpath.pktinfo import bind
from filterd.fastpath.rate_limit import Limiter
from filterd.fastpath.udp_listener import UdpListener
from filterd.policy.model import ListenAddress, Network, RateLimit, UpstreamServer
from filterd.querylog import Counts
from filterd.resolve import pipeline
from filterd.resolve.links.cache import Background
from filterd.resolve.pipeline import ResolutionStore
from filterd.resolve.resolver import Resolver
from filterd.resolve.site import EpochGuard, Site
from filterd.resolve.tunnel_counter import TunnelCounter
from filterd.upstream import Forwarder
from tests.support.clock import FakeClock
from tests.support.needs import has_ipv6
from tests.support.policies import NOW, a_policy
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from concurrent.futures import Future

    from filterd.lists.index import Index
    from filterd.resolve.query import Answer
    from tests.support.policies import ListTexts
    from tests.support.upstream import FakeUpstream

T = TypeVar("T")

_UNLIMITED = RateLimit(1_000_000_000, 1_000_000_000)
"""A test asks as fast as it can; one about the limit gives its own."""

WITHIN_S = 30.0
"""No answer takes this long; a test that waits longer fails."""

TLS_PLACES = 40

GRADE_1, GRADE_11, STAFF = "127.0.1.1", "127.0.11.1", "127.0.100.1"
"""Addresses of clients, by the contract of ``policies/site.yaml``."""

NETWORKS = (
    *(Network(f"grade-{n}", str(n), (f"127.0.{n}.0/24",)) for n in range(1, 13)),
    Network("staff", "staff", ("127.0.100.0/24",)),
    Network("preschool", "preschool", ("127.0.101.0/24",)),
    Network("guest", "guest", ("127.0.102.0/24",)),
)

LISTS: ListTexts = {
    "porn": ("porn", "domains", False, ["porn.example", "tracker.example"]),
    "malware": ("malware", "domains", True, ["malware.example"]),
    "social": ("social-media", "domains", True, ["social.example"]),
}


def a_site(
    index: Index, upstreams: Iterable[FakeUpstream | UpstreamServer] = (), **policy: Any
) -> Site:
    """Join the school of the sample networks, these lists and upstreams."""
    policy.setdefault("networks", NETWORKS)
    servers = tuple(
        upstream
        if isinstance(upstream, UpstreamServer)
        else UpstreamServer(upstream.address, upstream.port)
        for upstream in upstreams
    )
    return Site.of(a_policy(**policy), index, servers)


class SiteHolder:
    """A mutable reference to the site: the source that a process has beside a shared epoch."""

    def __init__(self, site: Site) -> None:
        self._site, self._changes = site, array("Q", [0])

    @property
    def current(self) -> Site:
        """The active site; it may be set."""
        return self._site

    @current.setter
    def current(self, site: Site) -> None:
        self._site = site
        self._changes[0] += 1

    @property
    def standing(self) -> EpochGuard:
        """The check that it is still active; no time ends it."""
        return EpochGuard(memoryview(self._changes), self._changes[0], -inf, inf)


def _loopback() -> tuple[str, ...]:
    """Return where it listens; a process that has entered namespaces of its own may have IPv6."""
    return ("127.0.0.1", *(("::1",) if has_ipv6() else ()))


class Serving:
    """A running resolver; ``with`` starts and stops it."""

    def __init__(
        self,
        site: Site,
        *,
        listen: Iterable[str] | None = None,
        loop: str = "uvloop",
        rate: RateLimit | None = None,
        fast: bool = False,
        certificate: Path | None = None,
    ) -> None:
        self._is_fast = fast
        self.fast: FastPath | None = None
        self.relay: Relay | None = None
        self.clock = FakeClock()
        self.log = Counts(self.clock)
        self.limiter = Limiter(rate or _UNLIMITED, self.clock)
        self.sites = SiteHolder(site)
        self.store = ResolutionStore(site.policy.cache_octets)
        self.connections = TcpSlots()
        self.errors = _Errors()
        self.ports: dict[str, int] = {}
        self.tunnels = TunnelCounter(self.clock.monotonic, self.log.device_of)
        self.forwarder: Forwarder
        self.stepper: Stepper
        self.resolver: Resolver
        self._listen = _loopback() if listen is None else tuple(listen)
        self._loop = uvloop.new_event_loop() if loop == "uvloop" else asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.udp: list[UdpListener] = []
        self._tcp: list[TcpListener] = []
        self.certificate = TlsCertificate(certificate, self.clock) if certificate else None
        self.tls: TlsListener
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self.errors)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(WITHIN_S)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN_S)
        self._loop.close()
        logging.getLogger().removeHandler(self.errors)
        assert self.errors.take() == []

    async def _start(self) -> None:
        self.forwarder = Forwarder(self.clock)
        self.stepper = Stepper()
        self.background: Background[Answer] = Background()
        own = self.background
        note = self.tunnels.note_query
        chain = pipeline.build(self.sites, self.store, self.forwarder, self.clock, own, note)
        self.resolver = Resolver(self.sites, chain, self.clock, self.log)
        if self._is_fast and NATIVE:
            self.fast = FastPath(self.sites, self.clock, self.store, self.resolver, self.log)
            self.relay = Relay(
                self.fast, self.store, self.forwarder, self.stepper, self.clock, self.tunnels.note
            )
        for address in self._listen:
            self._start_on(address)
        if self.certificate is not None:
            self._start_tls(self.certificate)

    def _start_tls(self, certificate: TlsCertificate) -> None:
        certificate.look()
        self._handshakes = HandshakeThread()
        asker, places = (self.resolver, self.stepper, self.limiter), TcpSlots(TLS_PLACES)
        self.tls = TlsListener(*asker, places, certificate, self._handshakes)
        self.tls.start(bind(ListenAddress("127.0.0.1", 0), socket.SOCK_STREAM))
        self._tcp.append(self.tls)

    def _start_on(self, address: str) -> None:
        tcp_socket, udp_socket = _bind_both(address)
        tcp = TcpListener(self.resolver, self.stepper, self.limiter, self.connections)
        tcp.start(tcp_socket)
        self._tcp.append(tcp)
        udp = UdpListener(
            udp_socket, self.resolver, self.stepper, self.limiter, self.fast, self.relay
        )
        self.udp.append(udp)
        self._sockets.append(udp_socket)
        self.ports[address] = udp.port

    async def _stop(self) -> None:
        for udp in self.udp:
            udp.close()
        for opened in self._sockets:
            opened.close()
        self.forwarder.close()
        await self.background.close()
        await self.stepper.close()
        for tcp in self._tcp:
            await tcp.close()
        if self.certificate is not None:
            self._handshakes.close()

    def run(self, call: Callable[[], T]) -> T:
        """Call in the loop's thread, where nothing else is going on meanwhile."""

        async def called() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(WITHIN_S)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start something in the loop's thread; return a future of its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking from the loop's thread; fail if it never does."""
        until = time.monotonic() + WITHIN_S  # noqa: TID251 -- a test's patience is real time
        while not self.run(holds):
            assert time.monotonic() < until, "it never came to that"  # noqa: TID251 -- as above

    def stub(self, source: str = GRADE_1, server: str = "127.0.0.1") -> UdpStub:
        """Return a stub that asks by UDP from an address."""
        return UdpStub(source, (server, self._port(server)))

    def tcp_stub(self, source: str = GRADE_1, server: str = "127.0.0.1") -> TcpStub:
        """Return a stub that asks by TCP from an address."""
        return TcpStub(source, (server, self._port(server)))

    def tls_stub(self, source: str = GRADE_1, **options: Any) -> TlsStub:
        """Return a stub that asks by TLS from an address, and takes any certificate."""
        return TlsStub(source, ("127.0.0.1", self.tls.port), **options)

    def ask(
        self,
        name: str,
        qtype: str | int = "A",
        *,
        source: str = GRADE_1,
        server: str = "127.0.0.1",
        by: str = "udp",
        **options: Any,
    ) -> dns.message.Message:
        """Ask one question and return the answer, which must fit the question."""
        query = a_query(name, qtype, **options)
        with (self.tcp_stub if by == "tcp" else self.stub)(source, server) as stub:
            response = dns.message.from_wire(stub.ask(query))
        assert dns.message.from_wire(query).is_response(response)
        return response

    def _port(self, server: str) -> int:
        wildcard = "::" if ":" in server else "0.0.0.0"
        return self.ports.get(server) or self.ports[wildcard]


def _bind_both(address: str) -> tuple[socket.socket, socket.socket]:
    """Return a TCP and a UDP socket with the same free port."""
    while True:
        tcp = bind(ListenAddress(address, 0), socket.SOCK_STREAM)
        try:
            port = tcp.getsockname()[1]
            return tcp, bind(ListenAddress(address, port), socket.SOCK_DGRAM)
        except ConfigError:  # some other socket has that port by UDP: take another
            tcp.close()


class UdpStub:
    """A client's UDP socket, bound to its address."""

    def __init__(self, source: str, server: tuple[str, int]) -> None:
        self._server = server
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.settimeout(WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: bytes) -> None:
        """Send a datagram."""
        self.socket.sendto(message, self._server)

    def receive(self) -> bytes:
        """Return the next datagram; one from elsewhere than was asked is dropped, as stubs do.

        It may be for an earlier owner of this port, in another run of the tests.
        """
        while True:
            message, (address, port, *_) = self.socket.recvfrom(65535)
            if (address, port) == self._server:
                return message

    def ask(self, message: bytes) -> bytes:
        """Send a datagram and return the next one."""
        self.send(message)
        return self.receive()


class TcpStub:
    """A client's connection."""

    def __init__(self, source: str, server: tuple[str, int]) -> None:
        self.socket = socket.create_connection(server, WITHIN_S, source_address=(source, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *messages: bytes) -> None:
        """Send messages in one piece, each behind its length."""
        self.socket.sendall(b"".join(len(message).to_bytes(2) + message for message in messages))

    def receive(self) -> bytes:
        """Return the next message; empty at the end of the connection."""
        length = int.from_bytes(self._exactly(2))
        return self._exactly(length)

    def ask(self, message: bytes) -> bytes:
        """Send a message and return the next one."""
        self.send(message)
        return self.receive()

    def is_ended(self) -> bool:
        """Wait for the next octets; return whether it is the end."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _exactly(self, octets: int) -> bytes:
        data = b""
        while len(data) < octets:
            try:
                part = self.socket.recv(octets - len(data))
            except ConnectionError:
                return b""
            if not part:
                return b""
            data += part
        return data


class TlsStub(TcpStub):
    """A client's connection by TLS (RFC 7858), of Python's own client.

    Args:
        source: its address.
        server: whom it asks.
        context: its own, if not one that takes any certificate.
        session: of a connection of before, to go on with.
    """

    def __init__(
        self,
        source: str,
        server: tuple[str, int],
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        super().__init__(source, server)
        self.tls = (context or any_certificate()).wrap_socket(self.socket, session=session)
        self.socket = self.tls


def make_certificate(folder: Path) -> Path:
    """Make a certificate as the box has one; return its folder."""
    places = folder / web_certificate.CHAIN, folder / web_certificate.KEY
    web_certificate.make(*places, ["filterd"], ["127.0.0.1"], NOW)
    return folder


def any_certificate(*alpn: str) -> ssl.SSLContext:
    """Return the context of a client that asks for privacy only, as phones do by themselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(self.format(record))

    def take(self) -> list[str]:
        """Return what was logged since the last time."""
        taken, self._records = self._records, []
        return taken


def open_sockets() -> int:
    """Return how many sockets this process has open; event loops keep other files for later."""
    descriptors = Path("/proc/self/fd")
    return sum(_target(one).startswith("socket:") for one in list(descriptors.iterdir()))


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
