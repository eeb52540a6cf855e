# SPDX-License-Identifier: Apache-2.0
"""Run the web process: the dashboard and the API over HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from filterd import journal
from filterd.service_manager import READY, notify
from filterd.web.application import Web

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.i18n import Language
    from filterd.state_folder import StateFolder


class Certificate(NamedTuple):
    """The files of a certificate chain and of its key, PEM."""

    chain: Path
    key: Path


def run(
    state: StateFolder, listen: tuple[str, int], certificate: Certificate, language: Language
) -> None:
    """Serve until SIGTERM or SIGINT."""
    journal.begin(language)
    config = uvicorn.Config(
        Web(state.control_socket).application(),
        host=listen[0],
        port=listen[1],
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ssl_certfile=certificate.chain,
        ssl_keyfile=certificate.key,
        timeout_graceful_shutdown=2,
    )
    notify(READY)
    uvicorn.Server(config).run()
