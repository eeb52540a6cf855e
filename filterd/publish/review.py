# SPDX-License-Identifier: Apache-2.0
"""What a person has said of families that wait for one: accepted or refused, by whom and why.

The decisions stand in ``lookalikes-decisions.yaml`` of the publisher's folder, beside
what they are about, and never in what is published: who decided is nobody else's
business, and every build goes by them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import yaml
from pydantic import Field

from filterd.documents import DocumentModel, load, validate
from filterd.lists.catalog_schema import IsoDate  # noqa: TC001 -- pydantic reads it
from filterd.lists.lookalikes_file import LookalikeEntry
from filterd.paths import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DECISIONS, QUEUE = "lookalikes-decisions.yaml", "lookalikes-queue.yaml"
ACCEPTED, REFUSED = "accept", "refuse"


class Decision(NamedTuple):
    """One decision; ``on`` is the day, ISO 8601."""

    shape: bytes
    category: str
    digits: int
    decision: str
    who: str
    why: str
    on: str


class _Entry(LookalikeEntry):
    decision: Literal["accept", "refuse"]
    who: Annotated[str, Field(min_length=1)]
    why: Annotated[str, Field(min_length=1)]
    on: IsoDate


class _File(DocumentModel):
    decisions: tuple[_Entry, ...]


def read_decisions(folder: Path) -> tuple[Decision, ...]:
    """Read the decisions of a publisher; none where nobody has decided anything.

    Raises:
        ConfigErrors: what the file says is wrong.
        ConfigError: it cannot be read.
    """
    path = folder / DECISIONS
    if not path.exists():
        return ()
    entries = validate(load(path), _File).decisions
    return tuple(
        Decision(one.shape, one.category, one.digits, one.decision, one.who, one.why, one.on)
        for one in entries
    )


def decide(folder: Path, decision: Decision) -> None:
    """Add a decision; one on the same family takes the place of the one before.

    Raises:
        ConfigErrors: what is there is wrong; nothing was written.
        StoreError: the disk refused.
    """
    same = (decision.category, decision.shape)
    others = [one for one in read_decisions(folder) if (one.category, one.shape) != same]
    write_atomically(folder / DECISIONS, _written((*others, decision)))


def _written(decisions: Iterable[Decision]) -> bytes:
    entries = [one._asdict() | {"shape": one.shape.decode("ascii")} for one in decisions]
    text: str = yaml.safe_dump({"decisions": entries}, allow_unicode=True, sort_keys=False)
    return text.encode()
