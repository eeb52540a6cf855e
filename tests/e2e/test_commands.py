# SPDX-License-Identifier: Apache-2.0
"""The command as people run it: a process, beside a running daemon or without one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, SAMPLE, environment, run
from tests.support.daemon import Served, build_lists, free_port, serving, write_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with FakeUpstream() as upstream:
        upstream.add("vnu.edu.vn. 60 IN A 198.18.0.1")
        config = write_site(folder / "site", port=free_port(), upstream=upstream.port)
        build_lists(config, folder / "state")
        with serving(config, folder / "state") as served:
            yield served


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("www.tiktok.com --grade 3", 1),
        ("vnu.edu.vn --grade 3", 0),
        ("www.tiktok.com --client 127.0.100.1", 0),
        ("www.tiktok.com --grade 33", 2),
        ("vnu.edu.vn --client 203.0.113.77", 2),
        ("vnu.edu.vn --at never", 2),
    ],
)
def test_check_asks_the_daemon_and_exits_by_the_verdict(
    served: Served, words: str, code: int
) -> None:
    done = run("check", *words.split(), *served.options)
    assert done.code == code
    assert len(done.error_lines) == (1 if code == 2 else 0)
    if code != 2:
        assert "the running daemon" in done.out


def test_check_names_the_source_of_its_answer(served: Served) -> None:
    words = ["check", "www.tiktok.com", "--grade", "3", "--json"]
    online = json.loads(run(*words, *served.options).out)
    offline = json.loads(run(*words, "--offline", *served.options).out)
    assert (online.pop("source"), offline.pop("source")) == ("daemon", "offline")
    assert online == offline


def test_check_reports_a_problem_with_a_time_once(served: Served) -> None:
    done = run("check", "vnu.edu.vn", "--at", "never", *served.options)
    hint = "write 17h30, 17:00, t5 07:30, tomorrow 7h, 20/12 or 2026-12-20"
    assert done.err == f"filterd: 'never' is not a time ({hint})\n"


def test_options_may_stand_before_the_command_and_in_the_environment(served: Served) -> None:
    words = ("status", "--json")
    state = str(served.state.folder)
    assert run("--state", state, *words).code == 0
    assert run(*words, "--state", state).code == 0
    assert run(*words, FILTERD_STATE=state).code == 0
    assert run(*words, FILTERD_STATE="/none").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("policy", "show", "--grade", "3"),
        ("policy", "tree"),
        ("status", "--json"),
        ("status",),
        ("check", "www.tiktok.com", "--grade", "3"),
        ("lists", "status", "--json"),
        ("--help",),
    ],
)
def test_a_reader_that_goes_away_gets_no_traceback(served: Served, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "filterd", *words]
    places = {
        "FILTERD_CONFIG": str(served.config),
        "FILTERD_STATE": str(served.state.folder),
    }
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**places),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        process.wait(30)
    assert said == ""


def test_a_new_school_goes_from_init_to_answers(tmp_path: Path) -> None:
    site, state = tmp_path / "site", tmp_path / "state"
    assert run("init", site).code == 0
    places = ["--config", str(site), "--state", str(state)]
    assert run("policy", "validate", *places).code == 0
    assert run("lists", "build", *places).code == 0
    assert run("check", "www.tiktok.com", "--client", "127.0.1.1", *places).code == 1
    assert run("check", "www.tiktok.com", "--client", "127.0.11.1", *places).code == 0
    assert run("init", site).code == 0  # and nothing is overwritten


def test_two_builds_at_once_wait_for_each_other(served: Served, tmp_path: Path) -> None:
    words = ["lists", "build", "--quiet", "--config", str(served.config), "--state", str(tmp_path)]
    builds = [
        subprocess.Popen([sys.executable, "-m", "filterd", *words], cwd=ROOT, env=environment())
        for _ in range(3)
    ]
    assert [build.wait(60) for build in builds] == [0, 0, 0]
    assert StateFolder(tmp_path).previous_index.exists()
    assert not list(tmp_path.glob("*.new"))


def test_the_example_of_the_readme_is_the_output_of_the_sample_school(tmp_path: Path) -> None:
    state = build_lists(SAMPLE, tmp_path)
    done = run("check", "www.tiktok.com", "--grade", "1", "--state", state.folder, "--lang", "en")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [" ".join(line.split()) for line in readme.splitlines()]
    for heading in ("Question", "Answer", "Because", "Category"):
        (line,) = [line for line in done.out.splitlines() if line.startswith(heading)]
        assert " ".join(line.split()) in shown


def test_without_a_school_the_remedy_is_named(tmp_path: Path) -> None:
    done = run("policy", "validate", cwd=tmp_path)
    assert done.code == 2
    assert done.err == "filterd: policies/site.yaml: cannot be read: No such file or directory\n"
