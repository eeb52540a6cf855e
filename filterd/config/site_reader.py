# SPDX-License-Identifier: Apache-2.0
"""Find and read the files of a site: ``site.yaml`` and one file for each tier.

A tier file that the site's folder does not have is taken from those that ship
with filterd, so that a school writes only what it wants otherwise. A ``site.yaml``
of an older version of its keys is read as one of the present version; the file
itself stays as its author wrote it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import Problems
from filterd.base.paths import shipped
from filterd.base.value_class import frozen
from filterd.config import build_record
from filterd.config.build_record import SITE_FILE
from filterd.config.site_schema import VERSION, SiteFile
from filterd.config.tiers import TierFile
from filterd.config.week_schema import undeclared_rooms, with_timetables
from filterd.documents import Document, load, parse, validate
from filterd.policy.model import TIERS
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.base.errors import ConfigError
    from filterd.config.build_record import Site
    from filterd.config.site_schema import NetworkEntry


class SiteFiles:
    """The YAML files of one site: those in its folder, or the last good ones.

    New lists must not wait until a typing error in ``site.yaml`` is mended, an urgent order
    least of all, and what the school has set must not be forgotten over it. So a policy has
    the texts beside it that it was compiled from (``build_record``).

    Args:
        folder: the site's.
        kept: their texts, if they are not those in the folder.
    """

    def __init__(self, folder: Path, kept: Site | None = None) -> None:
        self.folder, self._kept = folder, kept

    def has(self, path: str) -> bool:
        """Return whether the site has its own file at a path in its folder."""
        return (self.folder / path).exists() if self._kept is None else path in self._kept

    def load(self, path: str) -> Document:
        """Read one.

        Raises:
            ConfigError: it cannot be read, or is no YAML.
        """
        place = self.folder / path
        if self._kept is None or path not in self._kept:
            return load(place)
        return parse(build_record.octets(self._kept[path]), str(place))

    def expectations(self) -> list[str]:
        """Return the paths of the site's expectations, sorted."""
        beneath = f"{build_record.EXPECTATIONS}/"
        if self._kept is None:
            found = (self.folder / beneath).glob("*.yaml")
            return sorted(beneath + path.name for path in found)
        return sorted(path for path in self._kept if path.startswith(beneath))


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By version n of ``site.yaml``: make its data the data of version n + 1.

What keeps its key keeps its place in errors.
"""


@frozen
class TierSource:
    """A tier's file, and its document for places in errors."""

    document: Document
    file: TierFile


@frozen
class SiteSources:
    """All files of a site's folder, each checked for itself.

    Attributes:
        files: its YAML files, and its folder.
        document, file: ``site.yaml``.
        tiers: the file of each tier.
        undeclared: warnings of networks that an imported timetable makes rooms of.
    """

    files: SiteFiles
    document: Document
    file: SiteFile
    tiers: dict[str, TierSource]
    undeclared: tuple[ConfigError, ...] = ()

    def shipped_tiers(self) -> dict[str, TierSource]:
        """Return the tiers as they ship, which the site's may be.

        Raises:
            ConfigErrors, StoreError: they are damaged or missing.
        """
        has_own = any(self.files.has(f"{tier}.yaml") for tier in TIERS)
        is_shipped = self.files.folder == shipped("policies")
        return shipped_tiers() if has_own and not is_shipped else self.tiers


def load_site(folder: Path, kept: Site | None = None) -> SiteSources:
    """Read the files of the site in ``folder``.

    Args:
        folder: the site's.
        kept: their texts, if they are not those in the folder.

    Raises:
        ConfigErrors: what is wrong in any of them.
        StoreError: a tier's file is neither there nor among the shipped ones.
    """
    problems, files = Problems(), SiteFiles(folder, kept)
    document = site = None
    with problems.noting():
        document = migrated(files.load(SITE_FILE))
        site = validate(document, SiteFile)
    tiers = {}
    for tier in TIERS:
        with problems.noting():
            tiers[tier] = _load_tier(files, tier)
    problems.raise_if_any()
    assert document is not None
    assert site is not None
    whole = with_timetables(files, site, problems)
    _check_inheritance(tiers, problems)
    problems.raise_if_any()
    return SiteSources(files, document, whole, tiers, tuple(undeclared_rooms(files, site)))


def declared_networks(folder: Path) -> dict[str, NetworkEntry]:
    """Return the networks as ``site.yaml`` itself has them.

    Its rooms are those that it declares, by ``room`` or a timetable. An imported timetable
    declares none: it would make a room of any network that it names.

    Raises:
        ConfigErrors: what is wrong in the file.
    """
    return validate(migrated(SiteFiles(folder).load(SITE_FILE)), SiteFile).networks


def migrated(document: Document) -> Document:
    """Return a ``site.yaml`` as one of the present version.

    Raises:
        ConfigError: it is of a newer version than this filterd knows.
    """
    data = document.data
    version = data.get("version", 1) if isinstance(data, dict) else VERSION
    if type(version) is not int or version < 1:
        return document  # the model refuses it with the place
    if version > VERSION:
        raise document.error(
            say(
                "this file is of version {version}, and this filterd knows versions up to {known}",
                version=version,
                known=VERSION,
            ),
            ("version",),
            hint=say("install a newer filterd, or restore the file from before its update"),
        )
    for step in range(version, VERSION):
        data = {**MIGRATIONS[step](data), "version": step + 1}
    return replace(document, data=data)


def shipped_tiers() -> dict[str, TierSource]:
    """Return the tiers as they ship.

    Raises:
        ConfigErrors, StoreError: they are damaged or missing.
    """
    files = SiteFiles(shipped("policies"))
    return {tier: _load_tier(files, tier) for tier in TIERS}


def inheritance(tiers: dict[str, TierSource], tier: str) -> list[TierSource]:
    """Return the sources of a tier, beginning with the one that inherits from none."""
    chain = [tiers[tier]]
    while (parent := chain[0].file.inherits) is not None:
        chain.insert(0, tiers[parent])
    return chain


def _load_tier(files: SiteFiles, tier: str) -> TierSource:
    name = f"{tier}.yaml"
    document = files.load(name) if files.has(name) else load(shipped("policies") / name)
    file = validate(document, TierFile)
    if file.tier != tier:
        raise document.error(
            say("the file is about the tier '{tier}'", tier=file.tier),
            ("tier",),
            hint=say("a file named {name} has tier: {tier}", name=name, tier=tier),
        )
    return TierSource(document, file)


def _check_inheritance(tiers: dict[str, TierSource], problems: Problems) -> None:
    for tier, source in tiers.items():
        above, seen = source.file.inherits, {tier}
        while above is not None and above not in seen:
            seen.add(above)
            above = tiers[above].file.inherits
        if above == tier:
            reason = say("the tier '{tier}' inherits from itself", tier=tier)
            problems.add(
                source.document.error(reason, ("inherits",), hint=say("remove one of them"))
            )
