# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.commands import ROOT


@pytest.mark.parametrize(("more", "then"), [((300,), 300), ((700, 700), 1000)])
def test_a_process_and_its_children_are_ended_sooner(more: tuple[int, ...], then: int) -> None:
    calls = "".join(f"end_sooner({one});" for one in more)
    program = (
        "import subprocess; from pathlib import Path; from filterd.oom import end_sooner;"
        "before = int(Path('/proc/self/oom_score_adj').read_text());"
        f"{calls} print(before, flush=True); subprocess.run(['cat', '/proc/self/oom_score_adj'])"
    )
    told = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    before, after = map(int, told.split())
    assert after == min(1000, before + then)
