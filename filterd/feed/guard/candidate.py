# SPDX-License-Identifier: Apache-2.0
"""Load a version as a daemon would, and ask it as every kind of client.

All goes through the production's own loaders and the engine of a daemon's site: a validator of
its own would one day accept what they reject. Schedules, which close and open for an hour, do
not count. A wrong file of the school is no fault of the version.

A list of the feed is written by a program. A zero octet, a carriage return or a last line
without its end shows that the program, or its disk, failed in an unforeseen way.

The shipped lists, as this school would be served them, are compared with too: no signature
can change them, so a first version is judged as well, and one that follows a bad one.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from filterd.base.errors import ConfigError, FilterdError, IndexFormatError, ListError, StoreError
from filterd.base.paths import open_plain, reading, shipped
from filterd.base.value_class import frozen
from filterd.config import build_record
from filterd.config.build_record import write_policy
from filterd.config.compile import compile_policy, own_lists
from filterd.config.lists_build import compile_blocklists
from filterd.config.site_reader import load_site
from filterd.feed.followed.night_memory import most_names, too_many
from filterd.feed.guard.judgement import SCHOOL, Severity, found
from filterd.feed.guard.limits import few
from filterd.lists.catalogs.catalog import ListsBeside, lists_beside, load_catalog
from filterd.lists.catalogs.table_additions import unknown_additions
from filterd.lists.index import Index
from filterd.policy import policy_file
from filterd.policy.model import Client
from filterd.policy.verdict import PASSED, Match
from filterd.resolve.site import Site
from filterd.texts.i18n import quoted, say
from filterd.wire import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.config.build_record import Looked
    from filterd.config.site_reader import SiteSources
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.catalogs.catalog import Catalog, CatalogService
    from filterd.lists.catalogs.catalog_categories import CatalogCategory
    from filterd.lists.index_files import Blocklists
    from filterd.lists.report import CompileReport
    from filterd.lists.rules import ListSource
    from filterd.policy.model import GradePolicy, Policy
    from filterd.policy.verdict import Verdict
    from filterd.texts.i18n import Sentence

    _Named = TypeVar("_Named", bound=CatalogCategory | CatalogService | ListSource)


LOADING = "loading"
"""The kind of what is wrong with the version itself, however it is read."""

_PLAIN = ("domains", "wildcard")

MAX_LINE_OCTETS = 8_192
"""More than parsers read of a line, with its conditions."""

_CHUNK_OCTETS = 1 << 18
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks: of UTF-8 and of both kinds of UTF-16."""
_ADDRESS_TYPES = (RRType.A, RRType.AAAA, RRType.HTTPS)
"""What leads to an address; an entry may be about some types only."""

_MOST_ASKED = 1 << 14
"""Names whose answers are found at once: several checks ask for the same ones."""


