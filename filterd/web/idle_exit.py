# SPDX-License-Identifier: Apache-2.0
"""End the web process after ten minutes without a request.

The service manager keeps its socket, and starts it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from filterd.clock import Clock

AFTER_S = 600.0


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
        return not self._in_progress and self._clock.monotonic() - self._used_at >= AFTER_S
