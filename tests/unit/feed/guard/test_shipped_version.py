# SPDX-License-Identifier: Apache-2.0
"""What ships, as a school would be served it, whatever its files name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.guard.candidate import Request, read_tables
from filterd.feed.guard.shipped_version import shipped_asking, shipped_catalog
from tests.support.broken_versions import data_of
from tests.support.feed_candidates import Following
from tests.support.policies import NOW, wire

if TYPE_CHECKING:
    from pathlib import Path

NEW = {"id": "new", "group": "games", "name": {"vi": "x", "en": "x"}, "names": ["new.example"]}


def test_a_school_may_close_what_only_its_feed_knows(tmp_path: Path) -> None:
    school = Following(tmp_path)
    with (school.config / "site.yaml").open("a", encoding="utf-8") as file:
        file.write("grades: {3: {services: {block: [new, facebook]}}}\n")

    def change(folder: Path) -> None:
        data_of("services.yaml", lambda data: data["services"].append(NEW))(folder)

    candidate = school.prepare(change)
    fresh = school.school
    request = Request(NOW, 2, None, candidate.folder, school.config, fresh.fresh_index,
                      fresh.fresh_problems, fresh.fresh_policy)  # fmt: skip
    ships = shipped_asking(request, read_tables(request))
    assert "new" in ships.policy.services
    assert ships.closed(wire("new.example")) == {}
    assert "3" in ships.closed(wire("facebook.com"))
    assert "staff" in ships.closed(wire("porn.blocked.filterd.example"))
    assert ships.policy.pins == shipped_catalog().pins
    assert not list(tmp_path.glob("*.shipped"))
