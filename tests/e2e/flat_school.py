# SPDX-License-Identifier: Apache-2.0
"""A school with one flat network: computers of a room and telephones on one link.

All are in one namespace. Each has an interface, a MAC and a lease of its own from a
real dnsmasq, behind the switch of ``tests.support.gateway``.
"""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dns.flags
import dns.message
import dns.rcode

from tests.support.commands import ROOT, environment
from tests.support.dhcp import socket_for_dhcp, take_lease
from tests.support.gateway import LAPTOP, SILENCE_S, Gateway
from tests.support.namespaces import Namespace, connect
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVER = "192.168.6.1"
FLAT = f"""\
  lab-a: {{room: true, grade: 11}}
  laptops: {{macs: ['{LAPTOP}'], grade: staff}}
  office: {{interfaces: [lan1], grade: 3}}"""
"""Clients on ``lan0`` are recognised by MACs only; unknown ones are in grade 3."""

_ASKS_SOON = "ntable change name arp_cache dev lan0 delay_probe 1000 retrans 100"
"""The kernel waits for a second, and not for five, before it asks whether a neighbour is there."""


@dataclass
class Device:
    """One device; ``lease`` gives it an address."""

    devices: Namespace
    interface: str
    mac: str
    host: str
    address: str = ""

    def lease(self) -> str:
        """Switch it on: it asks for an address and takes it."""
        self.devices.ip(f"link set {self.interface} up")
        with self.devices.run(lambda: socket_for_dhcp(self.interface)) as opened:
            self.address = take_lease(opened, self.mac, self.host.encode())
        self.devices.ip(f"address add {self.address}/24 dev {self.interface}")
        return self.address

    def ask(self, name: str) -> dns.message.Message | None:
        """Ask once; None for silence."""
        query = dns.message.make_query(name, "A")
        with self.devices.run(self._socket) as opened, contextlib.suppress(TimeoutError):
            opened.sendto(query.to_wire(), (SERVER, 53))
            return dns.message.from_wire(opened.recv(4096))
        return None

    def sees(self, name: str) -> bool:
        """Return whether it gets an address for a name; it retries without an answer."""
        for _ in range(10):
            answer = self.ask(name)
            if answer is not None:
                assert answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
                return bool(answer.answer)
        raise AssertionError(f"{name} was not answered")

    def _socket(self) -> socket.socket:
        opened = socket.socket(type=socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
        opened.bind((self.address, 0))
        opened.settimeout(max(1.0, SILENCE_S))
        return opened


class FlatSchool:
    """The devices of a gateway's flat network."""

    def __init__(self, around: Gateway, devices: Namespace) -> None:
        self.around, self._devices = around, devices

    def device(self, interface: str, mac: str, host: str) -> Device:
        """Plug one in; it is switched off."""
        port = f"to-{interface}"
        connect((self._devices, interface), (self.around.switch, port), mac)
        self.around.switch.ip(f"link set {port} master br0")
        self._devices.ip(f"link set {interface} down")
        return Device(self._devices, interface, mac, host)

    def sleeps(self, device: Device) -> None:
        """Let so much time pass that the gateway is no longer sure of it."""
        words = f"neigh change {device.address} lladdr {device.mac} nud stale dev lan0"
        self.around.gateway.ip(words)


@contextlib.contextmanager
def flat_school(around: Gateway) -> Iterator[FlatSchool]:
    """Let a DHCP server hand out addresses on the flat network."""
    command("dnsmasq")
    words = (
        "dnsmasq --keep-in-foreground --port=0 --no-ping --conf-file=/dev/null --user=root"
        " --pid-file --no-resolv --interface=lan0 --dhcp-range=192.168.6.100,192.168.6.199,1h"
    )
    leases = f"--dhcp-leasefile={around.leases}"
    with Namespace("devices") as devices:
        devices.run(_answer_for_the_own_interface_only)
        around.gateway.ip(_ASKS_SOON)
        server = around.gateway.process(*words.split(), leases, stderr=subprocess.DEVNULL)
        try:
            yield FlatSchool(around, devices)
        finally:
            server.terminate()
            server.wait(10)


def _answer_for_the_own_interface_only() -> None:
    """Devices that share a kernel must not answer for each other."""
    for key, value in (("arp_ignore", "1"), ("arp_announce", "2"), ("rp_filter", "0")):
        for which in ("all", "default"):
            Path(f"/proc/sys/net/ipv4/conf/{which}/{key}").write_text(value, encoding="ascii")


class Watching:
    """A command that runs until Enter is pressed, at a terminal."""

    def __init__(self, words: Sequence[str]) -> None:
        self._keyboard, terminal = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "filterd", *words],
            cwd=ROOT,
            env=environment(COLUMNS="200"),
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(terminal)
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        os.close(self._keyboard)

    def wait_for(self, words: str, times: int = 1) -> None:
        """Read its output until the text has come so many times."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.rstrip("\n"))
            times -= words in line
            if not times:
                return
        raise AssertionError(f"it ended without saying {words!r}: {self.lines}")

    def press_enter(self) -> tuple[int, str]:
        """Have enough; return the exit code and what it has printed."""
        os.write(self._keyboard, b"\n")
        out, err = self._process.communicate(timeout=30)
        self.lines += err.splitlines()
        return self._process.returncode, out
