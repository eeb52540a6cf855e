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
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, NoReturn

from filterd.base import journal
from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.offline_site import policy_of
from filterd.cli.school_clock import school_clock
from filterd.cli.terminal import bar
from filterd.config import build_record
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.feed_config import Followed, followed
from filterd.feed.followed.fresh_arrival import FreshArrival
from filterd.feed.follower import Keeper
from filterd.feed.school_lists import SchoolLists
from filterd.feed.sync import Became, Outcome
from filterd.feed.version_watch import EVERY_S
from filterd.lists.index_files import blocklists_in_force
from filterd.texts import counted
from filterd.texts.counted import size
from filterd.texts.i18n import UNSAID, Sentence, say


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
    with taking(here, visible=not json) as lists:
        outcome = lists.sync(source, now=now)
    print_outcome(here, outcome, json=json)


def print_outcome(here: Context, outcome: Outcome, *, json: bool) -> None:
    """Print the outcome of a run; warn where the site's files are wrong."""
    if json:
        here.print_json(outcome.to_plain())
    else:
        here.console.print(_outcome_text(here, outcome), soft_wrap=True)
    if outcome.became is Became.ACTIVATED:
        _warn_of_wrong_site(here)


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
    site = lists_of(here).site(beside=bool(follows.address))
    if not follows.sources and (gone := site.followed.read().last):
        why = say("no longer followed: {lists}", lists=", ".join(one.id for one in gone))
        with contextlib.suppress(FilterdError), site.holding():
            site.follow(lambda state: replace(state, last=()), why)


def _keeper(here: Context, feed: Callable[[], Followed], *, beside: bool) -> Keeper:
    lists = lists_of(here)
    site = lists.site(beside=beside)
    return Keeper(
        site,
        feed,
        lambda feed: lists.arrival(site, feed),
        here.clock,
        lists.daemon,
        lambda: secrets.randbelow(1 << 30) / (1 << 30),
        (lambda: UNSAID) if beside else (lambda: _verified_safe_search(here)),
        lambda feed: FreshArrival(feed.sources, here.state.feed, site.versions, here.clock),
    )


def _verified_safe_search(here: Context) -> Sentence:
    from filterd.cli.lists.safesearch import verified_nightly  # noqa: PLC0415 -- for the service only

    return verified_nightly(here)


def lists_of(here: Context, progress: Callable[[int, int], None] | None = None) -> SchoolLists:
    """Return the feed and the public lists of the site, with the daemon that serves them."""
    daemon = ControlDaemon(here.state.control_socket)
    return SchoolLists(here.config, here.state, here.clock, daemon, progress)


@contextlib.contextmanager
def taking(here: Context, *, visible: bool = True) -> Iterator[SchoolLists]:
    """Return the same with a bar that shows how far a run is."""
    with bar(here, here.texts("Taking the feed"), visible=visible) as shown:
        yield lists_of(here, shown)


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
