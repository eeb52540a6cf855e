# SPDX-License-Identifier: Apache-2.0
"""Remember for half a minute which devices the manager admits to the dashboard.

The manager decides by the network of the address and the cookie of an enrolled device, and
decides again when a token is used: here it keeps pupils from the sign-in page.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd import control

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.clock import Clock

KEPT_S = 30.0
_MOST = 4096
"""Devices that are remembered; the one that was asked about first gives way."""


class AdmittedDevices:
    """What the manager has decided lately, by address, device and code."""

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._socket, self._clock = socket, clock
        self._kept: dict[tuple[str, ...], tuple[bool, float]] = {}

    async def admits(self, address: str, device: str, code: str = "", token: str = "") -> bool:
        """Return whether a device may see the dashboard.

        Args:
            address: of the device.
            device: the cookie of an enrolled one; else empty.
            code: by which it is about to be enrolled; else empty.
            token: of a program, which may be bound to addresses; else empty.

        Raises:
            ControlError: the manager does not answer.
        """
        asked, now = (address, device, code, token), self._clock.monotonic()
        admitted, until = self._kept.get(asked, (False, 0.0))
        if now < until:
            return admitted
        found = await asyncio.to_thread(
            control.ask,
            self._socket,
            "admit",
            act_for=token,
            address=address,
            device=device,
            code=code,
        )
        self._kept.pop(asked, None)
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[asked] = (found["admitted"], now + KEPT_S)
        return bool(found["admitted"])

    def forget(self) -> None:
        """Ask the manager anew about every device: one was enrolled."""
        self._kept.clear()
