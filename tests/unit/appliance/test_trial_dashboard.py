# SPDX-License-Identifier: Apache-2.0
"""The dashboard of a trial has a certificate of its own, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance import trial_dashboard
from filterd.base.addresses import DASHBOARD
from filterd.base.state_folder import StateFolder
from filterd.web import web_main

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_served_with_a_certificate_that_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = list[tuple[str, ...]]()
    monkeypatch.setattr(web_main, "main", lambda *words: served.append(words))
    trial_dashboard.main(str(tmp_path), "vi")
    made = StateFolder(tmp_path).web / "certificate.pem"
    octets = made.read_bytes()
    trial_dashboard.main(str(tmp_path), "vi")
    assert made.read_bytes() == octets
    key = str(made.with_name("key.pem"))
    assert served == [(str(tmp_path), DASHBOARD, str(made), key, "vi", "yes")] * 2


def test_without_room_for_a_certificate_there_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web_main, "main", None)
    StateFolder(tmp_path).web.mkdir()
    (StateFolder(tmp_path).web / "key.pem").mkdir()
    with pytest.raises(SystemExit) as ended:
        trial_dashboard.main(str(tmp_path), "en")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("filterd: ")
