# SPDX-License-Identifier: Apache-2.0
"""Check the evidence of own lists: what a name stands on, when it is due again.

The lists of ``blocklists/vn`` say above their names where those were seen, and the day to look
again; ``evidence.yaml`` beside them has the sources (the folder's README explains both). A bad
entry is an error with its place. What is due is none: the lists serve on, and a build names it.

The operator of a listed name may object, so ``check_contacts`` refuses to publish one without an
address, or with one that stands for another (``maintainers@filterd.invalid``).

``python -m filterd.publish.evidence blocklists`` is the check of a checkout; without a folder it
takes the present one.
"""

from __future__ import annotations

import re
import sys
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.value_class import frozen
from filterd.documents import DocumentModel, did_you_mean, load, repeated, validate
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.catalog_schema import IsoDate, unfit
from filterd.lists.catalogs.catalog_tables import CONTACTS_FILE, load_contacts
from filterd.lists.formats import FORMATS, Cancelled, Entry, Problem
from filterd.lists.hostname import (
    HostnameError,
    key_from_name,
    key_from_text,
    name_from_key,
    text_from_key,
)
from filterd.lists.rules import Scope
from filterd.lists.top_names import read_popular
from filterd.publish.signed_orders import day_of
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.documents import Where
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.rules import ListSource
    from filterd.texts.i18n import Sentence

FOLDER, FILE = "vn", "evidence.yaml"
LESSONS = ("education", "answer-sites")
"""The groups of services that lessons need."""

_heading = re.compile(r"# evidence: ([a-z0-9-]+), again (\d{4}-\d\d-\d\d)").fullmatch
_HEADING = "# evidence: "
_placeholder = re.compile(
    r"(?i)(^|[@./])(example\.(com|net|org)|[^@/\s]*\.(example|invalid|localhost|test))(?![\w.-])"
).search
"""Find a name that RFC 2606 and RFC 6761 keep for examples: nobody can be reached there."""
_DAYS = 366
"""What evidence lasts, and so the most until an entry is looked at again."""
_REMOVE = say("remove it")


