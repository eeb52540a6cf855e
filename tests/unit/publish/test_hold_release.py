# SPDX-License-Identifier: Apache-2.0
"""Holds of schools are found at the publisher's by the same guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import FeedError, GuardError
from filterd.publish.hold_release import release_hold, what_is_held
from filterd.publish.signing import targets_of
from tests.support.broken_versions import BROKEN, HARMFUL
from tests.support.clock import FakeClock
from tests.support.feed_candidates import Following
from tests.support.publisher import NOW, Publisher

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")


@pytest.fixture
def making(tmp_path: Path) -> Following:
    folder = tmp_path / "making"
    folder.mkdir()
    return Following(folder)


def publish(making: Following, publisher: Publisher, change: str = "") -> None:
    folder = making.prepare({**BROKEN, "": None}[change]).folder
    (folder / "README.md").unlink()
    publisher.repository.publish(targets_of(folder), publisher.signers, now=NOW)


def test_each_reason_of_any_school_is_found_once(making: Following, tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "www")
    publish(making, publisher)
    assert what_is_held(publisher.folder, FakeClock(NOW)).findings == ()
    publish(making, publisher, "every day a holiday")
    held = what_is_held(publisher.folder, FakeClock(NOW))
    assert held.version == 3
    assert {finding.kind for finding in held.findings} == {"tables"}
    publish(making, publisher)
    with pytest.raises(FeedError, match="another version has been published meanwhile"):
        release_hold(publisher.folder, held, "x", publisher.signers["root"], now=NOW)


def test_what_schools_refuse_is_not_released(making: Following, tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "www")
    assert "a bank that another answers for" in HARMFUL
    publish(making, publisher, "a bank that another answers for")
    with pytest.raises(GuardError, match="no key can release it: 1 names would be rewritten"):
        what_is_held(publisher.folder, FakeClock(NOW))
