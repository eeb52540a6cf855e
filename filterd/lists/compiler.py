# SPDX-License-Identifier: Apache-2.0
"""Compile lists into an index: take in, sort, apply guards, pack, write, verify, install.

The same lists, guards and ``now`` give the same octets. A file that cannot be
read stops everything and leaves the old index in force: an index that lacks a
list would unblock its names without anybody having decided so.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.clock import SystemClock
from filterd.errors import ListError, StoreError
from filterd.lists._packing_py import COVERS, IS_BLOCK, IS_MARKER
from filterd.lists.builder import write_index
from filterd.lists.catalogue import Catalogue, ListRecord
from filterd.lists.intake import Intake
from filterd.lists.layout import MAX_NAMES
from filterd.lists.packing import Packer
from filterd.lists.refusals import Guarded
from filterd.lists.report import CompileReport
from filterd.lists.rules import Claim, Effect, ListSource, Scope
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from filterd.lists.guards import Pin, Protection

    Progress = Callable[[int, int], None]


def compile_lists(
    sources: Sequence[ListSource],
    *,
    pins: Iterable[Pin] = (),
    protections: Iterable[Protection] = (),
    target: Path,
    now: float,
    progress: Progress | None = None,
    problems: Path | None = None,
) -> CompileReport:
    """Compile lists and replace the index at ``target``.

    Args:
        sources: the lists, each with an id of its own.
        pins: names that nothing may block.
        protections: names that lists of third parties may not block.
        target: the index to replace; its folder must exist.
        now: Unix time to note in the index.
        progress: called now and then with octets read and octets in all.
        problems: a file for one line about every line that was not taken:
            ``file:line``, reason, text, with tabs between.

    Returns:
        What was taken, refused and set aside.

    Raises:
        ListError: a list cannot be read, or two have one id; nothing was written.
        StoreError: the disk refused; the old index is in force.
    """
    started = SystemClock().monotonic()
    _check_ids(sources)
    with _problem_file(problems) as problem_file:
        intake = _take_in(sources, problem_file, progress or _no_progress)
        intake.records.sort()
        guarded = Guarded(intake.records, intake.claims, sources, intake.refuse_key)
        guarded.refuse_pinned(pins)
        guarded.set_aside_protected(protections)
    report = _pack_and_write(intake, target, now)
    report.seconds = SystemClock().monotonic() - started
    return report


def _check_ids(sources: Sequence[ListSource]) -> None:
    """Refuse two lists of one id: nobody could tell which one blocks."""
    seen = set[str]()
    for source in sources:
        if source.id in seen:
            raise ListError(
                f"{source.path}: a second list has the id {source.id!r}; give it another"
            )
        seen.add(source.id)


def _problem_file(path: Path | None) -> AbstractContextManager[IO[str] | None]:
    if path is None:
        return nullcontext()
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def _no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


def _take_in(sources: Sequence[ListSource], problems: IO[str] | None, progress: Progress) -> Intake:
    """Take all lists in, with one progress over all of them."""
    sizes = [_octets(source) for source in sources]
    total = sum(sizes)
    intake = Intake(sources, problems)
    for index in range(len(sources)):
        before = sum(sizes[:index])
        intake.take(_shifted(progress, before, total))
        progress(before + sizes[index], total)
    return intake


def _shifted(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    """Turn the octets read of one file into those of all."""
    return lambda done: progress(before + done, total)


def _octets(source: ListSource) -> int:
    try:
        return Path(source.path).stat().st_size
    except OSError as error:
        raise ListError(f"{source.path}: cannot be read: {error.strerror}") from error


def _pack_and_write(intake: Intake, target: Path, now: float) -> CompileReport:
    """Pack sorted records and put the index in its place."""
    identity = "\n".join(intake.digests).encode()
    seed = int.from_bytes(hashlib.sha256(identity).digest()[:8], "little")
    packer = Packer(
        [index for index, _ in intake.claims],
        bytes(_flags(claim) for _, claim in intake.claims),
        len(intake.sources),
        seed,
    )
    packer.pack(intake.records)
    intake.records.clear()  # their memory is needed for what follows
    if packer.name_count > MAX_NAMES:
        raise ListError(f"{packer.name_count} names are more than the {MAX_NAMES} of an index")
    report = _finished_report(intake, packer)
    catalogue = Catalogue(
        tuple(_list_record(intake, index) for index in range(len(intake.sources))),
        tuple(intake.claims),
        tuple(packer.sets),
        {"when": now, "version": __version__},
    )
    report_text = json.dumps(report.to_json(), sort_keys=True).encode()
    write_index(packer, seed, catalogue.dump(), report_text, target)
    return report


def _finished_report(intake: Intake, packer: Packer) -> CompileReport:
    """Add what packing counted."""
    for index, report in enumerate(intake.reports):
        report.kept, report.duplicate = packer.kept[index], packer.duplicate[index]
        report.redundant, report.cancelled = packer.redundant[index], packer.cancelled[index]
    return CompileReport(intake.reports, packer.name_count)


def _list_record(intake: Intake, index: int) -> ListRecord:
    source = intake.sources[index]
    return ListRecord(
        source.id,
        source.category,
        source.title,
        source.format,
        source.own,
        intake.digests[index],
        intake.reports[index].kept,
    )


def _flags(claim: Claim) -> int:
    """Return what packing must know of a claim.

    A claim covers what is beneath it only if it holds for all of it: every
    type, no name left alone.
    """
    if claim.effect is Effect.MARKER:
        return IS_MARKER
    if claim.effect is not Effect.BLOCK or claim.important:
        return 0
    whole = claim.scope is not Scope.EXACT and claim.types is None and not claim.denyallow
    return IS_BLOCK | (COVERS if whole else 0)
