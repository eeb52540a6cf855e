# SPDX-License-Identifier: Apache-2.0
"""The page for pupils is served, and a sheet leads to it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import local_network
from filterd.appliance.local_network import LocalNetwork
from filterd.clients.interfaces import Links
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


def test_it_is_written_for_the_school_and_the_address(tmp_path: Path) -> None:
    out = tmp_path / "poster.html"
    where = ("--config", SAMPLE, "--state", tmp_path)
    done = call("poster", "--out", out, "--address", "fd00::1", *where)
    assert (done.code, done.err) == (0, "")
    text = out.read_text(encoding="utf-8")
    assert "http://[fd00::1]/" in text
    assert "Phòng tư vấn học đường" in text
    assert "<svg" in call("poster", "--address", "10.0.0.1", *where).out


def test_without_an_address_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look() -> LocalNetwork:
        return LocalNetwork((), (), (), (), Links())

    monkeypatch.setattr(local_network, "look", look)
    done = call("poster", "--config", SAMPLE, "--state", tmp_path, "--lang", "en")
    assert (done.code, done.err) == (
        2,
        "filterd: the address of this box is not known (give it by --address)\n",
    )
