# SPDX-License-Identifier: Apache-2.0
"""A card that cannot be read any more takes no answer away, at a start or later."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.lists.index_format import HEADER_OCTETS, IndexHeader
from tests.support.bad_card import PAGE_OCTETS, bad_pages, dead_folder
from tests.support.commands import ROOT, call, environment
from tests.support.daemon import (
    WITHIN_S,
    asked,
    copy_lists,
    free_port,
    serving,
    starting,
    write_site,
)
from tests.support.processes import children
from tests.support.waiting import ask, is_blocked, until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")

CONTROL_S = 3.0
LEFT_WITHIN_S = 12.0
"""4 s until it is noticed; the rest is for a machine with other work."""
LOCKED, ADDED = "www.pornhub.com", "added.example"
BLOCK = f"exceptions:\n  - {{block: {ADDED}, reason: vì thế}}\n"
MAPS_FILES = """
import mmap, os
from filterd.base import sealed_memory

class Mapped(sealed_memory.SealedMemory):
    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDONLY)

    def map(self):
        return mmap.mmap(self.descriptor, self.octets, access=mmap.ACCESS_READ)

of_file = lambda descriptor, *_: Mapped(os.readlink(f"/proc/self/fd/{descriptor}"))
sealed_memory.SealedMemory.of_file = of_file
from filterd.cli.entry import main; main()
"""
"""A daemon that maps the file of its lists, as all did once."""
LOADS_FILES = """
from filterd.daemon import sealed_sites
from filterd.daemon.manager import site_loader
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.daemon.serving import worker

def from_disk(setting, surroundings):
    load = site_loader.loader(setting, surroundings, VerifiedIndexes())
    return lambda epoch=None: load()

worker.SealedSiteLoader = from_disk
from filterd.cli.entry import main; main()
"""
"""A daemon whose workers load the files in place, as all did once."""
NAMES_ITS_SERVERS = """
from pathlib import Path
from filterd.upstream import resolv_conf
resolv_conf.RESOLV_CONF = Path({path!r})
{more}
from filterd.cli.entry import main; main()
"""
"""A daemon with a resolv.conf of its own."""
READS_ITS_SERVERS = """
from types import SimpleNamespace
from filterd.daemon import sealed_sites
sealed_sites.resolv_conf = SimpleNamespace(
    servers_with=lambda upstreams, listen, _: resolv_conf.servers(upstreams, listen),
    read_last=resolv_conf.read_last,
)
"""
"""Each worker reads it, as all did once."""
SERVES = "-m", "filterd"
WAITS_FOR_ITS_CHILDREN = """
from filterd.daemon.serving import supervisor
supervisor._MOST_LEFT = 0
from filterd.cli.entry import main; main()
"""
"""A supervisor that replaces a process once it has ended, as all did once."""
RUNS_IP = """
from filterd.clients import observer
from filterd.clients.interfaces import IpCommand
observer.KernelTables = IpCommand
from filterd.cli.entry import main; main()
"""
"""A daemon whose workers run ``ip`` to see the network, as all did once."""
WAITS_FOR_ITS_JOURNAL = """
import os
from filterd.base import journal
journal._StandardError.write = staticmethod(lambda text: os.write(2, text.encode()))
from filterd.cli.entry import main; main()
"""
"""A daemon that waits until its lines are taken, as all did once."""
COUNTS_READS = """
import os, sys

def of_child():
    own = os.getpid()
    def hear(event, arguments):
        name = str(arguments[0]) if arguments else ""
        is_ours = event == "import" or (event == "open" and name.startswith(sys.argv[-1]))
        if is_ours and not name.endswith("log.key"):
            os.write(2, f"read by {own}: {name}\\n".encode())
    sys.addaudithook(hear)

