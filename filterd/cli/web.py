# SPDX-License-Identifier: Apache-2.0
"""``filterd web``: serve the dashboard and the API."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from filterd.cli.context import Context, option
from filterd.cli.entry import find_only_what_is_installed
from filterd.web.listen_address import parse_listen

LISTEN = "127.0.0.1:8443"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""systemd.exec(5); it names the folder with what the unit's LoadCredential= has read."""


def web(
    here: Context,
    listen: Annotated[
        str, option("--listen", "Address and port to serve on.", "ADDRESS:PORT")
    ] = LISTEN,
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
    folder = Path(os.environ.get(_CREDENTIALS, here.state.web))
    chain, key = folder / "certificate.pem", folder / "key.pem"
    if not chain.exists() and folder == here.state.web:
        from filterd.appliance.web_certificate import make  # noqa: PLC0415 -- heavy

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        address, _ = parse_listen(listen)
        make(chain, key, ["filterd", "localhost"], [address], here.clock.wall())
    words = [str(here.state.folder), listen, str(chain), str(key), here.texts.language]
    find_only_what_is_installed()
    serving = [sys.executable, "-m", "filterd.web.web_main", *words, "yes" if try_it else "no"]
    os.execv(sys.executable, serving)  # noqa: S606 -- it becomes the one that serves
