# SPDX-License-Identifier: Apache-2.0
"""Do an update that has begun, step by step, to its end: also after a power cut."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.appliance.update.update_files import PendingUpdate, UpdateFiles, UpdateStep
from filterd.base.errors import InUseError, StoreError
from filterd.base.value_class import frozen
from filterd.feed.program_standing import (
    MOST_ENDINGS,
    EndedUpdate,
    ProgramStanding,
    UpdateEnding,
)
from filterd.texts.i18n import UNSAID, Sentence, say
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.appliance.machine_changes import PackageManager
    from filterd.appliance.releases import Releases
    from filterd.appliance.update.update_watch import ReleaseWatch
    from filterd.base.clock import Clock
    from filterd.feed.version_watch import Daemon

_MOST_TRIES = 3
_MOST_REFUSED = 50
_BY_COMMAND = say("the release before was put back by command")


@frozen
class UpdatedMachine:
    """What of a machine an update needs.

    Attributes:
        releases: of filterd.
        manager: dpkg.
        watch: looks at what serves.
        daemon: the client of the control socket.
        clock: the clock.
        target: its Debian release and architecture.
        canaries: names that must be blocked.
        version: of the program that runs.
        boot: the kernel's id of this boot.
    """

    releases: Releases
    manager: PackageManager
    watch: ReleaseWatch
    daemon: Daemon
    clock: Clock
    target: tuple[str, str]
    canaries: tuple[str, ...] = ()
    version: str = __version__
    boot: str = ""


class UpdateSteps:
    """The steps of an update that has begun; each is kept before it is done.

    Args:
        files: root's folder.
        machine: what is updated.
        notes: of what becomes of it.
    """

    def __init__(self, files: UpdateFiles, machine: UpdatedMachine, notes: UpdateNotes) -> None:
        self.files, self._machine, self._notes = files, machine, notes
        self._releases = machine.releases

    def pending(self) -> PendingUpdate | None:
        """Return the update that has begun; None for none."""
        return self.files.read_pending()

    def is_to_be_decided(self) -> bool:
        """Return whether ``look`` must decide before ``go_on`` does anything.

        An update that a power cut broke off before the new release served may wait for the next
        window: the school may be in a lesson now.
        """
        pending = self.pending()
        if pending is None:
            return True
        is_switched = self._releases.in_service != pending.before
        is_old = pending.boot != self._machine.boot
        return pending.step is UpdateStep.INSTALL and is_old and not is_switched

    def go_on(self) -> EndedUpdate | None:
        """Do an update that has begun to its end; None where none has.

        Raises:
            InUseError: another program installs packages; the update is decided again later.
            FilterdError: another reason; the step is done again by the next call.
        """
        pending = self.pending()
        if pending is None or self.is_to_be_decided():
            return None
        if pending.step is UpdateStep.INSTALL:
            return self._install(pending)
        if pending.step is UpdateStep.GO_BACK:
            return self._go_back(pending)
        if pending.tries >= _MOST_TRIES:  # the release may be what ends the machine, or the watch
            return self._give_up(pending)
        return self._watch_it(replace(pending, tries=pending.tries + 1))

    def _give_up(self, pending: PendingUpdate) -> EndedUpdate:
        why = say("it was interrupted {n} times", n=pending.tries)
        return self._go_back(replace(pending, why=why))

    def _install(self, pending: PendingUpdate) -> EndedUpdate:
        if pending.tries >= _MOST_TRIES:
            return self._give_up(pending)
        try:
            with self._machine.manager.locked():
                pending = replace(pending, tries=pending.tries + 1)
                self.files.keep(pending)
                self._machine.manager.install(self.files.package)
        except InUseError:
            self.files.clear()
            raise
        except StoreError as error:
            return self._go_back(replace(pending, why=error.sentence))
        return self._watch_it(pending)

    def _watch_it(self, pending: PendingUpdate) -> EndedUpdate:
        has_served = pending.has_served or not self._is_put_back(pending)
        pending = replace(pending, step=UpdateStep.START, has_served=has_served)
        self._keep(pending)
        if self._is_put_back(pending):
            if pending.has_served:
                return self._end(replace(pending, why=_BY_COMMAND), UpdateEnding.ROLLED_BACK)
            why = say("the package did not put its release in service")
            return self._go_back(replace(pending, why=why))
        harm = self._machine.watch.harm_at_start(pending.served)
        if harm and not self._is_put_back(pending):
            return self._go_back(replace(pending, why=harm))
        pending = replace(pending, step=UpdateStep.WATCH)
        self._keep(pending)
        harm = self._machine.watch.harm_later(
            pending.version, pending.served, lambda: self._is_put_back(pending)
        )
        if self._is_put_back(pending):
            return self._end(replace(pending, why=_BY_COMMAND), UpdateEnding.ROLLED_BACK)
        if harm:
            return self._go_back(replace(pending, why=harm))
        return self._end(pending, UpdateEnding.TAKEN)

    def _is_put_back(self, pending: PendingUpdate) -> bool:
        return self._releases.in_service == pending.before

    def _go_back(self, pending: PendingUpdate) -> EndedUpdate:
        """Put the release before in service, if it does not serve, and refuse the new one."""
        releases = self._releases
        is_switched = releases.in_service != pending.before
        has_served = pending.has_served or is_switched
        pending = replace(pending, step=UpdateStep.GO_BACK, has_served=has_served)
        with contextlib.suppress(OSError):  # the disk may be full
            self.files.package.unlink(missing_ok=True)
        self._keep(pending)
        if is_switched and releases.before != pending.before:  # others were installed meanwhile
            why = say(
                "{why}; release {name} is not kept here", why=pending.why, name=pending.before
            )
            return self._end(replace(pending, why=why), UpdateEnding.FAILED)
        if not is_switched:
            self.mend()
        else:
            releases.roll_back(releases.in_service)
            if problem := self._machine.watch.harm_at_start(pending.served):
                why = say(
                    "{why}; the release before serves again, and: {problem}",
                    why=pending.why,
                    problem=problem,
                )
                pending = replace(pending, why=why)
        ending = UpdateEnding.TAKEN_BACK if has_served else UpdateEnding.FAILED
        return self._end(pending, ending)

    def _keep(self, pending: PendingUpdate) -> None:
        """Keep a step after the switch; on a full disk go on without."""
        with contextlib.suppress(StoreError):
            self.files.keep(pending)

    def _end(self, pending: PendingUpdate, ending: UpdateEnding) -> EndedUpdate:
        ended = self._notes.ended(pending.version, pending.before, ending, pending.why)
        self.files.clear()
        return ended

    def mend(self) -> None:
        """Put the units of the release in service in place of what a power cut left."""
        with contextlib.suppress(StoreError):
            self._releases.restore()


class UpdateNotes:
    """What is kept of updates: what is offered, why it waits, how others have ended.

    Args:
        files: root's folder.
        clock: the clock.
    """

    def __init__(self, files: UpdateFiles, clock: Clock) -> None:
        self._files, self._clock = files, clock

    def change(self, change: Callable[[ProgramStanding], ProgramStanding]) -> None:
        """Keep a change of the standing.

        Raises:
            StoreError: the disk refused.
        """
        self._files.standing.write(change(self._files.standing.read()))

    def ended(self, version: str, before: str, ending: UpdateEnding, why: Sentence) -> EndedUpdate:
        """Keep how an update has ended, and refuse a version that does not serve."""
        ended = EndedUpdate(self._clock.wall(), version, before, ending, why)
        refused = () if ending is UpdateEnding.TAKEN else (version,)
        self.change(
            lambda now: idle(
                now,
                refused=tuple(dict.fromkeys((*now.refused, *refused)))[-_MOST_REFUSED:],
                endings=(*now.endings, ended)[-MOST_ENDINGS:],
            )
        )
        return ended


def idle(standing: ProgramStanding, **changes: Any) -> ProgramStanding:
    """Return a standing with changes in which no release waits."""
    waits = dict.fromkeys(("waiting_since", "postponed_since", "takes_at"))
    return replace(standing, **{"waits_for": "", "why": UNSAID, **waits, **changes})