os.register_at_fork(after_in_child=of_child)
from filterd.cli.entry import main; main()
"""
"""A daemon whose processes say what they import, and which files of the state they open."""


class School:
    """A site with a state folder of its own."""

    def __init__(self, folder: Path, built: StateFolder) -> None:
        self.port, self.folder = free_port(), folder
        self.state = copy_lists(built, folder / "state")
        self.config = write_site(folder / "site", port=self.port)

    def previous(self) -> None:
        """Have the lists before be there, too."""
        self.state.previous_index.write_bytes(self.state.index.read_bytes())

    def page_of_names(self) -> int:
        """Return the number of a page of the index where its names stand."""
        content = self.state.index.read_bytes()
        blocks = IndexHeader.parse(content[:HEADER_OCTETS], len(content)).spans["blocks"]
        return (blocks.offset + blocks.length // 2) // PAGE_OCTETS

    def block(self) -> None:
        """Block one more name, in its files."""
        write_site(self.config, port=self.port, more=BLOCK)


@contextlib.contextmanager
def _dead(school: School) -> Iterator[None]:
    """Have nothing of its folders be readable any more."""
    with dead_folder(school.state.folder), dead_folder(school.config):
        yield


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> School:
    return School(tmp_path, built)


def _workers(served: Served) -> list[int]:
    return children(served.process.pid)[1:]


def _kill(served: Served, pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        served.wait_for("ended (signal 9)")


def _indexes(served: Served) -> set[int]:
    """Return the memory of lists that any process has open or mapped, by its number."""
    found = set[int]()
    for pid in (served.process.pid, *children(served.process.pid)):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if "memfd:filterd-index" in str(one.readlink()):
                    found.add(one.stat().st_ino)
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
        found |= {int(line.split()[4]) for line in maps if "memfd:filterd-index" in line}
    return found


@pytest.mark.usefixtures("needs_fuse")
def test_a_start_with_a_bad_sector_in_the_lists_goes_on_with_those_before(school: School) -> None:
    school.previous()
    with (
        bad_pages(school.state.index, [school.page_of_names()]),
        serving(school.config, school.state.folder) as served,
    ):
        said = "\n".join(served.log)
        assert f"{school.state.index}: cannot be read: Input/output error" in said
        assert "look after this disk" in said
        assert "Traceback" not in said
        assert is_blocked(school.port, LOCKED)


@pytest.mark.usefixtures("needs_fuse")
def test_a_start_with_every_sector_bad_compiles_what_ships(school: School) -> None:
    pages = range(-(-school.state.index.stat().st_size // PAGE_OCTETS))
    with (
        bad_pages(school.state.index, pages),
        serving(school.config, school.state.folder) as served,
    ):
        assert "Traceback" not in "\n".join(served.log)
        assert is_blocked(school.port, LOCKED)


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_start_that_maps_the_lists_ends_without_a_word(school: School) -> None:
    school.previous()
    with (
        bad_pages(school.state.index, [school.page_of_names()]),
        starting(school.config, school.state.folder, program=("-c", MAPS_FILES)) as served,
    ):
        assert served.process.wait(WITHIN_S) == -signal.SIGBUS


@pytest.mark.usefixtures("needs_fuse")
def test_a_sector_that_becomes_bad_later_ends_no_process(school: School) -> None:
    pages = range(-(-school.state.index.stat().st_size // PAGE_OCTETS))
    with (
        bad_pages(school.state.index, pages, later=True) as card,
        serving(school.config, school.state.folder) as served,
    ):
        assert is_blocked(school.port, LOCKED)
        before = children(served.process.pid)
        card.spoil()
        assert is_blocked(school.port, LOCKED)
        assert ask(school.state.control_socket, "lists")
        assert children(served.process.pid) == before
        _kill(served, _workers(served))
        assert is_blocked(school.port, LOCKED)


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_sector_that_becomes_bad_later_ends_workers_that_map_the_lists(
    school: School,
) -> None:
    pages = range(-(-school.state.index.stat().st_size // PAGE_OCTETS))
    with (
        bad_pages(school.state.index, pages, later=True) as card,
        serving(school.config, school.state.folder, program=("-c", MAPS_FILES)) as served,
    ):
        assert is_blocked(school.port, LOCKED)
        card.spoil()
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.sendto(a_query("www.xvideos.com"), ("127.0.0.1", school.port))
        served.wait_for("ended (signal 7)")


@pytest.mark.usefixtures("needs_fuse")
def test_workers_and_manager_begin_anew_while_nothing_can_be_read(school: School) -> None:
    with serving(school.config, school.state.folder) as served:
        school.block()
        assert call("reload", *served.options).code == 0
        with _dead(school):
            for _ in range(3):
                _kill(served, _workers(served))
                assert is_blocked(school.port, LOCKED)
                assert is_blocked(school.port, ADDED), "what the last reload has put in force"
            _kill(served, children(served.process.pid)[:1])
            assert is_blocked(school.port, LOCKED)
            _kill(served, _workers(served))
            assert is_blocked(school.port, ADDED)
        assert "compiling" not in "\n".join(served.log)


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_workers_that_load_files_do_not_begin_while_nothing_can_be_read(
    school: School,
) -> None:
    program = ("-c", LOADS_FILES)
    with serving(school.config, school.state.folder, program=program) as served, _dead(school):
        for pid in _workers(served):
            os.kill(pid, signal.SIGKILL)
        served.wait_for("the worker 1 ended (exit status 1)")


def test_a_worker_begins_with_what_is_in_force_whatever_is_in_place(school: School) -> None:
    """What nobody has put in force may be older, or wait for the guard."""
    with serving(school.config, school.state.folder) as served:
        before = school.state.policy.read_bytes()
        school.block()
        assert call("reload", *served.options).code == 0
        school.state.policy.write_bytes(before)
        _kill(served, _workers(served))
        assert is_blocked(school.port, ADDED)


def test_memory_holds_one_set_of_lists_however_often_it_is_replaced(school: School) -> None:
    with serving(school.config, school.state.folder) as served:
        assert len(_indexes(served)) == 1
        seen = set[int]()
        for _ in range(3):
            _kill(served, _workers(served))
            fresh = school.state.index.read_bytes()
            school.state.fresh_index.write_bytes(fresh)
            school.state.fresh_index.replace(school.state.index)
            assert call("reload", *served.options).code == 0
            until(lambda: len(_indexes(served)) == 1, "that those before are let go")
            seen |= _indexes(served)
        assert len(seen) == 3


def test_however_often_workers_die_the_supervisor_opens_nothing_for_good(school: School) -> None:
    with serving(school.config, school.state.folder) as served:
        place = Path(f"/proc/{served.process.pid}/fd")
        before = len([*place.iterdir()])
        for _ in range(5):
            _kill(served, _workers(served))
            assert is_blocked(school.port, LOCKED)
        assert len([*place.iterdir()]) == before


def test_a_worker_imports_nothing_and_opens_no_file_of_the_state(school: School) -> None:
    with serving(school.config, school.state.folder, program=("-c", COUNTS_READS)) as served:
        first = _workers(served)
        _kill(served, first)
        assert is_blocked(school.port, LOCKED)
        assert not is_blocked(school.port, "example.com")
        second = _workers(served)
        served.end()
        said = [line for line in served.log if line.startswith("read by ")]
        assert said, "the manager does"
        mine = tuple(f"read by {pid}:" for pid in (*first, *second))
        assert [line for line in said if line.startswith(mine)] == []


@pytest.mark.long
@pytest.mark.usefixtures("needs_fuse")
def test_a_worker_with_900_000_names_is_there_in_a_second_though_nothing_can_be_read(
    school: School,
) -> None:
    """The time of its processor counts, because others may use the machine."""
    names = "".join(
        f"n{number * 7919 % 999_983}.made{number % 97}.test\n" for number in range(900_000)
    )
    school.folder.joinpath("site", "many.txt").write_text(names, encoding="ascii")
    more = "lists: [{id: many, file: many.txt, category: gambling}]\n"
    write_site(school.config, port=school.port, more=more)
    folders = ("--config", school.config, "--state", school.state.folder)
    assert call("lists", "build", "--quiet", *folders).code == 0
    with serving(school.config, school.state.folder) as served, _dead(school):
        for _ in range(5):
            _kill(served, _workers(served))
            began = SystemClock().monotonic()
            assert is_blocked(school.port, LOCKED)
            (worker,) = _workers(served)
            fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
            used_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            assert used_s < 1.0
            assert SystemClock().monotonic() - began < WITHIN_S


@contextlib.contextmanager
def _with_bad_servers(school: School, more: str = "", *, hangs: bool) -> Iterator[Served]:
    """Serve with the system's servers, from a file that cannot be read once the first serve."""
    path = school.folder / "resolv.conf"
    path.write_text("nameserver 192.0.2.53\n", encoding="ascii")
    site = school.config / "site.yaml"
    text = site.read_text(encoding="utf-8").replace("'127.0.0.1:9'", "system")
    site.write_text(text, encoding="utf-8")
    program = ("-c", NAMES_ITS_SERVERS.format(path=str(path), more=more))
    with (
        serving(school.config, school.state.folder, program=program) as served,
        bad_pages(path, [0], hangs=hangs),
    ):
        yield served


