# SPDX-License-Identifier: Apache-2.0
"""``filterd blockpage`` becomes the slim process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import SAMPLE, call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given", "listen"),
    [
        ((), ["0.0.0.0:80", "[::]:80"]),
        (("--listen", "10.0.0.1:80", "--listen", "[::1]:8080"), ["10.0.0.1:80", "[::1]:8080"]),
    ],
)
def test_it_becomes_the_process_of_the_page(
    given: tuple[str, ...],
    listen: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    monkeypatch.setattr(sys, "path", list(sys.path))
    call("blockpage", "--config", SAMPLE, "--state", tmp_path, *given)
    socket = str(tmp_path / "control.sock")
    assert [one[1:] for one in started] == [
        ["-m", "filterd.blockpage.blockpage_main", socket, "vi", *listen]
    ]


def test_it_starts_though_its_user_can_read_neither_site_nor_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    call("blockpage", "--config", SAMPLE, "--state", tmp_path)
    assert len(started) == 1
