# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base import bounded_child
from filterd.base.errors import ConfigError
from filterd.base.state_folder import StateFolder
from filterd.cli.offline_site import policy_of
from filterd.daemon import main
from filterd.policy.model import ListenAddress
from filterd.texts.i18n import Texts
from tests.support.commands import ROOT, SAMPLE, environment
from tests.support.daemon import copy_lists, free_port, write_site

if TYPE_CHECKING:
    from filterd.policy.model import Policy

HEAVY = (
    "filterd.operations",
    "pydantic",
    "yaml",
    "requests",
    "typer",
    "rich",
    "dnslib",
    "jinja2",
    "prometheus_client",
    "idna",
    "sqlite3",
    "aiosqlite",
    "filterd.documents",
    "filterd.lists.compiler",
    "filterd.upstream.tls",
    "filterd.daemon.manager_main",
    "filterd.daemon.manager.manager",
)

SERVE_AND_LIST_MODULES = """
import os, sys
from filterd.daemon import main
from filterd.base.errors import ConfigError
from filterd.daemon.serving import worker

def tell(*_):
    with open(sys.argv[3], "a") as file:
        print("\\n".join(sys.modules), file=file)

class Telling(worker.Worker):
    async def stop(self):
        await self.check(qname="0377777700", qtype=1, grade="3", address=None, at=None)
        await super().stop()
        tell()

main.Worker = Telling
main._ready = lambda *_, **__: os.kill(os.getpid(), 15)
main.main(sys.argv[1], sys.argv[2], "en", "no")
tell()
"""


def _policy(folder: Path) -> Policy:
    return policy_of(cast("Any", SimpleNamespace(config=folder, state=StateFolder(folder))))


def _greeting(policy: Policy, *, upstreams: tuple[str, ...] = ("x",), try_it: bool) -> list[str]:
    texts = Texts("en")
    return list(main._greeting(texts, policy, has_upstreams=bool(upstreams), try_it=try_it))


def test_supervisor_and_worker_carry_nothing_that_is_for_people(
    state: StateFolder, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", port=free_port())
    folder, record = copy_lists(state, tmp_path / "state").folder, tmp_path / "modules"
    program = [sys.executable, "-c", SERVE_AND_LIST_MODULES, str(site), str(folder), str(record)]
    subprocess.run(program, cwd=ROOT, env=environment(), check=True, capture_output=True)
    loaded = record.read_text().split()
    assert loaded.count("filterd.daemon.serving.worker") == 2  # the worker's and the supervisor's
    assert set(loaded).isdisjoint(HEAVY)


def test_control_the_command_line_does_carry_it() -> None:
    program = "from filterd.cli import tree; tree.whole(); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"typer", "rich", "pydantic", "yaml"} <= set(done.stdout.split())


def test_the_greeting_names_the_listening_address(tmp_path: Path) -> None:
    lines = _greeting(_policy(write_site(tmp_path, port=5399)), try_it=False)
    assert lines[0] == "filterd listens on 127.0.0.1 port 5399"
    assert not any("dig" in line for line in lines)


def test_the_greeting_warns_of_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.base.native._missing", {"filterd.wire._codec"})
    policy = _policy(write_site(tmp_path, port=5399))
    lines = _greeting(policy, upstreams=(), try_it=False)
    assert any("native extension is missing" in line for line in lines)
    assert any("no upstream is known" in line for line in lines)


def test_the_sample_school_gets_lookups_that_differ_by_class() -> None:
    policy = _policy(SAMPLE)
    lines = _greeting(policy, try_it=True)
    commands = [line.strip() for line in lines if line.startswith("  dig")]
    assert len(commands) == 4
    assert all("@127.0.0.1 -p 5300" in command for command in commands)
    assert len({command.index("#") for command in commands}) == 1
    assert len({command.split()[2] for command in commands}) == 3


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ((ListenAddress("::1", 53), ListenAddress("127.0.0.1", 54)), "127.0.0.1"),
        ((ListenAddress("192.0.2.1", 53), ListenAddress("::1", 53)), "192.0.2.1"),
    ],
)
def test_the_lookups_go_to_loopback_if_that_is_served(
    listen: tuple[ListenAddress, ...], expected: str
) -> None:
    assert main._loopback(cast("Policy", SimpleNamespace(listen=listen))).address == expected


def test_a_trial_takes_the_next_port_that_is_free_and_names_the_one_that_has_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        policy = _policy(write_site(tmp_path, port=port))
        with pytest.raises(ConfigError, match=f"port {port}: "):
            main._listen(Texts("en"), policy, try_it=False)
        listening, moved = main._listen(Texts("en"), policy, try_it=True)
    for one in listening:
        one.udp.close()
        one.tcp.close()
    taken = moved.listen[0].port
    assert port < taken < port + main._PORTS_TO_TRY
    assert f"-p {taken} " in main._examples(moved)[0]
    record = capfd.readouterr().err
    assert f"port {port}: " in record
    assert f"(process {os.getpid()}) has it; taking port {taken}\n" in record


def test_a_trial_whose_port_is_the_last_one_names_the_process_that_has_it(tmp_path: Path) -> None:
    policy = _policy(write_site(tmp_path, port=65535))
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 65535))
        with pytest.raises(ConfigError, match=r"port 65535: .*has it"):
            main._listen(Texts("en"), policy, try_it=True)


def test_a_trial_starts_the_dashboard_with_ctrl_c_alone_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[list[str], dict[str, Any]]] = []
    monkeypatch.setattr(os, "posix_spawn", lambda _, words, __, **how: started.append((words, how)))
    main._ready_with_dashboard(lambda: None, StateFolder(Path("/s")), "vi")
    words = bounded_child.command("filterd.appliance.trial_dashboard", "/s", "vi")
    assert started == [(words, {"setsigmask": (signal.SIGINT,)})]


def test_without_memory_for_the_dashboard_there_is_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(os, "posix_spawn", refuse)
    main._ready_with_dashboard(lambda: None, StateFolder(Path("/s")), "vi")
    assert "the dashboard cannot be started: Cannot allocate memory" in caplog.text
