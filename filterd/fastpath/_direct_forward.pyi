# SPDX-License-Identifier: Apache-2.0
from typing import Protocol

from filterd.clock import Clock
from filterd.fastpath._datagrams import Datagram, Datagrams
from filterd.fastpath.core_filler import FastPath
from filterd.fastpath.coroutine_runner import Stepper
from filterd.resolve.cache_store import ResolutionStore
from filterd.resolve.query import Fetched
from filterd.upstream import Forwarder

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
    ) -> None: ...
    def take(self, datagram: Datagram, listener: Listener) -> bool: ...
