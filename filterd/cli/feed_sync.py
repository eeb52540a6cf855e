# SPDX-License-Identifier: Apache-2.0
"""``filterd sync``: take the feed or the public lists once, or follow them as a service."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

from filterd import counted, journal
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.offline_site import policy_of
from filterd.cli.terminal import bar
from filterd.cli.time_options import school_clock
from filterd.config import build_record
from filterd.config.build_record import SITE_FILE
from filterd.config.site_reader import load_site
from filterd.counted import size
from filterd.daemon.feed_port import ControlDaemon
from filterd.errors import ConfigError, FilterdError, StoreError
from filterd.feed.arrival import TufArrival, VersionArrival
from filterd.feed.feed_config import Followed, blocklists_to_build, followed
from filterd.feed.fetchers import Fetcher, FolderFetcher, WebFetcher
from filterd.feed.followed_arrival import FollowedArrival
from filterd.feed.follower import Keeper
from filterd.feed.fresh_arrival import FreshArrival
from filterd.feed.source_limits import NIGHTLY, FetchRules
from filterd.feed.sync import Became, Outcome, SiteFeed
from filterd.feed.version_watch import EVERY_S
from filterd.i18n import UNSAID, Sentence, say
from filterd.lists.index_files import blocklists_in_force
from filterd.privileges import own_rights
from filterd.state_folder import BesideFolder


def sync(
    here: Context,
    source: Annotated[
        str | None,
        option(
            "--from",
            "Take them from this folder, such as a USB stick (default: from the feed).",
            "URL|DIR",
        ),
    ] = None,
    now: Annotated[bool, option("--now", "Take it before this school's turn.")] = False,
    follow: Annotated[
        bool, option("--follow", "Keep running: every night, and whenever an urgent version comes.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Fetch, verify and judge the latest lists of the feed, and put them in force.

    If anything is wrong with them, the last good lists stay in force. Exit code 0: in force, or
    waiting for this school's turn; 2: local error; 30 to 36: not fetched; 40 to 46: not
    trusted; 50: held or refused.
    """
    if follow:
        _follow(here)
    feed = followed(here.config, here.state).first
    if not (feed.sources and source is None):
        feed = feed._replace(address=_source(here, source), sources=())
    print_outcome(here, run(here, feed, at_once=now, visible=not json), json=json)


def run(
    here: Context,
    feed: Followed,
    *,
    at_once: bool = True,
    beside: bool = False,
    rules: FetchRules | None = NIGHTLY,
    visible: bool = True,
) -> Outcome:
    """Do one run; ``rules`` are those for public lists, None for the texts at hand.

    Raises:
        FilterdError: see ``SiteFeed.sync``.
    """
    with bar(here, here.texts("Taking the feed"), visible=visible) as shown:
        site = site_of(here, shown, beside=beside)
        with site.holding():
            arrival = _arrival(here, site, feed, rules, progress=shown)
            return site.sync(arrival, at_once=at_once)


def print_outcome(here: Context, outcome: Outcome, *, json: bool) -> None:
    """Print the outcome of a run; warn where the site's files are wrong."""
    if json:
        here.print_json(outcome.to_plain())
    else:
        here.console.print(_outcome_text(here, outcome), soft_wrap=True)
    if outcome.became is Became.ACTIVATED:
        _warn_of_wrong_site(here)


def _arrival(
    here: Context,
    site: SiteFeed,
    feed: Followed,
    rules: FetchRules | None = NIGHTLY,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> VersionArrival:
    if feed.address:
        return TufArrival(site.trust, _fetcher(here, feed.address))
    return FollowedArrival(
        feed.sources,
        here.state.feed,
        site.versions,
        here.clock,
        rules=rules,
        progress=progress,
        feed=blocklists_to_build(here.config, here.state).folder if site.is_beside else None,
    )


def _warn_of_wrong_site(here: Context) -> None:
    """Warn that the site's files are wrong; the lists are in force all the same."""
    blocklists = blocklists_in_force(here.state).folder
    if build_record.is_current(here.state.policy, here.config, blocklists=blocklists):
        return
    try:
        policy_of(here)
    except StoreError:
        return  # `status` shows the policy that is in force
    except ConfigError as error:
        warning = here.texts(
            "the site's files have errors; the lists are in force with the last good policy"
        )
        for line in (warning, *error.translated(here.texts.language).splitlines()):
            here.warn(say("warning: {warning}", warning=line))


def _follow(here: Context) -> NoReturn:
    """Follow the feed until a signal ends it."""
    journal.begin(here.texts.language)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _stop)
    # An urgent order must not wait for public lists, which may take half an hour.
    ended = threading.Event()
    threading.Thread(target=_keep_beside, args=(here, ended), daemon=True).start()
    keeper = _keeper(here, lambda: followed(here.config, here.state).first, beside=False)
    try:
        keeper.start()
        while True:
            time.sleep(keeper.work())
    finally:
        ended.set()


