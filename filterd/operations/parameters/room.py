# SPDX-License-Identifier: Apache-2.0
"""Read a room: the id of a network."""

from __future__ import annotations

from filterd.operations.parameters.scalar import Text

ROOM = Text(64, least=1)
