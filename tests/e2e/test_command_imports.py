# SPDX-License-Identifier: Apache-2.0
"""A command for which a daemon answers imports nothing that reads the disk or the web."""

from __future__ import annotations

import json
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
import json, sys
from filterd.cli.entry import main
found, commands, options = open(sys.argv[1], "w"), json.loads(sys.argv[2]), sys.argv[3:]
for words in commands:
    sys.argv = ["filterd", *words.split(), *options]
    try:
        main()
    except SystemExit as end:
        code = end.code
    print(json.dumps([words, code, sorted(sys.modules)]), file=found)
"""
COMMANDS = (
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
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("imports")
    zone = "time_zone: Asia/Ho_Chi_Minh\n"
    config = write_site(folder / "site", port=free_port(), more=zone)
    build_lists(config, folder / "state")
    with serving(config, folder / "state") as daemon:
        yield daemon


def _imported(commands: tuple[str, ...], served: Served, folder: Path) -> dict[str, set[str]]:
    """Run commands in one new interpreter; return the modules it has after each."""
    found = folder / "modules"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(found), json.dumps(commands), *served.options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        timeout=120,
        check=True,
    )
    rows = [json.loads(line) for line in found.read_text().splitlines()]
    assert {code for _, code, _ in rows} <= {0, None}, [row[:2] for row in rows]
    return {words: set(modules) for words, _, modules in rows}


def test_commands_that_ask_the_daemon_import_nothing_heavy(served: Served, tmp_path: Path) -> None:
    after = _imported(COMMANDS, served, tmp_path)
    assert list(after) == list(COMMANDS)
    assert {words: modules & HEAVY for words, modules in after.items() if modules & HEAVY} == {}


def test_control_the_files_on_disk_bring_all_of_it(served: Served, tmp_path: Path) -> None:
    command = "check a.example --grade 6 --offline"
    imported = _imported((command,), served, tmp_path)[command]
    assert {"pydantic", "sqlite3", "yaml", "filterd.resolve.site"} <= imported
