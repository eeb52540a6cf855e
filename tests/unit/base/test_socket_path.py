# SPDX-License-Identifier: Apache-2.0
"""A socket is reached by its path, be it longer than an address may be."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.base.socket_path import LONGEST_OCTETS, short_path
from tests.support.unix_sockets import bind, connect

if TYPE_CHECKING:
    from pathlib import Path

LONG = ["x" * 120, "ổ đĩa của thầy/" * 40]


def _is_reached(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as other:
        bind(listening, path)
        listening.listen()
        connect(other, path)
        return path.is_socket()


@pytest.mark.parametrize("folder", LONG)
def test_a_long_path_is_reached(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert _is_reached(tmp_path / folder / "s")


def test_control_a_long_path_itself_is_no_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened, pytest.raises(OSError, match="path too long"):
        opened.bind(str(tmp_path / LONG[0]))


def test_a_long_path_from_the_folder_of_work_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / LONG[0]).mkdir()
    with socket.socket(socket.AF_UNIX) as opened:
        bind(opened, f"{LONG[0]}/s")
    assert (tmp_path / LONG[0] / "s").is_socket()


@pytest.mark.parametrize("name", ["/run/s", "s", "/" + "x" * (LONGEST_OCTETS - 1), "\0" + LONG[0]])
def test_a_short_path_and_an_abstract_name_are_their_own_addresses(name: str) -> None:
    with short_path(name) as address:
        assert address == name


def test_the_length_is_measured_in_octets(tmp_path: Path) -> None:
    name = f"{tmp_path}/{'ổ' * (LONGEST_OCTETS // 3)}/s"
    with pytest.raises(FileNotFoundError), short_path(name):
        pass


def test_the_folder_is_closed_afterwards(tmp_path: Path) -> None:
    (tmp_path / LONG[0]).mkdir()
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 -- names alone
    with short_path(tmp_path / LONG[0] / "s"):
        pass
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208 -- names alone


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_folder_that_is_none_is_an_error(parent: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises((FileNotFoundError, NotADirectoryError)),
        short_path(tmp_path / parent / LONG[0] / "s"),
    ):
        pass
