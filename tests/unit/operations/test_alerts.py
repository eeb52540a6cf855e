# SPDX-License-Identifier: Apache-2.0
"""Alerts follow from the status."""

from __future__ import annotations

from filterd.operations.alerts import ReadAlerts
from filterd.operations.status import ReadStatus


def test_alerts_follow_from_the_status() -> None:
    assert ReadAlerts.command == ReadStatus.command
    assert ReadAlerts.read({}).arguments == {}
