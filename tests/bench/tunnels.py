# SPDX-License-Identifier: Apache-2.0
"""Measure how soon a tunnel is noticed, what is taken for one, and what noticing costs.

Run ``python -m tests.bench.tunnels [questions]``. Three tables: seconds until the counter of one
worker of several notices each program at each rate, by its own clock; false alarms among so many
made-up questions of a school day, and among the popular names of ``../shared/data``; and the CPU
time of a miss with the counter beside the same without it, in turns of one run, by names such as
a lesson asks for, by long names of as many domains, and by those of a tunnel.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rcode

from filterd.fastpath.core_filler import Relay
from filterd.resolve.tunnel_counter import TunnelCounter
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.relaying import School, listed
from tests.support.tunnelling import FLOODS, ORDINARY, TUNNELS, popular
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN = "t.tunnel.example.com"
RATES, WORKERS = (620, 100, 20, 5), (1, 2, 4)
QUESTIONS, DEVICES, DAY_S = 1_000_000, 500, 6 * 3600
TURNS, A_TURN = 60, 100


def seconds_until_noticed(program: str, a_second: float, workers: int) -> float | None:
    """Return when one worker with its share notices a program; None for not within an hour."""
    clock = FakeClock()
    counter = TunnelCounter(clock.monotonic, lambda _: 1, workers)
    began, share = clock.monotonic(), a_second / workers
    for name in islice(TUNNELS[program](DOMAIN, random.Random(1)), round(3600 * share)):
        counter.note(name, 1)
        if counter.facts(0.0)["at"] is not None:
            return clock.monotonic() - began
        clock.advance(1 / share)
    return None


def false_alarms(questions: int) -> int:
    """Return the alarms among questions of a school day, by many devices: nine in ten of pages."""
    clock, rng = FakeClock(), random.Random(2)
    counter, alarms = TunnelCounter(clock.monotonic, lambda _: 1, 2), 0
    pages = [names.from_text(f"cdn-{n % 7}.{one}") for n, one in enumerate(popular())]
    others = [ask(rng) for ask in (*ORDINARY.values(), *FLOODS.values())]
    for _ in range(questions):
        page = rng.random() < 0.9
        name = rng.choice(pages) if page else next(rng.choice(others))
        counter.note(name, rng.randrange(DEVICES))
        alarms += counter.facts(0.0)["at"] is not None
        clock.advance(DAY_S / questions)
    return alarms


def _miss(rng: random.Random) -> str:
    return f"u{rng.randrange(16**4):x}.ok-{rng.randrange(50_000)}.com"


def _long_names(rng: random.Random) -> str:
    return f"{rng.randbytes(12).hex()}.ok-{rng.randrange(10**9)}.com"


def _tunnel(rng: random.Random) -> str:
    return names.to_text(next(TUNNELS["iodine up"](DOMAIN, rng)))


ASKED: dict[str, Callable[[random.Random], str]] = {
    "a lesson": _miss,
    "long names of as many domains": _long_names,
    "a tunnel": _tunnel,
}


def _nxdomain(query: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


class Costs:
    """One school, whose relay has the counter or has not."""

    def __init__(self, school: School) -> None:
        self._school, self._serving = school, school.serving
        self._id = 0
        self.relays = {is_on: self._relay(is_on=is_on) for is_on in (False, True)}

    def _relay(self, *, is_on: bool) -> Relay:
        one = self._serving
        fast, note = one.fast, one.tunnels.note if is_on else None
        assert fast is not None
        return one.run(lambda: Relay(fast, one.store, one.forwarder, one.stepper, one.clock, note))

    def us_a_miss(self, relay: Relay, texts: list[str]) -> float:
        """Return the microseconds of CPU that the serving thread takes for a miss."""
        serving = self._serving
        serving.run(lambda: setattr(serving.udp[0], "_relay", relay))
        before = serving.run(time.thread_time)
        with serving.stub("127.0.1.1") as stub:
            for text in texts:
                self._id = (self._id + 1) % 65_536
                stub.send(a_query(text, message_id=self._id))
                stub.receive()
        return (serving.run(time.thread_time) - before) / len(texts) * 1e6


def show_costs() -> None:
    """Print the CPU time of a miss without the counter and with it."""
    with tempfile.TemporaryDirectory() as folder:
        index = listed(Path(folder))
        with School(index, fast=True) as school:
            school.upstream.respond = _nxdomain
            costs, rng = Costs(school), random.Random(3)
            for title, draw in ASKED.items():
                of_turns: dict[bool, list[float]] = {False: [], True: []}
                for turn in range(TURNS + 1):
                    for is_on in (False, True) if turn % 2 else (True, False):
                        texts = [draw(rng) for _ in range(A_TURN)]
                        cost = costs.us_a_miss(costs.relays[is_on], texts)
                        if turn:  # in the first one memory is touched for the first time
                            of_turns[is_on].append(cost)
                # What the machine does beside only adds: the cheapest tenth of the turns is ours.
                before, after = (
                    statistics.quantiles(of_turns[is_on], n=10)[0] for is_on in (False, True)
                )
                ratio = after / before
                _say(f"  {title:<32} {before:6.1f} us {after:6.1f} us  ratio {ratio:.3f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(questions: int) -> None:
    """Print the three tables."""
    _say("seconds until it is noticed, of 1, 2, 4 workers, at questions a second:")
    for program in TUNNELS:
        for a_second in RATES:
            found = [seconds_until_noticed(program, a_second, workers) for workers in WORKERS]
            shown = "".join("    none" if one is None else f"{one:8.1f}" for one in found)
            _say(f"  {program:<12} {a_second:>4}{shown}")
    _say(f"false alarms in {questions} questions: {false_alarms(questions)}")
    _say("CPU of a miss, without the counter and with it:")
    show_costs()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS)
