# SPDX-License-Identifier: Apache-2.0
"""The child answers as the command prints."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from filterd.daemon.safe_search_check import _verify
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_without_an_upstream_the_hosts_are_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.resolve.rewrite_targets.resolv_conf.servers", lambda *_: ())
    config, state = write_site(tmp_path / "site", port=5353), tmp_path / "state"
    state.mkdir()
    output = io.BytesIO()
    _verify({"config": str(config), "state": str(state)}, output)
    found = json.loads(output.getvalue())
    assert {one["verified"] for one in found} == {False}
    places = "--config", config, "--state", state
    assert json.loads(call("safesearch", "verify", "--json", *places).out) == found
