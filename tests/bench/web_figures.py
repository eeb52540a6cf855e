# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints figures
"""Measure the web process, and what attacks on it cost the lookups.

Run ``python -m tests.bench.web_figures``; it takes half a minute. The first page after the
service manager has passed a socket, pages after it, the first view, memory. Then the latency of
blocked lookups by turns: alone, beside 1,000 connections that are silent, beside eight clients
that sign in with wrong passwords all the time.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.web.cookies import SESSION as COOKIE
from tests.support.commands import environment
from tests.support.daemon import SOURCES, asked
from tests.support.processes import resident_octets
from tests.support.web_school import BOX, UNVERIFIED, WebSchool, web_school
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES, TURNS, TURN_S, SILENT, SIGNING = 200, 4, 1.5, 1000, 8
_BLOCKED = a_query("www.tiktok.com")


def _ms(times: list[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[int(0.95 * len(ordered))]
    return f"{1000 * statistics.median(ordered):.2f} ms (p95 {1000 * p95:.2f} ms)"


def first_page_s(school: WebSchool) -> float:
    """Return the time from the connection to the page, with the process to be started."""
    words = [sys.executable, "-m", "filterd", "web", *school.served.options]
    code = "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); "
    code += "os.execv(sys.argv[1], sys.argv[1:])"
    with socket.create_server((BOX, 0)) as listening:
        begin = time.perf_counter()
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-S", "-c", code, *words],
            environment(LISTEN_FDS="1"),
            file_actions=[(os.POSIX_SPAWN_DUP2, listening.fileno(), 3)],
        )
        port = listening.getsockname()[1]
        try:
            connection = http.client.HTTPSConnection(BOX, port, timeout=30, context=UNVERIFIED)
            connection.request("GET", "/", headers={"Cookie": f"{COOKIE}={school.token()}"})
            assert connection.getresponse().read()
            return time.perf_counter() - begin
        finally:
            os.kill(pid, 15)
            os.waitpid(pid, 0)


def page_times(school: WebSchool) -> list[float]:
    """Return the times of pages on a connection that is kept."""
    connection = http.client.HTTPSConnection(BOX, school.port, timeout=30, context=UNVERIFIED)
    found = []
    for _ in range(PAGES):
        begin = time.perf_counter()
        connection.request("GET", "/", headers=school.cookie(next(iter(school.tokens))))
        assert connection.getresponse().read()
        found.append(time.perf_counter() - begin)
    return found


def first_view(school: WebSchool) -> tuple[int, int]:
    """Return the octets and the number of requests of a first view."""
    page = school.get("/").text
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    sizes = [len(page.encode()), *(len(school.get(one).text.encode()) for one in set(parts))]
    return sum(sizes), len(sizes)


def lookup_times(school: WebSchool) -> list[float]:
    """Return the times of blocked lookups of a turn."""
    text = (school.served.config / "site.yaml").read_text(encoding="utf-8")
    port, found = int(re.findall(r"listen: \['127.0.0.1:(\d+)'\]", text)[0]), []
    end = time.perf_counter() + TURN_S
    while (begin := time.perf_counter()) < end:
        asked(port, _BLOCKED, SOURCES["6"])
        found.append(time.perf_counter() - begin)
        time.sleep(0.005)
    return found


@contextlib.contextmanager
def silent(school: WebSchool) -> Iterator[None]:
    """Hold many connections without a word, and make them anew when they are closed."""
    with contextlib.ExitStack() as opened:
        for _ in range(SILENT):
            connection = opened.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex((BOX, school.port))
        yield


@contextlib.contextmanager
def signing_in(school: WebSchool) -> Iterator[None]:
    """Sign in with wrong passwords from several clients, all the time."""
    stop = threading.Event()

    def sign_in() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                school.post("/login", None, account="admin", password="wrong password")

    threads = [threading.Thread(target=sign_in) for _ in range(SIGNING)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, web_school(Path(folder)) as school:
        school.token()
        print(f"memory after the start     {resident_octets(school.process.pid) / 1e6:.0f} MB")
        first = [first_page_s(school) for _ in range(5)]
        print(f"first page after a start   {statistics.median(first):.2f} s of 5")
        print(f"pages, connection kept     {_ms(page_times(school))}")
        octets, requests = first_view(school)
        print(f"first view                 {octets / 1000:.1f} kB in {requests} requests")
        print(f"memory when used           {resident_octets(school.process.pid) / 1e6:.0f} MB")
        attacks = {"silent connections": silent, "wrong passwords": signing_in}
        for name, attack in attacks.items():
            alone, beside = list[float](), list[float]()
            for _ in range(TURNS):
                alone += lookup_times(school)
                with attack(school):
                    beside += lookup_times(school)
            ratio = statistics.median(beside) / statistics.median(alone)
            print(f"blocked lookups alone      {_ms(alone)}")
            print(f"  beside {name:<18}  {_ms(beside)}, ratio of medians {ratio:.2f}")
            begin = time.perf_counter()
            with attack(school):
                status = school.get("/login", None).status
            print(f"  a page meanwhile: {status} in {time.perf_counter() - begin:.2f} s")
        print(f"memory after the attacks   {resident_octets(school.process.pid) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
