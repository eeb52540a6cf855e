# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket that read and export totals of the log.

Every reader sees those of the school, its tiers and grades; a teacher also own classes
today; administrators each class and network (``overrides.read_access``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.control_commands import author_of
from filterd.daemon.log_request import check_known
from filterd.errors import ControlError
from filterd.field_checks import is_whole
from filterd.i18n import say
from filterd.overrides.permissions import check_class, readable_classes
from filterd.overrides.read_access import View, check_view
from filterd.querylog import MOST_DAYS
from filterd.querylog.totals_request import TotalsRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager
    from filterd.daemon.totals_export import TotalsExport

_TEXTS = ("tier", "grade", "class", "network")
_SWITCHES = ("by_hour", "by_class", "by_network")


def commands(manager: Manager, export: TotalsExport) -> dict[str, Command]:
    """Return the commands by name.

    Args:
        manager: it has the totals.
        export: it publishes them for outside the school.
    """

    async def log_totals(request: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        wanted, classes = _wanted(request), None
        if wanted.class_id or wanted.network or wanted.by_class or wanted.by_network:
            author = author_of(caller)
            check_view(author, View.CLASS_TOTALS)
            school = manager.changes.classroom(manager.site)
            if wanted.class_id:
                check_class(author, wanted.class_id, school)
            classes = readable_classes(author, lambda: school)
            if classes is not None and wanted.days > 1:
                raise ControlError(say("a teacher sees own classes of today only: --days 1"))
        found = await manager.log_totals(wanted, classes)
        if not found:  # totals may be of a class or network of a former site
            policy = manager.site.policy
            check_known(wanted.class_id, [one.id for one in policy.classes])
            check_known(wanted.network, [one.id for one in policy.networks])
        return found

    async def log_export(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return await export.export(request, author_of(caller))

    return {"log totals": log_totals, "log export": log_export}


def _wanted(request: Mapping[str, Any]) -> TotalsRequest:
    days = request.get("days", 1)
    texts = {key: request.get(key, "") for key in _TEXTS}
    are_texts = all(isinstance(value, str) for value in texts.values())
    if not is_whole(days) or not 1 <= days <= MOST_DAYS or not are_texts:
        raise ControlError(
            say(
                "`log totals` wants days, 1 to {most}, and a tier, grade, class or network",
                most=MOST_DAYS,
            )
        )
    texts["class_id"] = texts.pop("class")
    switches = {key: request.get(key) is True for key in _SWITCHES}
    return TotalsRequest(days, **{**texts, **switches})
