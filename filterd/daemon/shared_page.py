# SPDX-License-Identifier: Apache-2.0
"""Memory that all processes of a daemon share: a page of words, and the overrides.

The supervisor makes it before it forks, so that nothing has to be found or
opened. Every field of the page is one aligned word of eight octets with one writer, which
the processor stores and loads whole; nothing here needs a lock.

| word        | what                                      | written by    |
| ----------- | ----------------------------------------- | ------------- |
| 0           | the epoch in force: counts activations    | the manager   |
| 1           | the epoch of the policy and lists in force | the manager  |
| 2           | the last epoch that was prepared          | the manager   |
| 3           | the lead of policy over monotonic time    | the manager   |
| 4           | the Unix time that it is at least         | the manager   |
| 5           | until when nobody feeds systemd's watchdog | the manager  |
| 6           | the lead of the earliest possible time    | the manager   |
| 7           | the last change before the present clock  | the manager   |
| 8 + 2 n     | heartbeats of process n                   | process n     |
| 9 + 2 n     | the process ID under which n is ready     | process n     |

Words 3 to 7 are numbers of IEEE 754. The first process writes them before it forks, and 5 once
more when filterd serves.

``SharedOverrides`` is filled before the first answer; from then on only the manager
writes. So a worker that is started anew needs no file for the overrides: whatever happens
to the disk, they stay active. There are two slots, each with a number, a length and the
content of a copy. The older one is written, the newer sound one is read: a manager that
dies while it writes leaves the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import mmap
import os
import secrets
import struct
from typing import TYPE_CHECKING

from filterd.base.bounded_child import close_all_but_standard, in_fork
from filterd.base.errors import StoreError
from filterd.overrides.changes.effects import NOTHING
from filterd.overrides.history import snapshot as exported
from filterd.overrides.history.history_chain import GENESIS
from filterd.overrides.history.snapshot import FORMAT, Exported
from filterd.policy.unknown_time import Certainty, is_confirmed, is_known, shown
from filterd.texts.i18n import UNSAID, quoted, say

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.daemon.process import Setting
    from filterd.policy.temporary_rules import Overrides

_OCTETS = 4096
_EPOCH, _SITE_EPOCH, _PREPARED, _LEAD, _FLOOR, _OBJECTION, _LEAST, _SINCE, _FIRST_PROCESS = range(9)

_MEMBARRIER, _EVERY_PROCESSOR = {"aarch64": 283}, 1
"""The number of the system call, and its command."""

_LARGEST = (1 << 64) - 1

SLOT_OCTETS = 16 << 20
"""Of address space; memory is taken as it is written. A school has some thousand octets, and as
many settings as there may be, with reasons as long as they may be, are within."""
_HEAD = struct.Struct("=QQ")
_TRIES = 3
_PLACE = "memory"
_STORE_WITHIN_S = 60.0
"""Without a copy; with one a start need not wait so long for a slow disk."""

_logger = logging.getLogger("filterd.shared_page")


class SharedPage:
    """The words, by name, and a secret that only processes of this daemon know."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(16)
        self._memory = mmap.mmap(-1, _OCTETS)  # anonymous and shared: children see it
        self._words: memoryview[int] = memoryview(self._memory).cast("Q")
        self._numbers: memoryview[float] = memoryview(self._memory).cast("d")

    @property
    def epoch(self) -> int:
        """The number of activations; to move it is the commit point."""
        return self._words[_EPOCH]

    @epoch.setter
    def epoch(self, value: int) -> None:
        order_stores()  # who sees the epoch must see what it puts in force
        self._words[_EPOCH] = value

    @property
    def epoch_word(self) -> memoryview[int]:
        """The word of the epoch, for code that reads it often."""
        return self._words[_EPOCH : _EPOCH + 1]

    @property
    def site_epoch(self) -> int:
        """The epoch that put the policy and lists in force (``sealed_sites``).

        It moves just before ``epoch``; a change by command moves that alone.
        """
        return self._words[_SITE_EPOCH]

    @site_epoch.setter
    def site_epoch(self, value: int) -> None:
        self._words[_SITE_EPOCH] = value

    @property
    def lead_s(self) -> float:
        """The lead of policy time over monotonic time.

        It is 0 if the machine's clock is believed.
        """
        return self._numbers[_LEAD]

    @lead_s.setter
    def lead_s(self, value: float) -> None:
        self._numbers[_LEAD] = value

    @property
    def lead_word(self) -> memoryview[float]:
        """The word of ``lead_s``, for code that reads it often."""
        return self._numbers[_LEAD : _LEAD + 1]

    @property
    def floor(self) -> float:
        """The Unix time before which no clock is believed, confirmed or not."""
        return self._numbers[_FLOOR]

    @floor.setter
    def floor(self, value: float) -> None:
        self._numbers[_FLOOR] = value

    @property
    def objection_until(self) -> float:
        """Until when nobody feeds systemd's watchdog, in monotonic time (``watchdog``)."""
        return self._numbers[_OBJECTION]

    @objection_until.setter
    def objection_until(self, value: float) -> None:
        self._numbers[_OBJECTION] = value

    @property
    def least_lead_s(self) -> float:
        """The lead over monotonic time of the earliest time that it may be.

        It is that of policy time once a source has confirmed the time.
        """
        return self._numbers[_LEAST]

    @least_lead_s.setter
    def least_lead_s(self, value: float) -> None:
        self._numbers[_LEAST] = value

    @property
    def since(self) -> float:
        """The number of the last change by command before the present clock."""
        return self._numbers[_SINCE]

    @since.setter
    def since(self, value: float) -> None:
        self._numbers[_SINCE] = value

    @property
    def is_undecided(self) -> bool:
        """Whether an epoch was prepared and has not been activated."""
        return self._words[_PREPARED] > self._words[_EPOCH]

    def next_epoch(self) -> int:
        """Return an epoch that was never prepared before.

        So late results match no other epoch.
        """
        self._words[_PREPARED] += 1
        return self._words[_PREPARED]

    def beat(self, process: int) -> None:
        """Note a heartbeat of process number ``process``."""
        word = _FIRST_PROCESS + 2 * process
        self._words[word] = self._words[word] + 1 & _LARGEST

    def beats(self, process: int) -> int:
        """Return the number of its heartbeats."""
        return self._words[_FIRST_PROCESS + 2 * process]

    def note_ready(self, process: int, pid: int) -> None:
        """Show that process number ``process`` serves, under this process ID."""
        self._words[_FIRST_PROCESS + 2 * process + 1] = pid

    def is_ready(self, process: int, pid: int) -> bool:
        """Return whether the process that was started as ``pid`` serves."""
        return 0 < pid == self._words[_FIRST_PROCESS + 2 * process + 1]


