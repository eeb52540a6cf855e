# SPDX-License-Identifier: Apache-2.0
"""Each file of a publication stands under the name of its version or content."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.publish.publication_folder import PublicationFolder
from tests.support.publisher import Publisher, a_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("old.example")
    return publisher


def test_a_folder_without_a_publication_is_reported(publisher: Publisher) -> None:
    shutil.rmtree(publisher.metadata)
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        publisher.publish("new.example")


def test_a_file_stands_under_its_content_and_is_written_once(publisher: Publisher) -> None:
    folder, file = PublicationFolder(publisher.folder), a_file("lists/b.txt", b"b.example")
    first = folder.write_target(file)
    [path] = publisher.folder.rglob(f"{first.hashes['sha256']}.*")
    written = path.stat().st_mtime_ns
    assert folder.write_target(file) == first
    assert path.stat().st_mtime_ns == written


def test_what_timestamp_names_is_published(publisher: Publisher) -> None:
    content = PublicationFolder(publisher.folder).published()
    assert (content.snapshot, content.timestamp, content.urgent) == (2, 2, 0)
    assert [*content.named] == ["lists/a.txt.zst"]
