# SPDX-License-Identifier: Apache-2.0
"""Run the web process: the dashboard and the API over HTTPS.

``filterd web`` becomes ``python -m filterd.web.web_main``, which imports no Typer, YAML or
cryptography. It takes the sockets that the service manager passes, or binds its own; with
passed ones it ends when it is idle.
"""

from __future__ import annotations

import _ssl
import ctypes
import gc
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from filterd import control
from filterd.base import journal
from filterd.base.addresses import DASHBOARD, bound, parse_listen
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, FilterdError
from filterd.base.process_memory import give_back, limit_free_memory
from filterd.base.service_manager import READY, STOPPING, notify, passed_sockets
from filterd.base.state_folder import StateFolder
from filterd.operations.accounts import FIRST_ACCOUNT, MakeCode
from filterd.texts.i18n import Texts, refused, say
from filterd.web.application import Web
from filterd.web.certificate_files import Certificate
from filterd.web.https_listener import BoundedProtocol, HttpsListener, secured

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from filterd.base.clock import Clock
    from filterd.texts.i18n import Language

_PORTS_TO_TRY = 20
_TICKS_A_MINUTE = 600  # uvicorn has ten a second
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
IDLE_AFTER_S = 600.0
"""Without a request; then the process ends, and the service manager keeps its socket."""


class IdleExit:
    """ASGI middleware that counts the requests in progress."""

    def __init__(self, application: ASGIApp, clock: Clock) -> None:
        self._application, self._clock = application, clock
        self._in_progress, self._used_at = 0, clock.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        self._in_progress += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._in_progress -= 1
            self._used_at = self._clock.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the process may end now."""
        return not self._in_progress and self._clock.monotonic() - self._used_at >= IDLE_AFTER_S


class _WebServer(uvicorn.Server):
    """uvicorn's server on bounded listeners; ends when ``idle``, if given, is due."""

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: Sequence[socket.socket],
        certificate: Certificate,
        web: Web,
        idle: IdleExit | None,
    ) -> None:
        super().__init__(config)
        self._sockets, self._web, self._idle = sockets, web, idle
        self._context = secured(str(certificate.chain), str(certificate.key))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 -- uvicorn's
        """Listen."""
        self.servers = [HttpsListener(one, self._context, self._made) for one in self._sockets]  # type: ignore[misc]
        self.started = True
        gc.freeze()  # what was imported stays
        gc.enable()
        notify(READY)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; give back what a crowd took, once a minute."""
        if counter % _TICKS_A_MINUTE == _TICKS_A_MINUTE - 1:
            gc.collect()
            give_back()
        is_due = self._idle is not None and self._idle.is_due
        return await super().on_tick(counter) or is_due

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        notify(STOPPING)
        self._web.end()
        await super().shutdown(sockets)

    def _made(self) -> BoundedProtocol:
        return BoundedProtocol(self.config, self.server_state, {})


def run(
    state: StateFolder,
    sockets: Sequence[socket.socket],
    certificate: Certificate,
    *,
    ends_idle: bool = False,
) -> None:
    """Serve on listening or bound sockets until SIGTERM or SIGINT.

    Raises:
        ConfigError: the certificate cannot be used.
    """
    web = Web(state.control_socket, names_of(certificate.chain), setup_socket=state.setup_socket)
    idle = IdleExit(web.application(), SystemClock())
    config = uvicorn.Config(
        idle,
        loop="uvloop",  # that of asyncio takes 3 MB less, and 100 MB more in a storm of connections
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    # What a client sends wrongly is no line of the journal; errors of this program are.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        server = _WebServer(config, sockets, certificate, web, idle if ends_idle else None)
    except OSError as error:
        raise ConfigError(
            say("the certificate cannot be used: {why}", why=refused(error)),
            path=str(certificate.chain),
            hint=say("`filterd cert make` makes a new one"),
        ) from error
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again at its end
        signal.signal(number, lambda *_: None)
    server.run()


def names_of(chain: Path) -> frozenset[str]:
    """Return the host names of a certificate; none where it cannot be read.

    Python's own reader of certificates has no public name, and others take 20 MB.
    """
    try:
        found = getattr(_ssl, "_test_decode_cert")(str(chain))  # noqa: B009 -- see above
    except (OSError, AttributeError):
        return frozenset()
    return frozenset(
        value.lower() for kind, value in found.get("subjectAltName", ()) if kind == "DNS"
    )


def main(state: str, listen: str, chain: str, key: str, language: str, try_it: str) -> None:
    """Serve until a signal to stop.

    Args:
        state: the state folder, for its control socket.
        listen: address and port, where the service manager passes no socket.
        chain: the file of the certificate chain.
        key: the file of its key.
        language: of messages and of the journal, ``vi`` or ``en``.
        try_it: ``yes`` to take the next port that is free, print a link to sign in by, and end
            with the process that started this one.
    """
    spoken: Language = "vi" if language == "vi" else "en"
    folder, is_trial = StateFolder(Path(state)), try_it == "yes"
    journal.begin(spoken)
    limit_free_memory()
    if is_trial:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C that waits ends it in silence
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        passed = passed_sockets()
        ports = _PORTS_TO_TRY if is_trial else 1
        sockets = passed or [bound(parse_listen(listen, DASHBOARD), ports)]
        if is_trial:
            sockets[0].listen()  # a browser that follows the link at once waits
            _print_link(folder, sockets[0], Texts(spoken))
        run(folder, sockets, Certificate(Path(chain), Path(key)), ends_idle=bool(passed))
    except FilterdError as error:
        for line in error.translated(spoken).splitlines():
            print(f"filterd: {line}", file=sys.stderr)  # noqa: T201 -- to the person who started it
        sys.exit(error.exit_code)


def _print_link(state: StateFolder, listening: socket.socket, texts: Texts) -> None:
    """Print the address, with a code that signs in once."""
    address, port = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    asked = MakeCode(account=FIRST_ACCOUNT)
    made = asked.answer_of(control.ask(state.control_socket, asked.command, **asked.arguments))
    link = f"https://{shown}:{port}/login/code/{made.code}"
    line = texts("Dashboard, signed in once within 15 minutes: {link}", link=link)
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- as above


if __name__ == "__main__":
    main(*sys.argv[1:])
