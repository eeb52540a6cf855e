# SPDX-License-Identifier: Apache-2.0
"""Change this machine after a set-up: the groups of its users, and the service.

Only programs of the operating system do it (``usermod``, ``systemctl``), bounded in time.
What they refuse is reported with the command to give by hand: a school filters without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filterd import bounded_child, control
from filterd.errors import FilterdError, StoreError
from filterd.i18n import refused, say
from filterd.paths import SYSTEM_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.bounded_child import Ended
    from filterd.i18n import Sentence

    Run = Callable[[Sequence[str]], Ended]

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
            config=config,
        )
    told = control.ask(socket, "reload")
    if told["restart_for"]:
        what = ", ".join(told["restart_for"])
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
    return StoreError(say("{command}: {why}; give the command by hand", command=command, why=why))
