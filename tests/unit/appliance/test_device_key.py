# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.device_key import device_key, key_fingerprint
from filterd.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    made = device_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert device_key(path).public_key == made.public_key


def test_its_fingerprint_is_that_of_the_public_octets_in_groups_of_four(tmp_path: Path) -> None:
    key = device_key(tmp_path / "device.pem")
    groups = key_fingerprint(key).split(" ")
    public = bytes.fromhex(key.public_key.keyval["public"])
    assert {len(one) for one in groups} == {4}
    assert "".join(groups) == hashlib.sha256(public).hexdigest()


@pytest.mark.parametrize("content", [b"", b"\0" * 100])
def test_a_damaged_key_is_an_error_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"device\.pem: this is not a private key"):
        device_key(path)
    assert path.read_bytes() == content


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    device_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        device_key(path)


def test_a_folder_that_is_missing_is_made_and_a_file_in_its_place_is_an_error(
    tmp_path: Path,
) -> None:
    device_key(tmp_path / "state" / "device.pem")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        device_key(tmp_path / "file" / "device.pem")