class EvidenceEntry(DocumentModel):
    """A page or a list in which names were seen."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]
    title: Annotated[str, Field(min_length=1)]
    address: Annotated[str, Field(pattern=r"^https://[!-~]+$")]
    date: IsoDate
    licence: Annotated[str, Field(min_length=1)]


class EvidenceFile(DocumentModel):
    """``evidence.yaml``."""

    evidence: Annotated[tuple[EvidenceEntry, ...], Field(min_length=1)]


class ListedName(NamedTuple):
    """A name of an own list, with what it stands on."""

    name: str
    category: str
    place: str
    evidence: str
    seen: str
    again: str

    def due(self, today: str) -> bool:
        """Return whether a person has to look at it again."""
        return self.again <= today or _days(self.seen, today) > _DAYS


@frozen
class EvidenceReport:
    """The entries of the own lists, and one error for each bad one."""

    entries: tuple[ListedName, ...]
    problems: tuple[ConfigError, ...]

    def due(self, today: str) -> tuple[ListedName, ...]:
        """Return the entries that a person has to look at again, as they stand."""
        return tuple(entry for entry in self.entries if entry.due(today))


def inspect(folder: Path, catalog: Catalog) -> EvidenceReport:
    """Read the own lists with evidence of a ``blocklists/`` folder; none has no entry.

    Args:
        folder: the folder.
        catalog: as it was loaded of it.

    Raises:
        ConfigErrors: ``evidence.yaml`` has errors.
        ConfigError: it cannot be read.
    """
    own = folder.absolute() / FOLDER
    sources = [one for one in catalog.lists if Path(one.path).parent == own]
    if not sources:
        return EvidenceReport((), ())
    seen = _load(own / FILE)
    read = [one for source in sources for one in _entries(source, seen)]
    entries = tuple(one for one in read if isinstance(one, ListedName))
    problems = [one for one in read if isinstance(one, ConfigError)]
    others = [one for one in catalog.lists if one.own and one not in sources]
    problems += _closing(entries, catalog)
    problems += _listed_twice(entries, others)
    return EvidenceReport(entries, tuple(problems))


def check_contacts(folder: Path) -> None:
    """Refuse a folder without a contact that answers objections.

    Args:
        folder: a whole ``blocklists/`` folder; one without lists with evidence needs no contact.

    Raises:
        ConfigErrors: ``contacts.yaml`` is wrong.
        ConfigError: a contact has a placeholder for an address, or lists with evidence have none.
    """
    contacts = load_contacts(folder)
    path = str(folder / CONTACTS_FILE)
    for contact in contacts:
        if _placeholder(contact.ways):
            raise ConfigError(
                say("nobody can be reached at '{ways}'", ways=contact.ways),
                path=path,
                hint=say("write an address that is read: those who are listed may object"),
            )
    if not contacts and (folder / FOLDER / FILE).exists():
        raise ConfigError(
            say("the lists of {folder}/ need a contact for objections", folder=FOLDER),
            path=path,
            hint=say("write it: blocklists/README.md has an example"),
        )


def _load(path: Path) -> Mapping[str, EvidenceEntry]:
    document = load(path)
    entries = validate(document, EvidenceFile).evidence
    ids: Iterator[tuple[str, Where]] = (
        (entry.id, ("evidence", index, "id")) for index, entry in enumerate(entries)
    )
    if problems := list(repeated(document, ids, say("this id occurs twice"))):
        raise ConfigErrors(problems)
    return {entry.id: entry for entry in entries}


def _entries(
    source: ListSource, seen: Mapping[str, EvidenceEntry]
) -> Iterator[ListedName | ConfigError]:
    """Yield the names of a list, and an error for each line that is wrong."""
    lines = Path(source.path).read_text(encoding="utf-8").split("\n")
    parsed = {one.line: one for one in FORMATS[source.format](lines)}
    above: tuple[EvidenceEntry, str] | None = None
    is_wrong = False  # is said once, not for each name below
    for number, line in enumerate(lines, 1):
        if line.startswith(_HEADING):
            above, is_wrong = None, False
            try:
                above = _above(line, seen)
            except ConfigError as error:
                is_wrong = True
                yield _error(source, number, error.reason, error.hint)
        one = parsed.get(number)
        if one is None or isinstance(one, Cancelled):
            continue
        if isinstance(one, Problem):
            yield _error(source, number, quoted(one.reason.explanation), say("remove it"))
        elif why := _unfit(one.name):
            yield _error(source, number, say("'{value}' {why}", value=one.name, why=why), _REMOVE)
        elif above is None and is_wrong:
            continue
        elif above is None:
            yield _error(
                source,
                number,
                say("'{name}' has no evidence", name=one.name),
                say("write `# evidence: ID, again DATE` above it"),
            )
        else:
            evidence, again = above
            place = f"{_shown(source)}:{number}"
            yield ListedName(one.name, source.category, place, evidence.id, evidence.date, again)


def _above(line: str, seen: Mapping[str, EvidenceEntry]) -> tuple[EvidenceEntry, str]:
    """Return what a line of evidence says.

    Raises:
        ConfigError: it is wrong; without its place.
    """
    said = _heading(line)
    if said is None or not _is_day(said[2]):
        example = "# evidence: abpvn-2026-08, again 2027-02-22"
        raise ConfigError(
            say("'{line}' is not a line of evidence", line=line),
            hint=say("such as `{example}`", example=example),
        )
    known = seen.get(said[1])
    if known is None:
        raise ConfigError(
            say("there is no evidence '{evidence}'", evidence=said[1]),
            hint=did_you_mean(said[1], seen),
        )
    if not 0 < _days(known.date, said[2]) <= _DAYS:
        raise ConfigError(
            say("{again} is not in the twelve months after {seen}", again=said[2], seen=known.date),
            hint=say("look at the source again, and write its new day into {file}", file=FILE),
        )
    return known, said[2]


def _closing(entries: Iterable[ListedName], catalog: Catalog) -> Iterator[ConfigError]:
    """Yield an error for each name that closes one that must stay open."""
    popular = read_popular(None)
    held = [(pin.name, pin.subtree, frozenset[str]()) for pin in catalog.pins]
    held += [
        (protection.name, protection.subtree, protection.except_categories)
        for protection in catalog.protections
    ]
    lessons = (service.names for service in catalog.services if service.group in LESSONS)
    held += [(name, True, frozenset()) for name in chain.from_iterable(lessons)]
    keys = [(key, beneath, but) for name, beneath, but in held if (key := key_from_name(name))]
    for entry in entries:
        key = key_from_text(entry.name)
        closed = [
            text_from_key(other)
            for other, beneath, but in keys
            if entry.category not in but
            and (other.startswith(key) or (beneath and key.startswith(other)))
        ]
        closed += popular.wrongly_closed_by(key, Scope.SUBTREE, entry.category)
        if closed:
            reason = say(
                "'{name}' closes {held}, which must stay open", name=entry.name, held=closed[0]
            )
            yield _at(entry, reason, _REMOVE)


def _listed_twice(
    entries: Iterable[ListedName], others: Iterable[ListSource]
) -> Iterator[ConfigError]:
    """Yield an error for each name that another entry has, or a name above it."""
    places = dict[bytes, str]()
    for source in others:
        for number, name in _names(source):
            places.setdefault(key_from_text(name), f"{_shown(source)}:{number}")
    twice = list[tuple[ListedName, str]]()
    for entry in entries:
        place = places.setdefault(key_from_text(entry.name), entry.place)
        if place != entry.place:
            twice.append((entry, place))
    for entry in entries:
        key = key_from_text(entry.name)
        twice += [(entry, places[up]) for up in _above_key(key) if up in places]
    for one, place in twice:
        yield _at(one, say("'{name}' stands at {place}, too", name=one.name, place=place), _REMOVE)


def _names(source: ListSource) -> Iterator[tuple[int, str]]:
    lines = Path(source.path).read_text(encoding="utf-8").split("\n")
    for one in FORMATS[source.format](lines):
        if isinstance(one, Entry) and not _unfit(one.name):
            yield one.line, one.name


def _above_key(key: bytes) -> Iterator[bytes]:
    """Yield the keys of the names above a name."""
    end = key.find(b"\0") + 1
    while end < len(key):
        yield key[:end]
        end = key.find(b"\0", end) + 1


def _unfit(name: str) -> Sentence:
    try:
        return unfit(name_from_key(key_from_text(name)))
    except HostnameError as error:
        return error.sentence


def _error(source: ListSource, line: int, reason: Sentence, hint: Sentence) -> ConfigError:
    return ConfigError(reason, path=_shown(source), line=line, hint=hint)


def _at(entry: ListedName, reason: Sentence, hint: Sentence) -> ConfigError:
    return ConfigError(reason, path=entry.place, hint=hint)


def _shown(source: ListSource) -> str:
    """Return the file as its folder's README names it: ``vn/piracy.txt``."""
    return "/".join(Path(source.path).parts[-2:])


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def main(folder: Path, today: str) -> int:
    """Print what is due and what is wrong, a line each; return the exit code."""
    try:
        report = inspect(folder, load_catalog(folder))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for one in report.due(today):
        sys.stdout.write(f"{one.place}: {one.name} is due: seen {one.seen} ({one.evidence})\n")
    for problem in report.problems:
        sys.stderr.write(f"{problem}\n")
    return 2 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:]), day_of(SystemClock().wall())))
