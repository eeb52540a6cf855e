# SPDX-License-Identifier: Apache-2.0
"""The commands ``compile-list`` and ``serve-list``, for a harness that measures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import pytest

from tests.bench.measuring import ask, running, seconds_to_block
from tests.bench.peers import At
from tests.support.daemon import free_port
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = Path(__file__).resolve().parents[1] / "bench"
NOERROR, NXDOMAIN = 0, 3


def _run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [str(BENCH / script), *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture(autouse=True)
def _this_filterd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run that of the environment in which the tests run; the harness runs that of .venv."""
    monkeypatch.setenv("FILTERD", str(Path(sys.executable).with_name("filterd")))


@pytest.fixture(name="names")
def _names(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("listed.example\nads.shop.example\n", encoding="ascii")
    return path


@pytest.fixture(name="at")
def _at() -> Iterator[At]:
    with FakeUpstream(respond=dns.message.make_response) as upstream:
        yield At(port=free_port(), upstream="127.0.0.1", upstream_port=upstream.port)


def test_a_compiled_list_is_closed_to_everybody_with_what_is_beneath_its_names(
    names: Path, at: At, tmp_path: Path
) -> None:
    folder, log = tmp_path / "served", tmp_path / "log"
    compiled = _run("compile-list", names, folder)
    assert (compiled.returncode, compiled.stderr) == (0, "")

    where = (at.address, at.port, at.upstream, at.upstream_port)
    command = [str(BENCH / "serve-list"), *map(str, (names, *where, folder))]
    with running(command, log):
        seconds_to_block(at, "listed.example", time.perf_counter(), log)

        assert ask(at, "www.ads.shop.example", 5) == NXDOMAIN
        assert ask(at, "shop.example", 5) == NOERROR
        assert ask(at, "unlisted.example", 5) == NOERROR


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("serve-list", ("127.0.0.1", 53, "127.0.0.1", 53)), ("compile-list", ())],
)
def test_a_missing_list_is_reported_in_one_line(
    script: str, arguments: tuple[object, ...], tmp_path: Path
) -> None:
    done = _run(script, tmp_path / "none.txt", *arguments, tmp_path / "served")

    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if "none.txt" in line] == [
        done.stderr.strip()
    ]


def test_an_index_older_than_its_list_is_not_served(names: Path, tmp_path: Path) -> None:
    index = tmp_path / "served" / "state" / "index.filterd"
    index.parent.mkdir(parents=True)
    index.touch()
    made = index.stat().st_mtime
    os.utime(names, (made + 1, made + 1))

    done = _run("serve-list", names, "127.0.0.1", 1, "127.0.0.1", 1, tmp_path / "served")

    assert done.returncode == 2
    assert "run compile-list again" in done.stderr
