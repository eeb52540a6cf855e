# SPDX-License-Identifier: Apache-2.0
"""A secret is read from a file that no other user can read, and from nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import DeliveryError
from filterd.monitor.secret_file import read_secret

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "mail"
    secret.write_bytes(b"mat khau 1\n")
    secret.chmod(0o600)
    return secret


def test_a_secret_is_the_line_of_its_file(secret: Path, tmp_path: Path) -> None:
    assert read_secret(tmp_path, "mail") == "mat khau 1"
    secret.chmod(0o400)
    assert read_secret(tmp_path, "mail") == "mat khau 1"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_one_that_others_may_read_or_write_is_refused(
    secret: Path, tmp_path: Path, mode: int
) -> None:
    secret.chmod(mode)
    with pytest.raises(DeliveryError, match="chmod 600"):
        read_secret(tmp_path, "mail")


def test_one_of_another_user_is_refused(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = secret.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(DeliveryError, match="not of this user"):
        read_secret(tmp_path, "mail")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a\nb\n", b"bi-m\xc3\xa2t", b" a", b"a\r\n", b"a\0", b"a" * 4097]
)
def test_what_is_no_line_of_ascii_is_refused_and_not_shown(
    secret: Path, tmp_path: Path, content: bytes
) -> None:
    secret.write_bytes(content)
    with pytest.raises(DeliveryError, match="one line of visible ASCII"):
        read_secret(tmp_path, "mail")


def test_links_pipes_and_missing_files_are_refused(secret: Path, tmp_path: Path) -> None:
    (secret.parent / "link").symlink_to(secret)
    os.mkfifo(secret.parent / "pipe", 0o600)
    for name, why in (("link", "cannot be read"), ("pipe", "plain file"), ("gone", "No such")):
        with pytest.raises(DeliveryError, match=why):
            read_secret(tmp_path, name)
