# SPDX-License-Identifier: Apache-2.0
"""``filterd web``: serve the dashboard and the API."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from filterd.cli.context import Context, option
from filterd.cli.entry import find_only_what_is_installed
from filterd.listen_address import DASHBOARD, parse_listen
from filterd.web.certificate_files import certificate_of


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
    certificate = certificate_of(here.state)
    if not certificate.chain.exists() and certificate.chain.parent == here.state.web:
        from filterd.appliance.web_certificate import make  # noqa: PLC0415 -- heavy

        address, _ = parse_listen(listen, DASHBOARD)
        here.state.web.mkdir(mode=0o700, parents=True, exist_ok=True)
        make(*certificate, ["filterd", "localhost"], [address], here.clock.wall())
    words = [str(here.state.folder), listen, *map(str, certificate), here.texts.language]
    find_only_what_is_installed()
    serving = [sys.executable, "-m", "filterd.web.web_main", *words, "yes" if try_it else "no"]
    os.execv(sys.executable, serving)  # noqa: S606 -- it becomes the one that serves
