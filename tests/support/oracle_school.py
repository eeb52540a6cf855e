# SPDX-License-Identifier: Apache-2.0
"""A school in one event loop whose time is the test's: workers, their upstream, their clients.

The workers are real ones on real sockets and files. Each listens on a port of
its own, so that a step can say whom it asks. What a manager and a supervisor do
is done here step by step, so that anything may happen in between.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

from filterd.paths import StateFolder, install
from filterd.policy import store
from filterd.server import worker as worker_module
from filterd.server.channel import channel_pair
from filterd.server.life import Setting
from filterd.server.listening import Listening, listen_on
from filterd.server.page import SharedPage
from filterd.server.udp import UdpListener
from filterd.server.worker import Worker
from tests.support.oracle_answers import ANSWERED_WITHIN_S, Oracle
from tests.support.oracle_questions import Asked
from tests.support.oracle_rules import PEOPLE, Rules
from tests.support.oracle_upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.resolve.query import Query
    from tests.support.clock import FakeClock
    from tests.support.oracle import Person
    from tests.support.oracle_loop import LoopOfClock
    from tests.support.oracle_steps import Step

MORE_AFTER_A_CHANGE_S = 4.0
DENIED_FOR_S = 0.1
"""A worker need not ask again at once whether somebody may ask."""
RESTART_S = 3.0
"""How long it takes, always, so that a script knows the time."""
_STOP_STEP_S = 0.5
_SO_RCVBUFFORCE = 33


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
        self.oracle = Oracle(self.upstream, clock, (rules,))
        self.workers: list[Worker] = []
        self.faults: list[str] = []
        self.judged = 0
        self.waiting: dict[tuple[str, int], Asked] = {}
        self._ident = 0
        self._changed_at = 0.0
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
            self._stack.enter_context(
                mock.patch.object(worker_module, "UdpListener", _without_fast_path)
            )
        self._state = StateFolder(self._folder / "state")
        self._state.folder.mkdir(parents=True)
        (rules,) = self.oracle.possible
        policy = rules.policy(self.upstream.port)
        self._install_lists(rules)
        store.save(self._state.policy, policy)
        self._page = SharedPage()
        started = self.clock.monotonic()
        self._setting = Setting(
            self._folder, self._state, self.clock, self._page, started, policy.listen, self._count
        )
        self._listening: list[list[Listening]] = []
        self._ends: list[tuple[socket.socket, socket.socket]] = []
        for number in range(self._count):
            self._listening.append(listen_on(policy.listen))
            self._ends.append(channel_pair())
            self.workers.append(await self._start(number))
        self._open(self.upstream.socket, self.upstream.readable)
        self._stubs = {one.address: self._stub(one) for one in PEOPLE}
        return self

    async def __aexit__(self, *_: object) -> None:
        for number in range(self._count):
            await self._stop(number)
        await self._stack.aclose()
        for opened in self._listening:
            for one in opened:
                one.udp.close()
                one.tcp.close()
        for pair in self._ends:
            for end in pair:
                end.close()

    # What may happen.

    def ask(
        self, worker: int, who: Person, name: str, qtype: int, message: bytes, **bits: Any
    ) -> Asked:
        """Send a question whose ID is put in here."""
        self._ident = (self._ident + 1) & 0xFFFF
        message = self._ident.to_bytes(2) + message[2:]
        clock, rules = self.clock, self.oracle.possible[-1]
        asked = Asked(
            who,
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
            asked.abandoned = clock.monotonic() <= self._denied_at.get(worker, 0.0) + DENIED_FOR_S
            self.waiting[who.address, self._ident] = asked
        else:
            self._denied_at[worker] = clock.monotonic()
        self._stubs[who.address].sendto(message, ("127.0.0.1", self._listening[worker][0].port))
        return asked

    async def settle(self) -> None:
        """Let everything come about that can without time passing; then look for the lost."""
        await self._loop.idle()
        now = self.clock.monotonic()
        for key, asked in list(self.waiting.items()):
            patience = ANSWERED_WITHIN_S
            if asked.at <= self._changed_at:
                patience += MORE_AFTER_A_CHANGE_S
            if now >= asked.at + patience:
                del self.waiting[key]
                if not asked.abandoned:
                    self.faults.append(f"no reply to {asked.name} {asked.qtype} of {asked.who}")

    async def change(
        self, rules: Rules, steps: Iterable[Step] = (), *, restart: int | None = None
    ) -> None:
        """Prepare rules, perhaps restart a worker, put them in force; take steps; confirm."""
        candidate = self._state.candidate_policy
        before = self.oracle.possible[-1]
        self._install_lists(rules)
        if rules.world.listings != before.world.listings:
            # A worker that starts meanwhile may know the lists before the rules.
            self.oracle.possible = (_mixed(before, rules), before)
        store.save(candidate, rules.policy(self.upstream.port))
        epoch = self._page.next_epoch()
        for worker in self.workers:
            await worker.prepare(epoch=epoch, policy=str(candidate))
        if restart is not None:
            await self.restart(restart % self._count)
        await self.settle()
        install(candidate, self._state.policy)
        self._page.epoch = epoch
        self._changed_at = self.clock.monotonic()
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
        self.clock.advance(until - self.clock.monotonic())
        self.workers[number] = await self._start(number)
        self.oracle.hits["worker restart"] += 1

    # How it is done.

    async def _start(self, number: int) -> Worker:
        worker = Worker(self._setting, self._listening[number], self._ends[number][1])
        await worker.start()
        respond = worker._resolver.respond

        def seen(query: Query) -> Any:
            ident = query.message.header.id
            asked = self.waiting.get((query.peer.address, ident))
            if asked is not None:
                asked.by_chain = True
            return respond(query)

        worker._resolver.respond = seen  # type: ignore[method-assign]
        return worker

    async def _stop(self, number: int) -> None:
        for asked in self.waiting.values():
            asked.abandoned |= asked.worker == number
        stopping = self._loop.create_task(self.workers[number].stop())
        await self._loop.idle()
        while not stopping.done():
            self.clock.advance(_STOP_STEP_S)
            await self._loop.idle()
        for key in [one for one in self.oracle.held if one[0] == number]:
            del self.oracle.held[key]
        for end in self._ends[number]:
            end.close()
        self._ends[number] = channel_pair()

    def _install_lists(self, rules: Rules) -> None:
        install(rules.compile_lists(self._folder / "lists"), self._state.index)

    def _open(self, opened: socket.socket, readable: Any) -> None:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 22)
        self._loop.add_reader(opened, readable)
        self._stack.callback(opened.close)
        self._stack.callback(self._loop.remove_reader, opened)

    def _stub(self, who: Person) -> socket.socket:
        stub = socket.socket(type=socket.SOCK_DGRAM)
        stub.setblocking(False)
        stub.bind((who.address, 0))
        self._open(stub, lambda: self._hear(who, stub))
        return stub

    def _hear(self, who: Person, stub: socket.socket) -> None:
        while True:
            try:
                reply = stub.recv(4096)
            except BlockingIOError:
                return
            asked = self.waiting.pop((who.address, int.from_bytes(reply[:2])), None)
            self.judged += 1
            if asked is None:
                self.faults.append(f"nobody waits for {reply.hex()}, sent to {who.address}")
                continue
            fault = self.oracle.allowed(asked, reply)
            if fault is not None:
                now = self.clock.monotonic()
                self.faults.append(
                    f"{asked.name} {asked.qtype} of {who.address} at {asked.at}, {now}, asked as "
                    f"{asked.message.hex()}, answered {reply.hex()}: {fault}"
                )

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        self.faults.append(f"a callback failed: {context}")


class _Errors(logging.Handler):
    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        self._faults.append(f"logged: {self.format(record)}")


def _without_fast_path(*about: Any) -> UdpListener:
    return UdpListener(*about[:4])


def _mixed(before: Rules, after: Rules) -> Rules:
    return replace(before, world=replace(before.world, listings=after.world.listings))
