# SPDX-License-Identifier: Apache-2.0
"""What the network around the gateway shows of the devices at the moment."""

from __future__ import annotations


class Surroundings:
    """Devices and prefixes that are seen now; outlives reloads. ``version`` counts changes."""

    def __init__(self) -> None:
        self.version = 0
