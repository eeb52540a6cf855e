# SPDX-License-Identifier: Apache-2.0
"""Do one decision on lists for the manager, in a process of its own.

The manager starts ``python -m filterd.daemon.list_decisions`` with one JSON object on its input:
the folders ``config`` and ``state``, the ``command`` of a request of ``operations.lists`` and its
``arguments``, which it has checked (``list_commands``). The answer is what the command line prints
with ``--json``.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from functools import singledispatch
from pathlib import Path
from typing import IO, Any

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.appliance_files import Wanted
from filterd.feed.public_lists import PublicLists
from filterd.feed.school_lists import SchoolLists
from filterd.operations.lists import (
    DECISIONS,
    ApproveVersion,
    Decision,
    ExcludeEntry,
    FollowLists,
    Hold,
    ReadSources,
    RefuseVersion,
    RollBack,
    TakeVersion,
    UnfollowLists,
    UpdateLists,
)


@singledispatch
def answer_of(asked: Any, lists: SchoolLists) -> Any:
    """Do a request, and return its answer as plain data.

    Raises:
        TypeError: the kind of decision is unknown.
    """
    raise TypeError(asked, lists)


@answer_of.register
def _(_asked: ReadSources, lists: SchoolLists) -> Any:
    return PublicLists(lists).sources()


@answer_of.register
def _(asked: ApproveVersion, lists: SchoolLists) -> Any:
    return lists.approve(asked.version or None, asked.reason).row


@answer_of.register
def _(asked: RefuseVersion, lists: SchoolLists) -> Any:
    return lists.refuse(asked.version or None, asked.reason).row


@answer_of.register
def _(asked: RollBack, lists: SchoolLists) -> Any:
    return lists.roll_back(asked.reason, lists=asked.lists).row


@answer_of.register
def _(asked: Hold, lists: SchoolLists) -> Any:
    return lists.hold(asked.reason, off=asked.off, lists=asked.lists).row


@answer_of.register
def _(asked: TakeVersion, lists: SchoolLists) -> Any:
    return lists.sync(now=asked.now).to_plain()


@answer_of.register
def _(asked: FollowLists, lists: SchoolLists) -> Any:
    how = Wanted("", "", asked.category, asked.format_, asked.subtrees)
    public = PublicLists(lists)
    chosen = public.chosen(asked.sources, how, recommended=asked.recommended)
    for one in chosen:
        if one.url:
            with suppress(FetchError):  # the next night tries
                public.look_at(one)
    return public.follow(chosen).row


@answer_of.register
def _(asked: UnfollowLists, lists: SchoolLists) -> Any:
    return PublicLists(lists).unfollow(asked.sources).row


@answer_of.register
def _(asked: UpdateLists, lists: SchoolLists) -> Any:
    return PublicLists(lists).update(asked.accept, now=asked.now).to_plain()


@answer_of.register
def _(asked: ExcludeEntry, lists: SchoolLists) -> Any:
    return PublicLists(lists).exclude(asked.name, asked.list_, asked.reason).row


_REQUESTS: dict[str, type[Decision | ReadSources]] = {**DECISIONS, ReadSources.command: ReadSources}


def _decide(given: dict[str, Any], output: IO[bytes]) -> None:
    config, state = Path(given["config"]), StateFolder(Path(given["state"]))
    asked = _REQUESTS[given["command"]].of(given["arguments"])
    lists = SchoolLists(config, state, SystemClock(), ControlDaemon(state.control_socket))
    with as_owner_of(state.folder):
        answer = answer_of(asked, lists)
    output.write(json.dumps(answer).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_decide))
