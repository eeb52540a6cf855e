# SPDX-License-Identifier: Apache-2.0
"""Foreign objects in place of state files, and the permissions of state files.

With a pipe, a folder, a socket, a device, a loop of links or a huge file the start uses
the last good state, within its usual time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import needs
from tests.support.changes import an_exception
from tests.support.commands import ROOT, environment
from tests.support.daemon import (
    Served,
    build_lists,
    copy_lists,
    free_port,
    serving,
    starting,
    write_site,
)
from tests.support.unix_sockets import bind
from tests.support.waiting import ask, is_blocked, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.long

BLOCKED, LOCKED = "blocked-now.example", "www.pornhub.com"
LAST_GOOD = {"index.previous.filterd", "overrides.second.filterd"}
"""The one copy of each that is left as it was."""
HUGE_OCTETS = 1 << 34
NO_CARE = (
    "import sys; from filterd.daemon.manager import site_loader;"
    "site_loader.clear = lambda _: None;"
    "from filterd.base import paths; paths.open_plain = lambda path: open(path, 'rb');"
    "from filterd.cli.entry import main; main()"
)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        bind(made, path)


def _folder(path: Path) -> None:
    (path / "in it").mkdir(parents=True)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE_OCTETS)


KINDS: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": _folder,
    "a socket": _socket,
    "a loop of links": lambda path: path.symlink_to(path.name),
    "a device": lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5)),
    "a huge file": _huge,
}


class Site:
    """A site whose state folder is used, and then spoilt."""

    def __init__(self, folder: Path, lists: StateFolder) -> None:
        self.port = free_port()
        self.config = write_site(folder / "site", port=self.port)
        self.state = copy_lists(lists, folder / "s")
        shutil.copyfile(self.state.index, self.state.previous_index)
        with serving(self.config, self.state.folder):
            block = an_exception(target=BLOCKED, allow=False)
            ask(self.state.control_socket, "change", kind="exception", reason="r", **block)

    def check(self, served: Served) -> None:
        """Check that it blocks, accepts changes and reports its status."""
        assert is_blocked(self.port, LOCKED)
        assert is_blocked(self.port, BLOCKED)
        status = ask(self.state.control_socket, "status")
        assert not status["in_memory"]
        more = an_exception(target="more.example", allow=False)
        ask(self.state.control_socket, "change", kind="exception", reason="r", **more)
        assert is_blocked(self.port, "more.example")
        ask(self.state.control_socket, "reload")
        assert ask(self.state.control_socket, "history-verify")["first_bad"] is None
        assert served.end() == 0


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture
def site(tmp_path: Path, lists: StateFolder) -> Site:
    return Site(tmp_path, lists)


def _put(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    KINDS[kind](path)


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=needs.ROOT) if kind == "a device" else kind for kind in KINDS],
)
def test_whatever_stands_in_the_place_of_state_files_the_last_good_serves(
    site: Site, kind: str
) -> None:
    for path in (*site.state.files, site.state.control_socket):
        if path.name not in LAST_GOOD:
            _put(path, kind)
    with serving(site.config, site.state.folder) as served:
        if kind == "a loop of links":  # the store is not followed, so nothing can be changed
            assert is_blocked(site.port, LOCKED)
            assert is_blocked(site.port, BLOCKED)
            assert "is a symbolic link" in str(ask(site.state.control_socket, "status")["changes"])
        else:
            site.check(served)


def test_control_without_care_a_pipe_keeps_a_start_waiting(site: Site) -> None:
    _put(site.state.policy, "a pipe")
    program = ("-c", NO_CARE)
    with (
        starting(site.config, site.state.folder, program=program) as served,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        served.process.wait(5)
    served.end(signal.SIGKILL)
    assert not any("listens on" in line for line in served.log)


@pytest.mark.parametrize("kind", ["a pipe", "a folder"])
def test_a_file_that_is_exchanged_while_it_serves_stops_no_command(site: Site, kind: str) -> None:
    with serving(site.config, site.state.folder) as served:
        assert is_blocked(site.port, BLOCKED)
        for path in (*site.state.overrides_copies, site.state.overrides, site.state.query_log):
            _put(path, kind)
        until(site.state.overrides.is_file, "the store again")
        site.check(served)


def test_what_is_in_a_state_folder_is_for_its_user_and_group_whatever_the_umask(
    tmp_path: Path,
) -> None:
    port = free_port()
    config, state = write_site(tmp_path / "site", port=port), tmp_path / "made" / "s"
    options = ("--config", str(config), "--state", str(state))
    careless = ("sh", "-c", 'umask 000; exec "$@"', "sh")
    build = (*careless, sys.executable, "-m", "filterd", "lists", "build", "--quiet", *options)
    subprocess.run(build, cwd=ROOT, env=environment(), check=True)
    with serving(config, state, before=careless) as served:
        folder = served.state
        block = an_exception(target=BLOCKED, allow=False)
        ask(folder.control_socket, "change", kind="exception", reason="r", **block)
        assert is_blocked(port, BLOCKED)
        write_site(config, port=port, more="cache_size_mb: 8\n")
        ask(folder.control_socket, "reload")
        ask(folder.control_socket, "expectations")
        subprocess.run(build, cwd=ROOT, env=environment(), check=True)
        during = _open_to_others(state)
        served.end()
    folder.overrides.write_bytes(b"damaged")
    with serving(config, state, before=careless) as served:
        ask(folder.control_socket, "log totals")
        served.end()
    assert folder.query_log.exists()
    assert during == _open_to_others(state) == []


def _open_to_others(folder: Path) -> list[str]:
    modes = dict[Path, int]()
    for one in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # the daemon has put it in place meanwhile
            modes[one] = one.lstat().st_mode
    return [f"{one}: {mode:o}" for one, mode in modes.items() if mode & 0o007]
