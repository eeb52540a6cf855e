# SPDX-License-Identifier: Apache-2.0
"""Network namespaces: real interfaces, links and addresses.

A thread enters a namespace, makes a socket there and ends; the socket stays in the
namespace and is used from anywhere. Needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import socket
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tests.support.needs import command, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_FOLDER = Path("/run/netns")


class Namespace:
    """One namespace; ``with`` makes it and takes it away, with all that is in it."""

    def __init__(self, name: str) -> None:
        # A run that was killed leaves its own, and its process ID is given again.
        self.name = f"filterd-{os.getpid()}-{secrets.token_hex(4)}-{name}"

    def __enter__(self) -> Self:
        _run("ip", "netns", "add", self.name)
        self.run(_without_duplicate_detection)
        self.ip("link set lo up")
        return self

    def __exit__(self, *_: object) -> None:
        _run("ip", "netns", "delete", self.name)

    def ip(self, words: str) -> None:
        """Run ``ip`` with these words in it."""
        if words.startswith("address add") and ":" in words:
            require("needs_ipv6_in_kernel")
        _run("ip", "-n", self.name, *words.split())

    def can_ip(self, words: str) -> bool:
        """Run ``ip`` with these words, and return whether this kernel supports it."""
        try:
            self.ip(words)
        except AssertionError:
            return False
        return True

    def run(self, call: Callable[[], T]) -> T:
        """Call in it, in a thread of its own."""
        result: Future[T] = Future()
        thread = threading.Thread(target=self._called, args=(call, result))
        thread.start()
        thread.join()
        return result.result()

    def _called(self, call: Callable[[], T], result: Future[T]) -> None:
        try:
            _enter(self.name)
            result.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- raised where it was called from
            result.set_exception(error)

    def command(self, *words: str) -> list[str]:
        """Return a command that runs these words in it."""
        return ["ip", "netns", "exec", self.name, *words]

    def socket(
        self,
        kind: socket.SocketKind,
        server: str,
        source: str = "",
        *,
        port: int = 53,
        within_s: float = 30,
    ) -> socket.socket:
        """Return a socket of this kind that is connected to a server."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET

        def opened() -> socket.socket:
            made = socket.socket(family, kind)
            try:
                made.settimeout(within_s)
                if source:
                    made.bind((source, 0))
                made.connect(_resolved(server, family, port))
            except OSError:
                made.close()
                raise
            return made

        return self.run(opened)

    def resolved(self, address: str, family: int, port: int = 53) -> Any:
        """Return an address with the number that its interface has here."""
        return self.run(lambda: _resolved(address, family, port))

    def process(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a process in it; ending it is the caller's."""
        return subprocess.Popen(self.command(*words), text=True, **options)


def connect(one: tuple[Namespace, str], other: tuple[Namespace, str], mac: str = "") -> None:
    """Lay a cable between two namespaces; ``mac`` is that of the first one's end."""
    address = f"address {mac} " if mac else ""
    one[0].ip(f"link add name {one[1]} {address}type veth peer {other[1]} netns {other[0].name}")
    for namespace, interface in (one, other):
        namespace.ip(f"link set {interface} up")


@contextlib.contextmanager
def namespaces(*names: str) -> Iterator[Sequence[Namespace]]:
    """Make namespaces."""
    command("ip")
    with contextlib.ExitStack() as made:
        yield [made.enter_context(Namespace(name)) for name in names]


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}"


def _resolved(address: str, family: int, port: int) -> Any:
    return socket.getaddrinfo(address, port, family, socket.SOCK_DGRAM)[0][4]


def _enter(name: str) -> None:
    setns = ctypes.CDLL(None, use_errno=True).setns  # os.setns is there from Python 3.12 on
    descriptor = os.open(_FOLDER / name, os.O_RDONLY)
    try:
        if setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)


def _without_duplicate_detection() -> None:
    """An IPv6 address of a test is usable at once."""
    for which in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{which}/accept_dad").write_text("0", encoding="ascii")
        Path(f"/proc/sys/net/ipv6/conf/{which}/dad_transmits").write_text("0", encoding="ascii")
