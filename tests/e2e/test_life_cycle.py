# SPDX-License-Identifier: Apache-2.0
"""The daemon as a process: start, signals, commands, and a clean end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rcode
import pytest

from filterd.control.frames import ControlRequest, dump_request
from tests.support.commands import call, environment, run
from tests.support.daemon import (
    SOURCES,
    WITHIN_S,
    Served,
    copy_lists,
    free_port,
    serving,
    starting,
    write_site,
)
from tests.support.unix_sockets import connect

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
_SPOILT = "school: {name: A}\nlistne: 1\nlanguage: en\n"
NO_QUESTION = b"\x12\x34\x01" + bytes(9)
QUIET_WORDS = ("Traceback", "Exception", "never awaited", "was destroyed")


class School:
    """A site of its own port and a state folder with lists."""

    def __init__(self, folder: Path, built: StateFolder) -> None:
        self.port = free_port()
        self.config = write_site(folder / "site", port=self.port)
        self.state = copy_lists(built, folder / "state").folder

    def block(self, name: str) -> None:
        """Add a rule of the school's own."""
        more = f"exceptions:\n  - {{block: {name}, reason: vì thế}}\n"
        write_site(self.config, port=self.port, more=more)

    def spoil(self) -> None:
        """Make the site invalid."""
        (self.config / "site.yaml").write_text(_SPOILT, encoding="utf-8")

    def is_blocked(self, name: str) -> bool:
        """Ask as grade 3."""
        query = dns.message.make_query(name, "A")
        answer = dns.query.udp(query, "127.0.0.1", 10, self.port, source=SOURCES["3"])
        return answer.rcode() == dns.rcode.NXDOMAIN


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> School:
    return School(tmp_path, built)


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")


def _assert_quiet(served: Served) -> None:
    log = "\n".join(served.log)
    assert not any(word in log for word in QUIET_WORDS), log


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_it_serves_until_it_is_stopped_and_leaves_nothing(
    school: School, number: signal.Signals
) -> None:
    with serving(school.config, school.state) as served:
        assert served.log[-1] == f"filterd listens on 127.0.0.1 port {school.port}"
        assert school.is_blocked("www.tiktok.com")
        assert served.state.control_socket.is_socket()
        children = _children(served.process.pid).split()
        assert len(children) == 2  # the manager and one worker
        assert served.end(number) == 0
        assert not served.state.control_socket.exists()
        assert not any(Path("/proc", child).exists() for child in children)
        _assert_quiet(served)


def test_a_stop_while_a_client_is_connected_is_quiet(school: School) -> None:
    with (
        serving(school.config, school.state) as served,
        socket.socket(socket.AF_UNIX) as command,
        socket.create_connection(("127.0.0.1", school.port)),
    ):
        connect(command, served.state.control_socket)
        command.sendall(dump_request(ControlRequest("status", {}, 0)))
        assert command.recv(20)
        with socket.socket(socket.AF_UNIX) as idle:
            connect(idle, served.state.control_socket)
            assert served.end() == 0
        _assert_quiet(served)


def test_a_stop_during_the_start_is_quiet(school: School) -> None:
    with starting(school.config, school.state) as served:
        while not served.state.daemon_lock.exists():
            assert served.process.poll() is None
        # The signals are heeded from the moment at which the lock is held; a
        # stop before that moment ends the process by the signal itself.
        assert served.end() in (0, -signal.SIGTERM)
        assert not served.state.control_socket.exists()
        _assert_quiet(served)


def test_it_starts_again_after_it_was_killed_and_its_status_is_of_the_new_process(
    school: School,
) -> None:
    with serving(school.config, school.state) as served:
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
        assert served.state.control_socket.exists()
    with serving(school.config, school.state) as served:
        assert school.is_blocked("www.tiktok.com")
        status = json.loads(call("status", "--json", *served.options).out)
        assert status["pid"] == served.process.pid
        assert status["answers"]["blocked"] == 1
        assert "filterd" in call("status", *served.options).out
        assert served.end() == 0


