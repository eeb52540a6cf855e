# SPDX-License-Identifier: Apache-2.0
"""Make the change that allows or blocks targets; every face sends this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.operations.parameters.audience import ChangeAudience
    from filterd.operations.parameters.term import Term
    from filterd.overrides.target_text import Target


def set_exceptions(
    targets: Sequence[Target], audience: ChangeAudience, term: Term, *, allow: bool
) -> tuple[str, dict[str, Any]]:
    """Return the kind and the fields of a change that allows or blocks targets.

    Args:
        targets: at least one.
        audience: for which clients.
        term: when it holds; only ``are_entries`` need no end.
        allow: whether it allows them; else it blocks them.

    Returns:
        What ``overrides.exception_changes.SetException`` reads, or ``SetExceptions`` of several.
    """
    how = {"allow": allow, **audience.payload, **term.payload}
    if len(targets) == 1:
        kind, target = targets[0]
        return "exception", {"target_kind": str(kind), "target": target, **how}
    return "exceptions", {"targets": [[str(kind), one] for kind, one in targets], **how}
