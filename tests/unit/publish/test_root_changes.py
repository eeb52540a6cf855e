# SPDX-License-Identifier: Apache-2.0
"""A reader trusts what it finds, however a change of keys is interrupted."""

from __future__ import annotations

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from filterd.base.errors import FeedError
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.program_offer import refresh_program
from filterd.feed.signed.trust import TrustFolder, named_keys, read_root
from filterd.publish.parcels import make_parcel
from filterd.publish.program_packages import read_program
from tests.support.dying import killed_after
from tests.support.packages_offered import Maker, a_package
from tests.support.publisher import NOW, Publisher, Site

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ALIKE = [pytest.param(one, marks=pytest.mark.long) for one in ("snapshot", "timestamp")]
"""Roles whose keys are exchanged as that of ``targets`` is."""
OLD, NEW = {"lists/a.txt": b"old.example"}, {"lists/a.txt": b"new.example"}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("old.example")
    return publisher


def known_signers(*roles: str) -> dict[str, list[CryptoSigner]]:
    """Return keys that follow from their names, as a fixture has them: three of the root."""
    return {
        role: [known_signer(f"{role}-{n}") for n in range(3 if role == "root" else 1)]
        for role in roles
    }


def known_signer(name: str) -> CryptoSigner:
    """Return the key that follows from a name."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


def site(publisher: Publisher, name: str = "site") -> Site:
    return Site(publisher.folder.parent / name, publisher.root)


@pytest.mark.parametrize("role", ["targets", "root", *ALIKE])
def test_wherever_a_change_of_keys_is_killed_readers_trust_what_they_find(
    publisher: Publisher, role: str
) -> None:
    reader, files = site(publisher), 0
    reader.take(publisher.folder)
    old, new = publisher.signers[role][0], CryptoSigner.generate_ed25519()
    signers = {**publisher.signers, "root": publisher.signers["root"][1:]}

    def rotate() -> object:
        return publisher.root_changes.rotate_key(role, old, new, signers, now=NOW)

    while killed_after(files, rotate):
        assert reader.take(publisher.folder) == OLD
        assert site(publisher, f"new {files}").take(publisher.folder) == OLD
        files += 1
    assert files == (1 if role == "root" else 4)
    assert rotate() is None  # done already
    publisher.signers[role][0] = new
    publisher.publish("new.example")
    assert reader.take(publisher.folder) == NEW


@pytest.mark.parametrize("role", ["targets", *ALIKE])
def test_a_key_that_is_lost_is_exchanged_without_it_wherever_that_is_killed(
    publisher: Publisher, role: str
) -> None:
    reader, files = site(publisher), 0
    reader.take(publisher.folder)
    lost, new = publisher.signers[role][0], CryptoSigner.generate_ed25519()
    left = {one: signers for one, signers in publisher.signers.items() if one != role}

    def rotate() -> object:
        return publisher.root_changes.rotate_key(role, lost, new, left, now=NOW)

    while killed_after(files, rotate):
        files += 1
    assert files > 1
    assert rotate() is None  # done already
    publisher.signers[role] = [new]
    assert reader.take(publisher.folder) == OLD
    publisher.publish("new.example")
    assert reader.take(publisher.folder) == NEW


def test_an_old_key_signs_in_vain_once_it_was_exchanged(publisher: Publisher) -> None:
    old, new = publisher.signers["snapshot"][0], CryptoSigner.generate_ed25519()
    publisher.root_changes.rotate_key("snapshot", old, new, publisher.signers, now=NOW)
    with pytest.raises(FeedError, match="too few of the keys of the role snapshot"):
        publisher.publish("new.example")
    assert site(publisher).take(publisher.folder) == OLD
    with pytest.raises(FeedError, match="does not count"):
        publisher.root_changes.rotate_key(
            "snapshot", old, CryptoSigner.generate_ed25519(), publisher.signers, now=NOW
        )


def test_a_root_that_too_few_signed_is_not_published(publisher: Publisher) -> None:
    for signers in ([], publisher.signers["root"][:1], [CryptoSigner.generate_ed25519()] * 2):
        with pytest.raises(FeedError, match="role root"):
            publisher.renew_root(signers)
    assert not (publisher.metadata / "2.root.json").exists()
    publisher.renew_root(publisher.signers["root"][1:])
    assert site(publisher).take(publisher.folder) == OLD


def test_the_key_of_the_law_is_exchanged_with_what_it_signed(publisher: Publisher) -> None:
    reader = site(publisher)
    reader.take(publisher.folder)
    new = [CryptoSigner.generate_ed25519()]
    orders = make_parcel("orders", [], new, version=2, now=NOW)
    publisher.root_changes.rotate_delegated(orders, publisher.signers, now=NOW)
    assert reader.take(publisher.folder) == OLD


def test_a_publication_of_an_earlier_release_gets_the_role_program(tmp_path: Path) -> None:
    folder = tmp_path / "www"
    shutil.copytree(FIXTURES / "feed_without_program", folder)
    signers = known_signers("root", "targets", "snapshot", "timestamp", "orders", "program")
    publisher = Publisher(folder, signers=signers)
    maker, reader = Maker(tmp_path, publisher), site(publisher)
    trust = TrustFolder(tmp_path / "program")
    trust.establish(publisher.root)

    def offered() -> list[str]:
        fetcher = FolderFetcher(folder, reader.clock)
        offer = refresh_program(trust, fetcher, Moment(NOW))
        return [target.version for target in offer.targets]

    assert (reader.take(folder), offered()) == (OLD, [])
    parcel = read_program(maker.sign(a_package(tmp_path / "built", "0.2.0")), NOW)
    with pytest.raises(FeedError, match="rotate-key REPO program"):
        publisher.repository.renew(signers, now=NOW, parcels=[parcel])
    publisher.root_changes.rotate_delegated(parcel, signers, now=NOW)
    assert (reader.take(folder), offered()) == (OLD, ["0.2.0"])


def test_a_root_names_the_key_for_enrolments_once_two_root_keys_have_signed_it(
    publisher: Publisher,
) -> None:
    key, roots = CryptoSigner.generate_ed25519().public_key, publisher.signers["root"]
    with pytest.raises(FeedError, match="too few"):
        publisher.root_changes.name_fleet_key(key, roots[:1], now=NOW)
    publisher.root_changes.name_fleet_key(key, roots[:2], now=NOW)
    publisher.root_changes.name_fleet_key(key, roots[:2], now=NOW)  # again, after a power cut
    root = read_root((publisher.metadata / "2.root.json").read_bytes())
    assert (named_keys(root, "fleet_keys"), root.version) == ([key], 2)
    assert len(named_keys(root, "program_keys")) == 1
    assert site(publisher).take(publisher.folder) == OLD


def test_an_interrupted_exchange_of_the_key_for_programs_goes_on(publisher: Publisher) -> None:
    """After any kill schools take the lists, and the same command completes it."""
    new = [CryptoSigner.generate_ed25519()]
    parcel = make_parcel("program", [], new, version=2, now=NOW)
    rotate = partial(publisher.root_changes.rotate_delegated, parcel, publisher.signers, now=NOW)
    files, was_killed = 0, True
    original = publisher.folder.parent / "original"
    shutil.copytree(publisher.folder, original)
    while was_killed:
        shutil.rmtree(publisher.folder)
        shutil.copytree(original, publisher.folder)
        was_killed = killed_after(files, rotate)
        assert site(publisher, f"{files}").take(publisher.folder) == OLD
        if was_killed:
            rotate()
        files += 1
    assert files > 4
