# SPDX-License-Identifier: Apache-2.0
"""Read the targets of an exception: names, services, categories, entries of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.operations.parameters.scalar import Several, Text
from filterd.overrides.changes.change_fields import MAX_TARGETS
from filterd.overrides.target_text import Target
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGETS = Several(
    Text(300, least=1),
    MAX_TARGETS,
    1,
    "Each a name, service:ID, category:ID, or entry:NAME for a mistake of a list",
)
"""What programs and forms send."""


def read_targets(texts: Iterable[str], *, opens: bool) -> list[Target]:
    """Return the targets of the texts, each once.

    Args:
        texts: as a person wrote them.
        opens: whether the exception opens them; else it closes them.

    Raises:
        ConfigError: one is none.
    """
    return list(dict.fromkeys(Target.read(text, opens=opens) for text in texts))


def are_entries(targets: Iterable[Target]) -> bool:
    """Return whether all are entries of lists, which end by themselves after 14 days."""
    return all(target.kind is TargetKind.ENTRY for target in targets)
