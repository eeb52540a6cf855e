# SPDX-License-Identifier: Apache-2.0
"""The program for the kernel, run by a small machine; and when an entry counts."""

from __future__ import annotations

import errno
import random
import socket
import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from filterd.clients import frame_filter
from filterd.clients.frame_filter import FrameFilter, program

if TYPE_CHECKING:
    from filterd.clients.neighbours import Place

MAC, OTHER = "02:00:5e:10:00:01", "02:00:5e:10:00:02"
INTERFACE = 7


def _at(address: str) -> Place:
    return (ip_address(address), "lan0")


@pytest.fixture(autouse=True)
def _interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    def index_of(name: str) -> int:
        if name != "lan0":
            raise OSError("no such device")
        return INTERFACE

    monkeypatch.setattr(socket, "if_nametoindex", index_of)


class Machine:
    """The kernel's machine for classic BPF (linux/filter.h), with one packet."""

    def __init__(self, source: str, mac: str, interface: int) -> None:
        address = ip_address(source).packed
        begins = bytes((0x45,)) + bytes(11) if len(address) == 4 else bytes((0x60,)) + bytes(7)
        self._header, self._interface = begins + address, interface
        self._frame = bytes(6) + bytes.fromhex(mac.replace(":", ""))
        self._a = self._x = 0
        self._memory = [0] * 16

    def runs(self, code: bytes) -> bool:
        """Return whether a program accepts the packet."""
        instructions, at = list(struct.iter_unpack("=HBBI", code)), 0
        while True:
            kind, if_true, if_false, k = instructions[at]
            at += 1
            if kind == 0x06:
                return bool(k)
            if kind == 0x05:
                at += k
            elif kind in (0x15, 0x1D):
                at += if_true if self._a == (k if kind == 0x15 else self._x) else if_false
            else:
                self._steps(kind, k)

    def _steps(self, kind: int, k: int) -> None:
        if kind in (0x00, 0x60):
            self._a = k if kind == 0x00 else self._memory[k]
        elif kind in (0x01, 0x61):
            self._x = k if kind == 0x01 else self._memory[k]
        elif kind == 0x02:
            self._memory[k] = self._a
        elif kind == 0x74:
            self._a >>= k
        else:
            self._a = self._loaded(k - (1 << 32), {0x20: 4, 0x28: 2, 0x30: 1}[kind])

    def _loaded(self, at: int, size: int) -> int:
        if at == -0x1000 + 8:
            return self._interface
        is_frame = at < -0x100000
        data, start = (self._frame, at + 0x200000) if is_frame else (self._header, at + 0x100000)
        assert 0 <= start <= len(data) - size
        return int.from_bytes(data[start : start + size])


def _accepts(code: bytes, source: str, mac: str, interface: int = INTERFACE) -> bool:
    return Machine(source, mac, interface).runs(code)


def test_an_address_is_kept_to_its_mac_and_others_to_none() -> None:
    code = program([(_at("10.0.0.2"), MAC), (_at("fd00::2"), MAC), (_at("10.0.0.3"), OTHER)])
    for source, mac, accepted in (
        ("10.0.0.2", MAC, True),
        ("10.0.0.2", OTHER, False),
        ("10.0.0.3", MAC, False),
        ("10.0.0.3", OTHER, True),
        ("10.0.0.4", OTHER, True),
        ("fd00::2", MAC, True),
        ("fd00::2", OTHER, False),
        ("fd00::3", OTHER, True),
        ("fd00:1::2", OTHER, True),
    ):
        assert _accepts(code, source, mac) is accepted, (source, mac)


def test_a_link_local_address_is_that_of_its_interface() -> None:
    code = program([(_at("fe80::2"), MAC), ((ip_address("fe80::3"), "gone0"), MAC)])
    assert _accepts(code, "fe80::2", MAC)
    assert not _accepts(code, "fe80::2", OTHER)
    assert _accepts(code, "fe80::2", OTHER, interface=8)
    assert _accepts(code, "fe80::3", OTHER)


def test_a_program_of_many_addresses_says_what_a_dictionary_says() -> None:
    rng = random.Random(33)
    words = ("::", "::1", "::1:0:0:1", "1::1", "ffff:ffff::ffff:ffff", "8000::8000:0")
    addresses = [*(f"{rng.choice((10, 203, 255))}.0.{rng.randrange(2)}.{n}" for n in range(40))]
    addresses += [f"fd00:{n}{words[n % 6]}" if n % 6 < 3 else words[n % 6] for n in range(1, 30)]
    macs = [f"{rng.choice((2, 254)):02x}:00:5e:10:{n:02x}:{n % 3:02x}" for n in range(6)]
    held = {_at(one): rng.choice(macs) for one in addresses[::2]}
    code = program(held.items())
    for address in addresses:
        for mac in macs:
            expected = held.get(_at(address), mac) == mac
            assert _accepts(code, address, mac) is expected, (address, mac)


