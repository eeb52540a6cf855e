# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.web.sections.record_section import ALERTS, LOG


def test_days_that_are_left_out_are_those_of_filterd() -> None:
    edits = LOG.edits({}, {"level": "names", "tiers": ["primary off"]})
    assert {"path": ["log", "keep_days"], "value": None} in edits
    assert {"path": ["log", "tiers"], "value": {"primary": "off"}} in edits


def test_the_secret_of_a_webhook_keeps_its_file() -> None:
    data = {"alerts": {"webhook": {"url": "https://a.vn/x", "token_file": "t"}}}
    _, webhook = ALERTS.edits(data, {"webhook": "https://a.vn/y"})
    assert webhook["value"] == {"url": "https://a.vn/y", "token_file": "t"}
    assert ALERTS.edits(data, {}) == [{"path": ["alerts"], "value": None}]
