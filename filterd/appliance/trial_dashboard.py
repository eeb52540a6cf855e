# SPDX-License-Identifier: Apache-2.0
"""Serve the dashboard beside a daemon in trial, with a certificate of its own.

The daemon starts ``python -m filterd.appliance.trial_dashboard STATE LANGUAGE``; it ends with
the daemon, and prints a link to sign in by.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.addresses import DASHBOARD, parse_listen
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.texts.i18n import language_of
from filterd.web.certificate_files import certificate_of

if TYPE_CHECKING:
    from filterd.web.certificate_files import Certificate


def own_certificate(state: StateFolder, listen: str, now: float) -> Certificate:
    """Return the certificate of the dashboard; make one where there is none.

    Args:
        state: the state folder.
        listen: address and port that it is for.
        now: Unix time.

    Raises:
        FilterdError: the disk refused.
    """
    certificate = certificate_of(state)
    if not certificate.chain.exists() and certificate.chain.parent == state.web:
        from filterd.appliance.setup.web_certificate import make  # noqa: PLC0415 -- heavy

        address, _ = parse_listen(listen, DASHBOARD)
        state.web.mkdir(mode=0o700, parents=True, exist_ok=True)
        make(*certificate, ["filterd", "localhost"], [address], now)
    return certificate


def main(state: str, language: str) -> None:
    """Serve until a signal to stop or the end of the daemon; see ``web_main``."""
    folder = StateFolder(Path(state))
    try:
        with as_owner_of(folder.folder):
            chain, key = own_certificate(folder, DASHBOARD, SystemClock().wall())
    except FilterdError as error:
        for line in error.translated(language_of(language)).splitlines():
            sys.stderr.write(f"filterd: {line}\n")
        sys.exit(error.exit_code)
    from filterd.web import web_main  # noqa: PLC0415 -- a command wants the certificate alone

    web_main.main(state, DASHBOARD, str(chain), str(key), language, "yes")


if __name__ == "__main__":
    main(*sys.argv[1:])
