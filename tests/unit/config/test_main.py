# SPDX-License-Identifier: Apache-2.0
"""The child's own end: bounds, and one JSON object instead of a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.config import __main__ as child
from filterd.texts.i18n import quoted
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path


def _run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = ["-c", code] if code else ["-m", "filterd.config"]
    return subprocess.run(
        [sys.executable, *command, *arguments], capture_output=True, text=True, check=False
    )


def test_a_good_site_is_compiled_in_silence(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SCHOOL)
    done = _run(str(tmp_path), str(tmp_path / "policy"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_problems_are_one_json_object(tmp_path: Path) -> None:
    done = _run(str(tmp_path), str(tmp_path / "policy"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"][0]["path"] == str(tmp_path / "site.yaml")
    assert done.stderr == ""


def test_at_most_two_hundred_problems_are_reported() -> None:
    problems = ConfigErrors([ConfigError(quoted("wrong"), path="site.yaml")] * 500)
    assert isinstance(text := child._plain(problems)["errors"], list)
    assert len(text) == 200


def test_memory_is_bounded(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from filterd.config import __main__ as child\n"
        "child.load_site = lambda folder, kept: bytearray(1 << 30)\n"
        "sys.exit(child.main(sys.argv[1:]))\n"
    )
    done = _run(str(tmp_path), str(tmp_path / "policy"), code=code)
    assert "MemoryError" in done.stderr
    assert done.returncode == 1
    assert done.stdout == ""
