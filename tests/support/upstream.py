# SPDX-License-Identifier: Apache-2.0
"""A real upstream on loopback, UDP and TCP, with answers that a test sets.

It runs in threads of its own, as another server would; dnspython composes its answers,
so that filterd's composer does not test itself.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Said = dns.message.Message | bytes
Respond = Callable[[dns.message.Message], Said | Sequence[Said] | None]

_LARGEST_DATAGRAM = 1232
_LONGEST_CHAIN = 20
_TEST_WITHIN_S = 30.0


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeUpstream:
    """Answers from ``records`` (zone-style lines by owner and type), or by ``respond``.

    ``asked`` holds every question in order, as ``"name TYPE"``; ``raw`` the
    messages, ``sources`` the ports they came from, ``transports`` how many came
    by each. While ``released`` is clear, answers wait. Without a ``port`` it takes a free one.
    """

    records: dict[str, list[str]] = field(default_factory=dict)
    respond: Respond | None = None
    respond_by_tcp: Respond | None = None
    address: str = "127.0.0.1"
    asked: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    transports: Counter[str] = field(default_factory=Counter)
    port: int = 0
    silent: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=_set)

    def __enter__(self) -> Self:
        self._arrived = threading.Condition()
        self._bind()
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def _bind(self) -> None:
        given = self.port
        self._tcp = _TcpServer((self.address, given), _tcp_handler(self))
        self.port = self._tcp.server_address[1]
        try:
            self._udp = _UdpServer((self.address, self.port), _udp_handler(self))
        except OSError:  # some other socket has that port by UDP: take another
            self._tcp.server_close()
            if given:
                raise
            self.port = 0
            self._bind()

    def __exit__(self, *_: object) -> None:
        self.released.set()
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def add(self, *lines: str) -> None:
        """Add records: ``"www.example.com. 300 IN A 198.18.0.1"``."""
        for line in lines:
            owner, _, _, rtype, _ = line.split(None, 4)
            self.records.setdefault(f"{owner.lower().rstrip('.')} {rtype}", []).append(line)

    def wait_until_asked(self, times: int = 1) -> None:
        """Wait until that many questions have come; fail if they do not."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.asked) >= times, _TEST_WITHIN_S)

    def answers(self, wire: bytes, port: int, transport: str) -> list[bytes]:
        """Return what is sent for a query."""
        query = dns.message.from_wire(wire)
        if query.flags & dns.flags.QR:  # late, for an owner of this port in another run
            return []
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        with self._arrived:
            self.asked.append(f"{name} {dns.rdatatype.to_text(question.rdtype)}")
            self.raw.append(wire)
            self.sources.append(port)
            self.transports[transport] += 1
            self._arrived.notify_all()
        if self.silent.is_set():
            return []
        self.released.wait(_TEST_WITHIN_S)
        respond = (self.respond_by_tcp if transport == "tcp" else None) or self.respond
        return _messages(respond(query) if respond else self._from_records(query, name))

    def _from_records(self, query: dns.message.Message, name: str) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        rtype = dns.rdatatype.to_text(query.question[0].rdtype)
        found: list[str] = []
        for _ in range(_LONGEST_CHAIN):
            found = self.records.get(f"{name} {rtype}", [])
            alias = [] if found else self.records.get(f"{name} CNAME", [])
            _add(response.answer, found or alias)
            if not alias:
                break
            name = alias[0].split(None, 4)[4].rstrip(".").lower()
        if not any(key.split()[0] == name for key in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if not found:
            zone = ".".join(name.split(".")[-2:])
            soa = f"{zone}. 300 IN SOA ns.example. root.example. 1 3600 600 86400 60"
            _add(response.authority, [soa])
        return response


def _messages(said: Said | Sequence[Said] | None) -> list[bytes]:
    if said is None:
        return []
    several = [said] if isinstance(said, (bytes, dns.message.Message)) else said
    return [one if isinstance(one, bytes) else one.to_wire(max_size=65535) for one in several]


def _add(section: list[dns.rrset.RRset], lines: Iterable[str]) -> None:
    for line in lines:
        owner, ttl, rclass, rtype, data = line.split(None, 4)
        section.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _udp_handler(upstream: FakeUpstream) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            message, opened = self.request
            for answer in upstream.answers(message, self.client_address[1], "udp"):
                fits = len(answer) <= _LARGEST_DATAGRAM
                opened.sendto(answer if fits else _truncated(message), self.client_address)

    return Handler


def _truncated(query: bytes) -> bytes:
    short = dns.message.make_response(dns.message.from_wire(query))
    short.flags |= dns.flags.TC
    return short.to_wire()


def _tcp_handler(upstream: FakeUpstream) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            opened: socket.socket = self.request
            while len(prefix := opened.recv(2, socket.MSG_WAITALL)) == 2:
                message = opened.recv(struct.unpack("!H", prefix)[0], socket.MSG_WAITALL)
                for answer in upstream.answers(message, self.client_address[1], "tcp"):
                    opened.sendall(struct.pack("!H", len(answer)) + answer)

    return Handler
