# SPDX-License-Identifier: Apache-2.0
"""A certificate is made, and one is installed only if browsers take it."""

from __future__ import annotations

import base64
import contextlib
import random
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from filterd.appliance.setup import web_certificate
from filterd.appliance.setup.web_certificate import (
    CHAIN,
    KEY,
    ensure,
    facts_of,
    install,
    load,
    make,
)
from filterd.base.certificate_facts import FILE, facts_in
from filterd.base.errors import ConfigError
from filterd.texts.i18n import UNSAID

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_764_550_800.0
DAY = 86_400
AUTHORITY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
OWN: Any = ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _issued(
    subject: str = "loc.truong.vn",
    issuer: str = "CA",
    key: Any = OWN,
    by: Any = AUTHORITY,
    days: tuple[int, int] = (-1, 90),
    names: tuple[str, ...] = ("loc.truong.vn",),
) -> bytes:
    begins, ends = (datetime.fromtimestamp(NOW, UTC) + timedelta(days=day) for day in days)
    built = x509.CertificateBuilder().subject_name(_named(subject)).issuer_name(_named(issuer))
    built = built.public_key(key.public_key()).serial_number(7)
    built = built.not_valid_before(begins).not_valid_after(ends)
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        built = built.add_extension(san, critical=False)
    return built.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _write(folder: Path, chain: bytes, key: Any = OWN, mode: int = 0o600) -> tuple[Path, Path]:
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "chain").write_bytes(chain)
    (folder / "key").write_bytes(pem)
    (folder / "key").chmod(mode)
    return folder / "chain", folder / "key"


CA = _issued("CA", key=AUTHORITY, names=())
WEAK = rsa.generate_private_key(65537, 1024)
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def test_a_new_one_is_for_its_names_and_servers_take_it(tmp_path: Path) -> None:
    made = make(tmp_path / CHAIN, tmp_path / KEY, ["filterd", "a.lan"], ["10.0.0.2", "::1"], NOW)
    assert (made.names, made.addresses, made.issuer) == (
        ("filterd", "a.lan"),
        ("10.0.0.2", "::1"),
        "",
    )
    assert facts_in(tmp_path) == facts_of(tmp_path / CHAIN) == made
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / CHAIN, tmp_path / KEY)


def test_everybody_reads_its_facts_and_its_owner_and_group_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "filterd-web"
    make(folder / CHAIN, folder / KEY, ["filterd"], [], NOW)
    modes = {one.name: one.stat().st_mode & 0o777 for one in (folder, *folder.iterdir())}
    assert modes == {folder.name: 0o755, CHAIN: 0o644, FILE: 0o644, KEY: 0o640}


def test_it_is_made_again_only_for_another_name_or_address(tmp_path: Path) -> None:
    first = ensure(tmp_path, ["filterd"], ["10.0.0.2", "fd00::2"], NOW)
    assert ensure(tmp_path, ["filterd"], ["10.0.0.2", "fd00::3"], NOW + DAY) == first
    assert ensure(tmp_path, ["filterd"], ["10.0.0.3"], NOW + DAY) != first
    bought = install(tmp_path, load(*_write(tmp_path, _issued() + CA), NOW))
    assert ensure(tmp_path, ["filterd"], ["10.0.0.4"], NOW) == bought


def test_one_that_browsers_know_takes_its_place(tmp_path: Path) -> None:
    offered = load(*_write(tmp_path, _issued() + CA), NOW)
    facts = install(tmp_path, offered)
    assert (facts.names, facts.issuer) == (("loc.truong.vn",), "CN=CA")
    assert facts.ends_at == NOW + 90 * DAY
    assert (tmp_path / CHAIN).read_bytes() == offered.chain


@pytest.mark.parametrize(
    ("chain", "key", "problem"),
    [
        (_issued(), OTHER, "the key is not that of the certificate"),
        (_issued(days=(-90, -1)), OWN, "it has ended"),
        (_issued(days=(1, 90)), OWN, "it is not valid yet"),
        (_issued(names=()), OWN, "it has no host name and no address"),
        (_issued(key=WEAK), WEAK, "RSA from 2048 bits"),
        (_issued(key=EDWARDS), EDWARDS, "RSA from 2048 bits"),
        (_issued(by=OTHER) + CA, OWN, "certificate 1 of the file is not signed"),
        (b"no PEM", OWN, "not a certificate in PEM"),
        (_issued() * 11, OWN, "too many certificates"),
        (b"x" * 70_000, OWN, "too large"),
    ],
)
def test_what_browsers_refuse_is_refused(
    tmp_path: Path, chain: bytes, key: Any, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(*_write(tmp_path, chain, key), NOW)


def test_no_octets_raise_anything_else(tmp_path: Path) -> None:
    make(tmp_path / CHAIN, tmp_path / KEY, ["filterd"], ["10.0.0.2"], NOW)
    chances = random.Random(7)
    files = tmp_path / "chain", tmp_path / "key"
    for _ in range(300):
        for good, file in zip((CHAIN, KEY), files, strict=True):
            first, *lines, last = (tmp_path / good).read_bytes().splitlines()
            der = bytearray(base64.b64decode(b"".join(lines)))
            der[chances.randrange(len(der))] = chances.randrange(256)
            file.write_bytes(b"\n".join((first, base64.b64encode(der), last)))
            file.chmod(0o600)
        for call in (lambda: load(*files, NOW), lambda: facts_of(files[0])):
            with contextlib.suppress(ConfigError):
                call()


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    chain, key = _write(tmp_path, _issued(), mode=0o640)
    with pytest.raises(ConfigError, match="others can read"):
        load(chain, key, NOW)
    key.write_bytes(b"none")
    key.chmod(0o600)
    with pytest.raises(ConfigError, match="not a private key"):
        load(chain, key, NOW)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(chain, tmp_path / "gone", NOW)


def test_control_without_the_check_what_has_ended_would_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_certificate, "_fault", lambda *_: UNSAID)
    facts = install(tmp_path, load(*_write(tmp_path, _issued(days=(-90, -1))), NOW))
    assert facts.ends_at < NOW
