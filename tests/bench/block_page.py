# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure the page of pupils: CPU a page, memory, and what it costs the lookups.

Run ``python -m tests.bench.block_page``. Pages of one device, of 200 devices, and of names that
were not asked for before; then with a thousand silent connections. Then what it costs the lookups
that 200 phones open a page each second (``lookups_beside``).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.lookups_beside import compare, thread_cpu_s
from tests.support.commands import ROOT, environment
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.processes import children
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PHONES, SILENT = 200, 1_000


def _memory_mb(pid: int, what: str) -> float:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if what in one]
    return int(line.split()[1]) / 1024


def _get(port: int, source: str, host: str) -> bool:
    """Get a page as a phone; return whether it came whole."""
    with socket.socket() as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        phone.settimeout(10)
        phone.bind((source, 0))
        phone.connect(("127.0.0.1", port))
        phone.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        reply = b"".join(iter(lambda: phone.recv(65_536), b""))
    return reply.startswith(b"HTTP/1.1 200") and reply.endswith(b"</html>")


def _phone(n: int) -> str:
    return f"127.0.6.{n % PHONES + 1}"


def pages(port: int, pid: int, n: int, name: Callable[[int], tuple[str, str]]) -> float:
    """Return milliseconds of CPU a page."""
    before = thread_cpu_s(pid)
    assert all(_get(port, *name(number)) for number in range(n))
    return (thread_cpu_s(pid) - before) / n * 1e3


@contextlib.contextmanager
def _bell(port: int) -> Iterator[None]:
    """Have 200 phones open a page each second: another name each time."""
    ended = threading.Event()

    def open_all() -> None:
        second = 0
        while not ended.is_set():
            begin = time.perf_counter()
            for number in range(PHONES):
                _get(port, _phone(number), f"s{second}.facebook.com")
            second += 1
            ended.wait(max(0.0, begin + 1 - time.perf_counter()))

    phones = threading.Thread(target=open_all)
    phones.start()
    try:
        yield
    finally:
        ended.set()
        phones.join()


@contextlib.contextmanager
def _silent(port: int) -> Iterator[int]:
    """Open silent connections, from as many devices as they need."""
    with contextlib.ExitStack() as kept:
        for number in range(SILENT):
            one = kept.enter_context(socket.socket())
            one.bind((f"127.0.7.{number % 250 + 1}", 0))
            one.connect(("127.0.0.1", port))
        yield SILENT


def _print(label: str, figure: str) -> None:
    print(f"{label:46} {figure}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        dns, port = free_port(), free_port()
        config = write_site(Path(folder) / "site", port=dns)
        state = build_lists(config, Path(folder) / "state")
        served = running.enter_context(serving(config, state.folder))
        words = ["blockpage", *served.options, "--listen", f"127.0.0.1:{port}"]
        page = subprocess.Popen(
            [sys.executable, "-m", "filterd", *words], cwd=ROOT, env=environment()
        )
        running.callback(page.wait)
        running.callback(page.terminate)
        until(lambda: _is_there(port), "the page")
        os.sched_setaffinity(page.pid, {min(os.sched_getaffinity(0))})
        _print("memory at the start, MB", f"{_memory_mb(page.pid, 'VmRSS'):.1f}")
        kinds: dict[str, Callable[[int], tuple[str, str]]] = {
            "of one device": lambda _: (_phone(0), "www.tiktok.com"),
            "of 200 devices, one name": lambda n: (_phone(n), "facebook.com"),
            "of names not asked before": lambda n: (_phone(n), f"n{n}.facebook.com"),
        }
        for label, name in kinds.items():
            cost = pages(port, page.pid, given.pages, name)
            _print(f"a page {label}, ms of CPU", f"{cost:.2f} ({1e3 / cost:.0f}/s a core)")
        _print("memory after these, MB", f"{_memory_mb(page.pid, 'VmRSS'):.1f}")
        with _silent(port) as silent:
            begin = time.perf_counter()
            until(lambda: _is_there(port), "a page")
            _print(
                f"a page beside {silent} silent ones after, s", f"{time.perf_counter() - begin:.1f}"
            )
            _print("memory with them, MB", f"{_memory_mb(page.pid, 'VmHWM'):.1f}")
        _, worker = children(served.process.pid)
        _print("lookups, alone to 200 phones a second:", "")
        print(compare(dns, worker, lambda: _bell(port)))


def _is_there(port: int) -> bool:
    with contextlib.suppress(OSError):
        return _get(port, _phone(0), "www.tiktok.com")
    return False


if __name__ == "__main__":
    main()
