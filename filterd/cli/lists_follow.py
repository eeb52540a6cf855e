# SPDX-License-Identifier: Apache-2.0
"""``filterd lists follow``, ``unfollow``, ``update``, ``sources``, ``exclude``: public lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from rich.text import Text

from filterd import counted
from filterd.cli.context import Context, JsonOption, ReasonOption, argument, option
from filterd.cli.feed_sync import print_outcome, run, site_of_lists
from filterd.cli.offline_site import open_index
from filterd.cli.policy_whatif import print_before
from filterd.cli.render import show
from filterd.config.build_record import SITE_FILE
from filterd.config.scalars import list_address_fault
from filterd.config.site_reader import load_site
from filterd.documents import did_you_mean
from filterd.errors import (
    ConfigError,
    FetchError,
    ForeignContentError,
    IndexFormatError,
    ListError,
    StoreError,
)
from filterd.feed.appliance_files import LEFT_OUT_S, LeftOut, Wanted, with_command, with_left_out
from filterd.feed.feed_config import (
    Followed,
    followed,
    followed_set,
    own_id,
    own_source,
    wanted_by,
    without_command,
)
from filterd.feed.feed_details import SOURCES
from filterd.feed.fresh_names import FRESH
from filterd.feed.night_memory import check_size
from filterd.feed.source_limits import NIGHTLY, FetchRules
from filterd.feed.sources import SourceFolder, look_at, source_rows
from filterd.feed.sync import Outcome
from filterd.feed.versions import is_followed
from filterd.i18n import quoted, say, translated
from filterd.lists.catalog import (
    BESIDE,
    RECOMMENDED,
    fillable_categories,
    shipped_sources,
    thin_categories,
)
from filterd.lists.formats import FORMATS
from filterd.lists.list_queries import entries_of
from filterd.lists.rules import MERGED_PREFIX
from filterd.overrides.target_text import qname_from
from filterd.wire.name import to_text

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
    chosen = [Wanted(RECOMMENDED)] if recommended else []
    chosen += [_wanted(one, category, list_format, subtrees=subtrees) for one in sources or ()]
    if not chosen:
        raise ConfigError(
            say("SOURCE or --recommended is missing"),
            hint=say("the lists that can be followed: filterd lists sources"),
        )
    before = followed(here.config, here.state).sources
    more = followed_set(chosen).sources
    check_size(sum(one.names for one in {one.id: one for one in (*before, *more)}.values()))
    ids = ", ".join(one.id for one in chosen)
    for one in chosen:
        if one.url:
            _look_at(here, one)
    if not json:
        known, own = ([one for one in chosen if bool(one.url) is has] for has in (False, True))
        how = {"category": category, "format": list_format, "subtrees": subtrees}
        addresses = " ".join(one.url for one in own)
        source = ",".join(one.id for one in known)
        print_before(here, source=source, address=addresses, **how)
    site = site_of_lists(here)
    with site.holding():
        site.follow(lambda state: with_command(state, *chosen), say("followed: {lists}", lists=ids))
    if json:
        here.print_json({"followed": [one.id for one in more]})
        return
    here.print(
        say(
            "Followed from the next night on: {lists}. To fetch them now: filterd lists update",
            lists=ids,
        ),
        whole=True,
    )


def unfollow(here: Context, sources: SourcesArgument = None, json: JsonOption = False) -> None:
    """Follow public lists no more; their names open at once.

    What `site.yaml` names is removed there. Exit code 0: done; 2: an error; 50: held.
    """
    ids = [own_id(one) if "://" in one else one for one in sources or ()]
    if not ids:
        raise ConfigError(say("{missing} is missing", missing="SOURCE"))
    written = {
        one.id for one in followed_set(wanted_by(load_site(here.config).file.follow)).sources
    }
    site = site_of_lists(here)
    known = {one.id for one in site.followed.read().by_command}
    known |= {one.id for one in followed(here.config, here.state).sources}
    for one in ids:
        if one in written:
            raise ConfigError(
                say("'{id}' is followed by this file", id=one),
                path=str(here.config / SITE_FILE),
                hint=say("remove it there, then `filterd lists update`"),
            )
        if one not in known:
            raise ConfigError(
                say("'{id}' is not followed", id=one), hint=did_you_mean(one, sorted(known))
            )
    with site.holding():
        why = say("no longer followed: {lists}", lists=", ".join(ids))
        site.follow(lambda state: without_command(state, ids), why)
    _remake(here, {"unfollowed": ids}, json=json)


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
    feed = followed(here.config, here.state)
    # Without any, those in force, which ``site.yaml`` has no more, go out of force.
    if not (feed.sources or is_followed(site_of_lists(here).versions.in_force().current or "")):
        raise ConfigError(
            say("the site follows no public lists"),
            hint=say("follow some: filterd lists follow --recommended"),
        )
    accepted = frozenset(accept or ())
    for one in sorted(accepted - {source.id for source in feed.sources}):
        raise ConfigError(
            say("'{id}' is not followed", id=one),
            hint=did_you_mean(one, [source.id for source in feed.sources]),
        )
    rules = replace(NIGHTLY, waits=not now, accepted=accepted)
    outcome = _run(here, rules, visible=not json)
    if not json:
        for one in (*feed.refused, *outcome.remarks):
            here.console.print(Text(translated(one, here.texts.language)), soft_wrap=True)
    print_outcome(here, outcome, json=json)


def sources(here: Context, json: JsonOption = False) -> None:
    """Show the public lists that can be followed, and those that are.

    Exit code 0: shown; 2: an error.
    """
    feed = followed(here.config, here.state)
    commanded = {
        one.id for one in followed_set(site_of_lists(here).followed.read().by_command).sources
    }
    origins = {one.id: "command" if one.id in commanded else SITE_FILE for one in feed.sources}
    folder = SourceFolder(here.state.feed / "sources")
    own = [one for one in feed.sources if one.id not in {each.id for each in shipped_sources()}]
    show(here, SOURCES, source_rows((*shipped_sources(), *own), folder, origins), json=json)
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
    qname = qname_from(name)
    feed = followed(here.config, here.state)
    known = {one.id for one in feed.sources}
    prefix = BESIDE if feed.address else MERGED_PREFIX
    known |= {prefix + one for each in feed.sources for one in (each.id, each.category)}
    fresh = f"{prefix}{FRESH.removeprefix(MERGED_PREFIX)}"
    if list_id.startswith(fresh):  # what has come since the night is of the category, too
        list_id = prefix + list_id.removeprefix(fresh)
    if list_id not in known:
        raise ConfigError(
            say("'{id}' is not followed", id=list_id), hint=did_you_mean(list_id, sorted(known))
        )
    _check_is_entry(here, to_text(qname), qname, feed, list_id)
    site, at = site_of_lists(here), here.clock.wall()
    one = LeftOut(to_text(qname), list_id, reason, at, at + LEFT_OUT_S)
    why = say("left out: {name}, of {list}: {why}", name=one.name, list=list_id, why=quoted(reason))
    with site.holding():
        site.follow(lambda state: with_left_out(state, one), why)
    _remake(here, {"name": one.name, "list": list_id, "until": one.until}, json=json)


def _wanted(text: str, category: str, list_format: str, *, subtrees: bool) -> Wanted:
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
    if not category:
        raise ConfigError(say("{missing} is missing", missing="--category"))
    for word, kind, words in (
        (category, say("category for public lists"), fillable_categories()),
        (list_format, say("format"), sorted(FORMATS)),
    ):
        if word not in words:
            raise ConfigError(
                say("'{word}' is not a {kind}", word=word, kind=kind),
                hint=did_you_mean(word, words),
            )
    return Wanted(own_id(text), text, category, list_format, subtrees)


def _look_at(here: Context, wanted: Wanted) -> None:
    """Fetch what an address has, and note the number of its names.

    Raises:
        ConfigError: it is no list of this format.
    """
    try:
        with TemporaryDirectory() as folder:
            found = look_at(own_source(wanted), SourceFolder(Path(folder)), here.clock)
    except (ForeignContentError, ListError) as error:
        raise ConfigError(
            error.sentence,
            hint=say(
                "open the address in a browser: is it the list itself, and is --format one of"
                " {known}?",
                known=", ".join(sorted(FORMATS)),
            ),
        ) from error
    except FetchError as error:
        here.warn(
            say("the list was not looked at, the next night tries: {why}", why=error.sentence)
        )
    else:
        here.note(say("{id}: {names}", id=wanted.id, names=counted.names(found.entries)))


def _run(here: Context, rules: FetchRules | None, *, visible: bool) -> Outcome:
    feed = followed(here.config, here.state)
    lists, beside = feed._replace(address=""), bool(feed.address)
    return run(here, lists, beside=beside, rules=rules, visible=visible)


def _check_is_entry(here: Context, name: str, qname: bytes, feed: Followed, list_id: str) -> None:
    """Check that a name is an entry of its own, where there is an index."""
    prefix = BESIDE if feed.address else MERGED_PREFIX
    merged = {prefix + one.category for one in feed.sources if list_id in (one.id, prefix + one.id)}
    mine = {list_id, prefix + list_id, *merged}
    fresh = FRESH.removeprefix(MERGED_PREFIX)
    mine |= {f"{prefix}{fresh}{one.removeprefix(prefix)}" for one in mine}
    try:
        rows = [one for one in entries_of(open_index(here), qname) if one["list"] in mine]
    except (StoreError, IndexFormatError):
        return
    if rows and all(one["name"] != name for one in rows):
        entry = rows[0]["name"]
        raise ConfigError(
            say("the list has {entry}, which includes {name}", entry=entry, name=name),
            hint=say("leave out {entry}, or open the name by `filterd allow`", entry=entry),
        )


def _remake(here: Context, plain: dict[str, Any], *, json: bool) -> None:
    """Make the version of the texts at hand anew, so that a change is in force at once."""
    if is_followed(site_of_lists(here).versions.in_force().current or ""):
        outcome = _run(here, None, visible=not json)
        if not json:
            print_outcome(here, outcome, json=False)
            return
        plain = plain | outcome.to_plain()
    if json:
        here.print_json(plain)
    else:
        here.print(say("Done."))