def _servers(school: School) -> list[str]:
    found = ask(school.state.control_socket, "status")["upstreams"]
    return [one["address"] for one in found]


@pytest.mark.usefixtures("needs_fuse")
@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
def test_a_worker_begins_with_the_system_s_servers_though_their_file(
    school: School, hangs: bool
) -> None:
    with _with_bad_servers(school, hangs=hangs) as served:
        for _ in range(2):
            _kill(served, _workers(served))
            assert is_blocked(school.port, LOCKED)
            assert _servers(school) == ["192.0.2.53"]


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_worker_that_reads_a_file_that_hangs_does_not_begin(school: School) -> None:
    with _with_bad_servers(school, READS_ITS_SERVERS, hangs=True) as served:
        _kill(served, _workers(served))
        with pytest.raises(TimeoutError):
            asked(school.port, a_query(LOCKED), within_s=CONTROL_S)


@contextlib.contextmanager
def _with_programs_that_hang(school: School, program: tuple[str, str] = SERVES) -> Iterator[Served]:
    """Serve while no program of the system that may be run begins."""
    folder = school.folder / "bin"
    folder.mkdir()
    path = folder / "ip"
    path.write_text("#!/bin/sh\necho '[]'\n", encoding="ascii")
    path.chmod(0o755)
    paths = f"{folder}:{os.environ['PATH']}"
    with (
        serving(school.config, school.state.folder, program=program, PATH=paths) as served,
        bad_pages(path, [0], hangs=True),
    ):
        yield served


