# SPDX-License-Identifier: Apache-2.0
"""Keep two releases of filterd on this machine, and put one of them in service.

::

    /usr/lib/filterd/release        what dpkg unpacked, and may replace at any moment
    /opt/filterd/releases/NAME      the same files by hard links, which stay
    /opt/filterd/current            -> releases/NAME: the release in service
    /opt/filterd/previous           -> releases/NAME: the one before

A release is adopted, proved and put in service, in this order. The power may go at any
instruction: the folder of a release has its name only once it is complete, and a link is
replaced by renaming, so ``current`` always leads to a complete release that was proved.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.appliance.machine_changes import run_program
from filterd.base import bounded_child
from filterd.base.errors import StoreError
from filterd.base.paths import make_folder, reading, sole, sync_folder, write_atomically, writing
from filterd.texts.i18n import quoted, refused, say
from filterd.texts.rows import Column, Listing, Row, Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.machine_changes import Run
    from filterd.texts.i18n import Sentence

UNPACKED = Path("/usr/lib/filterd/release")
"""The folder of the release in the package."""
RESTARTED = tuple(
    f"filterd{part}.service" for part in ("", "-feed", "-monitor", "-web", "-blockpage")
)
"""The services that run for long. The first must run; others are restarted where they run."""
PROOF_WITHIN_S = 180

_HOME, _UNITS = Path("opt/filterd"), Path("usr/lib/systemd/system")
_UNITS_OF_RELEASE = Path("share/filterd/units")
_UNIT = re.compile(r"filterd(-[a-z]+)?\.(service|socket|path|timer)")
_WAITING = (".socket", ".path", ".timer")
_MOST_RELEASES = 99
_MOST_OCTETS = 1 << 16


def _standing(row: Row, by: Wording) -> str:
    found = (text for key, text in _STANDING.items() if row[key])
    return ", ".join(by.texts(text) for text in found)


_STANDING = {
    "in_service": say("in service"),
    "before": say("the one before"),
    "newest": say("unpacked last"),
}
RELEASES = Listing(
    say("Releases"),
    say("There is no release: filterd was not installed by its package."),
    (Column(say("Release"), "release"), Column(say("Standing"), worded=_standing)),
)


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of a machine.

    Attributes:
        root: of its files; another one than ``/`` in an image or a test.
        run: runs a program of the operating system.
        has_systemd: whether systemd runs here.
    """

    root: Path = Path("/")
    run: Run = run_program
    has_systemd: bool = False

    @classmethod
    def of_this_machine(cls) -> Releases:
        """Return the releases of the running system."""
        return cls(has_systemd=Path("/run/systemd/system").is_dir())

    @property
    def in_service(self) -> str:
        """The name of the release in service; empty where there is none."""
        return self._linked("current")

    @property
    def before(self) -> str:
        """The name of the release to roll back to; empty where there is none."""
        name = self._linked("previous")
        return "" if name == self.in_service else name

    @property
    def installed(self) -> str:
        """The name of the release that dpkg unpacked last; empty if not adopted."""
        unpacked = self.root / UNPACKED.relative_to("/")
        with contextlib.suppress(StoreError, OSError):
            for name in self._names_for(_version_of(unpacked)):
                if (self.folder(name)).is_dir() and _is_same(unpacked, self.folder(name)):
                    return name
        return ""

    def folder(self, name: str) -> Path:
        """Return the folder of a release."""
        return self._home / "releases" / name

    def version(self, name: str) -> str:
        """Return the version of a release: the same one, built again, has another name."""
        with contextlib.suppress(StoreError):
            return _version_of(self.folder(name))
        return name

    def names(self) -> list[str]:
        """Return the names of all complete releases, in alphabetical order."""
        with contextlib.suppress(FileNotFoundError):
            found = (self._home / "releases").iterdir()
            return sorted(one.name for one in found if not one.name.startswith("."))
        return []

    def rows(self) -> list[Row]:
        """Return the releases as rows of ``RELEASES``."""
        now, before, newest = self.in_service, self.before, self.installed
        return [
            {
                "release": name,
                "in_service": name == now,
                "before": name == before,
                "newest": name == newest,
            }
            for name in self.names()
        ]

    def activate(self, unpacked: Path, config: Path, state: Path) -> str:
        """Adopt an unpacked release, prove it, put it in service; return its name.

        Raises:
            StoreError: it is not in service, and the one before is.
        """
        with self._alone():
            name = self._adopt(unpacked)
            try:
                self._prove(name, config, state)
            except StoreError:
                self._restore()
                self._prune()
                raise
            self._put_in_service(name)
            self._prune()
            return name

    def roll_back(self, bad: str = "") -> str:
        """Put the release before in service, restart the services; return its name.

        From ``bad`` only, where that is given: a command and a watch may do so at one time.

        Raises:
            StoreError: there is none, it cannot run here, or systemd refused.
        """
        with self._alone():
            if bad and self.in_service != bad:
                return self.in_service
            name = self.before
            if not name:
                raise StoreError(say("there is no release before this one"))
            self._check_whole(name)
            self._put_in_service(name)
        self.restart()
        return name

    def restore(self) -> None:
        """Put the units of the release in service in place, where dpkg has put others.

        A power cut leaves them so, and they need not fit the release that serves.

        Raises:
            StoreError: the disk refused, or systemd did.
        """
        with self._alone():
            kept = self.folder(self.in_service) / _UNITS_OF_RELEASE / "filterd.service"
            if kept.exists() and self._restore() and self.has_systemd:
                self._call("systemctl", "daemon-reload")

    def restart(self) -> None:
        """Have systemd read the units and restart the services, where it runs.

        Raises:
            StoreError: the service that answers lookups did not start.
        """
        if not self.has_systemd:
            return
        first, *others = RESTARTED
        self._call("systemctl", "daemon-reload")
        self._call("systemctl", "restart", first)
        with contextlib.suppress(StoreError):  # a release before may not have one of them
            self._call("systemctl", "try-restart", *others)

    @property
    def _home(self) -> Path:
        return self.root / _HOME

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        otherwise = say("another command is changing the release in service")
        make_folder(self._home, mode=0o755)  # the service's user runs what is in it
        return sole(self._home / "lock", otherwise=otherwise, wait=True)

    def _linked(self, link: str) -> str:
        with contextlib.suppress(OSError):
            name = (self._home / link).readlink().name
            if self.folder(name).is_dir():
                return name
        return ""

    def _names_for(self, version: str) -> Iterator[str]:
        yield version
        yield from (f"{version}.{build}" for build in range(2, _MOST_RELEASES))

    def _adopt(self, unpacked: Path) -> str:
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

    def _prove(self, name: str, config: Path, state: Path) -> None:
        """Run the self-test of a release, by its own code.

        Raises:
            StoreError: why it must not serve.
        """
        self._check_whole(name)
        places = ("--config", str(config), "--state", str(state))
        test = ("-P", "-s", "-m", "filterd", "release", "test", *places)
        words = [str(self.folder(name) / "bin/python"), *test]
        given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONUTF8": "1"}
        try:
            ended = bounded_child.run(
                words, limit_s=PROOF_WITHIN_S, most_octets=_MOST_OCTETS, given=given
            )
        except TimeoutError as error:
            raise _unfit(name, say("its self-test took too long")) from error
        except OSError as error:
            raise _unfit(name, refused(error)) from error
        if ended.code in (-signal.SIGILL, -signal.SIGSEGV, -signal.SIGBUS):
            raise _unfit(name, say("its native modules do not run on this processor"))
        if ended.code:
            lines = ended.errors.decode(errors="replace").strip().splitlines()
            shown = [line.removeprefix("filterd: ") for line in lines if line.isprintable()]
            raise _unfit(name, quoted(shown[-1]) if shown else ended.last_words)

    def _check_whole(self, name: str) -> None:
        """Refuse a release that cannot run at all: its Python is gone, or its files are.

        Raises:
            StoreError: it cannot.
        """
        release = self.folder(name)
        for part in ("bin/python", "bin/filterd", str(_UNITS_OF_RELEASE / "filterd.service")):
            if not (release / part).exists():
                raise _unfit(name, say("{path} is missing", path=release / part))

    def _put_in_service(self, name: str) -> None:
        """Make a proved release the one in service, and the one of now the one before."""
        now, is_rollback = self.in_service, name == self.before
        with writing(self._home / "current"):
            if now and now != name and not is_rollback:
                self._point("previous", now)  # first: behind the switch there must be a way back
            self._put_units(name)
            self._point("current", name)
            if is_rollback:  # last: until the switch the link is all that leads to it
                self._point("previous", now)

    def _restore(self) -> bool:
        with writing(self.root / _UNITS):
            return bool(self.in_service) and self._put_units(self.in_service)

    def _put_units(self, name: str) -> bool:
        """Replace systemd's units by those of a release; return whether any changed."""
        is_changed = False
        there, ours = self.root / _UNITS, _units_in(self.folder(name) / _UNITS_OF_RELEASE)
        there.mkdir(parents=True, exist_ok=True)
        for unit, path in ours.items():
            content = path.read_bytes()
            with contextlib.suppress(FileNotFoundError):
                if (there / unit).read_bytes() == content:
                    continue
            write_atomically(there / unit, content, mode=0o644)
            is_changed = True
        for unit in _units_in(there).keys() - ours:
            if self.has_systemd and unit.endswith(_WAITING):
                with contextlib.suppress(StoreError):  # it starts nothing without its file
                    self._call("systemctl", "stop", unit)
            (there / unit).unlink()
            is_changed = True
        return is_changed

    def _point(self, link: str, name: str) -> None:
        _replace_link(self._home / link, Path("releases", name))

    def _prune(self) -> None:
        """Remove all releases but the one in service and the one before."""
        kept = {self._linked("current"), self._linked("previous")}
        for name in self.names():
            if name not in kept:  # without its name first: half a release must not have one
                with contextlib.suppress(OSError):
                    self.folder(name).rename(self.folder(f".{name}.unfinished"))
        self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        for one in (self._home / "releases").glob(".*.unfinished"):
            shutil.rmtree(one, ignore_errors=True)

    def _call(self, *words: str) -> None:
        command = " ".join(words)
        try:
            ended = self.run(words)
        except OSError as error:
            raise StoreError(
                say("{command}: {why}", command=command, why=refused(error))
            ) from error
        if ended.code:
            raise StoreError(say("{command}: {why}", command=command, why=ended.last_words))


def _version_of(unpacked: Path) -> str:
    """Return the version of an unpacked release, by the metadata of its package.

    Raises:
        StoreError: it has none.
    """
    for one in unpacked.glob("lib/python3*/site-packages/filterd-*.dist-info"):
        return one.name.removeprefix("filterd-").removesuffix(".dist-info")
    raise StoreError(say("{folder}: no release of filterd is there", folder=unpacked))


def _units_in(folder: Path) -> dict[str, Path]:
    """Return the units of filterd in a folder, by name; links are none."""
    with contextlib.suppress(FileNotFoundError):
        found = {one.name: one for one in folder.iterdir() if _UNIT.fullmatch(one.name)}
        return {name: one for name, one in sorted(found.items()) if not one.is_symlink()}
    return {}


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
        if not content.startswith(f"#!/{_HOME}/releases/".encode()):
            continue
        mode = script.stat().st_mode
        script.unlink()  # it may be another name of dpkg's file
        script.write_bytes(f"#!/{_HOME}/releases/{name}/bin/python\n".encode() + _body(content))
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


def _unfit(name: str, why: Sentence) -> StoreError:
    return StoreError(say("release {name} is not put in service: {why}", name=name, why=why))
