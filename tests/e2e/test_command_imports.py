# SPDX-License-Identifier: Apache-2.0
"""A command for which a daemon answers imports nothing that reads the disk or the web."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT, environment
from tests.support.daemon import build_lists, free_port, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemon import Served

HEAVY = {"pydantic", "sqlite3", "yaml", "asyncio", "requests", "tuf", "filterd.resolve.site"}
HEAVY |= {"prometheus_client", "docx", "jinja2", "xlsxwriter"}

PROGRAM = """
import atexit, sys
path = sys.argv.pop(1)
atexit.register(lambda: open(path, "w").write(" ".join(sys.modules)))
from filterd.cli.entry import main
main()
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("imports")
    zone = "time_zone: Asia/Ho_Chi_Minh\n"
    config = write_site(folder / "site", port=free_port(), more=zone)
    build_lists(config, folder / "state")
    with serving(config, folder / "state") as daemon:
        yield daemon


def _imported(words: str, served: Served, folder: Path) -> set[str]:
    found = folder / "modules"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(found), *words.split(), *served.options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return set(found.read_text().split())


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "status --json",
        "report --json",
        "check a.example --grade 6",
        "allow a.example --grade 6 --for 5m --reason lesson",
        "exceptions list",
        "room list",
        "log totals --days 3",
        "log level",
        "--help",
        "allow --help",
    ],
)
def test_a_command_that_asks_the_daemon_imports_nothing_heavy(
    words: str, served: Served, tmp_path: Path
) -> None:
    assert not _imported(words, served, tmp_path) & HEAVY


def test_control_the_files_on_disk_bring_all_of_it(served: Served, tmp_path: Path) -> None:
    imported = _imported("check a.example --grade 6 --offline", served, tmp_path)
    assert {"pydantic", "sqlite3", "yaml", "filterd.resolve.site"} <= imported