def test_a_hang_up_reloads(school: School) -> None:
    with serving(school.config, school.state) as served:
        school.block("new.example")
        served.process.send_signal(signal.SIGHUP)
        served.wait_for("reloaded: policy")
        assert school.is_blocked("new.example")
        school.spoil()
        served.process.send_signal(signal.SIGHUP)
        assert "site.yaml:2:1: unknown key 'listne'" in served.wait_for("ERROR")
        served.wait_for("not reloaded: what was in force stays")
        assert school.is_blocked("new.example")
        assert served.end() == 0
        _assert_quiet(served)


def test_the_command_reload_reloads_or_explains_why_not(school: School) -> None:
    with serving(school.config, school.state) as served:
        school.block("new.example")
        assert call("reload", *served.options).out.startswith("Reloaded: policy ")
        assert school.is_blocked("new.example")
        school.spoil()
        done = call("reload", *served.options)
        assert (done.code, done.out) == (2, "")
        assert done.error_lines == [
            f"filterd: {school.config}/site.yaml:2:1: unknown key 'listne' (did you mean 'listen'?)"
        ]
        assert school.is_blocked("new.example")
        write_site(school.config, port=free_port())
        answer = json.loads(call("reload", "--json", *served.options).out)
        assert answer["restart_for"] == ["listen"]


def test_new_lists_are_served_at_once(school: School) -> None:
    with serving(school.config, school.state) as served:
        own = "lists: [{id: own, file: own.txt, category: games}]\n"
        write_site(school.config, port=school.port, more=own)
        (school.config / "own.txt").write_text("new-game.example\n", encoding="utf-8")
        done = call("lists", "build", *served.options)
        assert done.out.endswith("The daemon serves them now.\n")
        assert school.is_blocked("www.new-game.example")


@pytest.mark.long
def test_a_build_beside_the_daemon_warns_of_popular_names(school: School) -> None:
    own = "lists: [{id: own, file: own.txt, category: scam}]\n"
    write_site(school.config, port=school.port, more=own)
    rules = ["||unex.es^$all", "||shop.example^$all"]
    (school.config / "own.txt").write_text("unex.es\nshop.example\n", encoding="utf-8")
    with serving(school.config, school.state) as served:
        done = run("lists", "build", "--quiet", *served.options)
        assert (done.code, done.out, len(done.error_lines)) == (0, "", 1)
        assert "own (category scam) newly blocks popular names for everybody: unex.es;" in done.err
        write_site(school.config, port=school.port, more=own.replace("}", ", format: adblock}"))
        (school.config / "own.txt").write_text("\n".join(rules), encoding="utf-8")
        assert run("lists", "build", "--quiet", *served.options).err == "", "not new"
        assert school.is_blocked("www.shop.example")


@pytest.mark.long
@pytest.mark.parametrize(("more", "is_blocked"), [(", subtrees: true", True), ("", False)])
def test_only_a_hosts_list_marked_as_subtrees_closes_what_is_beneath(
    school: School, more: str, is_blocked: bool
) -> None:
    own = f"lists: [{{id: own, file: own.txt, format: hosts, category: porn{more}}}]\n"
    write_site(school.config, port=school.port, more=own)
    (school.config / "own.txt").write_text("0.0.0.0 bad.example\n", encoding="utf-8")
    with serving(school.config, school.state) as served:
        done = call("lists", "build", *served.options)
        assert ("These lists block single hosts only" in done.out) is not is_blocked
        assert school.is_blocked("m.bad.example") is is_blocked


@pytest.mark.long
def test_an_invalid_site_at_the_start_is_served_from_the_last_good_policy(school: School) -> None:
    with serving(school.config, school.state) as served:
        served.end()
    school.spoil()
    with serving(school.config, school.state) as served:
        assert any("the last good version of the site" in line for line in served.log)
        assert any("site.yaml:2:1: unknown key 'listne'" in line for line in served.log)
        assert school.is_blocked("www.tiktok.com")


