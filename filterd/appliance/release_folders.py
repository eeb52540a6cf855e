# SPDX-License-Identifier: Apache-2.0
"""Keep the folders of releases: complete, and not changed once they have a name."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.paths import reading, sync_folder, writing
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator


HOME = Path("opt/filterd")

_MOST_RELEASES = 99


class ReleaseFolders:
    """The folders of a machine's releases, and the links to two of them.

    Args:
        home: the folder that has them.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def folder(self, name: str) -> Path:
        """Return the folder of a release."""
        return self.home / "releases" / name

    def version(self, name: str) -> str:
        """Return the version of a release: the same one, built again, has another name."""
        with contextlib.suppress(StoreError):
            return _version_of(self.folder(name))
        return name

    def names(self) -> list[str]:
        """Return the names of all complete releases, in alphabetical order."""
        with contextlib.suppress(FileNotFoundError):
            found = (self.home / "releases").iterdir()
            return sorted(one.name for one in found if not one.name.startswith("."))
        return []

    def linked(self, link: str) -> str:
        """Return the name of the release to which a link leads; empty for none."""
        with contextlib.suppress(OSError):
            name = (self.home / link).readlink().name
            if self.folder(name).is_dir():
                return name
        return ""

    def adopt(self, unpacked: Path) -> str:
        """Return the name of a release with the unpacked files; make it if needed.

        A version that was built again, or whose files a disk has damaged, gets another name:
        the release in service is never changed.
        """
        for name in self._names_for(_version_of(unpacked)):
            folder = self.folder(name)
            if not folder.is_dir():
                break
            with reading(folder):
                if _is_same(unpacked, folder):
                    self._share(unpacked, folder)
                    return name
        unfinished = folder.with_name(f".{name}.unfinished")
        self._remove_unfinished()
        with writing(folder):
            folder.parent.mkdir(exist_ok=True)
            try:
                shutil.copytree(unpacked, unfinished, symlinks=True, copy_function=_link)
                _name_interpreter(unfinished / "bin", name)
                os.sync()  # all of it is on the disk before it gets its name
                unfinished.rename(folder)
                sync_folder(folder.parent)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        return name

    def _share(self, unpacked: Path, release: Path) -> None:
        """Have dpkg's files be those of an equal release: else they are a third copy."""
        spare = release.with_name(f".{release.name}.unfinished") / "spare"
        with contextlib.suppress(OSError):  # another disk, or one that refuses: they stay a copy
            spare.parent.mkdir()
            for path in unpacked.rglob("*"):
                other = release / path.relative_to(unpacked)
                is_shared = path.is_file() and not path.is_symlink() and path.parent.name != "bin"
                if is_shared and not path.samefile(other):
                    os.link(other, spare)
                    spare.replace(path)  # equal before and after, wherever the power goes
        self._remove_unfinished()

    def prune(self) -> None:
        """Remove all releases but the one in service and the one before."""
        kept = {self.linked("current"), self.linked("previous")}
        for name in self.names():
            if name not in kept:  # without its name first: half a release must not have one
                with contextlib.suppress(OSError):
                    self.folder(name).rename(self.folder(f".{name}.unfinished"))
        self._remove_unfinished()

    def point(self, link: str, name: str) -> None:
        """Have a link lead to a release.

        Raises:
            OSError: the disk refused; the link of before is there.
        """
        _replace_link(self.home / link, Path("releases", name))

    def _names_for(self, version: str) -> Iterator[str]:
        yield version
        yield from (f"{version}.{build}" for build in range(2, _MOST_RELEASES))

    def _remove_unfinished(self) -> None:
        for one in (self.home / "releases").glob(".*.unfinished"):
            shutil.rmtree(one, ignore_errors=True)

    def adopted(self, unpacked: Path) -> str:
        """Return the name of the release with the unpacked files; empty if there is none."""
        with contextlib.suppress(StoreError, OSError):
            for name in self._names_for(_version_of(unpacked)):
                if (self.folder(name)).is_dir() and _is_same(unpacked, self.folder(name)):
                    return name
        return ""


def _version_of(unpacked: Path) -> str:
    """Return the version of an unpacked release, by the metadata of its package.

    Raises:
        StoreError: it has none.
    """
    for one in unpacked.glob("lib/python3*/site-packages/filterd-*.dist-info"):
        return one.name.removeprefix("filterd-").removesuffix(".dist-info")
    raise StoreError(say("{folder}: no release of filterd is there", folder=unpacked))


def _link(source: str, target: str) -> None:
    """Give a file a second name; copy it where the disk is another one or refuses."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _replace_link(link: Path, target: Path) -> None:
    """Replace a link by renaming, so that there is always one.

    Raises:
        OSError: the disk refused; the link of before is there.
    """
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    sync_folder(link.parent)


def _name_interpreter(scripts: Path, name: str) -> None:
    """Have the scripts of a release run by its own Python."""
    for script in scripts.iterdir():
        content = b"" if script.is_symlink() else script.read_bytes()
        if not content.startswith(f"#!/{HOME}/releases/".encode()):
            continue
        mode = script.stat().st_mode
        script.unlink()  # it may be another name of dpkg's file
        script.write_bytes(f"#!/{HOME}/releases/{name}/bin/python\n".encode() + _body(content))
        script.chmod(mode)


def _is_same(unpacked: Path, release: Path) -> bool:
    """Return whether a release has every file of an unpacked one, octet for octet."""
    for path in unpacked.rglob("*"):
        other = release / path.relative_to(unpacked)
        if path.is_symlink():
            if not other.is_symlink() or other.readlink() != path.readlink():
                return False
        elif path.is_file():
            if not other.is_file():
                return False
            of = _body if path.parent == unpacked / "bin" else bytes
            if not path.samefile(other) and of(path.read_bytes()) != of(other.read_bytes()):
                return False
    return True


def _body(script: bytes) -> bytes:
    """Return a script without the line that names its interpreter."""
    return script.partition(b"\n")[2] if script.startswith(b"#!") else script
