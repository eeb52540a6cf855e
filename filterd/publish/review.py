# SPDX-License-Identifier: Apache-2.0
"""Keep the families that wait for approval, and the decisions on them.

A build writes ``lookalikes-queue.yaml`` into the publisher's folder. The decisions are
beside it in ``lookalikes-decisions.yaml``. They are never published, because their
authors are kept here only, and every build applies them again.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from filterd.documents import DocumentModel, dump, load, validate
from filterd.lists.catalog_schema import IsoDate  # noqa: TC001 -- pydantic reads it
from filterd.lists.lookalike_families import Decision, Waiting
from filterd.lists.lookalikes_file import LookalikeFamily
from filterd.paths import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DECISIONS, QUEUE = "lookalikes-decisions.yaml", "lookalikes-queue.yaml"
REFUSED = "refuse"
MOST_WAITING = 500
"""In the queue, the largest families: what is behind them comes up when these are decided."""


class _WaitingEntry(LookalikeFamily):
    members: Annotated[int, Field(ge=1)]
    examples: tuple[str, ...]
    closes: tuple[str, ...]


class _Queue(DocumentModel):
    waiting: tuple[_WaitingEntry, ...]


class _Entry(LookalikeFamily):
    decision: Literal["accept", "refuse"]
    who: Annotated[str, Field(min_length=1)]
    why: Annotated[str, Field(min_length=1)]
    on: IsoDate


class _File(DocumentModel):
    decisions: tuple[_Entry, ...]


def read_decisions(folder: Path) -> tuple[Decision, ...]:
    """Read the decisions of a publisher; none without a file.

    Raises:
        ConfigErrors: the content of the file is wrong.
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


def decide(folder: Path, *decisions: Decision) -> None:
    """Add decisions; one on the same family takes the place of the one before.

    Raises:
        ConfigErrors: what is there is wrong; nothing was written.
        StoreError: the disk refused.
    """
    same = {(one.category, one.shape) for one in decisions}
    others = [one for one in read_decisions(folder) if (one.category, one.shape) not in same]
    write_atomically(folder / DECISIONS, _written((*others, *decisions)), mode=0o644)


def read_queue(folder: Path) -> tuple[Waiting, ...]:
    """Return the families of the last build that still wait for a decision.

    Raises:
        ConfigErrors: the content of a file is wrong.
        ConfigError: one cannot be read.
    """
    if not (folder / QUEUE).exists():
        return ()
    decided = {(one.category, one.shape) for one in read_decisions(folder)}
    return tuple(
        Waiting(one.shape, one.category, one.digits, one.members, one.examples, one.closes)
        for one in validate(load(folder / QUEUE), _Queue).waiting
        if (one.category, one.shape) not in decided
    )


def write_queue(folder: Path, waiting: Iterable[Waiting]) -> None:
    """Replace the queue; where nothing waits and nothing ever has, there is none.

    Raises:
        StoreError: the disk refused.
    """
    entries = [
        one._asdict()
        | {"shape": one.shape.decode("ascii")}
        | {"examples": list(one.examples), "closes": list(one.closes)}
        for one in islice(waiting, MOST_WAITING)
    ]
    if entries or (folder / QUEUE).exists():
        write_atomically(folder / QUEUE, dump({"waiting": entries}), mode=0o644)


def _written(decisions: Iterable[Decision]) -> bytes:
    entries = [one._asdict() | {"shape": one.shape.decode("ascii")} for one in decisions]
    return dump({"decisions": entries})
