# SPDX-License-Identifier: Apache-2.0
"""Small indexes for tests: texts of lists in, an open index out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.rules import ListSource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.report import CompileReport
    from filterd.lists.rules import Claim, Pin, Protection


@dataclass(frozen=True)
class Compiled:
    """An index that a test made, and what the compiler said of it."""

    index: Index
    report: CompileReport
    path: Path


def wire(text: str) -> bytes:
    """Return a plain name in wire form."""
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def a_list(
    folder: Path, text: str, list_id: str = "a", *, form: str = "domains", category: str = "ads"
) -> ListSource:
    """Write a list and return its source."""
    path = folder / f"{list_id}.txt"
    path.write_text(text, encoding="utf-8")
    return ListSource(list_id, category, form, str(path))


def compiled(
    folder: Path,
    *sources: ListSource,
    pins: Iterable[Pin] = (),
    protections: Iterable[Protection] = (),
) -> Compiled:
    """Compile lists and open the index."""
    path = folder / "index"
    report = compile_lists(sources, pins=pins, protections=protections, target=path, now=1.0)
    return Compiled(Index.open(path), report, path)


def entries_of(index: Index, name: str) -> set[tuple[str, str, Claim, int]]:
    """Return list, listed name, claim and line of everything that a lookup finds."""
    found = set()
    for hit in index.lookup(wire(name)):
        for claim_id, line in index.entries(hit.rank):
            list_index, claim = index.claims[claim_id]
            found.add((index.lists[list_index].id, text_of(index.name(hit.rank)), claim, line))
    return found


def listed(index: Index, name: str) -> list[str]:
    """Return the listed names that a lookup finds, the longest first."""
    return [text_of(index.name(hit.rank)) for hit in index.lookup(wire(name))]


def text_of(name: bytes) -> str:
    """Return a plain wire name as text."""
    labels, at = list[str](), 0
    while length := name[at]:
        labels.append(name[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels)
