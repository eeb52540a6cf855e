# SPDX-License-Identifier: Apache-2.0
"""A school's gateway between real links, and filterd on it as a process.

::

    pupil ---.                                       .--- provider (198.51.100.2, .53)
    laptop --+-- switch --- lan0 [ gateway ] wan0 ---'
    relay ---'              lan1 [         ]
    office ------------------'

On ``lan0`` 192.168.6.0/24 is grade 3, on ``lan1`` every client is staff by the
interface; the laptop and the relay are staff by their MACs. TikTok is closed to
grade 3 and open to staff, so the answer shows the grade of the client.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import dns.message
import dns.rcode

from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, environment
from tests.support.daemon import Served
from tests.support.namespaces import Namespace, connect, namespaces
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.namespaces import Namespace


_ALL_PROTOCOLS = 0x0003
_IPV4, _IPV6 = 0x0800, 0x86DD
_PORTS = frozenset((6, 17, 132))


class Sent(NamedTuple):
    """One packet with ports: by which interface it left, and from where to where."""

    interface: str
    source_port: int
    destination: str
    port: int


class Recorder:
    """Listens on all interfaces of a namespace but loopback; ``with`` starts and ends it."""

    def __init__(self, namespace: Namespace) -> None:
        self._sent: set[Sent] = set()
        self._ends = threading.Event()
        self._socket = namespace.run(
            lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS))
        )
        self._socket.settimeout(0.1)
        self._thread = threading.Thread(target=self._record)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    @property
    def sent(self) -> frozenset[Sent]:
        """What has left since the start, each kind of packet once."""
        return frozenset(self._sent)

    def _record(self) -> None:
        while not self._ends.is_set():
            try:
                packet, (interface, protocol, kind, *_) = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            if kind == socket.PACKET_OUTGOING and interface != "lo":
                self._take(interface, protocol, packet)

    def _take(self, interface: str, protocol: int, packet: bytes) -> None:
        if protocol == _IPV4:
            carried, destination, payload = packet[9], packet[16:20], packet[4 * (packet[0] & 15) :]
        elif protocol == _IPV6:
            carried, destination, payload = packet[6], packet[24:40], packet[40:]
        else:
            return
        if carried in _PORTS:
            source, port = int.from_bytes(payload[:2]), int.from_bytes(payload[2:4])
            self._sent.add(Sent(interface, source, str(ip_address(destination)), port))


CLOSED, OPEN = "www.tiktok.com", "www.example.com"
LAPTOP, RELAY = "02:00:5e:10:00:01", "02:00:5e:10:00:02"
UPSTREAM = "198.51.100.53"
ZONE = "lan.home.arpa"
SILENCE_S = 0.3
PATIENCE_S = 60.0
"""For what happens within a second or two, on a machine that is not busy."""

SITE = """\
school: {{name: Trường mẫu}}
language: en
listen: {listen}
allow_from: [{allowed}]
upstreams: ['198.51.100.53:{port}']
networks:
{networks}
leases:
  files: [{{file: {leases}, format: dnsmasq}}]
  zone: lan.home.arpa
{more}"""

BY_RANGE = f"""\
  three: {{cidrs: [192.168.6.0/24, 'fd00:6::/64'], grade: 3}}
  office: {{interfaces: [lan1, lan0.5], grade: staff}}
  laptops: {{macs: ['{LAPTOP}', '{RELAY}'], grade: staff}}"""

WILDCARD = ("0.0.0.0", "::")
SPECIFIC = (
    "192.168.6.1",
    "192.168.6.254",
    "192.168.9.1",
    "fd00:6::1",
    "2001:db8:6::1",
    "fe80::1%lan0",
)
LATER = "192.168.6.77"
"""One that the gateway does not have when the daemon starts."""

PORT, SPECIFIC_PORT, OTHER_PORT = 53, 5300, 5301
"""Of a daemon on all addresses, of one on these, and of one that lets others ask."""


_CLOCK = SystemClock()
_TROUBLE = ("Traceback", "Exception", "never awaited", "was destroyed", "could not be looked at")


@dataclass(frozen=True)
class Site:
    """What differs between the sites that are served; ``networks``, ``more`` keys are YAML."""

    port: int
    listen: tuple[str, ...] = WILDCARD
    allowed: str = "127.0.0.0/8"
    more: str = ""
    networks: str = BY_RANGE

    def endpoint(self, address: str) -> str:
        """Return an address with the port, as it stands in ``listen``."""
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"


@dataclass
class Gateway:
    """The namespaces, the upstream, and what left the gateway."""

    gateway: Namespace
    switch: Namespace
    pupil: Namespace
    laptop: Namespace
    relay: Namespace
    office: Namespace
    provider: Namespace
    upstream: FakeUpstream
    recorder: Recorder
    folder: Path

    @property
    def leases(self) -> Path:
        """The file that a DHCP server on the gateway writes."""
        return self.folder / "dnsmasq.leases"

    @contextlib.contextmanager
    def serving(
        self,
        lists: StateFolder,
        site: Site,
        end: signal.Signals = signal.SIGTERM,
        module: str = "filterd",
    ) -> Iterator[Served]:
        """Run filterd on it until ``end``; a logged error fails the test.

        Args:
            lists: its compiled lists.
            site: which site.
            end: the signal.
            module: instead of filterd's own.
        """
        state = StateFolder(self.folder / f"state-{site.port}")
        state.folder.mkdir(exist_ok=True)
        shutil.copyfile(lists.index, state.index)
        config = self.write(site)
        words = (sys.executable, "-m", module, "serve")
        places = ("--config", str(config), "--state", str(state.folder))
        process = self.gateway.process(*words, *places, cwd=ROOT, env=environment(), stderr=-1)
        assert process.stderr is not None
        served = Served(process, config, state)
        reader = threading.Thread(target=served.listen, args=(process.stderr,))
        reader.start()
        try:
            served.wait_for("filterd listens on")
            yield served
            assert served.end(end) == (0 if end is signal.SIGTERM else -end)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()
        log = "\n".join(served.log)
        assert not any(word in log for word in _TROUBLE), log

    def write(self, site: Site) -> Path:
        """Write the files of a site; return their folder."""
        config = self.folder / f"site-{site.port}"
        config.mkdir(exist_ok=True)
        text = SITE.format(
            listen=[site.endpoint(address) for address in site.listen],
            allowed=site.allowed,
            more=site.more,
            port=self.upstream.port,
            networks=site.networks,
            leases=self.leases,
        )
        (config / "site.yaml").write_text(text, encoding="utf-8")
        return config


@contextlib.contextmanager
def gateway(folder: Path, *, upstream_port: int = 0) -> Iterator[Gateway]:
    """Lay the cables, and let the upstream answer every name, at a free port if none is given."""
    with contextlib.ExitStack() as stack:
        names = ("gateway", "switch", "pupil", "laptop", "relay", "office", "provider")
        made = stack.enter_context(namespaces(*names))
        _lay_cables(*made)
        upstream = FakeUpstream(respond=_same_address_for_all, address=UPSTREAM, port=upstream_port)
        made[6].run(upstream.__enter__)
        stack.callback(upstream.__exit__)
        recorder = stack.enter_context(Recorder(made[0]))
        outer, switch, pupil, laptop, relay, office, provider = made
        ends = (pupil, laptop, relay, office, provider)
        yield Gateway(outer, switch, *ends, upstream, recorder, folder)


def _same_address_for_all(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    if question.rdtype == 1:
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "198.18.51.80"))
    return response


def _lay_cables(
    gateway: Namespace,
    switch: Namespace,
    pupil: Namespace,
    laptop: Namespace,
    relay: Namespace,
    office: Namespace,
    provider: Namespace,
) -> None:
    switch.ip("link add name br0 type bridge")
    switch.ip("link set br0 up")
    connect((gateway, "lan0"), (switch, "gateway"))
    connect((pupil, "eth0"), (switch, "pupil"))
    connect((laptop, "eth0"), (switch, "laptop"), LAPTOP)
    connect((relay, "eth0"), (switch, "relay"), RELAY)
    for port in ("gateway", "pupil", "laptop", "relay"):
        switch.ip(f"link set {port} master br0")
    connect((gateway, "lan1"), (office, "eth0"))
    connect((gateway, "wan0"), (provider, "eth0"))
    _give_addresses(gateway, pupil, laptop, relay, office, provider)


def _give_addresses(
    gateway: Namespace,
    pupil: Namespace,
    laptop: Namespace,
    relay: Namespace,
    office: Namespace,
    provider: Namespace,
) -> None:
    for address in ("192.168.6.1/24", "192.168.6.254/24", "fd00:6::1/64", "2001:db8:6::1/64"):
        gateway.ip(f"address add {address} dev lan0")
    for interface in ("lan0", "lan1"):
        gateway.ip(f"address add fe80::1/64 dev {interface}")
    gateway.ip("address add 192.168.9.1/24 dev lan1")
    for address in ("198.51.100.1/24", "2001:db8:f::1/64"):
        gateway.ip(f"address add {address} dev wan0")
    gateway.ip("route add default via 198.51.100.2")
    gateway.ip("route add default via 2001:db8:f::2")
    for host, (namespace, last) in enumerate(((pupil, "20"), (laptop, "30"), (relay, "40"))):
        namespace.ip(f"address add 192.168.6.{last}/24 dev eth0")
        namespace.ip(f"address add fd00:6::{last}/64 dev eth0")
        namespace.ip(f"address add 2001:db8:6::{last}/64 dev eth0")
        namespace.ip(f"address add fe80::1:{host}/64 dev eth0")
        namespace.ip("route add default via 192.168.6.1")
    office.ip("address add 192.168.9.20/24 dev eth0")
    office.ip("address add fe80::9/64 dev eth0")
    for address in ("198.51.100.2/24", f"{UPSTREAM}/24", "2001:db8:f::2/64", "fe80::f/64"):
        provider.ip(f"address add {address} dev eth0")
    provider.ip("route add 192.168.0.0/16 via 198.51.100.1")


def ask(
    namespace: Namespace,
    server: str,
    name: str = OPEN,
    *,
    rtype: str = "A",
    source: str = "",
    tcp: bool = False,
    port: int = PORT,
    within_s: float = 30.0,
) -> dns.message.Message | None:
    """Ask as a stub does, by a connected socket; None for silence."""
    query = dns.message.make_query(name, rtype)
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    try:
        with namespace.socket(kind, server, source, port=port, within_s=within_s) as opened:
            return _exchange(opened, query, tcp=tcp)
    except OSError:  # silence, a reset, no host
        return None


def _exchange(
    opened: socket.socket, query: dns.message.Message, *, tcp: bool
) -> dns.message.Message | None:
    wire = query.to_wire()
    opened.sendall(len(wire).to_bytes(2) + wire if tcp else wire)
    said = opened.recv(4096)
    if tcp and 0 < len(said) < 2 + int.from_bytes(said[:2]):
        said += opened.recv(4096, socket.MSG_WAITALL)
    if not said:
        return None
    answer = dns.message.from_wire(said[2:] if tcp else said)
    assert query.is_response(answer)
    return answer


def is_silent(namespace: Namespace, server: str, source: str = "", **how: Any) -> bool:
    """Return whether nothing comes back, on links without delay."""
    return ask(namespace, server, source=source, within_s=SILENCE_S, **how) is None


def is_blocked(namespace: Namespace, server: str, source: str = "") -> bool:
    """Return whether a name for staff only is blocked for a client there."""
    answer = ask(namespace, server, CLOSED, source=source)
    assert answer is not None
    return answer.rcode() == dns.rcode.NXDOMAIN


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that happens within a second or two; fail if it does not."""
    end = _CLOCK.monotonic() + PATIENCE_S
    while not holds():
        assert _CLOCK.monotonic() < end, "it did not happen"
        threading.Event().wait(0.1)