class Asking:
    """A policy and an index as they are served.

    Attributes:
        policy: as its file has it, schedules included.
        index: the lists.
        site: the two together, without schedules.
        clients: one of each kind; grades to which the same is closed are one.
    """

    def __init__(self, policy: Policy, index: Index, now: float) -> None:
        self.policy, self.index, self._now = policy, index, now
        self.site = Site.of(replace(policy, scheduled=()), index, (), now=now)
        every = self.site.policy.grades.values()
        grades = [one for one in every if not (one.variant or one.class_id)]
        alike = dict[object, list[Client]]()
        for grade in grades:
            alike.setdefault(_audience(policy, grade), []).append(Client(grade))
        self._alike = {
            some[0].grade.key: [one.grade.grade for one in some] for some in alike.values()
        }
        self.clients = tuple(some[0] for some in alike.values())
        self._known = dict[object, _Answers]()
        self._asked = dict[bytes, _Answers]()
        self._is_by_name = any(client.grade.allow_only for client in self.clients)
        typed = any(claim.types is not None for _, claim in index.claims)
        self._types = _ADDRESS_TYPES if typed else _ADDRESS_TYPES[:1]

    def verdicts(self, name: bytes) -> tuple[tuple[Client, Verdict], ...]:
        """Return the verdict of each kind of client for a name, by each type.

        The entries may be those of another name with the same claims.
        """
        return self._answers(name).verdicts

    def closed(self, name: bytes) -> dict[str, Match]:
        """Return to which grades lists close a name, and by which entry, or one alike."""
        if not self.index.lookup(name):
            return {}  # as for nearly all popular and essential names
        return self._answers(name).closed

    def entries(self, name: bytes) -> dict[str, Match]:
        """Return to which grades lists close a name, and by which entry, for people."""
        return self._decided(name).closed if self.index.lookup(name) else {}

    def open_to(self, name: bytes) -> frozenset[str]:
        """Return the grades to which a name is open, be it for one type."""
        return self._answers(name).open_to

    def closes_target(self, name: bytes) -> Match | None:
        """Return the match by which a list blocks an alias to a name, None for none."""
        if not self.index.lookup(name):
            return None
        decide, now = self.site.engine.decide_target, self._now
        for client, qtype in product(self.clients, self._types):
            verdict = decide(client, PASSED, name, qtype, now)
            if verdict.blocked and verdict.match is not None and verdict.match.list_id:
                return verdict.match
        return None

    def _answers(self, name: bytes) -> _Answers:
        """Return what all clients get; most names share it with many others."""
        if (answers := self._asked.get(name)) is not None:
            return answers
        key = (None if self._is_by_name else self.site.engine.alike(name)) or name
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decided(name)
        if len(self._asked) >= _MOST_ASKED:
            self._asked.clear()
        self._asked[name] = known
        return known

    def _decided(self, name: bytes) -> _Answers:
        verdicts: list[tuple[Client, Verdict]] = []
        closed: dict[str, Match] = {}
        open_to: set[str] = set()
        for qtype in self._types:
            decided = self.site.engine.decide_for(self.clients, name, qtype, self._now)
            verdicts += zip(self.clients, decided, strict=True)
        for client, verdict in verdicts:
            alike = self._alike[client.grade.key]
            if not verdict.blocked:
                open_to.update(alike)
            elif verdict.match is not None and verdict.match.list_id:
                closed.update(dict.fromkeys(alike, verdict.match))
        return _Answers(tuple(verdicts), closed, frozenset(open_to))


class _Answers(NamedTuple):
    """What all kinds of clients get for a name."""

    verdicts: tuple[tuple[Client, Verdict], ...]
    closed: dict[str, Match]
    open_to: frozenset[str]


def _audience(policy: Policy, grade: GradePolicy) -> tuple[object, ...]:
    """Return all that a verdict on a name may depend on."""
    meant = tuple(rule.id for rule in policy.rules if Client(grade).is_meant_by(rule))
    return grade.closed, grade.opened, grade.allow_only, grade.tier, meant


class UnfitError(Exception):
    """There is nothing to ask questions of; ``finding`` is the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding.sentence))
        self.finding = finding


@frozen
class GuardRequest:
    """The request to the child; ``policy`` is the active one, if any."""

    now: float
    version: str
    policy: Path | None
    folder: Path
    config: Path
    fresh_index: Path
    fresh_problems: Path
    fresh_policy: Path
    blocklists: Blocklists

    @property
    def is_beside(self) -> bool:
        """Whether the version is of public lists that stand beside a feed."""
        return self.folder != self.blocklists.folder


@frozen
class Tables:
    """The catalogue and the school's policy by it, before lists are compiled.

    ``site``: the school's files. ``own``: its own lists. ``beside``: public lists beside the
    catalogue's. ``judged``: the lists of the version. ``looked``: what the policy was compiled
    from.
    """

    catalog: Catalog
    site: SiteSources
    policy: Policy
    own: tuple[ListSource, ...]
    beside: ListsBeside
    judged: tuple[ListSource, ...]
    looked: Looked | None

    @property
    def lists(self) -> tuple[ListSource, ...]:
        """All lists that are compiled."""
        return (*self.catalog.compiled, *self.beside.lists, *self.own)

    @property
    def own_ids(self) -> frozenset[str]:
        """The ids of the school's own lists."""
        return frozenset(one.id for one in self.own)

    @property
    def feed(self) -> frozenset[str]:
        """The ids of the lists of the version."""
        return frozenset(one.id for one in self.judged)


