# SPDX-License-Identifier: Apache-2.0
"""Do one decision on lists for the manager, in a process of its own.

The manager starts ``python -m filterd.daemon.list_decisions`` with one JSON object on its input:
the folders ``config`` and ``state``, the ``command`` and its ``arguments``, which it has checked
(``list_commands``). The answer is what the command line prints with ``--json``.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.appliance_files import Wanted
from filterd.feed.school_lists import SchoolLists

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _follow(
    lists: SchoolLists,
    *,
    sources: tuple[str, ...] = (),
    recommended: bool = False,
    **how: Any,
) -> dict[str, Any]:
    chosen = lists.chosen(sources, Wanted("", **how), recommended=recommended)
    for one in chosen:
        if one.url:
            with suppress(FetchError):  # the next night tries
                lists.look_at(one)
    return lists.follow(chosen).row


def _exclude(lists: SchoolLists, **given: str) -> dict[str, Any]:
    return lists.exclude(given["name"], given["list"], given["reason"]).row


_WORK: Mapping[str, Callable[..., Any]] = {
    "feed approve": lambda lists, /, **given: lists.approve(**given).row,
    "feed refuse": lambda lists, /, **given: lists.refuse(**given).row,
    "feed rollback": lambda lists, /, **given: lists.roll_back(**given).row,
    "feed hold": lambda lists, /, **given: lists.hold(**given).row,
    "sync": lambda lists, /, **given: lists.sync(**given).to_plain(),
    "lists follow": _follow,
    "lists unfollow": lambda lists, /, sources=(): lists.unfollow(sources).row,
    "lists update": lambda lists, /, **given: lists.update(**given).to_plain(),
    "lists exclude": _exclude,
    "lists sources": SchoolLists.sources,
}


def _decide(request: dict[str, Any], output: IO[bytes]) -> None:
    config, state = Path(request["config"]), StateFolder(Path(request["state"]))
    lists = SchoolLists(config, state, SystemClock(), ControlDaemon(state.control_socket))
    with as_owner_of(state.folder):
        answer = _WORK[request["command"]](lists, **request["arguments"])
    output.write(json.dumps(answer).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_decide))
