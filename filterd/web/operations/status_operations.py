# SPDX-License-Identifier: Apache-2.0
"""Add the alerts that follow from the status to it, and word what a reload did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.monitor.alert_rules import active
from filterd.operations import alerts, reload, status
from filterd.operations.status import OF_PAGES
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


async def _status(visitor: Visitor, _: OperationRequest[Any]) -> dict[str, Any]:
    found = await visitor.send(OF_PAGES)
    return {**found, "alerts": [one.to_plain() for one in active(found, found["clock"]["shows"])]}


async def _alerts(visitor: Visitor, asked: OperationRequest[Any]) -> Any:
    return (await _status(visitor, asked))["alerts"]


def _tested(found: dict[str, Any]) -> Sentence:
    """Return the sentence on a self-test that was asked for."""
    return say(
        "Tested: {passed} passed, {failed} failed, {unknown} could not be asked.",
        passed=found["passed"],
        failed=found["failed"],
        unknown=found["unknown"],
    )


STATUS = endpoint(status.STATUS, _status)
ALERTS = endpoint(alerts.ALERTS, _alerts)
SELF_TEST = endpoint(status.SELF_TEST, done=lambda found, _: _tested(found))
RELOAD = endpoint(reload.RELOAD, done=lambda *_: say("The files and the lists are in force."))
