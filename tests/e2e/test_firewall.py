# SPDX-License-Identifier: Apache-2.0
"""``filterd firewall`` on a router with two links of pupils and one of staff.

::

    six, nine, office -- lan0, lan1, lan2 [ box ] wan0 -- outside

The box and the outside answer each connection with their name, so what a device hears shows where
its packets went. Each test has a control without the rules.
"""

from __future__ import annotations

import contextlib
import itertools
import selectors
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import ROOT, environment
from tests.support.daemon import build_lists
from tests.support.namespaces import Namespace, connect, namespaces
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("needs_ipv6")

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
PUPILS, STAFF = ("six", "nine"), "office"
LISTED, OTHER = ("8.8.8.8", "2001:4860:4860::8888"), ("198.18.51.53", "2001:db8:f::53")
TUNNEL = "162.159.193.7"
PORTS = (53, 443, 784, 853, 8853, 500, 2408)
STRAY = 1_000
SITE = """\
school: {name: Trường mẫu}
language: en
upstreams: ['198.18.51.53']
networks:
  six: {cidrs: [10.8.0.0/24, 'fd00:8::/64'], grade: 6}
  nine: {interfaces: [lan1], grade: 9}
  office: {cidrs: [10.8.2.0/24, 'fd00:8:2::/64'], grade: staff}
firewall:
  staff: []
"""
_FORWARD = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")