class Kernel:
    """The programs that were attached, as long as they have no more octets than ``room``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.attached: list[bytes] = []
        self.room, self.refuses = 1 << 20, 0
        monkeypatch.setattr(frame_filter, "attach", self._attach)

    def _attach(self, _: object, code: bytes) -> None:
        if self.refuses:
            raise OSError(self.refuses, "refused")
        if len(code) > self.room:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        self.attached.append(code)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def _filter() -> FrameFilter:
    left, right = socket.socketpair()
    right.close()
    left.close()
    return FrameFilter([left])


HERE = _at("10.0.0.2")


def test_an_entry_counts_when_what_waited_before_it_is_answered(kernel: Kernel) -> None:
    frames = _filter()
    frames.settle_s = 0.25
    frames.hold([(HERE, MAC)], 100.0)
    assert kernel.attached == [program([(HERE, MAC)])]
    assert frames.has(HERE)
    assert not frames.covers(HERE, MAC, 100.2)
    assert frames.next_at(100.0) == 100.25
    assert frames.covers(HERE, MAC, 100.25)
    assert not frames.covers(HERE, OTHER, 100.25)
    frames.hold([(HERE, MAC)], 200.0)
    assert len(kernel.attached) == 1, "the same program is not attached again"
    assert frames.covers(HERE, MAC, 200.0)


def test_before_anything_is_answered_an_entry_counts_at_once(kernel: Kernel) -> None:
    frames = _filter()
    frames.hold([(HERE, MAC)], 100.0)
    assert frames.covers(HERE, MAC, 100.0)
    assert kernel.attached


def test_an_entry_stays_while_another_worker_may_believe_it(kernel: Kernel) -> None:
    frames = _filter()
    frames.hold([(HERE, MAC)], 100.0)
    frames.hold([], 101.0)
    assert not frames.covers(HERE, MAC, 104.0)
    assert kernel.attached[-1] == program([(HERE, MAC)])
    assert frames.next_at(101.0) == 104.0
    frames.hold([(HERE, OTHER)], 102.0)
    assert frames.has(HERE)
    assert not frames.covers(HERE, OTHER, 102.0)
    frames.hold([(HERE, OTHER)], 104.0)
    assert frames.covers(HERE, OTHER, 104.0)
    assert kernel.attached[-1] == program([(HERE, OTHER)])


def test_where_not_all_fit_the_first_ones_are_kept(kernel: Kernel) -> None:
    frames, places = _filter(), [_at(f"10.0.0.{n}") for n in range(100)]
    kernel.room = len(program((place, MAC) for place in places[:50]))
    frames.hold([(place, MAC) for place in places], 100.0)
    held = [frames.has(place) for place in places]
    assert 40 < sum(held) <= 50
    assert all(held[: sum(held)])
    many = [_at(f"10.{n >> 8}.{n & 255}.1") for n in range(5_000)]
    kernel.room = 1 << 20
    frames = _filter()
    frames.hold([(place, MAC) for place in many], 100.0)
    assert len(kernel.attached[-1]) // 8 <= 4_096, "the kernel takes no more"


def test_a_kernel_that_takes_no_program_is_logged_once(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    kernel.refuses, frames = errno.EPERM, _filter()
    for now in (100.0, 101.0):
        frames.hold([(HERE, MAC)], now)
    assert not frames.works
    assert not frames.has(HERE)
    assert len(caplog.records) == 1


def test_a_kernel_that_takes_none_for_tcp_checks_the_frames_of_udp(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no filter to go by then: what is asked by TCP may be in any frame."""
    attached = list[int]()

    def attach(opened: socket.socket, _: bytes) -> None:
        if opened.type == socket.SOCK_STREAM:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        attached.append(opened.type)

    monkeypatch.setattr(frame_filter, "attach", attach)
    kinds = socket.SOCK_DGRAM, socket.SOCK_STREAM
    opened = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    frames = FrameFilter(opened)
    for one in opened:
        one.close()
    for now in (100.0, 101.0):
        frames.hold([(HERE, MAC)], now)
    assert (frames.works, frames.is_whole) == (True, False)
    assert set(attached) == {socket.SOCK_DGRAM}
    assert frames.covers(HERE, MAC, 102.0)
    assert caplog.records == []


def test_the_kernel_takes_the_program_and_a_socket_goes_on() -> None:
    """What comes by the loopback has a frame without a MAC, and only a listed address minds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("127.0.0.1", 0))
            frames = FrameFilter([opened])
            frames.hold([(_at("127.0.0.2"), MAC), (_at("fd00::2"), MAC)], 0.0)
            client.sendto(b"one", opened.getsockname())
            frames.hold([(_at("127.0.0.1"), MAC)], 0.0)
            client.sendto(b"two", opened.getsockname())
            frames.hold([], 0.0)
            frames.hold([], 10.0)
            client.sendto(b"three", opened.getsockname())
            opened.settimeout(10)
            assert [opened.recv(9), opened.recv(9)] == [b"one", b"three"]
