# SPDX-License-Identifier: Apache-2.0
"""Make all checks of one version, in their order: cheap and certain ones first.

A reason to refuse ends the work only where nothing is left to ask; else all reasons are
reported at once, so that a publisher mends them at once.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, FilterdError, IndexFormatError
from filterd.base.state_folder import BesideFolder, StateFolder
from filterd.feed.followed.night_memory import MOST_OCTETS
from filterd.feed.guard import candidate as loading
from filterd.feed.guard.candidate import (
    LOADING,
    Asking,
    GuardRequest,
    UnfitError,
    malformed,
    shipped_asking,
    shipped_catalog,
)
from filterd.feed.guard.impact import (
    POPULAR_FILE,
    Compared,
    closed_asked,
    closed_frozen,
    closed_popular,
    grown,
    is_of_what_ships,
    opened,
    read_popular,
)
from filterd.feed.guard.judgement import (
    CHECKS,
    Finding,
    Judgement,
    Severity,
    blocklists_from,
    found,
)
from filterd.feed.guard.must_block import (
    forgotten_canaries,
    open_canaries,
    opened_by_pins,
    opened_canaries,
    questions,
    unmet_expectations,
    wrong_answers,
)
from filterd.feed.guard.must_resolve import (
    blocked_essentials,
    closed_beneath,
    listed_suffixes,
    refused_entries,
    wrong_rewrites,
)
from filterd.feed.guard.provenance import orders_by_unknown_key, unsigned_orders
from filterd.feed.guard.tables import (
    changed_contacts,
    changed_rules,
    changed_tables,
    wrong_holidays,
)
from filterd.feed.versions import is_followed
from filterd.lists.catalogs.catalog import BESIDE
from filterd.lists.catalogs.catalog_tables import (
    contacts_or_none,
    load_popular_names,
    read_canaries,
)
from filterd.lists.index_files import version_of
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.day_search import RecordedWeek
from filterd.resolve.site import Site
from filterd.resolve.what_if import compare_week
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from filterd.feed.guard.candidate import Tables
    from filterd.lists.index import Index

_DAYS = 7
"""Of the log, with today."""


def judged(
    data: dict[str, Any], *, cpu_s: Callable[[], float], peak_octets: Callable[[], int]
) -> Judgement:
    """Make all checks of a version.

    Args:
        data: the request, as ``judgement.request_of`` writes it.
        cpu_s: the CPU time of this process.
        peak_octets: its peak of memory.
    """
    request = _request(data)
    work = _Work(request, data)
    try:
        work.run()
    except UnfitError as error:
        work.findings.append(error.finding)
    except FilterdError as error:
        why = say("it could not be loaded: {why}", why=error.sentence)
        work.findings.append(found(LOADING, Severity.REFUSED, why))
    except MemoryError:
        why = say("it could not be loaded: it needs more memory than a version may use")
        work.findings.append(found(LOADING, Severity.REFUSED, why))
    return Judgement(
        request.version, tuple(work.findings), work.index, tuple(work.done), cpu_s(), peak_octets()
    )


class _Work:
    """A judgement on its way."""

    def __init__(self, request: GuardRequest, data: dict[str, Any]) -> None:
        self._request, self._data = request, data
        self.findings = list[Finding]()
        self.done = list[str]()
        self.index = ""

    def run(self) -> None:
        request = self._request
        tables = loading.read_tables(request)
        loading.write_tables(request, tables)
        canaries = read_canaries(request.blocklists.folder)
        self._note("files", malformed(request.folder, _texts(request, tables)))
        if self.findings:
            return  # whatever a parser makes of it was never meant
        loading.check_memory(tables, self._data.get("memory_octets", MOST_OCTETS))
        asking, report = loading.compile_candidate(request, tables)
        self.index = asking.index.digest.hex()
        before = self._before()
        in_force = None if before is None else _against(asking, tables, before, request)
        shipped = in_force if request.is_beside else None  # what ships is the feed's affair
        shipped = shipped or _against(asking, tables, shipped_asking(request, tables), None)
        both = [one for one in (in_force, shipped) if one is not None]
        known = [one.before for one in both]
        unknown = loading.unknown_keys(request.folder)
        self._note("loading", [*loading.unusable_lines(report, tables), *unknown])
        self._note("golden", wrong_answers(asking, list(questions(tables.judged))))
        self._note("provenance", self._provenance(asking, known, tables))
        entries = list(refused_entries(report.lists, tables.feed))
        self._note("essentials", blocked_essentials(asking, known, tables.feed))
        self._note("beneath", closed_beneath(asking, known, tables.feed))
        self._note("suffixes", [*entries, *listed_suffixes(asking)])
        self._note("rewrites", wrong_rewrites(asking.policy, [one.policy for one in known]))
        self._compare(both, tables, canaries)
        own = open_canaries(asking, canaries, () if request.is_beside else tables.feed)
        self._note("canaries", [*own, *opened_canaries(in_force, shipped, self._canaries_before())])
        self._note("expectations", unmet_expectations(asking, before, request.now))

    def _provenance(
        self, asking: Asking, known: Sequence[Asking], tables: Tables
    ) -> Iterator[Finding]:
        yield from unsigned_orders(asking, tables.feed)
        if not self._data["orders_known"]:
            yield from orders_by_unknown_key(asking, known, load_popular_names())

    def _before(self) -> Asking | None:
        in_force = self._data["in_force"]
        if in_force is None:
            return None
        opened = loading.open_in_force(
            Path(in_force["index"]), Path(in_force["policy"]), self._request.now
        )
        if isinstance(opened, Asking):
            return opened
        self.findings.append(opened)
        return None

    def _compare(
        self,
        references: Sequence[Compared],
        tables: Tables,
        canaries: dict[str, tuple[bytes, ...]],
    ) -> None:
        """Compare with what is active; with what ships growth is a note only."""
        folder, compared = self._request.folder, references[0]
        version_before = compared.before.index.build.get(_noted_as(self._request))
        is_followed_alone = is_followed(self._request.version) and not self._request.is_beside
        ships = references[-1] if is_followed_alone else None
        is_first = not version_before or (
            not self._request.is_beside
            and (is_of_what_ships(references) or self._is_other_kind(str(version_before)))
        )
        popular_before = () if is_first else read_popular(folder.parent / str(version_before))
        counted = {
            "popular": closed_popular(compared, read_popular(folder), popular_before),
            "asked": self._asked(compared),
            "growth": chain(
                grown(compared, with_own=not is_followed_alone), changed_rules(compared)
            ),
        }
        always = {
            "popular": closed_frozen(references, load_popular_names()),
            "growth": opened(compared),
            "tables": chain(
                changed_tables(compared, is_first=is_first, ships=ships),
                opened_by_pins(compared),
                () if is_first else self._replaced(folder.parent / str(version_before), canaries),
                wrong_holidays(
                    tables.catalog.holidays,
                    compared.before.policy.holidays,
                    shipped_catalog().holidays,
                    self._request.now,
                ),
            ),
        }
        for check in ("popular", "asked", "growth", "tables"):
            numbers = counted.get(check, ())
            if is_first:
                numbers = (replace(number, severity=Severity.NOTE) for number in numbers)
            self._note(check, chain(numbers, always.get(check, ())))

    def _asked(self, compared: Compared) -> Iterable[Finding]:
        """Judge the recorded days of the school by both; nothing where that is too much."""
        if self._data.get("log") is None:
            return ()
        folder, now = Path(self._data["log"]), self._request.now
        zone = ZoneInfo(compared.new.policy.time_zone)
        days = [one.day for one in DaySpan.last(_DAYS, now, zone)]
        sites = (
            Site.of(one.policy, one.index, (), now=now) for one in (compared.before, compared.new)
        )
        try:
            sums = compare_week(RecordedWeek(folder, days, clock=SystemClock()), *sites)
        except MemoryError:
            return ()
        return closed_asked(sums, compared, self._data["passed"])

    def _replaced(self, before: Path, canaries: dict[str, tuple[bytes, ...]]) -> Iterator[Finding]:
        """Compare the tables that no policy has with those in force, in ``before``."""
        if not self._request.is_beside:
            yield from forgotten_canaries(canaries, self._canaries_before())
        yield from changed_contacts(
            contacts_or_none(self._request.folder), contacts_or_none(before)
        )

    def _is_other_kind(self, before: str) -> bool:
        """Return whether a feed comes in the place of public lists, or they of a feed.

        Then numbers compare nothing; what would open is found all the same.
        """
        return is_followed(before) is not is_followed(self._request.version)

    def _canaries_before(self) -> dict[str, tuple[bytes, ...]]:
        """Return the canaries of the feed in force; none where they cannot be read."""
        version = self._data["in_force"] and version_of(Path(self._data["in_force"]["index"]))
        with contextlib.suppress(ConfigError):
            return read_canaries(self._request.blocklists.folder.parent / str(version))
        return {}

    def _note(self, check: str, findings: Iterable[Finding]) -> None:
        self.findings += findings
        assert check in CHECKS
        self.done.append(check)


def _against(
    asking: Asking, tables: Tables, before: Asking, request: GuardRequest | None
) -> Compared:
    """Pair a candidate with what is active, or without ``request`` with what ships."""
    if request is None:
        lists = frozenset(one.id for one in before.index.lists)
    else:
        found = _not_of_school(before.index, request.config) - tables.own_ids
        lists = frozenset(one for one in found if one.startswith(BESIDE) is request.is_beside)
    return Compared(asking, before, tables.feed, lists)


def _noted_as(request: GuardRequest) -> str:
    """Return the key of an index for the version of what is judged."""
    return (BesideFolder if request.is_beside else StateFolder).noted_as


def _not_of_school(index: Index, config: Path) -> frozenset[str]:
    """Return the ids of lists that are not the school's own, now or before."""
    try:
        reports = index.report.lists
    except IndexFormatError:
        return frozenset(one.id for one in index.lists)
    folder = config.absolute()
    return frozenset(
        report.id for report in reports if not Path(report.path).is_relative_to(folder)
    )


def _texts(request: GuardRequest, tables: Tables) -> Iterator[Path]:
    # Not the orders: an authority writes their names by hand, on whatever machine it has.
    lists = tables.beside.lists if request.is_beside else tables.catalog.lists
    yield from (Path(one.path) for one in lists if one.names is None)
    if (popular := request.folder / POPULAR_FILE).is_file():
        yield popular


def _request(data: dict[str, Any]) -> GuardRequest:
    keys = ("folder", "config", "fresh_index", "fresh_problems", "fresh_policy")
    in_force = data["in_force"] and Path(data["in_force"]["policy"])
    paths = {key: Path(data[key]) for key in keys}
    blocklists = blocklists_from(data["blocklists"])
    now, version = float(data["now"]), str(data["version"])
    return GuardRequest(now, version, in_force, **paths, blocklists=blocklists)
