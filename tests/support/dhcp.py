# SPDX-License-Identifier: Apache-2.0
"""A minimal DHCPv4 client (RFC 2131) that gets a lease from a real server."""

from __future__ import annotations

import contextlib
import socket
import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COOKIE = bytes((99, 130, 83, 99))
_DISCOVER, _REQUEST = 1, 3
_HOST_NAME, _WANTED, _TYPE, _SERVER, _END = 12, 50, 53, 54, 255
_TRIES = 120
_ANSWER_TO_ALL = 0x8000
_HEADER = struct.Struct("!4B I 2H 4s4s4s4s 16s 64s 128s")


def socket_for_dhcp(interface: str) -> socket.socket:
    """Return a socket on a client's port that sends by this interface, address or none."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    opened.bind(("", 68))
    opened.settimeout(0.5)
    return opened


def take_lease(opened: socket.socket, mac: str, host: bytes) -> str:
    """Ask for an address in the name of a device, and return it."""
    host_name = (_HOST_NAME, host)
    offer = _ask(opened, mac, (_TYPE, bytes((_DISCOVER,))), host_name)
    wanted = [(_WANTED, offer[16:20]), (_SERVER, _options(offer)[_SERVER])]
    said = _ask(opened, mac, (_TYPE, bytes((_REQUEST,))), *wanted, host_name)
    return str(IPv4Address(said[16:20]))


def _ask(opened: socket.socket, mac: str, *options: tuple[int, bytes]) -> bytes:
    hardware = bytes.fromhex(mac.replace(":", ""))
    exchange = int.from_bytes(hardware[-4:])
    none = bytes(4)
    header = _HEADER.pack(
        1, 1, 6, 0, exchange, 0, _ANSWER_TO_ALL, none, none, none, none, hardware, b"", b""
    )
    body = b"".join(bytes((code, len(data))) + data for code, data in options)
    message = header + _COOKIE + body + bytes((_END,))
    for _ in range(_TRIES):
        opened.sendto(message.ljust(300, b"\0"), ("255.255.255.255", 67))
        with contextlib.suppress(TimeoutError):
            while True:
                answer = opened.recv(4096)
                if answer[0] == 2 and answer[4:8] == header[4:8]:
                    return answer
    raise AssertionError("no DHCP server answers")


def _options(message: bytes) -> dict[int, bytes]:
    return dict(_each_option(message[_HEADER.size + len(_COOKIE) :]))


def _each_option(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data and data[0] != _END:
        length = data[1]
        yield data[0], data[2 : 2 + length]
        data = data[2 + length :]
