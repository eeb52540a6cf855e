# SPDX-License-Identifier: Apache-2.0
"""Measure DNS over TLS: memory, CPU beside TCP, a storm of handshakes beside UDP.

Run ``python -m tests.bench.tls_serving``; it takes a minute or two. The daemon has one core and
those who ask another; ``FILTERD_BOTH_CORES=1`` lets it have all. Both sides of a ratio are of the
same run and take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import uvloop

from tests.bench.measuring import ASKING, CORES, SERVING, TURNS, cpu_s, memory, ratios_text
from tests.support.commands import call
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.serving import TcpStub, TlsStub, any_certificate, make_certificate
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.daemon import Served

CONNECTIONS, STORM = 2_000, 500
STUBS, QUESTIONS = 20, 90
"""Of a turn: so many connections are asked so often each, one question at a time."""
STORM_WITHIN_S, UDP_WITHIN_S = 3.0, 0.002
WARM = a_query("www.example.com")
_EVERY_S, _REST_S = 0.001, 1.0
_numbers = count(256)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _real_time(priority: int) -> list[str]:
    """Return what keeps other work of the machine out of a figure, where that is allowed.

    Threads of one priority do not make way for each other then, so niceness is not counted on.
    """
    return ["chrt", "-f", str(priority)] if os.geteuid() == 0 else []


def address() -> str:
    """Return the address of a device that has not asked before."""
    number = next(_numbers)
    return f"127.10.{number >> 8}.{number & 255}"


def kilobytes_a_connection(daemon: Served, port: int) -> float:
    """Return what a connection takes, of very many that have asked once."""
    context, pid = any_certificate("dot"), daemon.process.pid
    with contextlib.ExitStack() as stack:
        before = 0.0
        for number in range(CONNECTIONS):
            stub = TlsStub(address(), ("127.0.0.1", port), context)
            stack.callback(stub.socket.close)
            stub.ask(WARM)
            if number == 0:  # what is there once for all of them
                before = memory(pid).private_mb
        open_now: int = _status(daemon)["tls"]["connections"]
        assert open_now == CONNECTIONS, f"{open_now} are open: this machine was too slow"
        return 1024 * (memory(pid).private_mb - before) / open_now


def cpu_us_a_question(pid: int, stubs: list[TcpStub]) -> float:
    """Return the CPU time of a question on connections that are open."""
    for stub in stubs:
        stub.ask(WARM)
    before = cpu_s(pid)
    for _ in range(QUESTIONS):
        for stub in stubs:
            stub.ask(WARM)
    spent = cpu_s(pid) - before
    for stub in stubs:
        stub.socket.close()
    return 1e6 * spent / (QUESTIONS * len(stubs))


def cpu_beside_tcp(pid: int, tcp: int, tls: int) -> Iterator[tuple[float, float]]:
    """Yield the CPU time of a question by TCP and by TLS, of each turn."""
    context = any_certificate("dot")
    for _ in range(TURNS):
        plain = [TcpStub(address(), ("127.0.0.1", tcp)) for _ in range(STUBS)]
        by_tcp = cpu_us_a_question(pid, plain)
        secured = [TlsStub(address(), ("127.0.0.1", tls), context) for _ in range(STUBS)]
        yield by_tcp, cpu_us_a_question(pid, list(secured))


async def storm(port: int) -> float:
    """Return how long it takes until all handshakes that begin at once are done."""
    context = any_certificate("dot")

    async def one(source: str) -> None:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, local_addr=(source, 0)
        )
        writer.transport.abort()

    began = perf_counter()
    await asyncio.gather(*(one(address()) for _ in range(STORM)))
    return perf_counter() - began


def watch(port: int) -> None:
    """Ask by UDP every millisecond until the input ends; print the seconds that each took."""
    with contextlib.suppress(PermissionError), socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind(("127.9.9.9", 0))
        stub.connect(("127.0.0.1", port))
        stub.settimeout(2)
        os.set_blocking(sys.stdin.fileno(), False)
        _say("ready")
        while sys.stdin.buffer.read(1) is None:
            began = perf_counter()
            stub.send(WARM)
            stub.recv(4_096)
            _say(str(perf_counter() - began))
            sleep(_EVERY_S)


@contextlib.contextmanager
def beside(port: int) -> Iterator[list[float]]:
    """Have somebody ask by UDP meanwhile; the seconds of each question are there at the end."""
    command = [*ASKING, *_real_time(50), sys.executable, "-m", "tests.bench.tls_serving", str(port)]
    found = list[float]()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield found
        finally:
            out, _ = process.communicate()
            found += map(float, out.split())


def p99_ms(seconds: list[float]) -> str:
    """Return the median, the 99th percentile and the longest."""
    ordered = sorted(seconds)
    part = (ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))], ordered[-1])
    return " / ".join(f"{1000 * one:.2f}" for one in part)


def _status(daemon: Served) -> dict[str, Any]:
    done = call("status", "--json", *daemon.options)
    found: dict[str, Any] = json.loads(done.out)
    return found


def _report(daemon: Served, udp: int, tls: int) -> None:
    pid = daemon.process.pid
    TcpStub("127.9.9.8", ("127.0.0.1", udp)).ask(WARM)
    _say(f"memory of all before the many: {memory(pid).private_mb:.1f} MB")
    _say(f"  a connection, of {CONNECTIONS}: {kilobytes_a_connection(daemon, tls):.1f} kB")
    _say("UDP while handshakes are made, ms: median / p99 / longest")
    for turn in range(3):
        with beside(udp) as quiet:
            sleep(_REST_S)
        with beside(udp) as busy:
            took_s = uvloop.run(storm(tls))
        _say(
            f"  turn {turn + 1}: quiet {p99_ms(quiet)}; {STORM} handshakes in {took_s:.2f} s:"
            f" {p99_ms(busy)} ({len(busy)} questions)"
        )
    pairs = list(cpu_beside_tcp(pid, udp, tls))
    by_tcp, by_tls = (statistics.median(column) for column in zip(*pairs, strict=True))
    _say(f"CPU of a warm question, µs: TCP {by_tcp:.1f}, TLS {by_tls:.1f}")
    _say(f"  TLS by TCP: {ratios_text([tls_us / tcp_us for tcp_us, tls_us in pairs])}")


def main() -> None:
    """Print the figures."""
    os.sched_setaffinity(0, {CORES[-1]})
    if os.geteuid() == 0:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    before = [*(() if os.environ.get("FILTERD_BOTH_CORES") else SERVING), *_real_time(20)]
    with tempfile.TemporaryDirectory() as name, FakeUpstream() as upstream:
        folder, udp, tls = Path(name), free_port(), free_port()
        upstream.add("www.example.com. 3600 IN A 198.18.0.1")
        more = f"listen_tls: ['127.0.0.1:{tls}']\n"
        config = write_site(folder / "site", port=udp, upstream=upstream.port, more=more)
        state = build_lists(config, folder / "state")
        make_certificate(state.web)
        with serving(config, folder / "state", before=before) as daemon:
            while True:
                with contextlib.suppress(OSError, ssl.SSLError):
                    TlsStub("127.9.9.7", ("127.0.0.1", tls)).socket.close()
                    break
                sleep(0.1)
            _report(daemon, udp, tls)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        watch(int(sys.argv[1]))
    else:
        main()
