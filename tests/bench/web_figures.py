# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints figures
"""Measure the web process, and what it costs the lookups.

Run ``python -m tests.bench.web_figures``; it takes three minutes. The first page after the service
manager has passed a socket, pages after it, searches of a day of a million rows, the first view,
memory. Then lookups in paired turns, alone and beside 20 live tails, 1,000 connections that are
silent, eight clients that sign in with wrong passwords all the time. Wall times are those of the
moment's load; seconds of CPU are not.
"""

from __future__ import annotations

import asyncio
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
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.clock import SystemClock
from filterd.overrides.rights.roles import Role
from filterd.texts.rows import SchoolClock
from filterd.web import pages
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.bench.log_storage import make_day
from tests.bench.lookups_beside import compare, thread_cpu_s
from tests.bench.measuring import memory
from tests.support.commands import environment
from tests.support.day_lookups import ZONE
from tests.support.processes import children, resident_octets
from tests.support.web_school import BOX, UNVERIFIED, WebSchool, web_school

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGES, ROWS, SILENT, SIGNING, TAILS, OF_A_PERSON = 20, 1_000_000, 1000, 8, 20, 3
_SEARCHES = {
    "a part of a name": "name=site-77&match=part&days=7",
    "a part of every name, no row": "name=site-&match=part&action=refused&days=7",
    "the most frequent": "show=top&days=7",
}


def first_page(school: WebSchool) -> tuple[float, float]:
    """Return wall and CPU seconds from the connection to the page, the start included."""
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
            return time.perf_counter() - begin, thread_cpu_s(pid)
        finally:
            os.kill(pid, 15)
            os.waitpid(pid, 0)


def page_times(school: WebSchool, path: str, count: int = PAGES) -> list[float]:
    """Return the times of a page in ms, on a connection that is kept; the first does not count."""
    connection = http.client.HTTPSConnection(BOX, school.port, timeout=30, context=UNVERIFIED)
    found = []
    with contextlib.closing(connection):
        for _ in range(count + 1):
            begin = time.perf_counter()
            connection.request("GET", path, headers=school.cookie(Role.ADMIN))
            reply = connection.getresponse()
            assert reply.read()
            assert reply.status == 200, path
            found.append(1000 * (time.perf_counter() - begin))
    return found[1:]


def show_pages(school: WebSchool, manager: int) -> None:
    """Print the times of the pages of the menu, and the CPU of both processes."""
    times, used, before = dict[str, list[float]](), list[float](), 0.0
    processes = school.process.pid, manager
    for page in (one for _, group in pages.MENU for one in group):
        if Role.ADMIN in page.roles:
            before = sum(map(thread_cpu_s, processes))
            times[page.path] = page_times(school, page.path)
            used.append(1000 * (sum(map(thread_cpu_s, processes)) - before) / (PAGES + 1))
    every = sorted(one for some in times.values() for one in some)
    slowest = max(times, key=lambda path: statistics.median(times[path]))
    print(f"{len(times)} pages, kept connection     {statistics.median(every):.0f} ms, ", end="")
    print(f"p95 {every[int(0.95 * len(every))]:.0f} ms; CPU {statistics.fmean(used):.0f} ms")
    print(f"  of them the slowest        {slowest}, {statistics.median(times[slowest]):.0f} ms")


def first_view(school: WebSchool) -> tuple[int, int]:
    """Return the octets and the number of requests of a first view."""
    page = school.get("/").text
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    sizes = [len(page.encode()), *(len(school.get(part).text.encode()) for part in set(parts))]
    return sum(sizes), len(sizes)


@contextlib.contextmanager
def silent(school: WebSchool) -> Iterator[None]:
    """Hold many connections without a word."""
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
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def live_tails(school: WebSchool, tokens: list[str]) -> Iterator[None]:
    """Follow the lookups in as many browsers as are served at a time."""
    head = "GET /lookups/live HTTP/1.1\r\nHost: {}:{}\r\nAccept: text/event-stream\r\n"
    head += "Cookie: {}={}\r\n\r\n"
    with contextlib.ExitStack() as opened:
        for number in range(TAILS):
            tail = opened.enter_context(school.raw())
            token = tokens[number // OF_A_PERSON]
            tail.sendall(head.format(BOX, school.port, COOKIE, token).encode())
            assert tail.recv(4096).startswith(b"HTTP/1.1 200")
            reading = threading.Thread(target=_read_all, args=(tail,))
            reading.start()
            opened.callback(reading.join)
            opened.callback(tail.shutdown, socket.SHUT_RDWR)
        yield


def _read_all(tail: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while tail.recv(65_536):
            pass


def _tokens(school: WebSchool) -> list[str]:
    """Return the sessions of as many people as may have that many live tails."""
    found = []
    for number in range(-(-TAILS // OF_A_PERSON)):
        school.ask("account add", account=f"person{number}", roles=["admin"])
        code = school.ask("account code", account=f"person{number}")["code"]
        found.append(school.ask("login-code", address=BOX, code=code)["token"])
    return found


def _show_memory(school: WebSchool, label: str) -> None:
    """Print what is in memory; and of what other processes have too, this one's share."""
    of = memory(school.process.pid)
    resident = resident_octets(school.process.pid) / 1e6
    print(f"{label:26} {resident:.0f} MB, its share {sum(of) * 1.048576:.0f} MB")


def main() -> None:
    """Print the figures."""
    more = "log: {level: blocked}\n"
    with tempfile.TemporaryDirectory() as folder, web_school(Path(folder), more=more) as school:
        yesterday = SchoolClock(ZONE, SystemClock().wall()).shows(SystemClock().wall())
        day = yesterday.date() - timedelta(days=1)
        asyncio.run(make_day(school.served.state.log_days, ROWS, day))
        manager, worker = children(school.served.process.pid)
        school.token()
        _show_memory(school, "memory after the start")
        first = [first_page(school) for _ in range(5)]
        wall_s, cpu_s = map(statistics.median, zip(*first, strict=True))
        print(f"first page after a start   {wall_s:.2f} s, CPU {cpu_s:.2f} s")
        show_pages(school, manager)
        for name, query in _SEARCHES.items():
            times = page_times(school, f"/lookups?{query}", 5)
            print(f"search: {name:28} {min(times):.0f} to {max(times):.0f} ms")
        octets, requests = first_view(school)
        print(f"first view                 {octets / 1000:.1f} kB in {requests} requests")
        _show_memory(school, "memory when used")
        tokens = _tokens(school)
        loads: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
            "20 live tails": lambda: live_tails(school, tokens),
            "1,000 silent connections": lambda: silent(school),
            "wrong passwords": lambda: signing_in(school),
        }
        port = school.ask("status")["listen"][0]["port"]
        for name, load in loads.items():
            print(f"lookups, alone to beside {name}:")
            print(compare(port, worker, load))
            with load():
                begin = time.perf_counter()
                status = school.get("/login", None).status
                print(f"  a page meanwhile: {status} in {time.perf_counter() - begin:.2f} s")
                _show_memory(school, "  memory meanwhile")


if __name__ == "__main__":
    main()
