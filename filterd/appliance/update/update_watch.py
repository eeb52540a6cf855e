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
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from filterd.appliance import stub_query
from filterd.base.errors import ControlError, FilterdError, WireError
from filterd.base.value_class import frozen
from filterd.feed.version_watch import EVERY_S, WATCH_S, AnswerCounts, Watch, Watching, usual_part
from filterd.texts.i18n import UNSAID, Sentence, say
from filterd.wire import Rcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.clock import Clock
    from filterd.feed.version_watch import Daemon
    from filterd.wire import ParsedResponse

SERVES_WITHIN_S = 45.0
"""With the way back it is within a minute."""
STATED_WITHIN_S = 5.0
LOOK_EVERY_S = 1.0
ORDINARY_NAME = "example.com"
"""A name that hardly any school blocks (RFC 6761 §6.5)."""

_SILENT_TIMES = 3
_MOST_WATCHES = 2

Ask = Callable[[str], "ParsedResponse"]


class _Answer(Enum):
    """How a name is answered on port 53."""

    BLOCKED = 1
    OPEN = 2
    REFUSED = 3
    NONE = 4
    """None came, or one that only a failing resolver gives."""


_ANSWERS: Mapping[int, _Answer] = {
    Rcode.NOERROR: _Answer.OPEN,
    Rcode.NXDOMAIN: _Answer.OPEN,
    Rcode.REFUSED: _Answer.REFUSED,
}
"""By RCODE, of what is no block."""


class _Look(NamedTuple):
    """What is wrong, and whether blocks are open: that is harm at the first look."""

    problem: Sentence = UNSAID
    is_open: bool = False


@frozen
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
        blocked = tuple(name for name in canaries if self._answered(name) is _Answer.BLOCKED)
        usual = 1.0
        with contextlib.suppress(FilterdError), stated():
            if status := self._daemon.status():
                usual = usual_part(self._daemon, status)
        opened = () if self._is_closed(ORDINARY_NAME) else (ORDINARY_NAME,)
        return ServedBefore(blocked, usual, opened, self._answers())

    def harm_at_start(self, before: ServedBefore) -> Sentence:
        """Return why a release does not serve within a minute; UNSAID once it does."""
        ends = self._clock.monotonic() + SERVES_WITHIN_S
        while (look := self._look(before)).problem:
            if look.is_open or self._clock.monotonic() >= ends:
                return look.problem
            self._sleep(LOOK_EVERY_S)
        return UNSAID

    def harm_later(
        self, version: str, before: ServedBefore, is_put_back: Callable[[], bool] = lambda: False
    ) -> Sentence:
        """Watch a release that serves, to the end; return its harm, UNSAID for none.

        ``is_put_back`` returns whether the release before serves again, which ends the watch.
        """
        watch = Watch(
            version, self._clock.monotonic(), AnswerCounts(), before.usual, before.canaries
        )
        before = replace(before, opened=())  # the timetable may close them meanwhile
        watching, silent = Watching(watch, self._daemon, self._clock), 0
        # Pauses make it longer, and the daemon states them.
        ends = watch.since + _MOST_WATCHES * WATCH_S
        while not watching.is_over and self._clock.monotonic() < ends:
            if is_put_back():
                break
            try:
                with stated():
                    if found := watching.look():
                        return found
                look = self._look(before)
            except ControlError as error:
                look = _Look(error.sentence)
            silent = silent + 1 if look.problem else 0
            if look.is_open or silent >= _SILENT_TIMES:
                return look.problem
            next_at = self._clock.monotonic() + EVERY_S
            while self._clock.monotonic() < next_at and not is_put_back():
                self._sleep(LOOK_EVERY_S)
        return UNSAID

    def _look(self, before: ServedBefore) -> _Look:
        """Look at the release that serves, once."""
        if before.answers and not self._answers():
            return _Look(say("port 53 does not answer"))
        for name in before.canaries:
            if (answered := self._answered(name)) is not _Answer.BLOCKED:
                problem = say("{name} is not blocked, and must be", name=name)
                return _Look(problem, is_open=answered is _Answer.OPEN)
        for name in before.opened:
            if self._is_closed(name):
                return _Look(say("{name} is blocked, and was not before", name=name))
        is_up = False
        with contextlib.suppress(FilterdError), stated():
            is_up = bool(self._daemon.status())
        return _Look(UNSAID if is_up else say("the daemon does not answer its commands"))

    def _answers(self) -> bool:
        try:
            self._ask(stub_query.LOCAL_NAME)
        except (OSError, WireError):
            return False
        return True

    def _is_closed(self, name: str) -> bool:
        """Return whether a name is blocked or refused; no answer is neither."""
        return self._answered(name) in (_Answer.BLOCKED, _Answer.REFUSED)

    def _answered(self, name: str) -> _Answer:
        with contextlib.suppress(OSError, WireError):
            answer = self._ask(name)
            if stub_query.is_block(answer):
                return _Answer.BLOCKED
            return _ANSWERS.get(answer.rcode, _Answer.NONE)
        return _Answer.NONE
