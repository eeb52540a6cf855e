# SPDX-License-Identifier: Apache-2.0
"""Ask the running daemon for its status, at most once a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from filterd import control
from filterd.base.errors import FilterdError
from filterd.texts.i18n import UNSAID, Sentence

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.texts.rows import Row

FRESH_S = 1.0
_SILENCE_S = 5.0
"""The manager itself waits for two seconds for its workers."""

_TOTALS_OLD_S = 60
"""How old today's totals may be: fresh ones are written first, and an SD card wears by writes."""


class Observation(NamedTuple):
    """The outcome of one request for the status.

    Attributes:
        at: Unix time.
        status: the answer to ``status``; None where the daemon gave none.
        problem: why it gave none, else empty.
    """

    at: float
    status: Row | None
    problem: Sentence = UNSAID


class StatusSource:
    """Observations of the daemon behind a control socket."""

    def __init__(self, socket_path: Path, clock: Clock) -> None:
        self._path, self._clock = socket_path, clock
        self._latest: Observation | None = None
        self._asked_at = 0.0
        self._asking: asyncio.Task[Observation] | None = None

    async def latest(self) -> Observation:
        """Return an observation of this second.

        All callers share one request. Never raises.
        """
        now = self._clock.monotonic()
        if self._latest is not None and now - self._asked_at < FRESH_S:
            return self._latest
        if self._asking is None:
            self._asked_at = now
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Observation:
        status, problem = None, UNSAID
        try:
            status = await asyncio.to_thread(
                control.ask,
                self._path,
                "status",
                silence_s=_SILENCE_S,
                totals_old_s=_TOTALS_OLD_S,
            )
        except FilterdError as error:
            problem = error.sentence
        finally:
            control.notices.clear()  # they are for people
            self._asking = None
        self._latest = Observation(self._clock.wall(), status, problem)
        return self._latest