def order_stores() -> bool:
    """Show all processors what was stored before what follows; return if it could.

    x86-64 keeps that order by itself, aarch64 does not. membarrier(2) makes every processor keep
    it once, within some 15 ms, and for readers too, which need no fence of their own.
    """
    number = _MEMBARRIER.get(os.uname().machine)
    return number is None or ctypes.CDLL(None).syscall(number, _EVERY_PROCESSOR, 0, 0) == 0


class PolicyClock:
    """The clock of policy: its wall shows policy time (``policy.unknown_time``).

    It is the monotonic clock plus the lead on the shared page. So all processes have the same
    time, and a jump of the machine's clock moves it only when the jump is believed
    (``daemon.time.timekeeper``). TLS, time servers, the feed, the log and the history use the
    machine's clock.

    Args:
        clock: the machine's, which is believed as it is where no timekeeper runs.
        page: where it stands what it leads the monotonic clock by.
    """

    def __init__(self, clock: Clock, page: SharedPage) -> None:
        self.monotonic = clock.monotonic
        self._clock, self._page, self._lead = clock, page, page.lead_word

    def wall(self) -> float:
        """Return policy time, in seconds."""
        lead_s = self._lead[0]
        return self.monotonic() + lead_s if lead_s else self._clock.wall()

    def least(self) -> float:
        """Return the Unix time that it shows: the floor while the time is not known.

        It is what people go by. What ends something for good asks ``not_before``.
        """
        now = self.wall()
        return shown(now) if is_known(now) else max(self._page.floor, self.certain().floor)

    def not_before(self) -> float:
        """Return the earliest Unix time it may be: what ended by it ended for good.

        It is the time itself once a source has confirmed that. What removes something, or ends
        it for good, goes by this one.
        """
        now = self.wall()
        return now if is_confirmed(now) else self.certain().floor

    @property
    def is_confirmed(self) -> bool:
        """Whether a source has confirmed the time."""
        return is_confirmed(self.wall())

    def certain(self) -> Certainty:
        """Return what is certain about the time while that is not confirmed."""
        return Certainty(self.monotonic() + self._page.least_lead_s, self._page.since)


