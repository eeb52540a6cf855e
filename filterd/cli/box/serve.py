# SPDX-License-Identifier: Apache-2.0
"""``filterd serve``, ``web`` and ``monitor``: become the process that serves."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

from filterd.appliance.trial_dashboard import own_certificate
from filterd.base.addresses import DASHBOARD, parse_listen
from filterd.cli.context import Context, on_named_files, option
from filterd.cli.entry import become, find_only_what_is_installed


@on_named_files
def serve(
    here: Context,
    try_it: Annotated[
        bool,
        option(
            "--try",
            "Print commands that show what different classes get, and serve the dashboard, too;"
            " where a port is taken, take the next.",
        ),
    ] = False,
) -> None:
    """Answer lookups until stopped.

    SIGHUP reloads, SIGTERM and Ctrl-C stop. Exit code 0: it was stopped; 2: it
    could not start.
    """
    arguments = [str(here.config), str(here.state.folder), here.texts.language]
    serving = [sys.executable, "-m", "filterd.daemon.main", *arguments, "yes" if try_it else "no"]
    find_only_what_is_installed()
    # Signals wait until the daemon handles them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    become(serving)


def web(
    here: Context,
    listen: Annotated[
        str, option("--listen", "Address and port to serve on.", "ADDRESS:PORT")
    ] = DASHBOARD,
    try_it: Annotated[
        bool,
        option(
            "--try",
            "Print a link that signs in once; where the port is taken, take the next.",
        ),
    ] = False,
) -> None:
    """Serve the dashboard and the API by HTTPS, until stopped.

    It has no rights of its own: the daemon decides by the account of each person. On a socket
    of the service manager it ends after ten minutes without a request. Exit code 0: it was
    stopped; 2: it could not start.
    """
    certificate = own_certificate(here.state, listen, here.clock.wall())
    words = [str(here.state.folder), listen, *map(str, certificate), here.texts.language]
    find_only_what_is_installed()
    serving = [sys.executable, "-m", "filterd.web.web_main", *words, "yes" if try_it else "no"]
    become(serving)


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
