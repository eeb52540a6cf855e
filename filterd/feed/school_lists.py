# SPDX-License-Identifier: Apache-2.0
"""Do what a school decides on its feed and lists, at a command or in a child.

``filterd sync``, ``feed approve``, ``lists follow`` and the like call it, and the daemon for its
dashboard (``daemon.list_decisions``). What it returns as a row is what the command prints
with ``--json``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import (
    ConfigError,
    ForeignContentError,
    GuardError,
    IndexFormatError,
    ListError,
)
from filterd.base.privileges import own_rights
from filterd.base.state_file import plain_version
from filterd.base.state_folder import BesideFolder
from filterd.config.build_record import SITE_FILE
from filterd.config.scalars import list_address_fault
from filterd.config.site_reader import load_site
from filterd.documents import did_you_mean
from filterd.feed.appliance_files import LEFT_OUT_S, LeftOut, Wanted, with_command, with_left_out
from filterd.feed.feed_config import (
    Followed,
    blocklists_to_build,
    followed,
    followed_set,
    own_id,
    own_source,
    wanted_by,
    without_command,
)
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.followed.fresh_names import FRESH
from filterd.feed.followed.night_memory import check_size
from filterd.feed.followed.source_limits import NIGHTLY
from filterd.feed.followed.sources import SourceFolder, look_at, source_rows
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.sync import SiteFeed
from filterd.feed.versions import FOLLOWED, is_followed
from filterd.lists.catalogs.catalog import BESIDE, RECOMMENDED, fillable_categories, shipped_sources
from filterd.lists.formats import FORMATS
from filterd.lists.index import Index
from filterd.lists.list_queries import entries_of
from filterd.lists.rules import MERGED_PREFIX
from filterd.overrides.target_text import qname_from
from filterd.texts import counted
from filterd.texts.i18n import quoted, say
from filterd.wire.name import to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.feed.followed.source_limits import FetchRules
    from filterd.feed.signed.arrival import Progress, VersionArrival
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.sync import Outcome
    from filterd.feed.version_watch import Daemon
    from filterd.feed.versions import NoWayBack
    from filterd.texts.i18n import Sentence

_is_version = re.compile(rf"[1-9][0-9]{{0,17}}|{FOLLOWED}[0-9a-f]{{1,40}}", re.ASCII).fullmatch


class Decided(NamedTuple):
    """What a decision has done.

    Attributes:
        row: plain data.
        is_beside: whether it is of public lists beside a feed.
        lost: why a rollback led to no version, if it did.
        outcome: of the run that followed, if one did.
    """

    row: dict[str, Any]
    is_beside: bool = False
    lost: NoWayBack | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class SchoolLists:
    """The feed and the public lists of a school, and the decisions on them.

    Attributes:
        config: the folder of ``site.yaml``.
        state: the state folder.
        clock: the clock.
        daemon: the resolver on this machine.
        progress: as of ``SiteFeed``.
    """

    config: Path
    state: StateFolder
    clock: Clock
    daemon: Daemon
    progress: Progress | None = None

    @property
    def followed(self) -> Followed:
        """What the site follows now."""
        return followed(self.config, self.state)

    def site(self, *, beside: bool = False) -> SiteFeed:
        """Return the site's feed, or the public lists beside it."""
        state = BesideFolder(self.state.folder) if beside else self.state
        return SiteFeed(self.config, state, self.clock, self.daemon, self.progress)

    def site_of_lists(self) -> SiteFeed:
        """Return the public lists, which stand beside a feed where there is one."""
        return self.site(beside=bool(self.followed.address))

    def arrival(
        self, site: SiteFeed, feed: Followed, rules: FetchRules | None = NIGHTLY
    ) -> VersionArrival:
        """Return how versions arrive; ``rules`` as of ``run``."""
        if feed.address:
            return TufArrival(site.trust, self._fetcher(feed.address))
        return FollowedArrival(
            feed.sources,
            self.state.feed,
            site.versions,
            self.clock,
            rules=rules,
            progress=self.progress,
            feed=blocklists_to_build(self.config, self.state).folder if site.is_beside else None,
        )

    def run(
        self,
        feed: Followed,
        *,
        at_once: bool = True,
        beside: bool = False,
        rules: FetchRules | None = NIGHTLY,
    ) -> Outcome:
        """Do one run; ``rules`` are those for public lists, None for the texts at hand.

        Raises:
            FilterdError: see ``SiteFeed.sync``.
        """
        site = self.site(beside=beside)
        with site.holding():
            return site.sync(self.arrival(site, feed, rules), at_once=at_once)

    def sync(self, source: str | None = None, *, now: bool = False) -> Outcome:
        """Take the latest lists of the feed, or the public lists where there is none.

        Args:
            source: another address or a folder to take the feed from.
            now: take them before this school's turn.

        Raises:
            FilterdError: see ``SiteFeed.sync``; or the site follows nothing.
        """
        feed = self.followed.first
        if not (feed.sources and source is None):
            feed = feed._replace(address=self._source(source), sources=())
        return self.run(feed, at_once=now)

    def waiting(self, version: str | None) -> str:
        """Return the id of a version: as given, else of the one that waits for a decision.

        Raises:
            ConfigError: it is no id.
            GuardError: no version waits.
        """
        return _wanted(self._site_with(version), version)

    def approve(self, version: str | None = None, reason: str = "") -> Decided:
        """Put a version in force that is held or was rolled back.

        Raises:
            FilterdError: see ``SiteFeed.approve``.
        """
        site = self._site_with(version)
        with site.holding():
            wanted = _wanted(site, version)
            names = site.approve(wanted, reason)
        return Decided({"version": plain_version(wanted), "names": names})

    def refuse(self, version: str | None = None, reason: str = "") -> Decided:
        """Refuse a version that waits.

        Raises:
            FilterdError: see ``SiteFeed.refuse``.
        """
        site = self._site_with(version)
        with site.holding():
            wanted = _wanted(site, version)
            site.refuse(wanted, reason)
        return Decided({"version": plain_version(wanted)})

    def roll_back(self, reason: str = "", *, lists: bool = False) -> Decided:
        """Return to the version before; ``lists`` for the public lists.

        Raises:
            FilterdError: see ``SiteFeed.roll_back``.
        """
        site = self.site_of_lists() if lists else self.site()
        bad = site.versions.in_force().current
        with site.holding():
            version, lost = site.versions.in_force().current, site.no_way_back()
            if version == bad:  # else an interrupted rollback was finished by ``holding``
                version = site.roll_back(quoted(reason))
        row = {"bad": _plain(bad), "version": _plain(version)}
        return Decided(row, site.is_beside, None if version else lost)

    def hold(self, reason: str = "", *, off: bool = False, lists: bool = False) -> Decided:
        """Keep the version in force, or with ``off`` let others come; ``lists`` as above.

        Raises:
            ConfigError: there is no reason.
            StoreError: the disk refused.
        """
        if not off and not reason.strip():
            raise ConfigError(say("{missing} is missing", missing="--reason"))
        site = self.site_of_lists() if lists else self.site()
        with site.holding():
            site.hold(None if off else reason)
            version = site.versions.in_force().current
        return Decided({"version": _plain(version)}, site.is_beside)

    def chosen(
        self, sources: Sequence[str], how: Wanted, *, recommended: bool = False
    ) -> tuple[Wanted, ...]:
        """Return public lists as they are kept, once they are known to be lists.

        Args:
            sources: ids of the catalogue, or addresses.
            how: the category and syntax of what an address has.
            recommended: also the set that the catalogue recommends.

        Raises:
            ConfigError: one cannot be followed, or none is named.
            FilterdError: they are too large for this machine.
        """
        found = [Wanted(RECOMMENDED)] if recommended else []
        found += [_wanted_list(one, how) for one in sources]
        if not found:
            raise ConfigError(
                say("SOURCE or --recommended is missing"),
                hint=say("the lists that can be followed: filterd lists sources"),
            )
        both = {one.id: one.names for one in (*self.followed.sources, *followed_set(found).sources)}
        check_size(sum(both.values()))
        return tuple(found)

    def look_at(self, wanted: Wanted) -> Sentence:
        """Fetch what an address has; return what was seen of it.

        Raises:
            ConfigError: it is no list of this format.
            FetchError: it did not come.
        """
        try:
            with TemporaryDirectory() as folder:
                found = look_at(own_source(wanted), SourceFolder(Path(folder)), self.clock)
        except (ForeignContentError, ListError) as error:
            raise ConfigError(
                error.sentence,
                hint=say(
                    "open the address in a browser: is it the list itself, and is --format one of"
                    " {known}?",
                    known=", ".join(sorted(FORMATS)),
                ),
            ) from error
        return say("{id}: {names}", id=wanted.id, names=counted.names(found.entries))

    def follow(self, chosen: Sequence[Wanted]) -> Decided:
        """Follow public lists from the next night on.

        Raises:
            StoreError: the disk refused.
        """
        site, ids = self.site_of_lists(), ", ".join(one.id for one in chosen)
        with site.holding():
            why = say("followed: {lists}", lists=ids)
            site.follow(lambda state: with_command(state, *chosen), why)
        return Decided({"followed": [one.id for one in followed_set(chosen).sources]})

    def unfollow(self, sources: Sequence[str]) -> Decided:
        """Follow public lists no more; their names open at once.

        Raises:
            ConfigError: the file follows one, or nothing does.
            FilterdError: see ``SiteFeed.sync``.
        """
        ids = [own_id(one) if "://" in one else one for one in sources]
        if not ids:
            raise ConfigError(say("{missing} is missing", missing="SOURCE"))
        by_file = followed_set(wanted_by(load_site(self.config).file.follow)).sources
        written = {one.id for one in by_file}
        site = self.site_of_lists()
        known = {one.id for one in site.followed.read().by_command}
        known |= {one.id for one in self.followed.sources}
        for one in ids:
            if one in written:
                raise ConfigError(
                    say("'{id}' is followed by this file", id=one),
                    path=str(self.config / SITE_FILE),
                    hint=say("remove it there, then `filterd lists update`"),
                )
            _check_followed(one, known)
        with site.holding():
            why = say("no longer followed: {lists}", lists=", ".join(ids))
            site.follow(lambda state: without_command(state, ids), why)
        return self._remade({"unfollowed": ids})

    def update(self, accept: Collection[str] = (), *, now: bool = False) -> Outcome:
        """Fetch the followed lists now, and put them in force.

        Args:
            accept: ids of lists to take although their size has changed much.
            now: also ask servers that asked for a pause.

        Raises:
            FilterdError: see ``SiteFeed.sync``; or nothing is followed.
        """
        feed = self.followed
        # Without any, those in force, which ``site.yaml`` has no more, go out of force.
        if not (feed.sources or self._serves_lists()):
            raise ConfigError(
                say("the site follows no public lists"),
                hint=say("follow some: filterd lists follow --recommended"),
            )
        known = [one.id for one in feed.sources]
        for one in sorted(set(accept)):
            _check_followed(one, known)
        return self._run_lists(replace(NIGHTLY, waits=not now, accepted=frozenset(accept)))

    def sources(self) -> list[dict[str, Any]]:
        """Return the public lists that can be followed, and those that are, as rows."""
        feed = self.followed
        commanded = followed_set(self.site_of_lists().followed.read().by_command).sources
        by_command, shipped = {one.id for one in commanded}, shipped_sources()
        origins = {one.id: "command" if one.id in by_command else SITE_FILE for one in feed.sources}
        folder, known = SourceFolder(self.state.feed / "sources"), {one.id for one in shipped}
        own = [one for one in feed.sources if one.id not in known]
        return source_rows((*shipped, *own), folder, origins)

    def exclude(self, name: str, list_id: str, reason: str) -> Decided:
        """Leave an entry out of a followed list for ``LEFT_OUT_S``.

        Raises:
            ConfigError: it is no entry of a followed list.
            FilterdError: see ``SiteFeed.sync``.
        """
        qname, feed = qname_from(name), self.followed
        prefix = BESIDE if feed.address else MERGED_PREFIX
        known = {one.id for one in feed.sources}
        known |= {prefix + one for each in feed.sources for one in (each.id, each.category)}
        fresh = f"{prefix}{FRESH.removeprefix(MERGED_PREFIX)}"
        if list_id.startswith(fresh):  # what has come since the night is of the category, too
            list_id = prefix + list_id.removeprefix(fresh)
        _check_followed(list_id, known)
        self._check_is_entry(qname, feed, list_id)
        at = self.clock.wall()
        one = LeftOut(to_text(qname), list_id, reason, at, at + LEFT_OUT_S)
        why = say(
            "left out: {name}, of {list}: {why}", name=one.name, list=list_id, why=quoted(reason)
        )
        site = self.site_of_lists()
        with site.holding():
            site.follow(lambda state: with_left_out(state, one), why)
        return self._remade({"name": one.name, "list": list_id, "until": one.until})

    def _site_with(self, version: str | None) -> SiteFeed:
        """Return whichever has a version, or without one a version that waits."""
        site, beside = self.site(), self.site_of_lists()
        if version is None:
            return site if site.standing.read().judgement else beside
        return beside if is_followed(version) else site

    def _serves_lists(self) -> bool:
        return is_followed(self.site_of_lists().versions.in_force().current or "")

    def _run_lists(self, rules: FetchRules | None) -> Outcome:
        feed = self.followed
        return self.run(feed._replace(address=""), beside=bool(feed.address), rules=rules)

    def _remade(self, row: dict[str, Any]) -> Decided:
        """Make the version of the texts anew, so that a change is in force at once."""
        if not self._serves_lists():
            return Decided(row)
        outcome = self._run_lists(None)
        return Decided(row | outcome.to_plain(), outcome=outcome)

    def _check_is_entry(self, qname: bytes, feed: Followed, list_id: str) -> None:
        """Check that a name is an entry of its own, where there is an index."""
        name, prefix = to_text(qname), BESIDE if feed.address else MERGED_PREFIX
        merged = {
            prefix + one.category for one in feed.sources if list_id in (one.id, prefix + one.id)
        }
        mine = {list_id, prefix + list_id, *merged}
        fresh = FRESH.removeprefix(MERGED_PREFIX)
        mine |= {f"{prefix}{fresh}{one.removeprefix(prefix)}" for one in mine}
        try:
            index = Index.open(self.state.index)
            rows = [one for one in entries_of(index, qname) if one["list"] in mine]
        except (OSError, IndexFormatError):
            return
        if rows and all(one["name"] != name for one in rows):
            entry = rows[0]["name"]
            raise ConfigError(
                say("the list has {entry}, which includes {name}", entry=entry, name=name),
                hint=say("leave out {entry}, or open the name by `filterd allow`", entry=entry),
            )

    def _source(self, given: str | None) -> str:
        """Return the address or folder of the feed.

        Raises:
            ConfigError: the site follows none: lists that are compiled anew would be those
                that ship; or its files are wrong.
        """
        address = self.followed.address
        if not address:
            load_site(self.config)  # raises where the site is wrong
            raise ConfigError(
                say("the site follows no feed"),
                path=str(self.config / SITE_FILE),
                hint=say("add its address there: `feed: https://HOST/PATH`"),
            )
        return given or address

    def _fetcher(self, source: str) -> Fetcher:
        if "://" in source:
            return WebFetcher(source, self.clock)
        folder = Path(source)
        with own_rights():
            is_folder = folder.is_dir()
        if not is_folder:
            raise ConfigError(
                say("there is no folder {parent}", parent=folder),
                hint=say("check --from: the folder that has metadata/ and targets/"),
            )
        return FolderFetcher(folder, self.clock)


