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
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.appliance.machine_changes import run_program
from filterd.appliance.release_folders import HOME, ReleaseFolders
from filterd.base import bounded_child
from filterd.base.errors import StoreError
from filterd.base.paths import make_folder, sole, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.texts.i18n import quoted, refused, say
from filterd.texts.rows import Column, Listing, Row, Wording

if TYPE_CHECKING:
    from filterd.appliance.machine_changes import Run
    from filterd.texts.i18n import Sentence

UNPACKED = Path("/usr/lib/filterd/release")
"""The folder of the release in the package."""
RESTARTED = tuple(
    f"filterd{part}.service" for part in ("", "-feed", "-monitor", "-web", "-blockpage")
)
"""The services that run for long. The first must run; others are restarted where they run."""
PROOF_WITHIN_S = 180

_UNITS = Path("usr/lib/systemd/system")
_UNITS_OF_RELEASE = Path("share/filterd/units")
_UNIT = re.compile(r"filterd(-[a-z]+)?\.(service|socket|path|timer)")
_WAITING = (".socket", ".path", ".timer")
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


@frozen
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
    def folders(self) -> ReleaseFolders:
        """Their folders."""
        return ReleaseFolders(self.root / HOME)

    @property
    def installed(self) -> str:
        """The name of the release that dpkg unpacked last; empty if not adopted."""
        return self.folders.adopted(self.root / UNPACKED.relative_to("/"))

    @property
    def in_service(self) -> str:
        """The name of the release in service; empty where there is none."""
        return self.folders.linked("current")

    @property
    def before(self) -> str:
        """The name of the release to roll back to; empty where there is none."""
        name = self.folders.linked("previous")
        return "" if name == self.in_service else name

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
            for name in self.folders.names()
        ]

    def activate(self, unpacked: Path, config: Path, state: Path) -> str:
        """Adopt an unpacked release, prove it, put it in service; return its name.

        Raises:
            StoreError: it is not in service, and the one before is.
        """
        with self._alone():
            name = self.folders.adopt(unpacked)
            try:
                self._prove(name, config, state)
            except StoreError:
                self._restore()
                self.folders.prune()
                raise
            self._put_in_service(name)
            self.folders.prune()
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
            kept = self.folders.folder(self.in_service) / _UNITS_OF_RELEASE / "filterd.service"
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

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        otherwise = say("another command is changing the release in service")
        make_folder(self.folders.home, mode=0o755)  # the service's user runs what is in it
        return sole(self.folders.home / "lock", otherwise=otherwise, wait=True)

    def _prove(self, name: str, config: Path, state: Path) -> None:
        """Run the self-test of a release, by its own code.

        Raises:
            StoreError: why it must not serve.
        """
        self._check_whole(name)
        places = ("--config", str(config), "--state", str(state))
        test = ("-P", "-s", "-m", "filterd", "release", "test", *places)
        words = [str(self.folders.folder(name) / "bin/python"), *test]
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
        release = self.folders.folder(name)
        for part in ("bin/python", "bin/filterd", str(_UNITS_OF_RELEASE / "filterd.service")):
            if not (release / part).exists():
                raise _unfit(name, say("{path} is missing", path=release / part))

    def _put_in_service(self, name: str) -> None:
        """Make a proved release the one in service, and the one of now the one before."""
        now, is_rollback = self.in_service, name == self.before
        with writing(self.folders.home / "current"):
            if now and now != name and not is_rollback:
                self.folders.point(
                    "previous", now
                )  # first: behind the switch there must be a way back
            self._put_units(name)
            self.folders.point("current", name)
            if is_rollback:  # last: until the switch the link is all that leads to it
                self.folders.point("previous", now)

    def _restore(self) -> bool:
        with writing(self.root / _UNITS):
            return bool(self.in_service) and self._put_units(self.in_service)

    def _put_units(self, name: str) -> bool:
        """Replace systemd's units by those of a release; return whether any changed."""
        is_changed = False
        there, ours = self.root / _UNITS, _units_in(self.folders.folder(name) / _UNITS_OF_RELEASE)
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


def _units_in(folder: Path) -> dict[str, Path]:
    """Return the units of filterd in a folder, by name; links are none."""
    with contextlib.suppress(FileNotFoundError):
        found = {one.name: one for one in folder.iterdir() if _UNIT.fullmatch(one.name)}
        return {name: one for name, one in sorted(found.items()) if not one.is_symlink()}
    return {}


def _unfit(name: str, why: Sentence) -> StoreError:
    return StoreError(say("release {name} is not put in service: {why}", name=name, why=why))
