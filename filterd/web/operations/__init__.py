# SPDX-License-Identifier: Apache-2.0
"""The operations of the API and of pages; ``ORDER`` is that of the description.

Most are those of ``filterd.operations`` as they are. A module here has what only a person's
request has: sentences for pages, files, streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations.lists import Decision
from filterd.operations.operation import Operation
from filterd.operations.request import OperationRequest, RequestedChange
from filterd.operations.subjects import SUBJECTS
from filterd.web.endpoint import WebEndpoint, endpoint
from filterd.web.operations import (
    account_operations,
    exception_operations,
    history_operations,
    list_operations,
    log_operations,
    policy_operations,
    report_operations,
    room_operations,
    site_operations,
    status_operations,
)
from filterd.web.wanted_change import done

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from filterd.web.endpoint import Done

_MODULES = (
    *SUBJECTS,
    status_operations,
    log_operations,
    report_operations,
    policy_operations,
    exception_operations,
    room_operations,
    list_operations,
    site_operations,
    history_operations,
    account_operations,
)
"""Of a module all its operations, as they stand there; a later module may say more of one."""

_DONE: dict[type[OperationRequest[Any]], Done] = {
    RequestedChange: done,
    Decision: list_operations.decided,
}
"""The sentence on what was done, by kind of request."""


def _served(modules: Iterable[ModuleType]) -> dict[str, WebEndpoint]:
    """Return the operations of the modules by name."""
    found: dict[str, WebEndpoint] = {}
    for one in (one for module in modules for one in vars(module).values()):
        if isinstance(one, WebEndpoint):
            found[one.name] = one
        elif isinstance(one, Operation):
            found[one.name] = endpoint(one, done=_done(one) if one.is_change else None)
    return found


def _done(operation: Operation) -> Done | None:
    """Return what makes the sentence on an operation that was done."""
    if (sentence := operation.sentence) is not None:
        return lambda answer, _: sentence(operation.request.answer_of(answer))
    return next((one for kind, one in _DONE.items() if issubclass(operation.request, kind)), None)


BY_NAME = {**_served(_MODULES), **{one.name: one for one in site_operations.EDITS.values()}}
ORDER = tuple(BY_NAME.values())
