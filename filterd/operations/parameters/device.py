# SPDX-License-Identifier: Apache-2.0
"""Read a device by MAC or address, and where devices go."""

from __future__ import annotations

from filterd.operations.parameters.scalar import Several, Text
from filterd.overrides.changes.change_fields import MAX_DEVICES

DEVICE = Text(64, least=1)
DEVICES = Several(DEVICE, MAX_DEVICES, 1, "MACs, or addresses that devices have now")
DESTINATION = Text(72, r"(class|network):.{1,64}", about="class:6A or network:lab-a")