class _Answering:
    """A machine that answers each packet and connection with its name, and counts them."""

    def __init__(
        self, name: str, namespace: Namespace, ports: tuple[int, ...], *addresses: str
    ) -> None:
        self.heard, self._name = Counter[int](), name.encode()
        self._selector, self._is_over = selectors.DefaultSelector(), threading.Event()
        self._sockets = namespace.run(lambda: [*self._opened(ports, addresses)])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _opened(
        self, ports: tuple[int, ...], addresses: tuple[str, ...]
    ) -> Iterator[socket.socket]:
        for address, kind, port in itertools.product(addresses, (UDP, TCP), ports):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made = socket.socket(family, kind)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((address, port))
            if kind == TCP:
                made.listen(64)
            self._selector.register(made, selectors.EVENT_READ, (kind, port))
            yield made

    def _serve(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(0.02):
                kind, port = key.data
                opened: Any = key.fileobj
                self.heard[port] += 1
                if kind == TCP:
                    with opened.accept()[0] as accepted:
                        accepted.sendall(self._name)
                else:
                    _, sender = opened.recvfrom(64)
                    opened.sendto(self._name, sender)

    def end(self) -> None:
        """Close all sockets, as the kernel does for a process that is killed."""
        self._is_over.set()
        self._thread.join()
        for one in self._sockets:
            one.close()
        self._selector.close()


class Router:
    """The namespaces, and who answers in them."""

    def __init__(self, folder: Path, made: dict[str, Namespace]) -> None:
        self.folder, self.made = folder, made
        self.box = _Answering("box", made["box"], (53,), "0.0.0.0", "::")
        self.outside = _Answering("outside", made["outside"], PORTS, *LISTED, *OTHER, TUNNEL)

    def filterd(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of filterd on the box."""
        places = ("--config", str(self.folder / "site"), "--state", str(self.folder / "state"))
        whole = self.made["box"].command(sys.executable, "-m", "filterd", *words, *places)
        return subprocess.run(
            whole, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
        )

    def heard(self, who: str, server: str, port: int, kind: socket.SocketKind = UDP) -> str:
        """Return who answers a device; ``refused`` where it is refused at once."""
        try:
            with self.made[who].socket(kind, server, port=port, within_s=3) as opened:
                if kind == UDP:
                    opened.send(b"?")
                return opened.recv(64).decode() or "closed"
        except TimeoutError:
            return "silence"
        except ConnectionError:
            return "refused"


@pytest.fixture
def router(tmp_path: Path, needs_namespaces: None) -> Iterator[Router]:  # noqa: ARG001 -- a need
    """Lay the cables."""
    command("nft")
    names = ("box", "six", "nine", "office", "outside")
    with namespaces(*names) as each, contextlib.ExitStack() as stack:
        made = dict(zip(names, each, strict=True))
        box, outside = made["box"], made["outside"]
        for number, name in enumerate(names[1:4]):
            link, ipv6 = f"10.8.{number}", f"fd00:8:{number}:" if number else "fd00:8:"
            connect((box, f"lan{number}"), (made[name], "eth0"))
            box.ip(f"address add {link}.1/24 dev lan{number}")
            box.ip(f"address add {ipv6}:1/64 dev lan{number}")
            made[name].ip(f"address add {link}.20/24 dev eth0")
            made[name].ip(f"address add {ipv6}:20/64 dev eth0")
            made[name].ip(f"route add default via {link}.1")
            made[name].ip(f"route add default via {ipv6}:1")
        connect((box, "wan0"), (outside, "eth0"))
        box.ip("address add 198.18.51.1/24 dev wan0")
        box.ip("address add 2001:db8:f::1/64 dev wan0")
        box.ip("route add default via 198.18.51.53")
        box.ip("route add default via 2001:db8:f::53")
        for address in (OTHER[0] + "/24", LISTED[0] + "/32", TUNNEL + "/32"):
            outside.ip(f"address add {address} dev eth0")
        for address in (OTHER[1] + "/64", LISTED[1] + "/128"):
            outside.ip(f"address add {address} dev eth0")
        outside.ip("route add 10.0.0.0/8 via 198.18.51.1")
        outside.ip("route add fd00::/8 via 2001:db8:f::1")
        box.run(lambda: [Path("/proc/sys/net", one).write_text("1") for one in _FORWARD])
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "site.yaml").write_text(SITE, encoding="utf-8")
        build_lists(tmp_path / "site", tmp_path / "state")
        router = Router(tmp_path, made)
        stack.callback(router.outside.end)
        stack.callback(router.box.end)
        yield router


def _applied(router: Router) -> None:
    done = router.filterd("firewall", "apply")
    assert done.returncode == 0, done.stderr


EVERY = [(server, kind) for server in (*LISTED, *OTHER) for kind in (UDP, TCP)]


def _lookups(router: Router, who: str) -> set[str]:
    return {router.heard(who, server, 53, kind) for server, kind in EVERY}


def test_lookups_of_pupils_to_elsewhere_are_answered_by_the_box(router: Router) -> None:
    _applied(router)
    for who in PUPILS:
        assert _lookups(router, who) == {"box"}
    assert _lookups(router, STAFF) == {"outside"}
    assert router.heard("six", "10.8.0.1", 53) == "box"


@pytest.mark.control
def test_control_without_the_rules_lookups_leave(router: Router) -> None:
    for who in (*PUPILS, STAFF):
        assert _lookups(router, who) == {"outside"}


def _encrypted(router: Router, who: str) -> set[str]:
    asked = [(server, kind, port) for server, kind in EVERY for port in (784, 853, 8853)]
    return {router.heard(who, server, port, kind) for server, kind, port in asked}


def test_encrypted_lookups_of_pupils_are_refused_at_once(router: Router) -> None:
    _applied(router)
    for who in PUPILS:
        assert _encrypted(router, who) == {"refused"}
    assert _encrypted(router, STAFF) == {"outside"}


@pytest.mark.control
def test_control_without_the_rules_encrypted_lookups_leave(router: Router) -> None:
    assert _encrypted(router, "six") == {"outside"}


def _pages(router: Router, who: str, servers: tuple[str, ...]) -> set[str]:
    return {router.heard(who, server, 443, kind) for server in servers for kind in (UDP, TCP)}


def test_https_to_resolvers_and_tunnels_is_refused_and_to_others_passes(router: Router) -> None:
    _applied(router)
    for who in PUPILS:
        assert _pages(router, who, (*LISTED, TUNNEL)) == {"refused"}
        assert _pages(router, who, OTHER) == {"outside"}
        assert router.heard(who, TUNNEL, 2408) == "refused"
        assert router.heard(who, OTHER[0], 500) == "outside"  # Wi-Fi calling
    assert _pages(router, STAFF, (*LISTED, TUNNEL)) == {"outside"}


@pytest.mark.control
def test_control_without_the_rules_pupils_reach_resolvers_by_https(router: Router) -> None:
    assert _pages(router, "six", (*LISTED, TUNNEL)) == {"outside"}


def _stray(router: Router, number: int) -> int:
    """Send questions to elsewhere where nothing answers on the box; return how many left."""
    router.box.end()
    before = router.outside.heard[53]
    for count in range(number):
        opened = router.made["six"].socket(UDP, EVERY[count % len(EVERY)][0], within_s=0.005)
        with opened, contextlib.suppress(OSError):
            opened.send(b"?")
            opened.recv(64)
    return router.outside.heard[53] - before


def test_no_stray_question_leaves_once_filterd_is_dead(router: Router) -> None:
    _applied(router)
    assert _stray(router, STRAY) == 0


@pytest.mark.control
def test_control_without_the_rules_stray_questions_leave(router: Router) -> None:
    assert _stray(router, 40) == 40


def test_off_leaves_the_machine_as_it_was(router: Router) -> None:
    def rules() -> str:
        words = router.made["box"].command("nft", "list", "ruleset")
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    load = router.made["box"].command("nft", "-f", "-")
    other = "table ip school {\n chain c {\n type nat hook postrouting priority srcnat\n }\n}\n"
    subprocess.run(load, input=other, text=True, check=True)
    before = rules()
    _applied(router)
    assert _lookups(router, "six") == {"box"}
    shown = router.filterd("firewall", "show")
    assert shown.returncode == 0
    assert "lower-secondary" in shown.stdout
    assert router.filterd("firewall", "off").returncode == 0
    assert rules() == before
    assert _lookups(router, "six") == {"outside"}
