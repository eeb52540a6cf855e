# SPDX-License-Identifier: Apache-2.0
"""The child itself: what it may use up, and that this ends in a refusal and nothing else."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base import bounded_child
from filterd.feed.guard import __main__ as child
from filterd.feed.guard import judgement as judging
from filterd.feed.guard.judgement import JudgedSchool, Severity, judge
from filterd.feed.versions import Candidate

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.guard.judgement import Judgement

REAL = """
import sys
from filterd.feed.guard import __main__ as child, checks
from filterd.feed.guard.judgement import CHECKS, Judgement

def judged(request, *, cpu_s, peak_octets):
    {work}
    return Judgement(request["version"], (), "ab" * 32, CHECKS, cpu_s(), peak_octets())

checks.judged = judged
{more}
sys.exit(child.main())
"""
"""The child with its bounds, and other work than the checks."""
MEMORY_OCTETS = 300 << 20
TOO_MUCH = f"held = bytearray({MEMORY_OCTETS + (64 << 20)})"
"""More than the bound, whatever the imports have given back since it was set."""


def judged_by(
    work: str, folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = ""
) -> Judgement:
    command = [sys.executable, "-P", "-c", REAL.format(work=work, more=more)]
    monkeypatch.setattr(judging, "_command", lambda: command)
    school = JudgedSchool(folder, folder / "fresh", folder / "problems", folder / "policy")
    candidate = Candidate("7", folder)
    return judge(candidate, None, school, time_limit_s=60.0, memory_octets=MEMORY_OCTETS)


WITHIN = """import resource as r
    most = r.getrlimit(r.RLIMIT_AS)[0] - child.bounded_child.mapped_octets()
    with open(request["config"] + "/bounds", "w") as file:
        file.write(str((round(most / 1e8), r.getrlimit(r.RLIMIT_CPU))))
    held = b'x' * (200 << 20)
    print('by the way', flush=True)
    __import__('os').write(1, b'{')
"""


def test_work_within_its_bounds_is_done_and_measured_and_what_it_prints_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judgement = judged_by(WITHIN, tmp_path, monkeypatch)
    assert judgement.may_come_in_force()
    assert 200 << 20 < judgement.peak_octets < 300 << 20
    cpu = child._CPU_LIMIT_S
    assert (tmp_path / "bounds").read_text() == str((round(MEMORY_OCTETS / 1e8), (cpu, cpu)))


def test_control_on_an_output_that_it_shares_it_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = "__import__('os').write(1, b'{')"
    more = "child.bounded_child.own_output = lambda: sys.stdout.buffer"
    [found] = judged_by(work, tmp_path, monkeypatch, more).findings
    assert "not a judgement" in found.sentence


def test_more_memory_than_it_may_have_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judgement = judged_by(TOO_MUCH, tmp_path, monkeypatch)
    [found] = judgement.findings
    assert found.severity is Severity.REFUSED
    assert "MemoryError" in found.sentence


def test_control_without_the_bound_it_would_take_that_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "child.bounded_child.limit = lambda *_: None"
    judgement = judged_by(TOO_MUCH, tmp_path, monkeypatch, more)
    assert judgement.may_come_in_force()


def test_more_time_of_the_processor_than_it_may_have_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that sleeps is ended by the clock (``process``), one that works by this, too."""
    more = "child._CPU_LIMIT_S = 1"
    [found] = judged_by("while True: pass", tmp_path, monkeypatch, more).findings
    assert found.severity is Severity.REFUSED
    assert "it took too long" in found.sentence


@pytest.mark.long
def test_a_bound_that_is_lower_already_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = "import resource as r; sys.exit(str(r.getrlimit(r.RLIMIT_CPU)))"
    more = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))"
    [found] = judged_by(work, tmp_path, monkeypatch, more).findings
    assert "(20, 20)" in found.sentence


@pytest.mark.parametrize(
    "request_octets",
    [
        b"{",
        b'{"version": 7}',
        *(pytest.param(one, marks=pytest.mark.long) for one in (b"", b"[]", b"{}")),
    ],
)
def test_a_request_that_is_none_ends_with_an_error_and_no_judgement(request_octets: bytes) -> None:
    done = subprocess.run(
        judging._command(),
        input=request_octets,
        env=bounded_child.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == b""


def test_the_child_needs_neither_sockets_nor_the_servers_modules() -> None:
    code = (
        "import sys, filterd.feed.guard.checks\n"
        "print([one for one in sys.modules if one.startswith(('filterd.daemon', 'filterd.cli.',"
        " 'tuf', 'requests', 'uvloop'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.replace("'", '"')) == []


PARENT = """
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-P", "-c", sys.argv[1]], stdin=subprocess.PIPE)
child.stdin.write(json.dumps({"version": 7, "memory_octets": 1 << 29}).encode())
child.stdin.close()
print(child.pid, flush=True)
child.wait()
"""


def test_it_ends_with_its_parent_which_holds_the_lock_of_builds() -> None:
    work = "print('at work', file=sys.stderr, flush=True); __import__('time').sleep(60)"
    command = [sys.executable, "-c", PARENT, REAL.format(work=work, more="")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        child_pid = int(parent.stdout.readline())
        assert parent.stderr.readline() == "at work\n"
        ended = os.pidfd_open(child_pid)
        parent.kill()
        parent.wait()
        try:
            assert select.select([ended], [], [], 20)[0]
        finally:
            os.close(ended)


def test_the_index_in_force_may_be_mapped_beside_what_may_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_child, "mapped_octets", lambda: 1_000)
    index = tmp_path / "index"
    request = {"memory_octets": 50, "in_force": {"index": str(index)}}
    assert child._addresses(request) == 1_050, "it is missing"
    index.write_bytes(bytes(7))
    assert child._addresses(request) == 1_057
    assert child._addresses({**request, "in_force": None}) == 1_050
