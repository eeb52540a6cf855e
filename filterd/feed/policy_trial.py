# SPDX-License-Identifier: Apache-2.0
"""Compare two policies, or two sets of lists, on the recorded days, in a child.

The daemon starts ``python -m filterd.feed.policy_trial`` with one JSON object on its input, and
gets one line of JSON (``daemon.handlers.what_if_commands``). The something else is one of::

    {"site": FOLDER}                        another folder with site.yaml
    {"text": TEXT}                          another text of site.yaml
    {"list": FILE, "category", "format", "subtrees"}     one more list of the school's own
    {"source": ID,ID, "address": URL URL, "category", "format", "subtrees"}     public lists
    {"feed": VERSION}                       a version of the feed, or of followed lists

What it compiles is in a folder of its own, and goes with it. Nothing that is in force changes.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, StoreError
from filterd.base.state_folder import BesideFolder, StateFolder
from filterd.config import build_record
from filterd.config.build_record import SITE_FILE
from filterd.config.compile import compile_policy, own_lists
from filterd.config.lists_build import compile_blocklists
from filterd.config.scalars import list_address_fault
from filterd.config.site_reader import load_site
from filterd.documents import did_you_mean
from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_config import blocklists_to_build, followed, followed_set
from filterd.feed.followed.night_memory import check_size, night_octets
from filterd.feed.followed.source_limits import NIGHTLY, RunBudget
from filterd.feed.followed.sources import SourceFolder, SourceOutcome, fetch_sources
from filterd.feed.version_files import sha256_of, verify
from filterd.feed.versions import Versions, is_followed
from filterd.lists.catalogs.catalog import (
    BESIDE,
    RECOMMENDED,
    fillable_categories,
    lists_beside,
    load_catalog,
    shipped_sources,
)
from filterd.lists.catalogs.catalog_tables import load_popular_names
from filterd.lists.formats import FORMATS
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, blocklists_in_force
from filterd.lists.rules import ListSource
from filterd.overrides.changes import effects
from filterd.policy import policy_file
from filterd.querylog.day_search import RecordedWeek
from filterd.resolve.site import Site
from filterd.resolve.what_if import compare_names, compare_week
from filterd.resolve.what_if_rows import NAMES, POPULAR, ROWS
from filterd.resolve.what_if_rows import to_plain as plain_sums
from filterd.texts.i18n import Sentence, refused, say
from filterd.texts.i18n import to_plain as plain_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.base.clock import Clock
    from filterd.config.site_reader import SiteSources
    from filterd.policy.model import Policy

CPU_S, NICER = 300, 10
"""The processor's time, and how much lookups go before."""
_JUDGED_WITHIN_S = 80.0
"""At most twice as much, so that it ends before its parent ends it."""
_FETCHED = replace(NIGHTLY, budget=RunBudget(octets=100_000_000, seconds=60.0))
"""A person waits for it, and nothing of it is kept."""
_MOST_KNOWN = 12
"""Known words that an error lists; the catalogue has eighty lists."""


class _Other(NamedTuple):
    """What is not in force: a policy, and its lists if they are others."""

    policy: Policy
    lists: Index | None = None


def _answer(request: dict[str, Any], output: IO[bytes]) -> None:
    bounded_child.bound(memory_octets=_addresses(StateFolder(Path(request["state"]))))
    try:
        effect = tried(request, SystemClock())
    except MemoryError:
        raise StoreError(say("to try this needs more memory than it may use")) from None
    output.write(json.dumps(effect).encode())


