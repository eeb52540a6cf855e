# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT, call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("option", "try_it"), [((), "no"), (("--try",), "yes")])
def test_it_becomes_the_process_that_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], try_it: str
) -> None:
    became = []
    masks: list[set[signal.Signals]] = []
    monkeypatch.setattr(os, "execve", lambda *call: became.append(call))
    monkeypatch.setattr(signal, "pthread_sigmask", lambda _, mask: masks.append(mask))
    call("serve", *option, "--lang", "vi", "--config", tmp_path, "--state", tmp_path / "state")
    ((program, words, environment),) = became
    assert program == sys.executable
    assert words[1:3] == ["-m", "filterd.daemon.main"]
    assert words[3:] == [str(tmp_path), str(tmp_path / "state"), "vi", try_it]
    assert (environment["PYTHONPATH"], environment["PYTHONSAFEPATH"]) == (str(ROOT), "1")
    assert masks == [{signal.SIGTERM, signal.SIGINT, signal.SIGHUP}]
