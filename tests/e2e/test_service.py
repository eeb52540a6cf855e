# SPDX-License-Identifier: Apache-2.0
"""The service under systemd: its notifications, one capability and one folder."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.support.commands import ROOT, environment
from tests.support.daemon import (
    SOURCES,
    WITHIN_S,
    Served,
    copy_lists,
    free_port,
    serving,
    write_site,
)
from tests.support.processes import children
from tests.support.unix_sockets import bind
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

WATCHDOG_S = 0.3
NOBODY = 65534


class ServiceManager:
    """The socket to which a service reports, as systemd has it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bind(self._socket, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def next(self, *, within_s: float = WITHIN_S) -> str:
        """Return the next report; empty if there is none in time."""
        self._socket.settimeout(within_s)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def until(self, words: str) -> list[str]:
        """Return all reports up to one."""
        reports = [self.next()]
        while reports[-1] != words:
            assert reports[-1], f"never told {words}, only {reports}"
            reports.append(self.next())
        return reports

    def forget(self) -> None:
        """Drop the notifications so far."""
        with contextlib.suppress(BlockingIOError):
            self._socket.setblocking(False)
            while self._socket.recv(4096):
                pass


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path) as listening:
        monkeypatch.setenv("NOTIFY_SOCKET", str(listening.path))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1_000_000)))
        yield listening


@pytest.fixture
def served(tmp_path: Path, built: StateFolder, manager: ServiceManager) -> Iterator[Served]:
    assert manager
    config = write_site(tmp_path / "site", port=free_port())
    with serving(config, copy_lists(built, tmp_path / "state").folder) as running:
        yield running


def test_systemd_is_notified_of_the_start_the_watch_and_the_end(
    served: Served, manager: ServiceManager
) -> None:
    manager.until("READY=1")
    for _ in range(3):
        assert manager.next() == "WATCHDOG=1"
    served.process.send_signal(signal.SIGTERM)
    reports = manager.until("STOPPING=1")
    assert "READY=1" not in reports
    assert manager.next(within_s=0.1) == ""
    assert served.process.wait(WITHIN_S) == 0


def test_what_forks_has_one_thread(served: Served, manager: ServiceManager) -> None:
    """Native libraries start threads that Python does not know."""
    manager.until("READY=1")
    assert len(list(Path(f"/proc/{served.process.pid}/task").iterdir())) == 1


def test_systemd_is_notified_when_the_stop_begins(served: Served, manager: ServiceManager) -> None:
    manager.until("READY=1")
    _, worker = children(served.process.pid)
    os.kill(worker, signal.SIGSTOP)  # so that it is not over at once
    served.process.send_signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    assert served.process.poll() is None
    os.kill(worker, signal.SIGCONT)
    assert served.process.wait(WITHIN_S) == 0


def test_the_watchdog_is_not_fed_while_the_only_worker_hangs(
    served: Served, manager: ServiceManager
) -> None:
    manager.until("WATCHDOG=1")
    _, worker = children(served.process.pid)
    os.kill(worker, signal.SIGSTOP)
    manager.forget()
    # The one question that it had answered may still be told of.
    assert "" in (manager.next(within_s=5 * WATCHDOG_S) for _ in range(2))
    os.kill(worker, signal.SIGCONT)
    manager.until("WATCHDOG=1")


def test_the_watchdog_is_fed_while_the_manager_hangs(
    served: Served, manager: ServiceManager
) -> None:
    """It is replaced after 15 s; all the time a worker answers."""
    manager.until("READY=1")
    hung, _ = children(served.process.pid)
    os.kill(hung, signal.SIGSTOP)
    manager.forget()
    for _ in range(10):  # more than could have been on the way
        assert manager.next() == "WATCHDOG=1"
    os.kill(hung, signal.SIGCONT)


