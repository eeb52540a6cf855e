# SPDX-License-Identifier: Apache-2.0
"""filterd that believes the neighbour table as it stands: ``python -m tests.e2e.credulous``.

It checks no frames, knows no rivals, and a MAC need not have answered. A control runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

from filterd.cli.entry import main
from filterd.clients.frame_filter import FrameFilter
from filterd.clients.neighbours import AddressClaim, NeighbourClaims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.clients.neighbours import Place


def _hold_nothing(frames: FrameFilter, *_: object) -> None:
    frames.works = False


def _leave(claim: AddressClaim, _: float) -> None:
    claim.mac, claim.has_answered = "", True


def _places(claims: NeighbourClaims) -> Iterator[tuple[Place, AddressClaim]]:
    for place, claim in claims._claims.items():
        claim.has_answered = True
        if claim.mac:
            yield place, claim


if __name__ == "__main__":
    with (
        mock.patch.object(FrameFilter, "hold", _hold_nothing),
        mock.patch.object(AddressClaim, "leave", _leave),
        mock.patch.object(NeighbourClaims, "__iter__", _places),
    ):
        main()
