# SPDX-License-Identifier: Apache-2.0
"""Use the running daemon over the control socket, for the follower of the feed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.errors import ControlError
from filterd.feed.version_watch import Daemon
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = 7
_PASSED = ("pass", "rewritten")


class ControlDaemon(Daemon):
    """The daemon at a control socket, if there is one.

    Args:
        socket: its path.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @property
    def is_running(self) -> bool:
        """Whether a daemon answers, or would answer others."""
        return self._socket.exists() and control.is_running(self._socket)

    def reload(self) -> None:
        """Have the lists on the disk served by all workers, if a daemon runs.

        Raises:
            FilterdError: it refuses; what it served before, it serves on.
        """
        self.tell(lists_only=True)

    def tell(self, *, lists_only: bool = False) -> bool:
        """Have a daemon reload; return whether there is one.

        Args:
            lists_only: if the site's files are wrong, the last good site stays.

        Raises:
            FilterdError: it refuses.
        """
        if not self._socket.exists():
            return False
        try:
            control.ask(self._socket, "reload", lists_only=lists_only)
        except ControlError:
            if control.is_running(self._socket):
                raise
            return False
        return True

    def status(self) -> dict[str, Any]:
        """Return what ``filterd status --json`` prints; empty where no daemon runs.

        Raises:
            ControlError: it does not answer.
        """
        if not self.is_running:
            return {}
        facts: dict[str, Any] = control.ask(self._socket, "status")
        return facts

    def is_blocked(self, name: str) -> bool:
        """Return whether the strictest client gets a block for a name.

        Raises:
            ControlError: the daemon does not answer.
        """
        explained: dict[str, Any] = control.ask(
            self._socket,
            "check",
            qname=names.from_text(name).hex(),
            qtype=int(RRType.A),
            grade=None,
            client=None,
            at=None,
        )
        return explained["action"] not in {"pass", "rewrite"}

    def passed(self) -> dict[str, int]:
        """Return the counts of lookups that passed on each of the last days.

        Raises:
            ControlError: the daemon does not answer.
        """
        passed = Counter[str]()
        for row in control.ask(self._socket, "log totals", days=_DAYS):
            passed[row["date"]] += row["n"] if row["action"] in _PASSED else 0
        return passed

    def usual_blocks(self) -> float:
        """Return the largest part of a day's answers that were blocks, in the last week.

        Raises:
            ControlError: the daemon does not answer.
        """
        answered, blocked = Counter[str](), Counter[str]()
        for row in control.ask(self._socket, "log totals", days=_DAYS):
            answered[row["date"]] += row["n"]
            if row["action"] == "blocked":
                blocked[row["date"]] += row["n"]
        return max((blocked[day] / n for day, n in answered.items() if n), default=0.0)
