# SPDX-License-Identifier: Apache-2.0
"""The list compiler: collect, sort, apply guards, pack, write, verify, install.

The same lists, guards and ``now`` give the same octets. A file that cannot be
read stops the compilation and leaves the old index active: an index without one
of its lists would unblock names without a decision by an operator.

Progress is one number that never goes back. It is measured in octets of the lists,
because these are known before reading starts. Steps that read no list take time
too, so each step has a share of the whole, as measured with a million names; a
progress bar then ends when the work does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from filterd.base.clock import SystemClock
from filterd.base.errors import ListError
from filterd.base.paths import check_room, create, reading, writing
from filterd.base.state_file import plain_version
from filterd.lists.index import Contents, ListRecord
from filterd.lists.index_format import MAX_BLOCKS, block_octets
from filterd.lists.intake import Intake
from filterd.lists.packing import COVERS, IS_BLOCK, IS_MARKER, Packer, write_index
from filterd.lists.report import CompileReport
from filterd.lists.rules import Claim, Effect, ListSource, Scope
from filterd.lists.sort_records import TAIL_OCTETS, Guarded
from filterd.texts.i18n import say
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from filterd.lists.lookalikes import LookalikeRule
    from filterd.lists.rules import Pin, Protection


Progress: TypeAlias = Callable[[int, int], None]
"""Called with the octets that are done, and with all of them."""

_READ = 0.70
"""The share that is done when all lists are read; then their records are sorted."""
_SORTED = 0.80
_PACKED = 0.90
"""The share at which the table of slots is filled, and the file written and verified."""


class CompileProgress:
    """The progress of one compilation.

    Args:
        tell: called with the progress.
        octets: the length of all lists together.
    """

    def __init__(self, tell: Progress, octets: int) -> None:
        self._tell, self._octets = tell, octets
        self._furthest = 0

    def has_read(self, before: int, octets: int = 0) -> None:
        """Note the octets read of a list, and of all lists before it."""
        self._reach(_READ * (before + octets) / max(self._octets, 1))

    def has_packed(self, records: int, of: int) -> None:
        """Note the records that are packed; packing again does not go back."""
        self._reach(_SORTED + (_PACKED - _SORTED) * records / max(of, 1))

    def finish(self) -> None:
        """Note that everything is done."""
        self._reach(1.0)

    def _reach(self, share: float) -> None:
        self._furthest = max(self._furthest, min(round(share * self._octets), self._octets))
        self._tell(self._furthest, self._octets)


_CHECKED_EVERY = 1 << 18
"""Characters of problem text between two checks of the free space on the disk."""


def compile_lists(
    sources: Sequence[ListSource],
    *,
    pins: Iterable[Pin] = (),
    protections: Iterable[Protection] = (),
    target: Path | IO[bytes],
    now: float,
    versions: Mapping[str, str | None] | None = None,
    progress: Progress | None = None,
    problems: Path | None = None,
) -> CompileReport:
    """Compile lists and replace the index at ``target``.

    Args:
        sources: the lists, each with an id of its own.
        pins: names that nothing may block.
        protections: names that lists of third parties may not block.
        target: the index to replace, in an existing folder; or where to write it.
        now: Unix time to note in the index.
        versions: those that the lists are of, to note too, by their keys in the index.
        progress: called now and then with the octets that are done, and with all of them.
        problems: a file for one line about every rejected line:
            ``file:line``, reason, text, with tabs between.

    Returns:
        The report of what was taken, refused and set aside.

    Raises:
        ListError: a list cannot be read, or two have one id; nothing was written.
        StoreError: the disk refused; the old index stays active.
    """
    started = SystemClock().monotonic()
    _check_ids(sources)
    work = CompileProgress(progress or _no_progress, sum(map(_octets, sources)))
    with _problem_file(problems) as problem_file:
        intake = _take_in(sources, problem_file, work)
        intake.records.sort()
        guarded = Guarded(intake.records, intake.claims, sources, intake.refuse_key)
        guarded.refuse_pinned(pins)
        guarded.set_aside_protected(protections)
    build: dict[str, Any] = {"when": now, "version": __version__}
    shares = [
        {"category": source.category, **asdict(each)}
        for source in sources
        for each in source.made_of
    ]
    build |= {"sources": shares} if shares else {}
    known = {key: version for key, version in (versions or {}).items() if version is not None}
    build |= {key: plain_version(one) for key, one in known.items()}
    report = _pack_and_write(intake, target, build, work)
    work.finish()
    report.seconds = SystemClock().monotonic() - started
    return report


def _check_ids(sources: Sequence[ListSource]) -> None:
    """Refuse two lists of one id: it would be unclear which one blocks."""
    seen = set[str]()
    for source in sources:
        if source.id in seen:
            raise ListError(
                say(
                    "{path}: a second list has the id {id}; give it another",
                    path=source.path,
                    id=repr(source.id),
                )
            )
        seen.add(source.id)


def _problem_file(path: Path | None) -> AbstractContextManager[IO[str] | None]:
    if path is None:
        return nullcontext()
    with writing(path):
        path.unlink(missing_ok=True)  # never write through a link that another process left there
        return _SparingText(create(path), encoding="utf-8")


class _SparingText(TextIOWrapper):
    """A text file that does not fill its disk: a list may contain nothing but errors."""

    _unchecked = 0

    def write(self, text: str, /) -> int:
        self._unchecked += len(text)
        if self._unchecked > _CHECKED_EVERY:
            self._unchecked = 0
            check_room(Path(self.buffer.name).parent, _CHECKED_EVERY)
        return super().write(text)


def _no_progress(_done: int, _total: int) -> None:
    """Ignore the progress."""


def _take_in(
    sources: Sequence[ListSource], problems: IO[str] | None, work: CompileProgress
) -> Intake:
    """Read all lists."""
    intake = Intake(sources, problems)
    before = 0
    for source in sources:
        intake.take(partial(work.has_read, before))
        before += _octets(source)
    work.has_read(before)
    return intake


def _octets(source: ListSource) -> int:
    if source.names is not None:
        return sum(len(name) for _, name in source.names)
    with reading(source.path, ListError):
        return Path(source.path).stat().st_size


def _pack_and_write(
    intake: Intake, target: Path | IO[bytes], build: dict[str, Any], work: CompileProgress
) -> CompileReport:
    """Pack sorted records and put the index in its place."""
    identity = "\n".join(intake.digests).encode()
    seed = int.from_bytes(hashlib.sha256(identity).digest()[:8], "little")
    packer = _packed(intake, seed, work)
    intake.records.clear()  # their memory is needed for the next steps
    if len(packer.line_offsets) > MAX_BLOCKS:
        raise ListError(
            say("{name_count} names are more than an index can hold", name_count=packer.name_count)
        )
    report = _finished_report(intake, packer)
    lookalikes = _with_sets(intake, packer.sets)
    contents = Contents(
        tuple(_list_record(intake, index) for index in range(len(intake.sources))),
        tuple(intake.claims),
        tuple(packer.sets),
        build,
        lookalikes,
    )
    report_text = json.dumps(report.to_plain(), sort_keys=True).encode()
    write_index(packer, seed, contents.dump(), report_text, target)
    return report


def _packed(intake: Intake, seed: int, work: CompileProgress) -> Packer:
    """Pack the records; with wide set ids only where narrow ones are too few."""
    longest = max(map(len, intake.records), default=0) - TAIL_OCTETS - 1
    try:
        return _packed_with(intake, seed, work, longest, set_width=2)
    except OverflowError:
        return _packed_with(intake, seed, work, longest, set_width=4)


def _packed_with(
    intake: Intake, seed: int, work: CompileProgress, longest: int, *, set_width: int
) -> Packer:
    packer = Packer(
        [index for index, _ in intake.claims],
        bytes(_flags(claim) for _, claim in intake.claims),
        len(intake.sources),
        seed,
        block_octets(longest),
        set_width,
    )
    count = len(intake.records)
    packer.pack(intake.records, lambda done: work.has_packed(done, count))
    return packer


def _finished_report(intake: Intake, packer: Packer) -> CompileReport:
    """Return the report with the counts of packing."""
    for index, report in enumerate(intake.reports):
        report.kept, report.duplicate = packer.kept[index], packer.duplicate[index]
        report.redundant, report.cancelled = packer.redundant[index], packer.cancelled[index]
    for claim_id, _ in intake.families:
        intake.reports[intake.claims[claim_id][0]].kept += 1
    return CompileReport(intake.reports, packer.name_count)


def _with_sets(intake: Intake, sets: list[tuple[int, ...]]) -> tuple[LookalikeRule, ...]:
    """Return the look-alike rules, each with the added claim set of its category."""
    set_ids = dict[int, int]()
    for claim_id, _ in intake.families:
        if claim_id not in set_ids:
            set_ids[claim_id] = len(sets)
            sets.append((claim_id,))
    return tuple(rule._replace(set_id=set_ids[claim_id]) for claim_id, rule in intake.families)


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
    """Return the flags of a claim for packing.

    A claim covers the names beneath only if it holds for all of them: every
    type, no name left alone.
    """
    if claim.effect is Effect.MARKER:
        return IS_MARKER
    if claim.effect is not Effect.BLOCK or claim.important:
        return 0
    whole = claim.scope is not Scope.EXACT and claim.types is None and not claim.denyallow
    return IS_BLOCK | (COVERS if whole else 0)