def _keep_beside(here: Context, ended: threading.Event) -> None:
    """Follow public lists beside a feed, as long as there are both."""

    def feed() -> Followed:
        return followed(here.config, here.state).beside

    keeper: Keeper | None = None
    try:
        wait_s = 0.0
        while not ended.wait(wait_s):
            follows = followed(here.config, here.state)
            if not follows.beside.is_any:
                keeper = None
                _note_removed(here, follows)
            elif keeper is None:
                keeper = _keeper(here, feed, beside=True)
                keeper.start()
            wait_s = EVERY_S if keeper is None else keeper.work()
    except BaseException:
        logging.getLogger("filterd.feed").exception("public lists beside the feed")
        os._exit(1)  # as one process: the service begins anew


def _note_removed(here: Context, follows: Followed) -> None:
    """Note that nothing is followed any more, once ``site.yaml`` has no list.

    Otherwise the status would count the lists of the last run, and they would come back
    while the file is wrong.
    """
    site = site_of(here, beside=bool(follows.address))
    if not follows.sources and (gone := site.followed.read().last):
        why = say("no longer followed: {lists}", lists=", ".join(one.id for one in gone))
        with contextlib.suppress(FilterdError), site.holding():
            site.follow(lambda state: replace(state, last=()), why)


def _keeper(here: Context, feed: Callable[[], Followed], *, beside: bool) -> Keeper:
    site = site_of(here, beside=beside)
    return Keeper(
        site,
        feed,
        lambda feed: _arrival(here, site, feed),
        here.clock,
        ControlDaemon(here.state.control_socket),
        lambda: secrets.randbelow(1 << 30) / (1 << 30),
        (lambda: UNSAID) if beside else (lambda: _verified_safe_search(here)),
        lambda feed: FreshArrival(feed.sources, here.state.feed, site.versions, here.clock),
    )


def _verified_safe_search(here: Context) -> Sentence:
    from filterd.cli.safesearch import verified_nightly  # noqa: PLC0415 -- for the service only

    return verified_nightly(here)


def site_of(
    here: Context,
    progress: Callable[[int, int], None] | None = None,
    *,
    beside: bool = False,
) -> SiteFeed:
    """Return the site's feed, or public lists beside it, with the daemon that serves them."""
    state = BesideFolder(here.state.folder) if beside else here.state
    return SiteFeed(
        here.config, state, here.clock, ControlDaemon(here.state.control_socket), progress
    )


def site_of_lists(here: Context) -> SiteFeed:
    """Return the versions of public lists, which stand beside a feed where there is one."""
    return site_of(here, beside=bool(followed(here.config, here.state).address))


def _source(here: Context, given: str | None) -> str:
    """Return the address or folder of the feed.

    Raises:
        ConfigError: the site follows none: lists that are compiled anew would be those
            that ship; or its files are wrong.
    """
    address = followed(here.config, here.state).address
    if not address:
        load_site(here.config)  # raises where the site is wrong
        raise ConfigError(
            say("the site follows no feed"),
            path=str(here.config / SITE_FILE),
            hint=say("add its address there: `feed: https://HOST/PATH`"),
        )
    return given or address


def _fetcher(here: Context, source: str) -> Fetcher:
    if "://" in source:
        return WebFetcher(source, here.clock)
    folder = Path(source)
    with own_rights():
        is_folder = folder.is_dir()
    if not is_folder:
        raise ConfigError(
            say("there is no folder {parent}", parent=folder),
            hint=say("check --from: the folder that has metadata/ and targets/"),
        )
    return FolderFetcher(folder, here.clock)


def _outcome_text(here: Context, outcome: Outcome) -> str:
    texts, version = here.texts, outcome.version
    if outcome.became is Became.CURRENT:
        return texts("Version {version} is in force; there is nothing new.", version=version)
    if outcome.became is Became.WAITS:
        return texts(
            "Version {version} is published; this school's turn is from {at} on. To take it now:"
            " filterd sync --now",
            version=version,
            at=school_clock(here).text(outcome.at),
        )
    fetched, names = size(outcome.fetched_octets), counted.names(outcome.names)
    return texts(
        "Version {version} is in force: {names}, {size} fetched.",
        version=version,
        names=names,
        size=fetched,
    )


def _stop(*_: object) -> NoReturn:
    raise SystemExit(0)
