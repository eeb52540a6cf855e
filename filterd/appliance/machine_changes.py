# SPDX-License-Identifier: Apache-2.0
"""Change this machine by programs of the operating system, bounded in time.

After a set-up: the groups of its users, and the service (``usermod``, ``systemctl``). What they
refuse is reported with the command to give by hand: a school filters without it.

For an update: dpkg installs a package; see deb-postinst(5) and dpkg(1). dpkg and what it starts
are one process group, which is ended as a whole. Its output goes to the journal. The caller holds
the lock of the package manager (``locked``), so that ``apt`` and an update do not get into each
other's way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from filterd import control
from filterd.base import bounded_child
from filterd.base.errors import FilterdError, InUseError, StoreError
from filterd.base.paths import SYSTEM_CONFIG, writing
from filterd.base.value_class import frozen
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.base.bounded_child import Ended
    from filterd.texts.i18n import Sentence

    Run = Callable[[Sequence[str]], Ended]
    from collections.abc import Iterator

SERVICES = ("filterd", "filterd-feed", "filterd-monitor")
SOCKETS = ("filterd-web.socket", "filterd-blockpage.socket")
"""Their services start with the first connection."""

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_WITHIN_S = 660
"""The first start compiles the lists; the unit has ten minutes for it."""
_MOST_OCTETS = 1 << 16
_SYSTEMD, _UNIT = Path("/run/systemd/system"), Path("/usr/lib/systemd/system/filterd.service")


def run_program(words: Sequence[str]) -> Ended:
    """Run a program of the operating system.

    Raises:
        OSError: it cannot be started, or took too long.
    """
    return bounded_child.run(
        words, limit_s=_WITHIN_S, most_octets=_MOST_OCTETS, given={"PATH": _PATH}
    )


def join_group(users: Iterable[str], group: str, run: Run = run_program) -> None:
    """Make users members of a group of this machine.

    Raises:
        StoreError: the system refused.
    """
    for user in users:
        _done(run, ["usermod", "-aG", group, user])


def is_a_service(config: Path) -> bool:
    """Return whether systemd runs filterd here, for this site."""
    return config == SYSTEM_CONFIG and _SYSTEMD.is_dir() and _UNIT.exists()


def put_in_service(config: Path, socket: Path, run: Run = run_program) -> Sentence:
    """Start or reload the daemon; return what was done, or is to be done by hand.

    Args:
        config: the site's folder.
        socket: the control socket.
        run: runs a program.

    Raises:
        FilterdError: the daemon refused, or the system did.
    """
    if is_a_service(config):
        _done(run, ["systemctl", "enable", "--quiet", *SERVICES])
        _done(run, ["systemctl", "restart", *SERVICES])
        _done(run, ["systemctl", "enable", "--quiet", "--now", *SOCKETS])
        return say("The service is running, and starts with the machine.")
    if not control.is_running(socket):
        return say(
            "Start it: filterd serve --config {config}. As a service: install the package",
            config=quote(str(config)),
        )
    outcome = control.ask(socket, "reload")
    if outcome["restart_for"]:
        what = ", ".join(outcome["restart_for"])
        return say("Restart filterd to change: {what}", what=what)
    return say("The running daemon has taken the site.")


def restart_dashboard(config: Path, run: Run = run_program) -> None:
    """Have the dashboard use its new certificate, if it runs.

    Raises:
        StoreError: the system refused.
    """
    if is_a_service(config):
        _done(run, ["systemctl", "try-restart", "filterd-web.service"])


def _done(run: Run, words: Sequence[str]) -> None:
    command = " ".join(words)
    try:
        ended = run(words)
    except OSError as error:
        raise _refused(command, refused(error)) from error
    if ended.code:
        raise _refused(command, ended.last_words)


def _refused(command: str, why: Sentence) -> FilterdError:
    return StoreError(say("{command}: {why}; run the command by hand", command=command, why=why))


INSTALL_WITHIN_S = 900.0
PACKAGE = "filterd"
_QUICK_S, _MOST_VERSION_OCTETS = 30.0, 1 << 16


@frozen
class PackageManager:
    """dpkg of this machine.

    Attributes:
        dpkg, query: the programs, with their first arguments.
        lock: what apt and dpkg's other front ends lock.
        within_s: how long an installation may take.
    """

    dpkg: tuple[str, ...] = ("/usr/bin/dpkg",)
    query: tuple[str, ...] = ("/usr/bin/dpkg-query",)
    lock: Path = Path("/var/lib/dpkg/lock-frontend")
    within_s: float = INSTALL_WITHIN_S

    def version(self) -> str:
        """Return the version of the package that dpkg knows as unpacked; empty for none."""
        words = [*self.query, "--show", "--showformat=${Version}", PACKAGE]
        try:
            done = bounded_child.run(
                words, limit_s=_QUICK_S, most_octets=_MOST_VERSION_OCTETS, given=_ENVIRONMENT
            )
        except OSError:  # a TimeoutError, too
            return ""
        return done.output.decode("ascii", "replace").strip() if done.code == 0 else ""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the package manager.

        Raises:
            InUseError: another front end holds it.
            StoreError: it cannot be made.
        """
        with writing(self.lock):
            file = self.lock.open("a", encoding="ascii")
        with file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InUseError(
                    say("another program installs packages at the moment; it is tried again")
                ) from error
            yield

    def install(self, package: Path) -> None:
        """Install a package; what a power cut has left half done is finished first.

        Raises:
            StoreError: it failed, or was ended; the journal has dpkg's words.
        """
        # What was broken off is of this package or of another; its failure is not this one's.
        self._run("--configure", "--pending", is_needed=False)
        self._run("--install", str(package))

    def _run(self, *words: str, is_needed: bool = True) -> None:
        try:
            code = self._code_of(*words)
        except TimeoutError as error:
            if not is_needed:
                return
            raise StoreError(
                say("dpkg took longer than {n} s and was ended", n=round(self.within_s))
            ) from error
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be started: {why}", path=self.dpkg[0], why=refused(error))
            ) from error
        if code and is_needed:
            raise StoreError(say("dpkg refused it; why: journalctl -u filterd-install -n 30"))

    def _code_of(self, *words: str) -> int:
        with bounded_child.started(
            [*self.dpkg, *words],
            stdin=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            start_new_session=True,
            cwd="/",
        ) as child:
            try:
                return child.wait(self.within_s)
            except subprocess.TimeoutExpired:
                raise TimeoutError from None
            finally:
                if child.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(child.pid, signal.SIGKILL)


_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "DPKG_FRONTEND_LOCKED": "1",
    "FILTERD_UPDATE": "1",  # postinst does not wait for the start of the service
    "HOME": "/root",
}
"""Of dpkg and the maintainer scripts: nothing of the caller's."""
