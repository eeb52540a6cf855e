# SPDX-License-Identifier: Apache-2.0
"""``filterd poster``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.appliance import local_network
from filterd.appliance.local_network import LocalNetwork
from filterd.clients.interfaces import Links
from tests.support.commands import SAMPLE, call

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