def tried(request: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """Return what would change, as plain data.

    Args:
        request: ``config``, ``state``, ``days`` (the newest first), ``today``, ``now``,
            ``overrides`` and ``other``.
        clock: for the time that it may take.

    Raises:
        FilterdError: what is in force, or the other, cannot be read or compiled.
    """
    state, now = StateFolder(Path(request["state"])), float(request["now"])
    before = policy_file.load(state.policy), _open(state.index)
    overrides = effects.from_plain(request["overrides"])
    with tempfile.TemporaryDirectory(dir=state.what_if) as folder:
        trial = _Tried(Path(request["config"]), state, Path(folder), clock)
        other = trial.other(request["other"], before[0])
        present, changed = (
            Site.of(policy, index, (), overrides=overrides, now=now)
            for policy, index in (before, (other.policy, other.lists or before[1]))
        )
        within_s = _JUDGED_WITHIN_S
        week = RecordedWeek(state.log_days, request["days"], clock=clock, within_s=within_s)
        sums = compare_week(week, present, changed)
        judged = ROWS if sums.lookups else NAMES
        if not (sums.lookups or sums.distinct):
            asked, judged = (name.name for name in load_popular_names()), POPULAR
            sums = compare_names(asked, present, changed, date.fromisoformat(request["today"]))
    skipped = [
        {"day": day, "problem": str(why), "sentence": plain_sentence(why)}
        for day, why in week.skipped.items()
    ]
    return {"days": week.read, "skipped": skipped, **plain_sums(sums, judged)}


class _Tried:
    """Compiles what is not in force, into ``folder``."""

    def __init__(self, config: Path, state: StateFolder, folder: Path, clock: Clock) -> None:
        self._config, self._state, self._folder, self._clock = config, state, folder, clock

    def other(self, wanted: dict[str, Any], policy: Policy) -> _Other:
        """Compile what a request names.

        Args:
            wanted: one of the forms of this module.
            policy: the one in force.

        Raises:
            FilterdError: it is wrong, or cannot be had.
        """
        if "site" in wanted:
            return self._of_site(load_site(Path(wanted["site"])))
        if "text" in wanted:
            return self._of_site(self._with_text(wanted["text"]))
        if "list" in wanted:
            return _Other(policy, self._with(self._own_list(wanted)))
        if "source" in wanted:
            return _Other(policy, self._with(*self._public_lists(wanted)))
        return self._of_version(str(wanted["feed"]))

    def _of_site(self, site: SiteSources) -> _Other:
        """Compile a site; its lists only if they are not those of the present one."""
        catalog = load_catalog(blocklists_in_force(self._state).folder)
        policy, lists = compile_policy(site, catalog), own_lists(site, catalog)
        present = own_lists(load_site(self._config), catalog)
        if list(map(_content, lists)) == list(map(_content, present)):
            return _Other(policy)
        return _Other(policy, self._compiled(self._blocklists(), lists))

    def _with_text(self, text: str) -> SiteSources:
        looked = build_record.look(self._config, blocklists_in_force(self._state).folder)
        if looked is None:
            raise StoreError(say("{path}: cannot be read", path=self._config))
        return load_site(self._config, {**looked.site, SITE_FILE: text})

    def _own_list(self, wanted: dict[str, Any]) -> ListSource:
        path, (category, list_format, subtrees) = str(wanted["list"]), self._how(wanted)
        return ListSource("what-if", category, list_format, path, title=path, subtrees=subtrees)

    def _how(self, wanted: dict[str, Any]) -> tuple[str, str, bool]:
        """Return category, format and reach of a list that is not catalogued."""
        category, list_format = str(wanted.get("category")), str(wanted.get("format"))
        known = fillable_categories(blocklists_in_force(self._state).folder)
        _check_word(category, known, say("category for public lists"))
        _check_word(list_format, FORMATS, say("format"))
        return category, list_format, wanted.get("subtrees") is True

    def _public_lists(self, wanted: dict[str, Any]) -> list[ListSource]:
        """Return public lists that are not followed, by texts kept or fetched now.

        Raises:
            FilterdError: one is not known, cannot be fetched in time, or all are too many.
        """
        chosen, ids = list[Wanted](), (RECOMMENDED, *(source.id for source in shipped_sources()))
        for one in filter(None, str(wanted["source"]).split(",")):
            _check_word(one, ids, say("list of the catalogue"))
            chosen.append(Wanted(one))
        for address in str(wanted.get("address", "")).split():
            if fault := list_address_fault(address):
                raise ConfigError(fault[0], hint=fault[1])
            chosen.append(Wanted("", address, *self._how(wanted)))
        present = followed(self._config, self._state).sources
        new = [source for source in followed_set(chosen).sources if source not in present]
        check_size(sum(one.names for one in (*present, *new)))
        kept, fetched = SourceFolder(self._state.feed / "sources"), SourceFolder(self._folder)
        missing = [one for one in new if kept.note(one) is None]
        for report in (
            fetch_sources(missing, fetched, self._clock, rules=_FETCHED) if missing else ()
        ):
            if report.outcome is not SourceOutcome.TAKEN:
                why = report.reason
                raise ConfigError(say("{id}: cannot be fetched: {why}", id=report.id, why=why))
        return [
            ListSource(
                BESIDE + one.id,
                one.category,
                one.format,
                str((fetched if one in missing else kept).text(one.id)),
                title=one.title,
                subtrees=one.subtrees,
            )
            for one in new
        ]

    def _of_version(self, version: str) -> _Other:
        """Compile a version that is here, as the guard does."""
        follows, now = followed(self._config, self._state), self._blocklists()
        is_beside = is_followed(version) and bool(follows.address)
        state = BesideFolder(self._state.folder) if is_beside else self._state
        folder = {one.name: one for one in Versions(state.feed).folders()}.get(version)
        if folder is None or verify(folder):
            raise ConfigError(
                say("version {version} of the feed is not here", version=version),
                hint=say("see `filterd feed history`"),
            )
        found = Blocklists(folder, version)
        found = now._replace(beside=found) if is_beside else found._replace(beside=now.beside)
        site, catalog = load_site(self._config), load_catalog(found.folder)
        index = self._compiled(found, own_lists(site, catalog))
        return _Other(compile_policy(site, catalog), index)

    def _with(self, *more: ListSource) -> Index:
        blocklists = self._blocklists()
        own = own_lists(load_site(self._config), load_catalog(blocklists.folder))
        return self._compiled(blocklists, (*own, *more))

    def _blocklists(self) -> Blocklists:
        return blocklists_to_build(self._config, self._state)

    def _compiled(self, blocklists: Blocklists, own: Iterable[ListSource]) -> Index:
        catalog, target = load_catalog(blocklists.folder), self._folder / "index"
        compile_blocklists(
            catalog,
            tuple(own),
            target,
            now=self._clock.wall(),
            feed=blocklists.version,
            beside=lists_beside(blocklists, catalog),
        )
        return _open(target)


def _content(source: ListSource) -> tuple[ListSource, str | None]:
    """Return all that a list is, wherever its file is."""
    return replace(source, path="", title=""), sha256_of(Path(source.path)) if source.path else ""


def _check_word(word: str, known: Iterable[str], kind: Sentence) -> None:
    """Refuse a word that is not one of some.

    Raises:
        ConfigError: it is none.
    """
    if word not in (there := list(known)):
        raise ConfigError(
            say("'{word}' is not a {kind}", word=word, kind=kind),
            hint=did_you_mean(word, there, most=_MOST_KNOWN),
        )


def _open(path: Path) -> Index:
    try:
        return Index.open(path)
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error


def _addresses(state: StateFolder) -> int:
    """Return the bound of addresses: of what is mapped, and of a build beside it."""
    with contextlib.suppress(OSError):  # the trial reports what is wrong with it
        return bounded_child.mapped_octets() + night_octets() + state.index.stat().st_size
    return bounded_child.mapped_octets() + night_octets()


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_answer, cpu_s=CPU_S, nicer=NICER))