class SharedOverrides:
    """The newest copy of the overrides."""

    def __init__(self, slot_octets: int = SLOT_OCTETS) -> None:
        self._octets, self._is_reader = slot_octets, False
        self._memory = mmap.mmap(-1, 2 * slot_octets)  # anonymous and shared: children see it

    def be_reader(self) -> None:
        """Only read from now on: this process is not the manager."""
        self._is_reader = True

    def put(self, exported: Exported) -> None:
        """Keep a copy; one that is too large is not kept, and is read from the disk."""
        assert not self._is_reader, "two writers would take the slot that is read"
        content = FORMAT.dump(exported)
        if len(content) > self._octets - _HEAD.size:
            for at in (0, self._octets):
                _HEAD.pack_into(self._memory, at, 0, 0)
            return
        newest = max((0, 1), key=self._number)
        at = (1 - newest) * self._octets
        _HEAD.pack_into(self._memory, at, 0, 0)
        self._memory[at + _HEAD.size : at + _HEAD.size + len(content)] = content
        _HEAD.pack_into(self._memory, at, self._number(newest) + 1, len(content))

    def get(self) -> Exported | None:
        """Return the copy; None if there is none."""
        for _ in range(_TRIES):  # it may be written twice meanwhile
            for slot in sorted((0, 1), key=self._number, reverse=True):
                number, length = _HEAD.unpack_from(self._memory, slot * self._octets)
                if not number:
                    continue
                begin = slot * self._octets + _HEAD.size
                try:
                    return FORMAT.parse(self._memory[begin : begin + length], _PLACE)
                except StoreError:
                    continue
        return None

    def _number(self, slot: int) -> int:
        number: int = _HEAD.unpack_from(self._memory, slot * self._octets)[0]
        return number


def overrides_in_force(setting: Setting) -> Overrides:
    """Return the overrides, as the daemon holds them in memory."""
    held = setting.overrides.get()
    if held is None:  # too much for the memory, or nothing
        held = exported.newest(setting.state.overrides_copies)
    return NOTHING if held is None else held.overrides


def recall_overrides(state: StateFolder, clock: Clock, held: SharedOverrides) -> None:
    """Load the overrides into shared memory, before the first answer.

    A copy may be gone, or older than the store, which is then read and its copies are
    written anew. A child does that, with SQLite, and no other process needs that.
    """
    copied = exported.newest(state.overrides_copies)
    if copied is not None:
        held.put(copied)
    try:
        code = in_fork(
            lambda: _follow_the_store(state, clock, held),
            _STORE_WITHIN_S if copied is None else _STORE_WITHIN_S / 4,
        )
        problem = say("exit status {status}", status=code) if code else UNSAID
    except (OSError, TimeoutError) as error:
        problem = quoted(str(error)) if str(error) else say("it took too long")
    if problem:
        _logger.error("%s: what commands have set was not read (%s)", state.overrides, problem)


def _follow_the_store(state: StateFolder, clock: Clock, held: SharedOverrides) -> int:
    """Check that the copies end where the store does; else repair and load both."""
    close_all_but_standard()
    from filterd.overrides.history import store_file  # noqa: PLC0415 -- of this child alone

    copies = [exported.newest((path,)) for path in state.overrides_copies]
    hashes = {None if copy is None else copy.hash for copy in copies}
    if os.path.lexists(state.overrides):
        with contextlib.suppress(StoreError):  # then it is mended
            last = store_file.last_row(state.overrides)
            if hashes == {GENESIS if last is None else last.hash}:
                return 0
    from filterd.overrides.history.store import Store  # noqa: PLC0415 -- hardly ever

    held.put(Store(state, clock, held.get).start().exported)
    return 0