def read_tables(request: GuardRequest) -> Tables:
    """Read the version's tables and the school's files.

    Raises:
        UnfitError: either is wrong.
    """
    folder = request.blocklists.folder
    looked = build_record.look(request.config, folder)
    try:
        catalog = load_catalog(folder)
        beside = _beside(request, catalog)
    except FilterdError as error:
        raise UnfitError(_wrong(LOADING, error)) from error
    judged = beside.lists if request.is_beside else catalog.compiled

    def tables(site: SiteSources) -> Tables:
        policy, own = compile_policy(site, catalog), own_lists(site, catalog)
        return Tables(catalog, site, policy, own, beside, judged, looked)

    try:
        return tables(load_site(request.config))
    except FilterdError as error:
        kept = build_record.site_of(request.policy) if request.policy else None
        if kept is None:
            raise UnfitError(_wrong(SCHOOL, error)) from error
    # A mistake in the school's files keeps no version out: it is what it last was.
    looked = build_record.look(request.config, folder, kept)
    try:
        return tables(load_site(request.config, kept))
    except FilterdError as error:
        raise UnfitError(_wrong(SCHOOL, error)) from error


def _beside(request: GuardRequest, catalog: Catalog) -> ListsBeside:
    """Return the lists beside the catalogue's.

    Damaged ones do not hold back a version of a feed.
    """
    try:
        return lists_beside(request.blocklists, catalog)
    except FilterdError:
        if request.is_beside:
            raise
        return ListsBeside()


def write_tables(request: GuardRequest, tables: Tables) -> None:
    """Write the policy for the reload that follows, which would make the same."""
    lists = (*tables.catalog.compiled, *tables.own)
    with contextlib.suppress(StoreError):  # then it does make it
        write_policy(request.fresh_policy, tables.policy, tables.looked, lists)


def check_memory(tables: Tables, memory_octets: int) -> None:
    """Check that the lists can be compiled in so much memory, by an estimate.

    Raises:
        UnfitError: they cannot. Another machine may take the version.
    """
    names = octets = 0
    for path in {Path(one.path) for one in tables.lists if one.names is None}:
        with contextlib.suppress(OSError), open_plain(path) as file:  # the compiler reports it
            while chunk := file.read(_CHUNK_OCTETS):
                names += chunk.count(b"\n")
                octets += len(chunk)
    most = most_names(names, octets, memory_octets)
    if most is not None:
        why = say("it could not be judged for this school: {why}", why=too_many(names, most))
        raise UnfitError(found(SCHOOL, Severity.REFUSED, why))


def compile_candidate(request: GuardRequest, tables: Tables) -> tuple[Asking, CompileReport]:
    """Compile the lists of the version, with the school's own, and open the outcome.

    Raises:
        UnfitError: they cannot be compiled, or the disk refused.
    """
    try:
        report = compile_blocklists(
            tables.catalog,
            tables.own,
            request.fresh_index,
            now=request.now,
            feed=request.blocklists.version,
            beside=tables.beside,
            problems=request.fresh_problems,
        )
        # The compiler has looked through it; what it has digested must still be on the disk.
        index = Index.open(request.fresh_index)
        index.verify(sound=(index.digest,))
    except StoreError as error:
        raise UnfitError(_wrong(SCHOOL, error)) from error
    except FilterdError as error:
        raise UnfitError(_wrong(LOADING, error)) from error
    return Asking(tables.policy, index, request.now), report


def unusable_lines(report: CompileReport, tables: Tables) -> list[Finding]:
    """Find lines of lists that this filterd does not understand.

    A publisher writes plain lists by a program: all of their lines are usable. Lists that are
    published as others wrote them have lines that are for browsers only.
    """
    findings = []
    for one in report.lists:
        count = sum(one.problems.values())
        if one.id not in tables.feed or not count:
            continue
        quoted_lines = [sample.text for sample in one.samples if sample.reason in one.problems]
        sentence = say(
            "list {list} has {count} lines that cannot be read, such as {line}",
            list=one.id,
            count=count,
            line=repr(quoted_lines[0]) if quoted_lines else "?",
        )
        severity = Severity.REFUSED if one.format in _PLAIN or not one.kept else Severity.NOTE
        findings.append(found(LOADING, severity, sentence, quoted_lines, count=count))
    return findings


