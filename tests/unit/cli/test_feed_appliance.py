# SPDX-License-Identifier: Apache-2.0
"""The school's side of ``filterd feed``: its help, and that looking needs nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call, environment

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("trust", "status", "history", "approve", "refuse", "rollback", "hold")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_help_names_exit_codes_on_80_columns(command: str, lang: str) -> None:
    shown = call("feed", command, "--help", "--lang", lang).out
    assert ("Exit code 0" if lang == "en" else "Mã thoát 0") in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("version", ["0", "-1", "twelve"])
def test_what_is_no_version_is_refused_in_a_line(version: str, places: list[str]) -> None:
    done = call("feed", "approve", version, *places)
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1


def test_looking_at_the_feed_loads_neither_tuf_nor_the_web(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.argv = ['filterd', 'feed', 'status', '--lang', 'en']\n"
        "from filterd.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'tuf', 'requests', 'securesystemslib'} & set(sys.modules)))"
    )
    given = environment(FILTERD_STATE=str(tmp_path), FILTERD_CONFIG=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], check=False, env=given, capture_output=True)
    assert done.returncode == 0, done.stderr
