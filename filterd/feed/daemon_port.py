# SPDX-License-Identifier: Apache-2.0
"""Whoever answers lookups, as the feed needs it.

The feed is a floor below the control socket, so who speaks to that is handed in
(``filterd.daemon.feed_port``). What stands here is a machine on which none runs.
"""

from __future__ import annotations

from typing import Any


class Daemon:
    """Nobody: a start will find what is on the disk."""

    def reload(self) -> None:
        """Have the lists on the disk served by all workers, if a daemon runs.

        A site whose files are wrong is served on as it last was good.

        Raises:
            FilterdError: it refuses; what it served before, it serves on.
        """

    def status(self) -> dict[str, Any]:
        """Return what ``filterd status --json`` prints; empty where no daemon runs.

        Raises:
            FilterdError: it does not answer.
        """
        return {}

    def is_blocked(self, name: str) -> bool:  # noqa: ARG002 -- who is nobody blocks everything
        """Tell whether whoever is most strictly filtered gets a block for a name.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return True

    def usual_blocks(self) -> float:
        """Return which part of answers were blocks, on the day of the last week that had most.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return 0.0
