# SPDX-License-Identifier: Apache-2.0
"""``filterd lists follow``, ``unfollow``, ``update``, ``sources``, ``exclude``: public lists."""

from __future__ import annotations

from typing import Annotated

from rich.text import Text

from filterd.base.errors import FetchError
from filterd.cli.context import Context, JsonOption, ReasonOption, argument, option
from filterd.cli.feed.feed_sync import lists_of, print_outcome, taking
from filterd.cli.policy.policy_whatif import print_before
from filterd.cli.render import show
from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_details import SOURCES
from filterd.feed.public_lists import PublicLists
from filterd.feed.school_lists import Decided
from filterd.lists.catalogs.catalog import thin_categories
from filterd.texts.i18n import say, translated

SourcesArgument = Annotated[
    list[str] | None, argument("SOURCE", "Ids of `filterd lists sources`, or https addresses.")
]


def follow(
    here: Context,
    sources: SourcesArgument = None,
    recommended: Annotated[
        bool, option("--recommended", "Follow the set that the catalogue recommends.")
    ] = False,
    category: Annotated[
        str, option("--category", "The category of everything at an address.", "ID")
    ] = "",
    list_format: Annotated[
        str, option("--format", "The syntax of the lines at an address.", "FORMAT")
    ] = "domains",
    subtrees: Annotated[
        bool, option("--subtrees", "An entry for one host includes everything beneath it.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Follow public lists: they are fetched every night.

    Lists are named by their ids, or by an address of their own with --category and --format.
    An address is looked at first: a login page, or another format, is refused. Where the log has
    names, it is shown what they would have changed. The next night fetches them, and
    `filterd lists update` at once. Exit code 0: done; 2: an error.
    """
    lists, how = PublicLists(lists_of(here)), Wanted("", "", category, list_format, subtrees)
    chosen = lists.chosen(sources or (), how, recommended=recommended)
    own = [one for one in chosen if one.url]
    for one in own:
        _look_at(here, lists, one)
    if not json:
        named = {"category": category, "format": list_format, "subtrees": subtrees}
        addresses = " ".join(one.url for one in own)
        source = ",".join(one.id for one in chosen if not one.url)
        print_before(here, source=source, address=addresses, **named)
    row = lists.follow(chosen).row
    if json:
        here.print_json(row)
        return
    here.print(
        say(
            "Followed from the next night on: {lists}. To fetch them now: filterd lists update",
            lists=", ".join(one.id for one in chosen),
        ),
        whole=True,
    )


def unfollow(here: Context, sources: SourcesArgument = None, json: JsonOption = False) -> None:
    """Follow public lists no more; their names open at once.

    What `site.yaml` names is removed there. Exit code 0: done; 2: an error; 50: held.
    """
    with taking(here, visible=not json) as lists:
        done = PublicLists(lists).unfollow(sources or ())
    _print_done(here, done, json=json)


def update(
    here: Context,
    now: Annotated[bool, option("--now", "Also ask servers that asked for a pause.")] = False,
    accept: Annotated[
        list[str] | None,
        option("--accept", "Take this list although its size has changed much.", "ID"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Fetch the followed lists now, and put them in force.

    A list that does not come, or looks wrong, keeps its last good text. Exit code 0: in force;
    2: local error; 30 to 36: none was fetched; 50: held or refused.
    """
    with taking(here, visible=not json) as lists:
        outcome = PublicLists(lists).update(accept or (), now=now)
    if not json:
        for one in (*lists.followed.refused, *outcome.remarks):
            here.console.print(Text(translated(one, here.texts.language)), soft_wrap=True)
    print_outcome(here, outcome, json=json)


def sources(here: Context, json: JsonOption = False) -> None:
    """Show the public lists that can be followed, and those that are.

    Exit code 0: shown; 2: an error.
    """
    show(here, SOURCES, PublicLists(lists_of(here)).sources(), json=json)
    if not json:
        _print_thin(here)


def _print_thin(here: Context) -> None:
    """Print the categories that recommended lists hardly cover."""
    thin = thin_categories()
    none = ", ".join(one for one, n in thin.items() if not n)
    few = ", ".join(f"{one} ({n})" for one, n in thin.items() if n)
    here.print(say("No list is recommended, what ships is all: {categories}", categories=none))
    here.print(say("Recommended lists have few names: {categories}", categories=few))


def exclude(
    here: Context,
    name: Annotated[str, argument("NAME", "The name that a list closes by mistake.")],
    list_id: Annotated[
        str, option("--list", "The list, as `filterd lists search` names it.", "ID")
    ],
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Leave an entry out of a followed list for 180 days; the same command renews it.

    Exit code 0: done; 2: an error; 50: held.
    """
    with taking(here, visible=not json) as lists:
        done = PublicLists(lists).exclude(name, list_id, reason)
    _print_done(here, done, json=json)


def _look_at(here: Context, lists: PublicLists, wanted: Wanted) -> None:
    """Look at what an address has, and note the number of its names."""
    try:
        here.note(lists.look_at(wanted))
    except FetchError as error:
        here.warn(
            say("the list was not looked at, the next night tries: {why}", why=error.sentence)
        )


def _print_done(here: Context, done: Decided, *, json: bool) -> None:
    if json:
        here.print_json(done.row)
    elif done.outcome is not None:
        print_outcome(here, done.outcome, json=False)
    else:
        here.print(say("Done."))
