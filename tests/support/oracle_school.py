# SPDX-License-Identifier: Apache-2.0
"""A school in one event loop on a test's clock: workers, upstream, clients.

The workers are real, with real sockets and files. Each listens on a port of its own,
so that a step can choose one. The work of manager and supervisor is done here step by
step, so that any event may come in between.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

from filterd.base.errors import ConfigError
from filterd.base.state_folder import StateFolder
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.neighbours import Neighbour, NeighbourClaims
from filterd.daemon.manager.site_loader import Unwritten
from filterd.daemon.process import Setting
from filterd.daemon.sealed_sites import SealedSites, seal
from filterd.daemon.serving import worker as worker_module
from filterd.daemon.serving.listening_sockets import Listening, listen_on
from filterd.daemon.serving.worker import Worker
from filterd.daemon.shared_page import SharedOverrides, SharedPage
from filterd.daemon.worker_channel import channel_pair
from filterd.lists.index import Index
from tests.support import oracle_messages as wire
from tests.support.oracle_answers import Oracle
from tests.support.oracle_lifetimes import ANSWERED_WITHIN_S, MORE_AFTER_A_CHANGE_S
from tests.support.oracle_questions import Asked
from tests.support.oracle_rules import (
    CLASSMATE,
    DELEGATIONS,
    DEVICES,
    LENT,
    LINK,
    PEOPLE,
    UNKNOWN,
    Rules,
)
from tests.support.oracle_servers import Server, Watch
from tests.support.oracle_stubs import Stub
from tests.support.oracle_upstream import Upstream
from tests.support.serving_fixtures import WITHOUT_FAST_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.policy.model import ListenAddress, Policy
    from filterd.resolve.query import Query
    from tests.support.clock import FakeClock
    from tests.support.oracle import Person
    from tests.support.oracle_loop import LoopOfClock
    from tests.support.oracle_steps import Step
    from tests.support.oracle_upstream import Heard

DENIED_FOR_S = 0.1
"""A worker need not check again at once whether a client may ask."""
RESTART_S = 3.0
"""How long it takes, always, so that a script knows the time."""
_STOP_STEP_S = 0.5
_LINKS = Links(lan=(Prefix(ip_network(LINK), "lo"),))


class _Blind:
    """Stands where ``Observer`` does; nothing of the machine's network is looked at."""

    def __init__(self, *_: object) -> None:
        pass

    async def start(self, _policy: object) -> None:
        """See nothing."""

    def apply(self, _policy: object) -> None:
        """See nothing."""

    async def close(self) -> None:
        """See nothing."""


