# SPDX-License-Identifier: Apache-2.0
"""Do what a school decides on public lists: follow, fetch, leave an entry out.

They are known by an id of the catalogue, or by an address of their own. What a school decides on
versions, of its feed or of these lists, is ``school_lists``'.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from filterd.base.errors import (
    ConfigError,
    ForeignContentError,
    IndexFormatError,
    ListError,
)
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE
from filterd.config.scalars import list_address_fault
from filterd.config.site_reader import load_site
from filterd.documents import did_you_mean
from filterd.feed.appliance_files import LEFT_OUT_S, LeftOut, Wanted, with_command, with_left_out
from filterd.feed.feed_config import (
    Followed,
    followed_set,
    own_id,
    own_source,
    wanted_by,
    without_command,
)
from filterd.feed.followed.fresh_names import FRESH
from filterd.feed.followed.night_memory import check_size
from filterd.feed.followed.source_limits import NIGHTLY
from filterd.feed.followed.sources import SourceFolder, look_at, source_rows
from filterd.feed.school_lists import Decided, SchoolLists
from filterd.feed.versions import is_followed
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

    from filterd.feed.followed.source_limits import FetchRules
    from filterd.feed.sync import Outcome
    from filterd.texts.i18n import Sentence


@frozen
class PublicLists:
    """The public lists of a school, and the decisions on them."""

    school: SchoolLists

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
        found += [_wanted_list(source, how) for source in sources]
        if not found:
            raise ConfigError(
                say("SOURCE or --recommended is missing"),
                hint=say("the lists that can be followed: filterd lists sources"),
            )
        both = {
            one.id: one.names
            for one in (*self.school.followed.sources, *followed_set(found).sources)
        }
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
                found = look_at(own_source(wanted), SourceFolder(Path(folder)), self.school.clock)
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
        site, ids = self.school.site_of_lists(), ", ".join(one.id for one in chosen)
        with site.holding():
            why = say("followed: {lists}", lists=ids)
            site.follow(lambda state: with_command(state, *chosen), why)
        return Decided({"followed": [source.id for source in followed_set(chosen).sources]})

    def unfollow(self, sources: Sequence[str]) -> Decided:
        """Follow public lists no more; their names open at once.

        Raises:
            ConfigError: the file follows one, or nothing does.
            FilterdError: see ``SiteFeed.sync``.
        """
        ids = [own_id(source) if "://" in source else source for source in sources]
        if not ids:
            raise ConfigError(say("{missing} is missing", missing="SOURCE"))
        by_file = followed_set(wanted_by(load_site(self.school.config).file.follow)).sources
        written = {one.id for one in by_file}
        site = self.school.site_of_lists()
        known = {one.id for one in site.followed.read().by_command}
        known |= {source.id for source in self.school.followed.sources}
        for one in ids:
            if one in written:
                raise ConfigError(
                    say("'{id}' is followed by this file", id=one),
                    path=str(self.school.config / SITE_FILE),
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
        feed = self.school.followed
        # Without any, those in force, which ``site.yaml`` has no more, go out of force.
        if not (feed.sources or self._serves_lists()):
            raise ConfigError(
                say("the site follows no public lists"),
                hint=say("follow some: filterd lists follow --recommended"),
            )
        known = [source.id for source in feed.sources]
        for one in sorted(set(accept)):
            _check_followed(one, known)
        return self._run_lists(replace(NIGHTLY, waits=not now, accepted=frozenset(accept)))

    def sources(self) -> list[dict[str, Any]]:
        """Return the public lists that can be followed, and those that are, as rows."""
        feed = self.school.followed
        commanded = followed_set(self.school.site_of_lists().followed.read().by_command).sources
        by_command, shipped = {one.id for one in commanded}, shipped_sources()
        origins = {
            source.id: "command" if source.id in by_command else SITE_FILE
            for source in feed.sources
        }
        folder, known = (
            SourceFolder(self.school.state.feed / "sources"),
            {one.id for one in shipped},
        )
        own = [source for source in feed.sources if source.id not in known]
        return list(source_rows((*shipped, *own), folder, origins))

    def exclude(self, name: str, list_id: str, reason: str) -> Decided:
        """Leave an entry out of a followed list for ``LEFT_OUT_S``.

        Raises:
            ConfigError: it is no entry of a followed list.
            FilterdError: see ``SiteFeed.sync``.
        """
        qname, feed = qname_from(name), self.school.followed
        prefix = BESIDE if feed.address else MERGED_PREFIX
        known = {source.id for source in feed.sources}
        known |= {prefix + one for each in feed.sources for one in (each.id, each.category)}
        fresh = f"{prefix}{FRESH.removeprefix(MERGED_PREFIX)}"
        if list_id.startswith(fresh):  # what has come since the night is of the category, too
            list_id = prefix + list_id.removeprefix(fresh)
        _check_followed(list_id, known)
        self._check_is_entry(qname, feed, list_id)
        at = self.school.clock.wall()
        one = LeftOut(to_text(qname), list_id, reason, at, at + LEFT_OUT_S)
        why = say(
            "left out: {name}, of {list}: {why}", name=one.name, list=list_id, why=quoted(reason)
        )
        site = self.school.site_of_lists()
        with site.holding():
            site.follow(lambda state: with_left_out(state, one), why)
        return self._remade({"name": one.name, "list": list_id, "until": one.until})

    def _serves_lists(self) -> bool:
        return is_followed(self.school.site_of_lists().versions.in_force().current or "")

    def _run_lists(self, rules: FetchRules | None) -> Outcome:
        feed = self.school.followed
        return self.school.run(feed._replace(address=""), beside=bool(feed.address), rules=rules)

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
            prefix + source.category
            for source in feed.sources
            if list_id in (source.id, prefix + source.id)
        }
        mine = {list_id, prefix + list_id, *merged}
        fresh = FRESH.removeprefix(MERGED_PREFIX)
        mine |= {f"{prefix}{fresh}{one.removeprefix(prefix)}" for one in mine}
        try:
            index = Index.open(self.school.state.index)
            rows = [one for one in entries_of(index, qname) if one["list"] in mine]
        except (OSError, IndexFormatError):
            return
        if rows and all(row["name"] != name for row in rows):
            entry = rows[0]["name"]
            raise ConfigError(
                say("the list has {entry}, which includes {name}", entry=entry, name=name),
                hint=say("leave out {entry}, or open the name by `filterd allow`", entry=entry),
            )


def _check_followed(list_id: str, known: Collection[str]) -> None:
    if list_id not in known:
        raise ConfigError(
            say("'{id}' is not followed", id=list_id), hint=did_you_mean(list_id, sorted(known))
        )


def _wanted_list(text: str, how: Wanted) -> Wanted:
    if "://" not in text:
        known = [RECOMMENDED, *(source.id for source in shipped_sources())]
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
