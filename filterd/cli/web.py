# SPDX-License-Identifier: Apache-2.0
"""``filterd web``: serve the dashboard and the API."""

from __future__ import annotations

from typing import Annotated

from filterd.cli.context import Context, option

LISTEN = "127.0.0.1:8443"


def web(
    here: Context,
    listen: Annotated[
        str, option("--listen", "Address and port to serve on.", "ADDRESS:PORT")
    ] = LISTEN,
) -> None:
    """Serve the dashboard and the API by HTTPS, until stopped.

    It has no rights of its own: the daemon decides by the account of each person. Exit code 0:
    it was stopped; 2: it could not start.
    """
    from filterd.appliance.web_certificate import make  # noqa: PLC0415 -- heavy
    from filterd.web.web_main import Certificate, run  # noqa: PLC0415 -- heavy

    host, _, port = listen.rpartition(":")
    folder = here.state.web
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    if not certificate.chain.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        make(*certificate, ["filterd"], [host], here.clock.wall())
    run(here.state, (host, int(port)), certificate, here.texts.language)