def test_the_watchdog_is_fed_while_the_manager_dies_again_and_again(
    served: Served, manager: ServiceManager
) -> None:
    manager.until("READY=1")
    first, worker = children(served.process.pid)
    known = {first, worker}
    os.kill(first, signal.SIGKILL)
    for _ in range(6):
        os.kill(_started_since(served.process.pid, known), signal.SIGKILL)
        manager.forget()
        assert manager.next() == "WATCHDOG=1"
    assert worker in children(served.process.pid)


def _started_since(supervisor: int, known: set[int]) -> int:
    """Wait for another child than those; return it and note that it is known."""
    until(lambda: not known.issuperset(children(supervisor)), "another child")
    (pid,) = set(children(supervisor)) - known
    known.add(pid)
    return pid


def test_a_hanging_worker_is_replaced_within_the_longest_allowed_wait(
    served: Served, manager: ServiceManager
) -> None:
    manager.until("READY=1")
    _, worker = children(served.process.pid)
    os.kill(worker, signal.SIGSTOP)
    served.wait_for("the worker 1 does not react; ending it")
    manager.forget()
    manager.until("WATCHDOG=1")


IN_A_BOX = """
set -e
mount --make-rprivate /
mount --bind "{folder}/state" "{folder}/state"
{reach}
mount -o remount,bind,ro /
ip link set lo up
exec setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs \
    --inh-caps -all,+net_bind_service --ambient-caps -all,+net_bind_service \
    --bounding-set -all,+net_bind_service \
    "{python}" -m filterd serve --config "{folder}/site" --state "{folder}/state"
"""
REACH = """
mkdir "{folder}/python"
mount --bind "{prefix}" "{folder}/python"
mount -t tmpfs -o mode=755 tmpfs "{hidden}"
mkdir -p "{prefix}"
mount --bind "{folder}/python" "{prefix}"
"""
"""Hides the interpreter in a home that is closed to others."""

ASK = f"""
import dns.message, dns.query, dns.rcode
query = dns.message.make_query("www.tiktok.com", "A")
answer = dns.query.udp(query, "127.0.0.1", 10, 53, source={SOURCES["3"]!r})
print(dns.rcode.to_text(answer.rcode()))
"""


def _way_to_python(folder: Path) -> str:
    hidden = [
        parent for parent in Path(sys.base_prefix).parents if not parent.stat().st_mode & 0o001
    ]
    if not hidden:
        return ""
    return REACH.format(folder=folder, prefix=sys.base_prefix, hidden=hidden[-1])


@contextlib.contextmanager
def _in_a_box(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Serve as the user nobody, with the right to bind port 53 and to write the state only."""
    script = IN_A_BOX.format(
        folder=folder, user=NOBODY, python=sys.executable, reach=_way_to_python(folder)
    )
    with subprocess.Popen(
        ["unshare", "--mount", "--net", "bash", "-c", script],
        cwd=ROOT,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        stderr=subprocess.PIPE,
        text=True,
    ) as boxed:
        try:
            yield boxed
        finally:
            boxed.kill()


@pytest.mark.usefixtures("needs_root")
def test_port_53_and_one_folder_are_all_that_it_needs(built: StateFolder) -> None:
    with tempfile.TemporaryDirectory() as name:  # the folders of pytest are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        write_site(folder / "site", port=53)
        state = copy_lists(built, folder / "state").folder
        for path in (state, *state.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        with _in_a_box(folder) as boxed:
            assert boxed.stderr is not None
            said = [boxed.stderr.readline()]
            while "listens on" not in said[-1]:
                assert said[-1], said
                said.append(boxed.stderr.readline())
            assert said == ["filterd listens on 127.0.0.1 port 53\n"]
            asking = ["nsenter", f"--net=/proc/{boxed.pid}/ns/net", sys.executable, "-c", ASK]
            assert subprocess.check_output(asking, text=True) == "NXDOMAIN\n"
            status = Path(f"/proc/{boxed.pid}/status").read_text(encoding="ascii")
            assert re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\t(\w+)", status) == ["0000000000000400"] * 4
            boxed.terminate()
            assert boxed.wait(WITHIN_S) == 0
            assert boxed.stderr.read() == ""