def _plain(version: str | None) -> int | str | None:
    return version and plain_version(version)


def _wanted(site: SiteFeed, version: str | None) -> str:
    if version is not None:
        if not _is_version(version):
            hint = say("see `filterd feed history`")
            raise ConfigError(say("'{text}' is not a version", text=version), hint=hint)
        return version
    judgement = site.standing.read().judgement
    if judgement is None:
        raise GuardError(
            say("no version of the feed waits for a decision; `filterd feed status` shows all")
        )
    return judgement.version


def _check_followed(list_id: str, known: Collection[str]) -> None:
    if list_id not in known:
        raise ConfigError(
            say("'{id}' is not followed", id=list_id), hint=did_you_mean(list_id, sorted(known))
        )


def _wanted_list(text: str, how: Wanted) -> Wanted:
    if "://" not in text:
        known = [RECOMMENDED, *(one.id for one in shipped_sources())]
        if text not in known:
            raise ConfigError(
                say("'{id}' is not a list of the catalogue", id=text),
                hint=did_you_mean(text, known, most=12),
            )
        return Wanted(text)
    if fault := list_address_fault(text):
        raise ConfigError(fault[0], hint=fault[1])
    if not how.category:
        raise ConfigError(say("{missing} is missing", missing="--category"))
    for word, kind, words in (
        (how.category, say("category for public lists"), fillable_categories()),
        (how.format, say("format"), sorted(FORMATS)),
    ):
        if word not in words:
            raise ConfigError(
                say("'{word}' is not a {kind}", word=word, kind=kind),
                hint=did_you_mean(word, words),
            )
    return replace(how, id=own_id(text), url=text)
