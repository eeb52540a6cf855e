# SPDX-License-Identifier: Apache-2.0
"""Two releases hop back and forth while a school asks.

Each way is gone once; ``HOP_MINUTES=60`` lets them hop for an hour.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.bench.hop import RELEASES, hop
from tests.support.booted import booted
from tests.support.gateway import gateway
from tests.support.installed_school import InstalledSchool
from tests.support.packages import package

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

MINUTES = float(os.environ.get("HOP_MINUTES", "0"))
WITHOUT_AN_ANSWER_S = 2.0


def test_no_question_is_lost_and_no_block_opens(tmp_path: Path) -> None:
    old, new = (package(version=version) for version in RELEASES)
    with (
        gateway(tmp_path, upstream_port=53) as around,
        booted("trixie", tmp_path / "box", around.gateway.name, installed=old) as box,
    ):
        school = InstalledSchool(box, around)
        school.set_up()
        seen = hop(school, (old, new), MINUTES * 60)
    assert seen.hops >= 4, seen
    assert (seen.unfiltered, seen.overblocked, seen.lost) == (0, 0, 0), seen
    # Of each hop no question may be lost; in the longest one this machine may have been busy.
    assert seen.shortest_gap_s <= WITHOUT_AN_ANSWER_S, seen
    assert seen.releases == 2, seen
