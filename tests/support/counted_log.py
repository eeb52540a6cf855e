# SPDX-License-Identifier: Apache-2.0
"""What a daemon has counted so far, read from its file: no command shows the present hour."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.clock import SystemClock
from filterd.querylog.totals_file import read_totals
from filterd.querylog.totals_request import TotalsRequest

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder
    from filterd.querylog.totals_request import Total


def counted_in(state: StateFolder, *, days: int = 2, **wanted: Any) -> list[Total]:
    """Return the totals of the last days, with the present hour.

    Args:
        state: of a daemon that runs; it is made to write what it has.
        days: with today, in UTC.
        wanted: fields of ``TotalsRequest``.
    """
    control.ask(state.control_socket, "status")
    request = TotalsRequest(days, is_live=True, **wanted)
    now = SystemClock().wall()
    return asyncio.run(read_totals(state.query_log, request, time_zone="UTC", now=now))
