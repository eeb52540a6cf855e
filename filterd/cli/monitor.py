# SPDX-License-Identifier: Apache-2.0
"""``filterd monitor``: serve metrics and health of the running daemon."""

from __future__ import annotations

from typing import Annotated

from filterd.cli.context import Context, option
from filterd.listen_address import parse_listen

LISTEN = "127.0.0.1:9153"


def monitor(
    here: Context,
    listen: Annotated[
        str, option("--listen", "Loopback address and port to serve on.", "ADDRESS:PORT")
    ] = LISTEN,
) -> None:
    """Serve metrics for Prometheus and a health check, until stopped.

    GET /metrics has counters of the whole school, never a client, class, room or name. GET
    /healthz is 200 while the daemon answers, else 503. Exit code 0: it was stopped; 2: it
    could not start.
    """
    # What it imports (prometheus-client) is for this command only.
    from filterd.monitor.monitor_main import run  # noqa: PLC0415

    place = parse_listen(listen, LISTEN, is_loopback=True)
    run(here.config, here.state, place, here.clock, here.texts.language)