class School:
    """Workers that serve; ``async with`` starts and stops them.

    Attributes:
        faults: what was wrong, in words.
        judged: how many replies were held against the oracle.
        waiting: questions without a reply, by client and ID.
        servers: the two upstreams, and a zone's own.
    """

    def __init__(
        self,
        folder: Path,
        loop: LoopOfClock,
        clock: FakeClock,
        rules: Rules,
        workers: int = 1,
        *,
        fast: bool = True,
    ) -> None:
        self._folder, self._loop, self.clock = folder, loop, clock
        self._fast, self._count = fast, workers
        self._order = 0
        self.upstream = Upstream(clock.monotonic, self.next_order)
        self.servers: list[Server] = []
        self.oracle = Oracle(self.upstream, clock, (rules,), workers=workers)
        self.workers: list[Worker] = []
        self.faults: list[str] = []
        self.judged = 0
        self.waiting: dict[tuple[str, int], Asked] = {}
        self._ident = 0
        self._mac = ""
        self._stopping = -1
        self._denied_at: dict[int, float] = {}
        self._stack = contextlib.AsyncExitStack()

    def next_order(self) -> int:
        """Number one more event."""
        self._order += 1
        return self._order

    async def __aenter__(self) -> Self:
        self._loop.set_exception_handler(self._failed)
        logs = _Errors(self.faults)
        logging.getLogger("filterd").addHandler(logs)
        self._stack.callback(logging.getLogger("filterd").removeHandler, logs)
        self._stack.enter_context(mock.patch.object(worker_module, "Observer", _Blind))
        if not self._fast:
            for name, plain in WITHOUT_FAST_PATH.items():
                self._stack.enter_context(mock.patch(name, plain))
        self._state = StateFolder(self._folder / "state")
        self._state.folder.mkdir(parents=True)
        (rules,) = self.oracle.possible
        self._open_servers()
        self._page, self._sites = SharedPage(), SealedSites(0)
        self._stack.callback(self._sites.close)
        policy = self._seal(0, rules)
        started = self.clock.monotonic()
        self._setting = Setting(
            self._folder,
            self._state,
            self.clock,
            self._page,
            SharedOverrides(),
            self._sites,
            Unwritten(),
            started,
            policy.listen,
            self._count,
        )
        self._listening: list[list[Listening]] = []
        self._ends: list[tuple[socket.socket, socket.socket]] = []
        for number in range(self._count):
            self._listening.append(_listen_on(policy.listen))
            self._ends.append(channel_pair())
            self.workers.append(await self._start(number))
        watch = self._watch()
        self._stubs = {one.address: Stub(one.address, watch, self._hear) for one in PEOPLE}
        for stub in self._stubs.values():
            self._stack.callback(stub.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        for number in range(self._count):
            await self._stop(number)
        dropped = sum(server.dropped for server in self.servers)
        dropped += sum(stub.dropped for stub in self._stubs.values())
        await self._stack.aclose()
        for opened in self._listening:
            for one in opened:
                one.udp.close()
                one.tcp.close()
        for pair in self._ends:
            for end in pair:
                end.close()
        assert not dropped, f"the kernel had no room for {dropped} datagrams to the test"

    # What may happen.

    def ask(
        self, worker: int, who: Person, name: str, qtype: int, message: bytes, **bits: Any
    ) -> Asked:
        """Send a question whose ID is put in here."""
        self._ident = (self._ident + 1) & 0xFFFF
        message = self._ident.to_bytes(2) + message[2:]
        clock = self.clock
        rules = self.oracle.possible[-1].at(clock.wall())
        asked = Asked(
            rules.seen(DEVICES[self._mac] if who is UNKNOWN else who),
            name,
            qtype,
            message,
            worker,
            self.next_order(),
            clock.monotonic(),
            clock.wall(),
            rules,
            **bits,
        )
        if rules.admits(who):
            denied_until = self._denied_at.get(worker, 0.0) + DENIED_FOR_S
            asked.abandoned = worker == self._stopping or clock.monotonic() <= denied_until
            self.waiting[who.address, self._ident] = asked
        else:
            self._denied_at[worker] = clock.monotonic()
        self.oracle.note_asked(asked)
        port = self._listening[worker][0].port
        self._stubs[who.address].send(message, port, by_tcp=asked.by_tcp)
        return asked

    def pass_time(self, seconds: float) -> None:
        """Let time pass; nothing happens yet."""
        self.clock.advance(seconds)
        for worker in self.workers:
            self._look_around(worker)

    def lend(self, mac: str) -> None:
        """Let another device have the address that is lent; it claims it alone."""
        self._mac = mac
        for worker in self.workers:
            self._look_around(worker)
        for asked in self.waiting.values():
            if asked.who.address == LENT:
                asked.also += (DEVICES[mac],)

    async def settle(self) -> None:
        """Let everything come about that can without time passing; then look for the lost."""
        await self._loop.idle()
        now = self.clock.monotonic()
        for key, asked in list(self.waiting.items()):
            patience = ANSWERED_WITHIN_S
            if asked.at <= self.oracle.lifetimes.changed_at:
                patience += MORE_AFTER_A_CHANGE_S
            if now >= asked.at + patience:
                del self.waiting[key]
                if not asked.abandoned:
                    by = "TCP" if asked.by_tcp else "UDP"
                    self.faults.append(
                        f"no reply by {by} to {asked.message.hex()}, asked for {asked.name} at "
                        f"{asked.at} of worker {asked.worker} by {asked.who}"
                    )

    async def change(
        self, rules: Rules, steps: Iterable[Step] = (), *, restart: int | None = None
    ) -> None:
        """Prepare rules, perhaps restart a worker, put them in force; take steps; confirm."""
        epoch = self._page.next_epoch()
        self._seal(epoch, rules)
        for worker in self.workers:
            await worker.prepare(epoch=epoch)
        if restart is not None:
            await self.restart(restart % self._count)
        await self.settle()
        self._page.site_epoch = epoch
        self._page.epoch = epoch
        self.oracle.lifetimes.changed_at = self.clock.monotonic()
        for asked in self.waiting.values():
            asked.abandoned |= not rules.admits(asked.who)
        self.oracle.possible = (rules,)
        for step in steps:
            await step.take(self)
        await self.settle()
        for worker in self.workers:
            await worker.confirm(epoch=epoch)

    async def restart(self, number: int) -> None:
        """End a worker as the supervisor does, and start the next in its place."""
        until = self.clock.monotonic() + RESTART_S
        await self._stop(number)
        self.pass_time(until - self.clock.monotonic())
        self.workers[number] = await self._start(number)
        self.oracle.hits["worker restart"] += 1

    # How it is done.

    async def _start(self, number: int) -> Worker:
        worker = Worker(self._setting, self._listening[number], self._ends[number][1])
        worker._surroundings.take_links(_LINKS)
        self._look_around(worker)
        await worker.start()
        respond = worker._path.resolver.respond

        def seen(query: Query) -> Any:
            ident = query.message.header.id
            asked = self.waiting.get((query.peer.address, ident))
            if asked is not None:
                asked.by_chain = True
            return respond(query)

        worker._path.resolver.respond = seen  # type: ignore[method-assign]
        return worker

    async def _stop(self, number: int) -> None:
        for asked in self.waiting.values():
            asked.abandoned |= asked.worker == number
        self._stopping = number
        stopping = self._loop.create_task(self.workers[number].stop())
        await self._loop.idle()
        while not stopping.done():
            self.pass_time(_STOP_STEP_S)
            await self._loop.idle()
        self._stopping = -1
        self.oracle.lifetimes.forget(number)
        for end in self._ends[number]:
            end.close()
        self._ends[number] = channel_pair()

    def _seal(self, epoch: int, rules: Rules) -> Policy:
        """Give the workers the policy and lists of an epoch."""
        policy = rules.policy([server.address for server in self.servers])
        index = Index.open(rules.compile_lists(self._folder / "lists"))
        self._sites.add(seal(epoch, policy, index, None))
        return policy

    def _look_around(self, worker: Worker) -> None:
        """Let a worker see which device has the address that is lent; it claims it alone."""
        neighbours = (Neighbour(ip_address(LENT), "lo", self._mac, True),) if self._mac else ()
        worker._surroundings.take_neighbours(())
        worker._surroundings._claims = NeighbourClaims()
        worker._surroundings.take_neighbours(neighbours)

    def _open_servers(self) -> None:
        addresses = "127.0.0.1", "127.0.0.1", CLASSMATE.address
        for number, address in enumerate(addresses):
            about = self.upstream, number, self._watch(), self._overhear, address
            server = Server(*about, DELEGATIONS[1:] if address == CLASSMATE.address else ())
            self.servers.append(server)
            self._stack.callback(server.close)

    def _watch(self) -> Watch:
        return Watch(self._loop.add_reader, self._loop.remove_reader)

    def _overhear(self, heard: Heard) -> None:
        fault = self.oracle.may_be_heard(heard, self.waiting.values())
        if fault is not None:
            self.faults.append(fault)

    def _hear(self, address: str, reply: bytes) -> None:
        asked = self.waiting.pop((address, int.from_bytes(reply[:2])), None)
        self.judged += 1
        if asked is None:
            self.faults.append(f"nobody waits for {reply.hex()}, sent to {address}")
            return
        fault = self.oracle.allowed(asked, reply)
        if fault is not None:
            now = self.clock.monotonic()
            self.faults.append(
                f"{asked.name} {asked.qtype} of {asked.who.grade} {address} at {asked.at}, {now}, "
                f"asked as {asked.message.hex()}, answered {reply.hex()}: {fault}"
            )
        elif reply[2] & wire.TC >> 8:
            self.oracle.hits["TC retried by TCP"] += 1
            self._ask_again(asked)

    def _ask_again(self, asked: Asked) -> None:
        """Ask by TCP, as a stub does."""
        who = UNKNOWN if asked.who.address == LENT else asked.who
        bits = {one: getattr(asked, one) for one in ("do", "cd", "rd", "ad", "edns", "size")}
        about = asked.name, asked.qtype, asked.message
        self.ask(asked.worker, who, *about, **bits, by_tcp=True)

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        self.faults.append(f"a callback failed: {context}")


class _Errors(logging.Handler):
    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        self._faults.append(f"logged: {self.format(record)}")


def _listen_on(addresses: Iterable[ListenAddress]) -> list[Listening]:
    while True:
        with contextlib.suppress(ConfigError):  # some connection has that port: take another
            opened = listen_on(addresses)
            for one in opened:
                # Else an answer waits for the last one's acknowledgement: for a real moment.
                one.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
