# SPDX-License-Identifier: Apache-2.0
"""Keep the versions of lists that an appliance has, and which one is active.

::

    feed/versions/12/          a version, whole, with a manifest of its contents
    feed/versions/13/          a candidate: whole, and nothing points to it yet
    feed/versions/14.partial/  being taken
    feed/in-force.json         points to the active one and those before it

A folder gets its id only once it is whole, and the pointer is one file that is replaced at
once: whenever the power fails, the active version is the old one or the new one. A copy of
the pointer stands beside it, and both are digested.

Folders share unchanged files (hard links): a night costs the disk what it changed. Nothing
writes into such a file; a damaged one is replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from filterd.base.errors import DigestError, GuardError, RefusedVersionError, StoreError
from filterd.base.paths import install, remove_temporaries
from filterd.base.state_file import IDS, FileFormat, to_plain
from filterd.base.state_folder import SHIPPED
from filterd.base.value_class import frozen
from filterd.feed.version_files import verify
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

KEPT = 3
"""Versions that were in force and stay at hand, the one in force included."""
PARTIAL = ".partial"
FOLLOWED = "web-"
"""How ids of versions begin that are made here, of public lists."""

_BASE_LENGTH = len(FOLLOWED) + 12
"""Of the id of a night's version; a longer one has what came since that night, too."""
_MAX_REFUSED = 100
_AHEAD = "-"
_is_id = re.compile(r"[0-9a-z][0-9a-z-]{0,63}", re.ASCII).fullmatch
_MAX_POINTER_OCTETS = 1 << 16


@frozen
class Candidate:
    """A version that is whole on the disk: verified, and not yet judged or active."""

    version: str
    folder: Path


@frozen
class VersionPointer:
    """The active version, and the others by their state.

    Attributes:
        current: the active version, None before the first.
        previous: those before it that are still at hand, the latest first.
        refused: versions that turned out bad; they are never activated again.
        held: why no other version is to come, None where the next one may.
    """

    current: str | None = field(default=None, metadata={IDS: True})
    previous: tuple[str, ...] = field(default=(), metadata={IDS: True})
    refused: tuple[str, ...] = field(default=(), metadata={IDS: True})
    held: str | None = None


def _of_old(content: bytes) -> Any:
    """Read the form of releases up to 0.1: the state, and the digest of its JSON."""
    data = json.loads(content)
    if data["sha256"] != _digest_of_old(data["state"]):
        raise ValueError
    return data["state"]


class _PointerFormat(FileFormat[VersionPointer]):
    """The form of the pointer, as releases up to 0.1 wrote it.

    Such a release, put back, must not take what was refused.
    """

    def dump(self, value: VersionPointer) -> bytes:
        """Return the content of a file as those releases wrote it."""
        state = to_plain(value)
        content = {"state": state, "sha256": _digest_of_old(state)}
        return json.dumps(content, indent=1).encode("ascii")


def _digest_of_old(state: Any) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode("ascii")).hexdigest()


POINTER = _PointerFormat(
    VersionPointer, magic=b"filterd feed-pointer ", most_octets=_MAX_POINTER_OCTETS, legacy=_of_old
)


def ahead_of(version: str) -> str:
    """Return the id of the active lists with the orders of a version."""
    return _AHEAD + version


def is_ahead(version: str) -> bool:
    """Return whether only the orders are of a version, or none at all is active."""
    return version == SHIPPED or version.startswith(_AHEAD)


def base_of(version: str) -> str:
    """Return the version of the night that one with fresh names stands on."""
    return version[:_BASE_LENGTH] if is_followed(version) else version


def _of_other_nights(version: str, before: Iterable[str]) -> tuple[str, ...]:
    """Return the way back from a version: one of each night, and its own night's.

    Fresh names come six times a day; without this they would push out all that came before.
    """
    kept = dict[str, str]()
    for one in before:
        if one != version and (one == base_of(one) or base_of(one) != base_of(version)):
            kept.setdefault(base_of(one), one)
    return tuple(kept.values())


