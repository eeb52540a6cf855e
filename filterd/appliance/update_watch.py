# SPDX-License-Identifier: Apache-2.0
"""Watch a release of filterd after it was put in service.

First it must serve within ``SERVES_WITHIN_S``: port 53 answers for a name that filterd knows by
itself, the canaries get blocks there, and the status is reachable. Then it is watched as a version
of lists is (``feed.version_watch``): canaries, failures and blocks by the counters, for ten
minutes. Port 53 is asked at each look, because a release that answers its socket of commands may
be deaf to devices.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.appliance import stub_query
from filterd.errors import FilterdError, WireError
from filterd.feed.version_watch import EVERY_S, AnswerCounts, Watch, Watching, usual_part
from filterd.i18n import UNSAID, Sentence, say
from filterd.wire import EdeCode, edes_of

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.feed.version_watch import Daemon
    from filterd.wire import ParsedResponse

SERVES_WITHIN_S = 45.0
"""With the way back it is within a minute."""
LOOK_EVERY_S = 1.0
LOCAL_NAME = "localhost"
"""A name that filterd answers by itself (RFC 6761 §6.3)."""

_BLOCKS = frozenset((EdeCode.BLOCKED, EdeCode.CENSORED, EdeCode.FILTERED, EdeCode.PROHIBITED))
_SILENT_TIMES = 3

Ask = Callable[[str], "ParsedResponse"]


@dataclass(frozen=True, slots=True)
class ServedBefore:
    """What the release before did, to compare with.

    Attributes:
        canaries: names that it blocked for the strictest client, on port 53.
        usual: the share of blocks in its answers.
    """

    canaries: tuple[str, ...] = ()
    usual: float = 1.0


def ask_port(name: str) -> ParsedResponse:
    """Ask the resolver on this machine, as the strictest of its clients.

    Raises:
        OSError: it does not answer; TimeoutError is one.
    """
    return asyncio.run(stub_query.ask("127.0.0.1", 53, name))


class ReleaseWatch:
    """Look at the release that serves.

    Args:
        daemon: the client of its control socket.
        clock: for the bounds of time.
        ask: asks its port.
        sleep: waits between two looks.
    """

    def __init__(
        self,
        daemon: Daemon,
        clock: Clock,
        ask: Ask = ask_port,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._daemon, self._clock, self._ask, self._sleep = daemon, clock, ask, sleep

    def serves_before(self, canaries: tuple[str, ...]) -> ServedBefore:
        """Return what the present release does; a daemon that is down does nothing.

        Args:
            canaries: names that should be blocked.
        """
        blocked = tuple(name for name in canaries if self._is_blocked(name))
        try:
            status = self._daemon.status()
            usual = usual_part(self._daemon, status) if status else 1.0
        except FilterdError:
            usual = 1.0
        return ServedBefore(blocked, usual)

    def harm_at_start(self, before: ServedBefore) -> Sentence:
        """Return why a release does not serve within a minute; UNSAID once it does."""
        ends = self._clock.monotonic() + SERVES_WITHIN_S
        while problem := self._problem(before):
            if self._clock.monotonic() >= ends:
                return problem
            self._sleep(LOOK_EVERY_S)
        return UNSAID

    def harm_later(self, version: str, before: ServedBefore) -> Sentence:
        """Watch a release that serves, to the end; return its harm, UNSAID for none."""
        watch = Watch(
            version, self._clock.monotonic(), AnswerCounts(), before.usual, before.canaries
        )
        watching, silent = Watching(watch, self._daemon, self._clock), 0
        while not watching.is_over:
            if found := watching.look():
                return found
            problem = self._problem(before)
            silent = silent + 1 if problem else 0
            if silent >= _SILENT_TIMES:
                return problem
            self._sleep(EVERY_S)
        return UNSAID

    def _problem(self, before: ServedBefore) -> Sentence:
        """Return what is wrong with the release that serves, at one look."""
        try:
            self._ask(LOCAL_NAME)
        except (OSError, WireError):
            return say("port 53 does not answer")
        for name in before.canaries:
            if not self._is_blocked(name):
                return say("{name} is not blocked, and must be", name=name)
        try:
            is_up = bool(self._daemon.status())
        except FilterdError:
            is_up = False
        return UNSAID if is_up else say("the daemon does not answer its commands")

    def _is_blocked(self, name: str) -> bool:
        try:
            answer = self._ask(name)
        except (OSError, WireError):
            return False
        return any(one.code in _BLOCKS for one in edes_of(answer.edns))
