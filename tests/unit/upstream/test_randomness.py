# SPDX-License-Identifier: Apache-2.0
"""Unpredictable numbers, and no home-made generator."""

from __future__ import annotations

import ast
import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import filterd.upstream
from filterd.upstream import randomness
from filterd.upstream.randomness import LOWEST, RandomNumbers, RandomPorts, reserved_ports
from tests.support.serving import open_sockets
from tests.support.statistics import chi_squared, serial_correlation

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = sorted(Path(filterd.upstream.__file__).parent.glob("*.py"))


def test_numbers_are_even_and_do_not_follow_from_each_other() -> None:
    numbers = RandomNumbers()
    drawn = [numbers.uint16() for _ in range(50_000)]
    # Both fail once in a million runs or less.
    assert chi_squared([number >> 8 for number in drawn], 256) < 370
    assert abs(serial_correlation(drawn)) < 0.025


def test_a_block_is_used_once() -> None:
    numbers = RandomNumbers()
    assert len({tuple(numbers.uint16() for _ in range(8)) for _ in range(1_000)}) == 1_000


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_generator_that_can_be_computed_ahead_is_used(path: Path) -> None:
    assert not _imports(path) & {"random", "numpy", "uuid"}


def test_control_an_import_of_such_a_generator_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from random import choice\n    import random as r\n")
    assert _imports(path) == {"random"}


GOOD, EARLY = b"what the server says", b"what somebody else says"


class Scripted(RandomNumbers):
    """Gives these numbers, then true ones."""

    __slots__ = ("_script",)

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self._script = list(numbers)

    def uint16(self) -> int:
        return self._script.pop(0) if self._script else super().uint16()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with a_socket() as bound:
        yield bound


def a_socket() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    bound.settimeout(10)
    return bound


def connect(server: socket.socket, numbers: RandomNumbers) -> socket.socket:
    return RandomPorts(numbers, frozenset()).connect(*server.getsockname())


@pytest.mark.parametrize(
    ("text", "reserved"),
    [
        ("", set()),
        ("\n", set()),
        ("8080\n", {8080}),
        ("8080,9000-9002\n", {8080, 9000, 9001, 9002}),
        ("x,-5,7-x,65534-99999", {65534, 65535}),
    ],
)
def test_ports_that_are_kept_for_others_are_read(
    tmp_path: Path, text: str, reserved: set[int]
) -> None:
    path = tmp_path / "reserved"
    path.write_text(text)
    assert reserved_ports(path) == reserved


def test_no_such_file_reserves_nothing(tmp_path: Path) -> None:
    assert reserved_ports(tmp_path / "absent") == frozenset()


def test_services_and_reserved_ports_are_left_alone() -> None:
    numbers = Scripted(0, 53, LOWEST - 1, 20_000, 20_001, 30_000)
    assert RandomPorts(numbers, frozenset((20_000, 20_001))).draw() == 30_000
    drawn = {RandomPorts(RandomNumbers(), frozenset()).draw() for _ in range(20_000)}
    assert min(drawn) >= LOWEST
    assert max(drawn) > 65_000


def test_the_port_is_the_one_drawn(server: socket.socket) -> None:
    with connect(server, RandomNumbers()) as opened:
        assert opened.getpeername() == server.getsockname()
        assert opened.getsockname()[1] >= LOWEST


def test_a_port_in_use_is_passed_over(server: socket.socket) -> None:
    with a_socket() as other, a_socket() as third:
        theirs = other.getsockname()[1], third.getsockname()[1]
        numbers = Scripted(*theirs, *theirs)
        with connect(server, numbers) as opened:
            assert opened.getsockname()[1] not in theirs


def test_where_every_port_is_taken_that_is_said_and_nothing_stays_open(
    server: socket.socket,
) -> None:
    with a_socket() as other:
        numbers = Scripted(*[other.getsockname()[1]] * 100)
        before = open_sockets()
        with pytest.raises(OSError, match="in use") as raised:
            connect(server, numbers)
        assert raised.value.errno == errno.EADDRINUSE
        assert open_sockets() == before


def test_another_service_can_have_the_port_again(server: socket.socket) -> None:
    opened = connect(server, RandomNumbers())
    port = opened.getsockname()[1]
    opened.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("", port))


def _bind_and_be_too_late(early: int) -> type[socket.socket]:
    """Return sockets that receive datagrams between ``bind`` and ``connect``."""

    class Slow(socket.socket):
        def connect(self, address: object) -> None:
            with a_socket() as stranger:
                for _ in range(early):
                    stranger.sendto(EARLY, ("127.0.0.1", self.getsockname()[1]))
            super().connect(address)  # type: ignore[arg-type]  # what it was given

    return Slow


def _first_heard(server: socket.socket) -> bytes:
    with connect(server, RandomNumbers()) as opened:
        server.sendto(GOOD, opened.getsockname())
        opened.settimeout(10)
        return opened.recv(100)


def test_what_came_before_it_was_connected_is_not_heard(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", _bind_and_be_too_late(3))
    assert _first_heard(server) == GOOD


def test_control_without_that_anybody_s_message_would_be(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", _bind_and_be_too_late(3))
    monkeypatch.setattr(randomness, "_forget_what_came_early", lambda _: None)
    assert _first_heard(server) == EARLY


def test_a_port_that_is_flooded_at_once_is_not_used(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", _bind_and_be_too_late(50))
    with pytest.raises(OSError, match="flood"):
        connect(server, RandomNumbers())


@pytest.mark.usefixtures("needs_ipv6")
def test_ipv6_is_asked_by_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", 0))
        with RandomPorts(RandomNumbers(), frozenset()).connect(
            "::1", server.getsockname()[1]
        ) as opened:
            assert opened.getsockname()[1] >= LOWEST