def test_an_invalid_site_without_a_last_good_policy_does_not_start(school: School) -> None:
    school.spoil()
    with starting(school.config, school.state) as served:
        assert served.process.wait(WITHIN_S) == 2
        line = served.wait_for("filterd: ")
        assert line.endswith("site.yaml:2:1: unknown key 'listne' (did you mean 'listen'?)")


@pytest.mark.long
def test_without_lists_they_are_compiled_at_the_start(school: School) -> None:
    (school.state / "index.filterd").unlink()
    with serving(school.config, school.state) as served:
        assert any("no compiled lists" in line for line in served.log)
        assert school.is_blocked("www.tiktok.com")


@pytest.mark.long
def test_damaged_lists_with_an_invalid_site_give_way_to_those_that_ship(school: School) -> None:
    with serving(school.config, school.state) as served:
        served.end()
    school.spoil()
    (school.state / "index.filterd").write_bytes(b"nonsense" * 1000)
    with serving(school.config, school.state) as served:
        assert any("compiling only the lists that ship" in line for line in served.log)
        assert school.is_blocked("www.tiktok.com")


def test_a_port_in_use_is_reported_in_one_line(school: School, tmp_path: Path) -> None:
    with serving(school.config, school.state):
        done = run("serve", "--config", school.config, "--state", tmp_path / "other")
        problems = [line for line in done.error_lines if line.startswith("filterd: ")]
        assert done.code == 2
        assert len(problems) == 1
        taken = rf"cannot listen on 127\.0\.0\.1 port {school.port}: \S+ \(process \d+\) has it"
        assert re.search(taken, problems[0])
        assert not (tmp_path / "other" / "control.sock").exists()


def test_a_state_folder_is_for_one_daemon(school: School, tmp_path: Path) -> None:
    other = write_site(tmp_path / "other", port=free_port())
    with serving(school.config, school.state) as served:
        policy = served.state.policy.read_bytes()
        done = run("serve", "--config", other, "--state", school.state)
        assert done.code == 2
        assert len(done.error_lines) == 1
        assert "another filterd uses this folder" in done.err
        assert served.state.policy.read_bytes() == policy
        assert call("status", *served.options).code == 0


def test_a_state_folder_that_cannot_be_written_is_served_from(school: School) -> None:
    with serving(school.config, school.state) as served:
        state = served.state
    for unwritable in (state.daemon_lock, state.control_socket):
        unwritable.unlink(missing_ok=True)
        (unwritable / "x").mkdir(parents=True)  # root, the user of tests, may write everywhere
    with serving(school.config, school.state):
        assert school.is_blocked("www.tiktok.com")


@pytest.mark.long
def test_without_any_native_module_it_blocks_reloads_counts_and_refuses_all_the_same(
    school: School,
) -> None:
    plain = {"FILTERD_PURE": "1", "FILTERD_REQUIRE_NATIVE": ""}
    with serving(school.config, school.state, **plain) as served:
        assert school.is_blocked("www.tiktok.com")
        assert not school.is_blocked("new.example")  # there is no upstream: SERVFAIL
        school.block("new.example")
        assert call("reload", *served.options).code == 0
        assert school.is_blocked("new.example")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((SOURCES["3"], 0))
            client.settimeout(10)
            client.sendto(NO_QUESTION, ("127.0.0.1", school.port))
            assert dns.message.from_wire(client.recv(512)).rcode() == dns.rcode.FORMERR
        status = json.loads(call("status", "--json", *served.options).out)
        assert status["answers"]["blocked"] == 2
        assert "filterd.fastpath._core" in status["not_native"]
        assert served.end() == 0
        _assert_quiet(served)


def test_no_file_of_the_working_directory_stands_in_for_a_module(
    school: School, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for module in ("uvloop", "json", "asyncio", "logging"):
        (trap / f"{module}.py").write_text("raise SystemExit(77)\n", encoding="utf-8")
    program = f"import os; os.chdir({str(trap)!r}); from filterd.cli.app import main; main()"
    school.spoil()  # so that it ends by itself
    words = ["serve", "--config", str(school.config), "--state", str(tmp_path / "other")]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *words],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown key 'listne'" in done.stderr
