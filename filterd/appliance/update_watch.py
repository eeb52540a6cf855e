# SPDX-License-Identifier: Apache-2.0
"""Watch a release of filterd after it was put in service.

First it must serve within ``SERVES_WITHIN_S``: port 53 answers for a name that filterd knows by
itself, the canaries get blocks there, and the status is reachable. Then it is watched as a version
of lists is (``feed.version_watch``): canaries, failures and blocks by the counters, for ten
minutes. Port 53 is asked at each look, because a release that answers its socket of commands may
be deaf to devices.

What the daemon states is foreign here: its user may be taken over, or the release be bad. It is
bounded in time and form (``stated``), so that it can neither stop a watch nor an update.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filterd.appliance import stub_query
from filterd.errors import ControlError, FilterdError, WireError
from filterd.feed.version_watch import EVERY_S, WATCH_S, AnswerCounts, Watch, Watching, usual_part
from filterd.i18n import UNSAID, Sentence, say
from filterd.wire import Rcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.clock import Clock
    from filterd.feed.version_watch import Daemon
    from filterd.wire import ParsedResponse

SERVES_WITHIN_S = 45.0
"""With the way back it is within a minute."""
STATED_WITHIN_S = 5.0
LOOK_EVERY_S = 1.0
ORDINARY_NAME = "example.com"
"""A name that hardly any school blocks (RFC 6761 §6.5)."""

_SILENT_TIMES = 3
_ANSWERED = (Rcode.NOERROR, Rcode.NXDOMAIN)
_MOST_WATCHES = 2

Ask = Callable[[str], "ParsedResponse"]


@dataclass(frozen=True, slots=True)
class ServedBefore:
    """What the release before did, to compare with.

    Attributes:
        canaries: names that it blocked for the strictest client, on port 53.
        usual: the share of blocks in its answers.
        opened: names that it did not block; at night the counters show no release that blocks all.
        answers: whether its port answered; else no answer is no harm of the release to come.
    """

    canaries: tuple[str, ...] = ()
    usual: float = 1.0
    opened: tuple[str, ...] = ()
    answers: bool = True


def ask_port(address: str, port: int, name: str) -> ParsedResponse:
    """Ask the resolver on this machine, as a client without a class.

    Raises:
        OSError: it does not answer; TimeoutError is one.
    """
    return asyncio.run(stub_query.ask(address, port, name))


@contextlib.contextmanager
def stated(within_s: float = STATED_WITHIN_S) -> Iterator[None]:
    """Bound what is asked of the daemon: all of it together in time, and its form.

    A socket's own time-out begins anew with each octet. In the main thread only (setitimer(2)).

    Raises:
        ControlError: it took too long, or the answer has another form.
    """

    def end(*_: object) -> None:
        raise TimeoutError

    former, left = signal.signal(signal.SIGALRM, end), (0.0, 0.0)
    try:
        left = signal.setitimer(signal.ITIMER_REAL, within_s)
        yield
    except FilterdError:
        raise
    except Exception as error:  # any, for a foreign form may raise any
        raise ControlError(say("the daemon's answer is late or malformed")) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, former)


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
        ask: Ask,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._daemon, self._clock, self._ask, self._sleep = daemon, clock, ask, sleep

    def serves_before(self, canaries: tuple[str, ...]) -> ServedBefore:
        """Return what the present release does; a daemon that is down does nothing.

        Args:
            canaries: names that should be blocked.
        """
        blocked = tuple(name for name in canaries if self._is_blocked(name))
        usual = 1.0
        with contextlib.suppress(FilterdError), stated():
            if status := self._daemon.status():
                usual = usual_part(self._daemon, status)
        opened = () if self._is_closed(ORDINARY_NAME) else (ORDINARY_NAME,)
        return ServedBefore(blocked, usual, opened, self._answers())

    def harm_at_start(self, before: ServedBefore) -> Sentence:
        """Return why a release does not serve within a minute; UNSAID once it does."""
        ends = self._clock.monotonic() + SERVES_WITHIN_S
        while problem := self._problem(before):
            if self._clock.monotonic() >= ends or self._is_open(before.canaries):
                return problem
            self._sleep(LOOK_EVERY_S)
        return UNSAID

    def harm_later(self, version: str, before: ServedBefore) -> Sentence:
        """Watch a release that serves, to the end; return its harm, UNSAID for none."""
        watch = Watch(
            version, self._clock.monotonic(), AnswerCounts(), before.usual, before.canaries
        )
        before = replace(before, opened=())  # the timetable may close them meanwhile
        watching, silent = Watching(watch, self._daemon, self._clock), 0
        # Pauses make it longer, and the daemon states them.
        ends = watch.since + _MOST_WATCHES * WATCH_S
        while not watching.is_over and self._clock.monotonic() < ends:
            try:
                with stated():
                    if found := watching.look():
                        return found
                problem = self._problem(before)
            except ControlError as error:
                problem = error.sentence
            silent = silent + 1 if problem else 0
            if silent >= _SILENT_TIMES or self._is_open(before.canaries):
                return problem
            self._sleep(EVERY_S)
        return UNSAID

    def _problem(self, before: ServedBefore) -> Sentence:
        """Return what is wrong with the release that serves, at one look."""
        if before.answers and not self._answers():
            return say("port 53 does not answer")
        for name in before.canaries:
            if not self._is_blocked(name):
                return say("{name} is not blocked, and must be", name=name)
        for name in before.opened:
            if self._is_closed(name):
                return say("{name} is blocked, and was not before", name=name)
        is_up = False
        with contextlib.suppress(FilterdError), stated():
            is_up = bool(self._daemon.status())
        return UNSAID if is_up else say("the daemon does not answer its commands")

    def _answers(self) -> bool:
        try:
            self._ask(stub_query.LOCAL_NAME)
        except (OSError, WireError):
            return False
        return True

    def _is_open(self, names: tuple[str, ...]) -> bool:
        """Return whether one is answered, and not blocked: that is harm at the first look."""
        for name in names:
            with contextlib.suppress(OSError, WireError):
                answer = self._ask(name)
                if answer.rcode in _ANSWERED and not stub_query.is_block(answer):
                    return True
        return False

    def _is_closed(self, name: str) -> bool:
        """Return whether a name is blocked or refused; no answer is neither."""
        with contextlib.suppress(OSError, WireError):
            return self._is_blocked(name) or self._ask(name).rcode == Rcode.REFUSED
        return False

    def _is_blocked(self, name: str) -> bool:
        try:
            return stub_query.is_block(self._ask(name))
        except (OSError, WireError):
            return False
