# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from filterd.base.errors import ConfigError, StoreError
from filterd.feed.version_files import ONLINE
from filterd.publish.keys import KeyFolder, load_key

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def test_every_key_is_its_owners_alone_and_what_is_offline_apart(keys: KeyFolder) -> None:
    keys.create()
    files = [path for path in keys.folder.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(keys.folder)) for path in files) == [
        "fleet/fleet.pem",
        "offline/root-1/root-1.pem",
        "offline/root-2/root-2.pem",
        "offline/root-3/root-3.pem",
        "online/snapshot.pem",
        "online/targets.pem",
        "online/timestamp.pem",
        "orders/orders.pem",
        "program/program.pem",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}


def test_a_key_that_was_made_is_read_again(keys: KeyFolder) -> None:
    made = keys.create()
    for role, signers in made.items():
        read = keys.signers(role)
        assert [one.public_key.keyid for one in read] == [
            signer.public_key.keyid for signer in signers
        ]
    assert len({one.public_key.keyid for signers in made.values() for one in signers}) == 9


def test_no_key_is_written_over(keys: KeyFolder) -> None:
    keys.create()
    before = load_key(keys.paths("targets")[0]).public_key.keyid
    for path in keys.folder.rglob("*.pem"):
        if path.name != "targets.pem":
            path.unlink()
    with pytest.raises(ConfigError, match=r"targets\.pem: there already is a key"):
        keys.create()
    assert load_key(keys.paths("targets")[0]).public_key.keyid == before
    assert len(list(keys.folder.rglob("*.pem"))) == 1


def test_a_passphrase_is_asked_for_and_checked(tmp_path: Path) -> None:
    KeyFolder(tmp_path, b"secret").create()
    path = KeyFolder(tmp_path).paths("targets")[0]
    assert b"ENCRYPTED" in path.read_bytes()
    assert load_key(path, b"secret")
    for wrong in (None, b"", b"other"):
        with pytest.raises(ConfigError, match="passphrase"):
            load_key(path, wrong)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o700 | 0o001])
def test_a_key_that_others_may_have_read_is_refused(keys: KeyFolder, mode: int) -> None:
    keys.create()
    path = keys.paths("timestamp")[0]
    path.chmod(mode)
    with pytest.raises(ConfigError, match="others can read"):
        keys.signers("timestamp")
    path.chmod(0o400)
    assert keys.signers("timestamp")


def test_neither_link_nor_pipe_nor_another_kind_is_a_key(keys: KeyFolder, tmp_path: Path) -> None:
    keys.create()
    path = keys.paths("targets")[0]
    (tmp_path / "link.pem").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    curve = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for name, content in (("curve.pem", curve), ("text.pem", b"no key")):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    for name, why in (
        ("link.pem", "link"),
        ("pipe.pem", "cannot be read"),
        ("none.pem", "cannot be read: No such file"),
        ("curve.pem", "Ed25519"),
        ("text.pem", "not a private key"),
    ):
        with pytest.raises(ConfigError, match=why):
            load_key(tmp_path / name)


def test_a_role_without_keys_names_where_they_belong(keys: KeyFolder) -> None:
    for role in (*ONLINE, "root", "orders"):
        with pytest.raises(ConfigError, match=f"the key of the role {role} is missing"):
            keys.signers(role)


def test_of_the_root_those_keys_sign_that_are_here(keys: KeyFolder) -> None:
    keys.create()
    keys.paths("root")[1].unlink()
    assert len(keys.signers("root")) == 2


def test_a_next_key_waits_and_is_the_same_until_it_takes_its_place(keys: KeyFolder) -> None:
    keys.create()
    path = keys.paths("timestamp")[0]
    old, new = load_key(path), keys.next_key(path)
    assert keys.next_key(path).public_key.keyid == new.public_key.keyid
    assert load_key(path).public_key.keyid == old.public_key.keyid
    keys.promote(path)
    assert load_key(path).public_key.keyid == new.public_key.keyid
    with pytest.raises(StoreError):
        keys.promote(path)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be written"):
        KeyFolder(tmp_path / "keys").create()
