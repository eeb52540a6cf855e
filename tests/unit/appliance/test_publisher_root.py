# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance.publisher_root import find_root
from filterd.counted import fingerprint
from filterd.errors import ConfigError
from filterd.feed.fetchers import FolderFetcher
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fetcher(tmp_path: Path) -> FolderFetcher:
    (tmp_path / "metadata").mkdir()
    for number in (1, 2):
        (tmp_path / "metadata" / f"{number}.root.json").write_bytes(b"root %d" % number)
    return FolderFetcher(tmp_path, FakeClock(0))


@pytest.mark.parametrize("number", [1, 2])
def test_the_root_with_the_fingerprint_is_found(fetcher: FolderFetcher, number: int) -> None:
    content = b"root %d" % number
    assert find_root(fetcher, fingerprint(content).replace(" ", "")) == content


def test_a_root_with_another_fingerprint_is_not_taken(fetcher: FolderFetcher) -> None:
    with pytest.raises(ConfigError, match="nothing was trusted"):
        find_root(fetcher, fingerprint(b"another").replace(" ", ""))
