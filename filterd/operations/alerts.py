# SPDX-License-Identifier: Apache-2.0
"""Read the active alerts."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import SENTENCE, TEXT, each, record, rows
from filterd.operations.operation import Operation
from filterd.operations.request import OperationRequest


class AlertSeverity(StrEnum):
    """The urgency of an alert.

    CRITICAL: filtering or DNS is in danger. WARNING: act soon. NOTICE: be aware of it.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


ALERT = record(
    {
        **each(TEXT, "id", "text", "remedy"),
        "severity": AlertSeverity,
        "sentences": rows(SENTENCE),
    }
)


@frozen(kw_only=True)
class ReadAlerts(OperationRequest[dict[str, Any]], command="status", scopes=(TokenScope.TOTALS,)):
    """The status, of which alerts follow (``monitor.alert_rules``)."""


ALERTS = Operation(
    name="readAlerts",
    method="GET",
    path="/alerts",
    about="The active alerts, each with its remedy.",
    request=ReadAlerts,
    answer=rows(ALERT),
    commands=("alerts list",),
)
