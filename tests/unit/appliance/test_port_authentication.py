# SPDX-License-Identifier: Apache-2.0
"""A switch that asks for a login, on a real link, and frames that ask for none."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.port_authentication import authenticators, is_request
from tests.support.namespaces import connect, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.namespaces import Namespace

EAPOL = 0x888E
REQUEST = bytes((2, 0, 0, 5, 1, 7, 0, 5, 1))
"""EAP-Request/Identity."""
SWITCH = "02:00:5e:00:00:02"


@pytest.fixture
def link() -> Iterator[tuple[Namespace, Namespace]]:
    with namespaces("box", "switch") as (box, switch):
        connect((switch, "port1"), (box, "eth0"), SWITCH)
        yield box, switch


def _port(switch: Namespace) -> socket.socket:
    def opened() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EAPOL))
        made.bind(("port1", EAPOL))
        made.settimeout(10)
        return made

    return switch.run(opened)


def test_a_switch_that_asks_for_a_login_is_found(link: tuple[Namespace, Namespace]) -> None:
    box, switch = link

    def answer() -> None:
        _, sender = port.recvfrom(100)
        port.sendto(REQUEST, sender)

    with _port(switch) as port:
        answering = threading.Thread(target=answer)
        answering.start()
        found = box.run(lambda: asyncio.run(authenticators("eth0", within_s=10)))
        answering.join()
    assert found == (SWITCH,)


def test_a_plain_switch_asks_for_none(link: tuple[Namespace, Namespace]) -> None:
    assert link[0].run(lambda: asyncio.run(authenticators("eth0", within_s=0.1))) == ()


@pytest.mark.parametrize(
    "frame",
    [b"", REQUEST[:7], b"\2\1\0\0", REQUEST[:4] + b"\3" + REQUEST[5:], REQUEST + bytes(1_500)],
)
def test_what_is_no_request_is_left_out(frame: bytes) -> None:
    assert not is_request(frame)
