# SPDX-License-Identifier: Apache-2.0
"""``filterd blockpage``: serve the page that tells pupils why a name is closed."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from filterd.cli.context import Context, on_named_files, option
from filterd.cli.entry import find_only_what_is_installed


@on_named_files
def blockpage(
    here: Context,
    listen: Annotated[
        list[str] | None,
        option("--listen", "Address and port to serve on; several are possible.", "ADDRESS:PORT"),
    ] = None,
) -> None:
    """Serve the page for pupils by HTTP, until stopped: why is this closed, until when, what now?

    It stands at the addresses of this machine, and answers for every name that a sinkhole leads
    here. It reads no file and may ask the daemon nothing else. Without --listen it is port 80 of
    all addresses. Exit code 0: it was stopped; 2: it could not start.
    """
    addresses = listen or ["0.0.0.0:80", "[::]:80"]
    arguments = [str(here.state.control_socket), here.texts.language, *addresses]
    find_only_what_is_installed()
    serving = [sys.executable, "-m", "filterd.blockpage.blockpage_main", *arguments]
    os.execv(sys.executable, serving)  # noqa: S606 -- it becomes the one that serves
