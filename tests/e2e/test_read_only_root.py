# SPDX-License-Identifier: Apache-2.0
"""On a root that can only be read, the state folder, /run and /tmp are all that is written."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT, environment
from tests.support.daemon import copy_lists, free_port, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("needs_namespaces"),
]

READ_ONLY = """
mount --bind "$0/state" "$0/state"
mount --bind "$0/ready" "$0/ready"
findmnt -rno TARGET | while read -r at; do
    case "$at" in
        "$0"/* | /proc* | /sys* | /dev*) ;;
        *) mount -o remount,bind,ro "$at" 2>/dev/null || true ;;
    esac
done
! touch "$0/site/written" /etc/written 2>/dev/null || exit 9
mount -t tmpfs tmpfs /run
mkdir /run/tmp
echo >"$0/ready/mounted"
exec "$@"
"""
"""Another file system for /tmp would hide the folder of the test, so TMPDIR names one in /run."""
ANSWERS = """\
school: Trường khác
language: en
classes: [3A]
networks: [127.0.0.0/8]
'seat 127.0.0.0/8': 3A
lists: later
"""


@pytest.fixture
def served(built: StateFolder) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part in ("ready", "state"):
            (folder / part).mkdir()
        write_site(folder / "site", port=free_port())
        (folder / "site" / "answers.yaml").write_text(ANSWERS, encoding="utf-8")
        state = copy_lists(built, folder / "state").folder
        before = ("unshare", "--mount", "--propagation", "private", "bash", "-c", READ_ONLY, name)
        daemon = serving(folder / "site", state, before=before, TMPDIR="/run/tmp", HOME="/root")
        yield stack.enter_context(daemon)


def _run(served: Served, *words: str) -> tuple[int, str]:
    """Run a command on the same root; return its exit code and what it printed."""
    inside = ["nsenter", f"--mount=/proc/{served.process.pid}/ns/mnt", "--wd=" + str(ROOT)]
    done = subprocess.run(
        [*inside, sys.executable, "-m", "filterd", *words, *served.options],
        env=environment(TMPDIR="/run/tmp", HOME="/root"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "reload",
        "lists build",
        "lists follow --recommended",
        "allow www.example.com --for 1d --reason needed",
        "log level blocked --tier primary --for 1d --reason needed",
        "log totals",
        "cert make",
    ],
)
def test_what_serves_a_school_needs_no_more(served: Served, words: str) -> None:
    code, printed = _run(served, *words.split())
    assert code == 0, printed
    assert served.end() == 0
    assert not any("Read-only" in line for line in served.log), served.log


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("setup --answers {}/answers.yaml", "the disk of {} can only be read"),
        ("init {}/other", "Read-only file system"),
    ],
)
def test_a_command_that_would_change_the_site_explains_in_a_line_why_it_cannot(
    served: Served, words: str, why: str
) -> None:
    before = (served.config / "site.yaml").read_text(encoding="utf-8")
    code, printed = _run(served, *(one.format(served.config) for one in words.split()))
    assert code == 2, printed
    (line,) = printed.splitlines()
    assert why.format(served.config) in line
    assert (served.config / "site.yaml").read_text(encoding="utf-8") == before