def is_followed(version: str) -> bool:
    """Return whether a version was made here, of public lists, without a signature."""
    return version.startswith(FOLLOWED)


def whole_of(version: str) -> str:
    """Return the version of which something is in force, be it its orders alone."""
    return version.removeprefix(_AHEAD)


def number_of(version: str | None) -> int:
    """Return the number that a feed has given a version; 0 where it has none."""
    number = whole_of(version or SHIPPED)
    return int(number) if number.isdecimal() else 0


class NoWayBack(Enum):
    """Why there is no version to go back to."""

    NONE = "none"
    DAMAGED = "damaged"
    WITHDRAWN = "withdrawn"
    """The publisher has withdrawn the key that signed what is whole."""


class Versions:
    """The versions in the feed's state folder; one process at a time changes them."""

    def __init__(self, folder: Path) -> None:
        self._versions = folder / "versions"
        self._pointer = folder / "in-force.json"
        self._copy = folder / "in-force.copy.json"

    def in_force(self) -> VersionPointer:
        """Return the content of the pointer.

        The copy counts where the pointer is damaged. Nothing is active where both are: then the
        next version is taken as the first.
        """
        for path in (self._pointer, self._copy):
            if (found := POINTER.read(path)) is not None:
                return found
        return VersionPointer()

    def mend(self) -> None:
        """Write the pointer or its copy again, where one is damaged or has stayed behind.

        Raises:
            StoreError: the disk refused; the other one still counts.
        """
        found, kept = POINTER.read(self._pointer), POINTER.read(self._copy)
        if found is None and kept is not None:
            POINTER.save(self._pointer, kept)
        elif found is not None and found != kept:
            POINTER.save(self._copy, found)

    def current(self) -> Candidate | None:
        """Return the active version and its folder."""
        version = self.in_force().current
        return None if version is None else Candidate(version, self.folder_of(version))

    def folder_of(self, version: str) -> Path:
        """Return the folder of a version that is whole."""
        return self._versions / version

    def partial_of(self, version: str) -> Path:
        """Return the folder of a version that is being taken."""
        return self._versions / f"{version}{PARTIAL}"

    def finish(self, version: str) -> Candidate:
        """Rename a partial folder to its id, now that it is whole, unless there is one.

        Raises:
            StoreError: the disk refused.
        """
        folder = self.folder_of(version)
        if not folder.is_dir():
            install(self.partial_of(version), folder)
        return Candidate(version, folder)

    def folders(self) -> tuple[Path, ...]:
        """Return all folders with contents, the active one first, then the newest."""
        state = self.in_force()
        order = [self.folder_of(one) for one in (state.current, *state.previous) if one is not None]
        with contextlib.suppress(OSError):
            found = [one for one in self._versions.iterdir() if _is_version(one)]
            order += sorted(found, key=_age_of, reverse=True)
        return tuple(one for one in dict.fromkeys(order) if one.is_dir())

    def promote(self, version: str, *, checked: bool = False) -> None:
        """Activate a candidate; the last of its steps is the one that counts.

        Args:
            version: the candidate's.
            checked: it was checked before, and something counts on it by now.

        Raises:
            GuardError: it was refused, or an administrator holds the present one.
            DigestError: its folder is damaged.
            StoreError: the disk refused. In each case the present version stays active.
        """
        if not checked:
            self.check(version)
        state = self.in_force()
        if version == state.current:
            return
        before = () if state.current is None else (state.current,)
        previous = _of_other_nights(version, (*before, *state.previous))
        self._point(replace(state, current=version, previous=previous[: KEPT - 1]))

    def check(self, version: str) -> None:
        """Check that a candidate may be activated.

        Raises:
            GuardError: it was refused, or an administrator holds the present one.
            DigestError: its folder is damaged.
        """
        self.check_wanted(version)
        if version != self.in_force().current:
            self._check_whole(version)

    def check_wanted(self, version: str) -> None:
        """Check that a version is neither refused nor kept out by a hold.

        Raises:
            GuardError: it was refused, or an administrator holds the present one.
        """
        state = self.in_force()
        if version in state.refused:
            raise RefusedVersionError(
                say("version {version} of the feed was refused and stays refused", version=version)
            )
        if version == state.current:
            return
        if state.held is not None:
            raise GuardError(
                say(
                    "version {version} of the feed waits: version {current} is held ({why}); let"
                    " it come with `filterd feed hold --off`",
                    version=version,
                    current=state.current or SHIPPED,
                    why=state.held,
                )
            )

    def way_back(self, is_trusted: Callable[[Path], bool]) -> str | None:
        """Return the latest version before that is whole and trusted, or None."""
        folders = {one: self.folder_of(one) for one in self.in_force().previous}
        found = (one for one, path in folders.items() if not verify(path) and is_trusted(path))
        return next(found, None)

    def no_way_back(self, is_trusted: Callable[[Path], bool]) -> NoWayBack | None:
        """Return why no version before may be activated; None if one may."""
        if self.way_back(is_trusted) is not None:
            return None
        whole = [one for one in self.in_force().previous if not verify(self.folder_of(one))]
        if whole:
            return NoWayBack.WITHDRAWN
        return NoWayBack.DAMAGED if self.in_force().previous else NoWayBack.NONE

    def rollback(self, target: str | None) -> None:
        """Activate a version before and refuse the present one from now on.

        Args:
            target: the result of ``way_back``; None for the shipped lists.

        Raises:
            StoreError: the disk refused; the present version stays active.
        """
        state = self.in_force()
        later = state.previous.index(target) if target in state.previous else len(state.previous)
        bad = () if state.current is None else (state.current,)
        self._point(
            replace(
                state,
                current=target,
                previous=state.previous[later + 1 :],
                refused=_with(state.refused, *bad),
            )
        )

    def refuse(self, version: str) -> None:
        """Never activate a version.

        Raises:
            StoreError: the disk refused.
        """
        state = self.in_force()
        self._point(replace(state, refused=_with(state.refused, version)))

    def allow(self, version: str) -> None:
        """Take back that a version was refused.

        Raises:
            StoreError: the disk refused.
        """
        state = self.in_force()
        left = tuple(one for one in state.refused if one != version)
        self._point(replace(state, refused=left))

    def hold(self, why: str | None) -> None:
        """Keep the present version, or with None let the next one come.

        Raises:
            StoreError: the disk refused.
        """
        self._point(replace(self.in_force(), held=why))

    def prune(self, *keep: str) -> None:
        """Remove all but the active version, those before it, and ``keep``.

        What the disk does not let go stays, and is tried again the next time.
        """
        state = self.in_force()
        kept = {str(one) for one in (state.current, *state.previous, *keep)}
        kept |= {f"{one}{PARTIAL}" for one in keep}
        remove_temporaries(self._pointer, self._copy)
        with contextlib.suppress(OSError):
            for folder in sorted(self._versions.iterdir()):
                if folder.name not in kept:
                    _remove(folder)

    def _check_whole(self, version: str) -> None:
        if damaged := verify(self.folder_of(version)):
            raise DigestError(
                say(
                    "version {version} of the feed: {path} is missing or damaged on this disk;"
                    " repair it with `filterd sync`",
                    version=version,
                    path=damaged[0],
                )
            )

    def _point(self, state: VersionPointer) -> None:
        """Replace the pointer, which is the step that counts, and then its copy."""
        POINTER.save(self._pointer, state)
        with contextlib.suppress(StoreError):  # the pointer is whole; the next change tries again
            POINTER.save(self._copy, state)


def _with(refused: tuple[str, ...], *bad: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*refused, *bad)))[-_MAX_REFUSED:]


def _is_version(folder: Path) -> bool:
    """Return whether a folder has a version, be it in part or its orders alone."""
    return _is_id(whole_of(folder.name.removesuffix(PARTIAL))) is not None


def _age_of(folder: Path) -> tuple[int, str]:
    return number_of(folder.name.removesuffix(PARTIAL)), folder.name


def _remove(folder: Path) -> None:
    """Remove a folder; half removed, it must not pass for a version."""
    doomed = folder.with_name(f".removed-{folder.name}") if _is_version(folder) else folder
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