def _programs(pid: int) -> list[str]:
    """Return what the threads of a process have started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [one for task in tasks for one in task.read_text(encoding="ascii").split()]


@pytest.mark.usefixtures("needs_fuse")
def test_a_worker_begins_though_no_program_does(school: School) -> None:
    with _with_programs_that_hang(school) as served:
        _kill(served, _workers(served))
        assert is_blocked(school.port, LOCKED)
        assert _programs(_workers(served)[0]) == []


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_worker_that_runs_programs_waits_for_them(school: School) -> None:
    """It answers after 2 s, and does not know the network."""
    with _with_programs_that_hang(school, ("-c", RUNS_IP)) as served:
        _kill(served, _workers(served))
        assert is_blocked(school.port, LOCKED)
        assert len(_programs(_workers(served)[0])) == 1


@contextlib.contextmanager
def _with_leases_that_hang(school: School, program: tuple[str, str] = SERVES) -> Iterator[Served]:
    """Serve with a thread of the worker that waits for the disk, so that it cannot be ended."""
    path = school.folder / "leases"
    path.write_text("1764574200 02:00:5e:10:00:01 127.0.6.9 tablet *\n", encoding="ascii")
    more = f"leases: {{files: [{{file: {path}, format: dnsmasq}}]}}\n"
    write_site(school.config, port=school.port, more=more)
    with (
        serving(school.config, school.state.folder, program=program) as served,
        bad_pages(path, [0], hangs=True) as card,
    ):
        card.wait_for_a_reader()
        assert is_blocked(school.port, LOCKED)
        yield served


@pytest.mark.usefixtures("needs_fuse")
def test_a_worker_that_cannot_be_ended_is_replaced(school: School) -> None:
    with _with_leases_that_hang(school) as served:
        (worker,) = _workers(served)
        os.kill(worker, signal.SIGKILL)
        asked(school.port, a_query(LOCKED), within_s=LEFT_WITHIN_S)
        assert Path(f"/proc/{worker}").exists()
        served.wait_for("the worker 1 cannot be ended")
        served.process.terminate()
        assert served.process.wait(WITHIN_S) == 0


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_supervisor_that_waits_for_the_end_starts_no_worker(school: School) -> None:
    program = ("-c", WAITS_FOR_ITS_CHILDREN)
    with _with_leases_that_hang(school, program) as served:
        os.kill(_workers(served)[0], signal.SIGKILL)
        with pytest.raises(TimeoutError):
            asked(school.port, a_query(LOCKED), within_s=LEFT_WITHIN_S)


@contextlib.contextmanager
def _unread(school: School, *program: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon whose journal hangs from the moment that it serves, as with its disk."""
    reading, writing = socket.socketpair()
    folders = ("--config", str(school.config), "--state", str(school.state.folder))
    command = [sys.executable, *(program or ("-m", "filterd")), "serve", *folders]
    with (
        reading,
        writing,
        subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=writing.fileno()) as served,
    ):
        try:
            said = b""
            while b"filterd listens on" not in said:
                said += reading.recv(4096)
            with contextlib.suppress(BlockingIOError):
                while True:
                    writing.send(bytes(1024), socket.MSG_DONTWAIT)
            yield served
        finally:
            served.kill()


def test_a_journal_that_takes_nothing_ends_no_answer(school: School) -> None:
    with _unread(school) as served:
        for _ in range(3):
            worker = children(served.pid)[-1]
            os.kill(worker, signal.SIGKILL)
            assert is_blocked(school.port, LOCKED)
            until(lambda: len({*children(served.pid)} - {worker}) == 2, "another worker")  # noqa: B023
        served.terminate()
        assert served.wait(WITHIN_S) == 0


@pytest.mark.control
def test_control_a_supervisor_that_waits_for_its_journal_starts_no_worker(school: School) -> None:
    with _unread(school, "-c", WAITS_FOR_ITS_JOURNAL) as served:
        os.kill(children(served.pid)[-1], signal.SIGKILL)
        with pytest.raises(TimeoutError):
            asked(school.port, a_query(LOCKED), within_s=CONTROL_S)
        served.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            served.wait(CONTROL_S)