def unknown_keys(folder: Path) -> Iterator[Finding]:
    """Note the keys of a version that only a later filterd knows."""
    if unknown := unknown_additions(folder):
        sentence = say(
            "its tables have keys that this filterd does not know and leaves aside: {names}; a"
            " later filterd knows them",
            names=few(unknown),
        )
        yield found(LOADING, Severity.NOTE, sentence, unknown, count=len(unknown))


def open_in_force(index: Path, policy: Path, now: float) -> Asking | Finding:
    """Open what is active, or return why there is nothing to compare with."""
    try:
        return Asking(policy_file.load(policy), Index.open(index), now)
    except (StoreError, IndexFormatError) as error:
        why = error.sentence
    except OSError as error:
        why = quoted(str(error))
    sentence = say("what is in force cannot be compared: {why}", why=why)
    return found(LOADING, Severity.NOTE, sentence)


def _wrong(kind: str, error: FilterdError) -> Finding:
    first = (
        error.errors[0] if isinstance(error, ConfigError) and hasattr(error, "errors") else error
    )
    return found(
        kind,
        Severity.REFUSED,
        say("it could not be loaded: {why}", why=first.sentence)
        if kind == LOADING
        else say("it could not be judged for this school: {why}", why=first.sentence),
    )


def shipped_asking(request: GuardRequest, tables: Tables) -> Asking:
    """Return the shipped lists, with this school's own rules.

    Raises:
        FilterdError: they cannot be compiled.
    """
    index = _shipped_index(request.fresh_index.with_name(f"{request.fresh_index.name}.shipped"))
    # A school may name what only its feed has: that stands beside what ships.
    policy = compile_policy(tables.site, _with_more_of(shipped_catalog(), tables.catalog))
    return Asking(policy, index, request.now)


def _with_more_of(catalog: Catalog, other: Catalog) -> Catalog:
    return replace(
        catalog,
        categories=_more(catalog.categories, other.categories),
        services=_more(catalog.services, other.services),
        lists=_more(catalog.lists, other.lists),
    )


def _more(mine: tuple[_Named, ...], others: tuple[_Named, ...]) -> tuple[_Named, ...]:
    known = {one.id for one in mine}
    return (*mine, *(one for one in others if one.id not in known))


@cache
def shipped_catalog() -> Catalog:
    """Return the catalogue that ships."""
    return load_catalog(shipped("blocklists"))


@cache
def _shipped_index(target: Path) -> Index:
    compile_blocklists(shipped_catalog(), (), target, now=0.0, feed=None)
    index = Index.open(target)
    target.unlink()  # it is in memory
    return index


def malformed(folder: Path, paths: Iterable[Path]) -> Iterator[Finding]:
    """Find files that are not written as those of a feed are.

    Raises:
        ListError: one cannot be read.
    """
    for path in paths:
        why = _why(path)
        if why is not None:
            name = path.relative_to(folder).as_posix()
            sentence = say("{path} is not written as a list of the feed: {why}", path=name, why=why)
            yield found("files", Severity.REFUSED, sentence, [name])


def _why(path: Path) -> Sentence | None:
    """Return the fault in the octets of a file, None if there is none."""
    left = 0  # octets of a line that has begun in the chunk before
    first, last = True, b""
    with reading(path, ListError), open_plain(path) as file:
        while chunk := file.read(_CHUNK_OCTETS):
            if first and chunk.startswith(_MARKS):
                return say("it begins with a byte order mark")
            if b"\0" in chunk:
                return say("it has zero octets")
            if b"\r" in chunk:
                return say("it has Windows line breaks")
            lines = chunk.split(b"\n")
            longest = max(left + len(lines[0]), *map(len, lines))
            if longest > MAX_LINE_OCTETS:
                return say("it has a line of more than {most} octets", most=MAX_LINE_OCTETS)
            left = len(lines[-1]) + (left if len(lines) == 1 else 0)
            first, last = False, chunk[-1:]
    return (
        say("its last line has no line break: the file is incomplete")
        if last not in {b"", b"\n"}
        else None
    )
