# SPDX-License-Identifier: Apache-2.0
"""Ask as another user of the machine, in a child process. Needs root."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def as_user(uid: int, gids: Collection[int], call: Callable[..., Any], *given: Any) -> Any:
    """Make a call in a process of this user; return its result as JSON types.

    Args:
        uid: the user.
        gids: its groups, the main one first.
        call: what to call.
        given: its arguments.

    Raises:
        AssertionError: it raised; the message has the error.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            main, *_ = gids
            os.setgroups(list(gids))
            os.setgid(main)
            os.setuid(uid)
            outcome = {"result": call(*given)}
        except FilterdError as error:
            outcome = {"error": str(error)}
        except BaseException as error:  # noqa: BLE001 -- the parent reports any error
            outcome = {"error": repr(error)}
        with os.fdopen(writing, "w") as pipe:
            json.dump(outcome, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.load(pipe)
    os.waitpid(child, 0)
    assert "error" not in answer, answer["error"]
    return answer["result"]
