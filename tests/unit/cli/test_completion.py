# SPDX-License-Identifier: Apache-2.0
"""Shells complete the words of filterd: names of commands, options, ids of the school."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd import control
from filterd.cli.completion import SCRIPTS, print_values, values
from filterd.cli.offline_site import policy_of
from filterd.policy.log_levels import LogLevel
from filterd.policy.policy_file import save
from tests.support.commands import ROOT, call, environment
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.cli.context import Context
    from tests.support.fake_daemon import FakeDaemon

IDS = {
    "grades": ["6", "staff"],
    "tiers": ["primary"],
    "classes": ["6A", "12 Tin"],
    "rooms": ["lab-a"],
    "networks": ["lab-a", "office"],
    "services": ["youtube"],
    "categories": ["games"],
    "lists": ["own"],
    "exceptions": [4, 17],
    "exams": [5],
}


def _here(config: Path, state: StateFolder) -> Context:
    return cast("Context", SimpleNamespace(config=config, state=state))


@pytest.fixture
def known(daemon: FakeDaemon) -> None:
    daemon.ids = IDS


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("feed", ["init"]),
        ("--lang vi policy", ["show", "test"]),
        ("allow", ["service:youtube", "category:games"]),
        ("log export --what", ["totals", "names", "rows"]),
        ("allow a.example --grade", ["6", "staff", "6A"]),
        ("check a.example --class", ["6A", "12 Tin"]),
        ("policy diff --between 6", ["staff"]),
        ("block a.example --tier", ["primary"]),
        ("room show", ["lab-a"]),
        ("allow a.example --network", ["office"]),
        ("exam start --service", ["youtube"]),
        ("policy set --allow-category", ["games"]),
        ("lists exclude a.example --list", ["own"]),
        ("class show", ["6A"]),
        ("exceptions revoke", ["4", "17"]),
        ("exam stop", ["5"]),
        ("lists follow", ["urlhaus"]),
        ("lists follow urlhaus", ["abpvn"]),
        ("lists unfollow", ["urlhaus"]),
        ("services show", ["youtube"]),
        ("completion", ["bash", "fish"]),
        ("status --lang", ["vi", "en"]),
        ("log level", list(LogLevel)),
        ("report --period", ["month", "term"]),
        ("report --class 6A --format", ["docx", "csv"]),
        ("log search --action", ["blocked", "pass"]),
        ("log level names --tier", ["primary"]),
    ],
)
def test_the_values_are_those_of_the_school(line: str, found: list[str]) -> None:
    assert set(found) <= set(values([*line.split(), ""]))


def test_changes_are_those_of_the_history(here: list[str], daemon: FakeDaemon) -> None:
    assert list(values(["undo", *here, ""])) == []
    for name in ("a.example", "b.example"):
        call("allow", name, "--grade", "6", "--for", "45m", "--reason", "bài", *here)
    assert set(values(["undo", *here, ""])) == {"1", "2"}
    assert len(daemon.store.rows(20)) == 2


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_versions_are_those_that_wait(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    feed: dict[str, Any] = {"judgement": {"version": "7"}, "beside": None}
    monkeypatch.setattr(control, "ask", lambda *_: {"feed": feed})
    assert list(values(["feed", command, ""])) == ["7"]
    feed |= {"judgement": None, "beside": {"judgement": {"version": "web-1"}}}
    assert list(values(["feed", command, ""])) == ["web-1"]


@pytest.mark.usefixtures("known")
def test_options_are_those_of_the_command() -> None:
    assert {"--grade", "--until", "--state"} <= set(values(["allow", "a.example", "--"]))
    assert "--grade" not in values(["reload", "--"])


@pytest.mark.usefixtures("known")
def test_levels_to_confirm_are_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"day": {"log_waiting": [{"id": 12}]}}
    monkeypatch.setattr(control, "ask", lambda *_, **__: waiting)
    assert list(values(["log", "confirm", ""])) == ["12"]


@pytest.mark.parametrize("line", ["nonsense", "status", "room show lab-a", "allow a --reason"])
def test_where_nothing_is_known_there_is_nothing(line: str) -> None:
    assert list(values([*line.split(), ""])) == []


def test_without_a_daemon_the_compiled_policy_is_read_and_else_nothing_is_printed(
    here: list[str], quiet: StateFolder, capsys: pytest.CaptureFixture[str], week: Path
) -> None:
    print_values("zsh", [*here, "room", "show", ""])
    assert capsys.readouterr() == ("", "")
    save(quiet.policy, policy_of(_here(week, quiet)))
    print_values("zsh", [*here, "room", "show", ""])
    assert capsys.readouterr() == ("lab-a\n", "")


@pytest.mark.parametrize("line", ["", "filterd", "filterd allow 'un", "filterd \x00 \x1b[2J "])
def test_no_line_breaks_it(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_values("bash", [line])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.usefixtures("known")
def test_bash_gets_its_words_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    print_values("bash", ["filterd class show 12"])
    assert capsys.readouterr().out == "'12 Tin'\n"


def test_the_error_of_an_unknown_shell_names_the_known_ones() -> None:
    done = call("completion", "bsh", "--lang", "en")
    assert (done.code, done.err) == (
        2,
        "filterd: 'bsh' has no completion here (did you mean 'bash'?)\n",
    )


ZSH = "autoload -Uz compinit; compinit -u -D"
STARTED = {
    "bash": (["--norc", "--noprofile", "-i"], "source <(filterd completion bash)"),
    "zsh": (["-f", "-i"], f"{ZSH}; source <(filterd completion zsh)"),
    "zsh fpath": (["-f", "-i"], f"fpath=($HOME $fpath); {ZSH}"),
}
"""How each shell is started, and what is typed first."""
TYPED = (
    ("filterd room show l\t", "room show lab-a"),
    ("\x15filterd allow service:youtube-k\t", "service:youtube-kids"),
    ("\x15filterd allow a.example --gr\t", "--grade"),
    ("\x15filterd exc\t", "filterd exceptions"),
    ("\x15~/$(touch ~/x)/filterd room sh\t", "room sh"),
    ("\x15~/ổ\\ đĩa/filterd room show l\t", "đĩa/filterd room show lab-a"),
)
"""What is typed, and what the line has then."""


@pytest.fixture
def around(tmp_path: Path, week: Path, quiet: StateFolder) -> dict[str, str]:
    """The environment of a shell that finds filterd, with a school that has no daemon."""
    program = tmp_path / "ổ đĩa" / "filterd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m filterd "$@"\n')
    program.chmod(0o755)
    save(quiet.policy, policy_of(_here(week, quiet)))
    places = {"FILTERD_CONFIG": str(week), "FILTERD_STATE": str(quiet.folder)}
    path = f"{program.parent}:{os.environ['PATH']}"
    return environment(PATH=path, TERM="dumb", HOME=str(tmp_path), **places)


@pytest.mark.parametrize(
    "way", ["bash", *(pytest.param(one, marks=pytest.mark.long) for one in ("zsh", "zsh fpath"))]
)
def test_a_shell_completes_what_is_typed(way: str, around: dict[str, str], tmp_path: Path) -> None:
    shell, (options, first) = way.split(maxsplit=1)[0], STARTED[way]
    command(shell)
    (tmp_path / "_filterd").write_text(SCRIPTS["zsh"])
    ours, its = os.openpty()
    started = [shell, *options]
    with subprocess.Popen(
        started, cwd=ROOT, env=around, stdin=its, stdout=its, stderr=its, start_new_session=True
    ) as process:
        try:
            os.write(ours, f"{first}; echo rea''dy\n".encode())
            _read_until(ours, "ready")
            for typed, completed in TYPED:
                os.write(ours, typed.encode())
                _read_until(ours, completed)
        finally:
            process.kill()
    os.close(its)
    os.close(ours)
    assert not (tmp_path / "x").exists(), "nothing that is typed may run"


def _read_until(terminal: int, words: str) -> None:
    shown = ""
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, shown
        shown += os.read(terminal, 4096).decode(errors="replace")


def test_fish_completes(around: dict[str, str]) -> None:
    command("fish")
    for line, completed in (
        ("filterd room show l", "lab-a"),
        ("filterd exc", "exceptions"),
        ("~/ổ\\ đĩa/filterd exc", "exceptions"),
    ):
        words = f"filterd completion fish | source; complete -C '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", words],
            env=around,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == (f"{completed}\n", "")


def test_each_script_calls_the_program_that_is_typed() -> None:
    assert all(f"--complete {shell}" in script for shell, script in SCRIPTS.items())
