# SPDX-License-Identifier: Apache-2.0
import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any, Protocol

from filterd.base.clock import Clock
from filterd.fastpath._rate_limit import SourceTable
from filterd.fastpath.core_filler import FastPath
from filterd.fastpath.coroutine_runner import Stepper
from filterd.resolve.cache_store import ResolutionStore
from filterd.resolve.query import Fetched
from filterd.upstream import Forwarder

class Datagram:
    message: bytes
    interface: int
    received_at: float
    client_group: int
    opening: int
    epoch: int
    qname: bytes | None
    @property
    def address(self) -> str: ...

class Datagrams:
    def __init__(
        self,
        opened: socket.socket,
        table: SourceTable,
        permits: Callable[[str, int], bool],
        most_waiting: int = ...,
        fast: FastPath | None = ...,
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def counters(self) -> dict[str, int]: ...
    @property
    def traffic(self) -> dict[str, Any]: ...
    def attend(
        self,
        loop: AbstractEventLoop,
        monotonic: Callable[[], float],
        serve: Callable[[], None],
    ) -> None: ...
    def receive(self, now: float) -> bool: ...
    def take(self, most: int, now: float) -> list[Datagram]: ...
    def answer(self, datagram: Datagram, reply: bytes) -> None: ...
    def flush(self) -> None: ...

def hint(message: bytes) -> bytes: ...
def refusal(message: bytes) -> bytes | None: ...

class Listener(Protocol):
    datagrams: Datagrams
    def ask_the_chain(self, datagram: Datagram, fetched: Fetched | None = ...) -> None: ...

class Relay:
    def __init__(
        self,
        fast: FastPath,
        store: ResolutionStore,
        forwarder: Forwarder,
        stepper: Stepper,
        clock: Clock,
        note: Callable[[bytes, int], None] | None = None,
    ) -> None: ...
    def take(self, datagram: Datagram, listener: Listener) -> bool: ...
