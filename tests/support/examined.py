# SPDX-License-Identifier: Apache-2.0
"""Gateways to examine: a site, a daemon and a network in one line each."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.appliance.doctor.probe import ExaminedSite, ProbeOutcome
from filterd.appliance.local_network import DefaultRoute, LocalNetwork
from filterd.base.errors import ControlError
from filterd.clients.interfaces import Links
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.appliance.doctor.probe import ProbeFinding

FOUND, CLEAN, UNSEEN = ProbeOutcome.FOUND, ProbeOutcome.CLEAN, ProbeOutcome.UNSEEN

STATUS: dict[str, Any] = {
    "pid": 0,
    "listen": [],
    "names": 1_000_000,
    "lists": 12,
    "lists_built_at": 0.0,
    "time_is_known": True,
    "clock": {"standing": "known"},
    "answers": {},
    "doubts": [],
    "disputes": [],
    "changes": {"problems": []},
    "log": {"problem": ""},
    "protection": {"followed": [], "missing": [], "never": False, "starter": [], "links": {}},
}
"""Of a daemon with which all is well."""

NETWORK = LocalNetwork((), (DefaultRoute("wan0", None),), (), (), Links())


def nothing(*_: Any, **__: Any) -> Any:
    """Answer as no daemon does."""
    raise ControlError(say("no daemon"))


def examined(folder: Path, *, status: dict[str, Any] | None = None, **more: Any) -> ExaminedSite:
    """Return a gateway with which all is well, but for what is given."""
    site = ExaminedSite(folder, a_policy(), {**STATUS, **(status or {})}, NETWORK, nothing)
    return replace(site, **{"clock": FakeClock(), **more})


def look(probe: Callable[[ExaminedSite], Any], site: ExaminedSite) -> list[ProbeFinding]:
    """Return the findings of one probe."""
    if inspect.iscoroutinefunction(probe):
        return list(asyncio.run(probe(site)))
    return list(probe(site))


def outcomes(probe: Callable[[ExaminedSite], Any], site: ExaminedSite) -> list[ProbeOutcome]:
    """Return the outcomes of the findings of one probe."""
    return [one.outcome for one in look(probe, site)]
