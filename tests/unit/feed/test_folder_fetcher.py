# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadHTTPError

from filterd.errors import FetchError, ForeignContentError, TooLargeError
from filterd.feed.folder_fetcher import FolderFetcher
from tests.support.clock import FakeClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feed/metadata").mkdir(parents=True)
    (tmp_path / "feed/metadata/a.json").write_bytes(b"abc")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "feed"


def read(folder: Path, name: str, most: int = 10) -> bytes:
    fetcher = FolderFetcher(folder, FakeClock())
    return fetcher.download_bytes(fetcher.base + name, most)


def test_a_plain_file_is_read(folder: Path) -> None:
    assert read(folder, "metadata/a.json", 3) == b"abc"
    with pytest.raises(TooLargeError):
        read(folder, "metadata/a.json", 2)


def test_the_folder_itself_may_be_a_link_as_a_mounted_stick_is(folder: Path) -> None:
    (folder.parent / "usb").symlink_to(folder)
    assert read(folder.parent / "usb", "metadata/a.json") == b"abc"


@pytest.mark.parametrize("name", ["metadata/b.json", "nothing/a.json", "metadata/a.json/b"])
def test_what_is_not_there_is_told_as_a_server_tells_it(folder: Path, name: str) -> None:
    with pytest.raises(DownloadHTTPError) as error:
        read(folder, name)
    assert error.value.status_code == 404


@pytest.mark.parametrize(
    "name", ["../secret", "metadata/../../secret", "/etc/hostname", "", "metadata//a.json", "a\0b"]
)
def test_no_name_leaves_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(ForeignContentError, match="leaves the folder"):
        read(folder, name)


def test_no_link_is_followed_neither_of_a_file_nor_of_a_folder(folder: Path) -> None:
    (folder / "metadata/b.json").symlink_to(folder.parent / "secret")
    (folder / "up").symlink_to(folder.parent)
    (folder / "metadata/loop.json").symlink_to(folder / "metadata/loop.json")
    for name in ("metadata/b.json", "up/secret", "metadata/loop.json"):
        with pytest.raises(ForeignContentError, match="link"):
            read(folder, name)


def test_neither_pipe_nor_folder_is_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "metadata/pipe.json")
    for name in ("metadata/pipe.json", "metadata"):
        with pytest.raises(ForeignContentError, match="not a plain file"):
            read(folder, name)


def test_a_stick_that_cannot_be_read_is_a_reason_to_try_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", broken)
    with pytest.raises(FetchError, match="cannot be read: Input/output error"):
        read(folder, "metadata/a.json")


def test_no_descriptor_stays_open(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (folder / "metadata/b.json").symlink_to("a.json")
    for name in ("metadata/a.json", "metadata", "metadata/b.json", "metadata/none"):
        with contextlib.suppress(FetchError, DownloadHTTPError):
            read(folder, name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
