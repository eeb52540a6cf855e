# SPDX-License-Identifier: Apache-2.0
"""Do what a school decides on versions, at a command or in a child.

``filterd sync``, ``feed approve`` and the like call it, as ``public_lists``, and the daemon for its
dashboard (``daemon.list_decisions``). What it returns as a row is what the command prints
with ``--json``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import (
    ConfigError,
    GuardError,
)
from filterd.base.privileges import own_rights
from filterd.base.state_file import plain_version
from filterd.base.state_folder import BesideFolder
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE
from filterd.config.site_reader import load_site
from filterd.feed.feed_config import (
    Followed,
    blocklists_to_build,
    followed,
)
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.followed.source_limits import NIGHTLY
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.sync import SiteFeed
from filterd.feed.versions import FOLLOWED, is_followed
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.feed.followed.source_limits import FetchRules
    from filterd.feed.signed.arrival import Progress, VersionArrival
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.sync import Outcome
    from filterd.feed.version_watch import Daemon
    from filterd.feed.versions import NoWayBack

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


@frozen
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

    def _site_with(self, version: str | None) -> SiteFeed:
        """Return whichever has a version, or without one a version that waits."""
        site, beside = self.site(), self.site_of_lists()
        if version is None:
            return site if site.standing.read().judgement else beside
        return beside if is_followed(version) else site

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
