# SPDX-License-Identifier: Apache-2.0
"""A site finds a whole publication, old or new, after any kill."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from securesystemslib.signer import CryptoSigner

from filterd.base import paths
from filterd.base.errors import FeedError, StoreError
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.program_offer import refresh_program
from filterd.feed.signed.trust import TrustFolder, named_keys, read_root
from filterd.feed.signed.tuf_refresh import look
from filterd.publish.parcels import make_parcel
from filterd.publish.program_packages import read_program
from filterd.publish.repository import Repository
from tests.support.known_keys import known_signers
from tests.support.packages_offered import Maker, a_package
from tests.support.publisher import DAY_S, NOW, Publisher, Site, a_file

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ALIKE = [pytest.param(one, marks=pytest.mark.long) for one in ("snapshot", "timestamp")]
"""Roles whose keys are exchanged as that of ``targets`` is."""
OLD, NEW = {"lists/a.txt": b"old.example"}, {"lists/a.txt": b"new.example"}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("old.example")
    return publisher


def site(publisher: Publisher, name: str = "site") -> Site:
    return Site(publisher.folder.parent / name, publisher.root)


def killed_after(files: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed after it has put so many files in place."""
    child = os.fork()
    if child == 0:
        install, left = paths.install, files

        def counted(temporary: Path, path: Path) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            install(temporary, path)

        paths.install = counted
        try:
            work()
        except BaseException:  # noqa: BLE001 -- the parent must learn of everything
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), "the child has failed instead"
    return code != 0


def test_wherever_a_publication_is_killed_readers_find_a_whole_and_it_can_be_repeated(
    publisher: Publisher,
) -> None:
    killed, files = True, 0
    while killed:
        folder = shutil.copytree(publisher.folder, publisher.folder.parent / f"www {files}")
        copy = Publisher(folder, signers=publisher.signers)
        reader = site(copy, f"site {files}")
        reader.take(publisher.folder)
        killed = killed_after(files, lambda copy=copy: copy.publish("new.example"))  # type: ignore[misc]
        assert reader.take(folder) == (OLD if killed else NEW)
        assert site(copy, f"new {files}").take(folder) == (OLD if killed else NEW)
        copy.publish("new.example")
        assert reader.take(folder) == NEW
        files += 1
    assert files == 5  # killed before the list, targets, snapshot, timestamp; and not at all


@pytest.mark.parametrize("role", ["targets", "root", *ALIKE])
def test_wherever_a_change_of_keys_is_killed_readers_trust_what_they_find(
    publisher: Publisher, role: str
) -> None:
    reader, files = site(publisher), 0
    reader.take(publisher.folder)
    old, new = publisher.signers[role][0], CryptoSigner.generate_ed25519()
    signers = {**publisher.signers, "root": publisher.signers["root"][1:]}

    def rotate() -> object:
        return publisher.repository.rotate_key(role, old, new, signers, now=NOW)

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
        return publisher.repository.rotate_key(role, lost, new, left, now=NOW)

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
    publisher.repository.rotate_key("snapshot", old, new, publisher.signers, now=NOW)
    with pytest.raises(FeedError, match="too few of the keys of the role snapshot"):
        publisher.publish("new.example")
    assert site(publisher).take(publisher.folder) == OLD
    with pytest.raises(FeedError, match="does not count"):
        publisher.repository.rotate_key(
            "snapshot", old, CryptoSigner.generate_ed25519(), publisher.signers, now=NOW
        )


def test_a_root_that_too_few_signed_is_not_published(publisher: Publisher) -> None:
    for signers in ([], publisher.signers["root"][:1], [CryptoSigner.generate_ed25519()] * 2):
        with pytest.raises(FeedError, match="role root"):
            publisher.renew_root(signers)
    assert not (publisher.metadata / "2.root.json").exists()
    publisher.renew_root(publisher.signers["root"][1:])
    assert site(publisher).take(publisher.folder) == OLD


def test_what_was_urgent_last_stays_announced(publisher: Publisher) -> None:
    reader = site(publisher)

    def seen() -> tuple[int, int]:
        announced = look(reader.trust, FolderFetcher(publisher.folder, reader.clock))
        assert announced is not None
        return announced.version, announced.urgent

    assert seen() == (2, 0)
    publisher.publish("new.example", urgent=True)
    assert seen() == (3, 3)
    publisher.publish("other.example")
    assert seen() == (4, 3)
    publisher.repository.renew(publisher.signers, now=NOW)
    assert seen() == (5, 3)
    publisher.repository.renew(publisher.signers, now=NOW, urgent=True)
    assert seen() == (6, 6)


def test_a_version_is_renewed_before_it_expires(publisher: Publisher) -> None:
    reader, later = site(publisher), NOW + 60 * DAY_S
    reader.clock.advance(60 * DAY_S)
    with pytest.raises(FeedError, match="expired"):
        reader.take(publisher.folder)
    publisher.repository.renew(publisher.signers, now=later)
    assert reader.take(publisher.folder) == OLD


def test_lists_of_the_law_are_published_as_their_own_key_signed_them(publisher: Publisher) -> None:
    ordered = [a_file("orders/1.txt", b"order.example")]
    orders = make_parcel("orders", ordered, publisher.signers["orders"], version=2, now=NOW)
    with pytest.raises(FeedError, match="the file is missing"):
        publisher.publish("new.example", parcels=[replace(orders, targets=())])
    publisher.publish("new.example", parcels=[orders])
    taken = {**NEW, "orders/1.txt": b"order.example"}
    assert site(publisher).take(publisher.folder) == taken
    publisher.publish("new.example")
    assert site(publisher).take(publisher.folder) == taken


def test_only_the_law_s_keys_sign_the_law_and_they_sign_nothing_else(publisher: Publisher) -> None:
    forged = make_parcel("orders", [], publisher.signers["targets"], version=2, now=NOW)
    with pytest.raises(FeedError, match="not signed by its key"):
        publisher.publish("new.example", parcels=[forged])
    file = a_file("lists/b.txt", b"b.example")
    foreign = make_parcel("orders", [file], publisher.signers["orders"], version=2, now=NOW)
    with pytest.raises(FeedError, match="may not name it"):
        publisher.publish("new.example", parcels=[foreign])
    again = make_parcel("orders", [], publisher.signers["orders"], version=1, now=NOW)
    with pytest.raises(FeedError, match="version 1 before"):
        publisher.publish("new.example", parcels=[again])
    with pytest.raises(FeedError, match="only the role orders"):
        publisher.repository.publish([a_file("orders/1.txt", b"x")], publisher.signers, now=NOW)
    assert site(publisher).take(publisher.folder) == OLD


def test_the_key_of_the_law_is_exchanged_with_what_it_signed(publisher: Publisher) -> None:
    reader = site(publisher)
    reader.take(publisher.folder)
    new = [CryptoSigner.generate_ed25519()]
    orders = make_parcel("orders", [], new, version=2, now=NOW)
    publisher.repository.rotate_delegated(orders, publisher.signers, now=NOW)
    assert reader.take(publisher.folder) == OLD


def test_a_publication_is_not_begun_twice(publisher: Publisher) -> None:
    with pytest.raises(FeedError, match="already is a publication"):
        Repository(publisher.folder).create(publisher.signers, now=NOW)


def test_a_folder_without_a_publication_is_reported(publisher: Publisher) -> None:
    shutil.rmtree(publisher.metadata)
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        publisher.publish("new.example")


def test_what_no_recent_snapshot_names_is_removed_and_nothing_else(publisher: Publisher) -> None:
    reader = site(publisher)
    reader.take(publisher.folder)
    slow = reader.refresh(publisher.folder)
    publisher.renew_root()
    for number in range(3):
        publisher.publish(f"{number}.example")
    assert publisher.repository.prune(keep=4) == 2  # snapshot and targets of the empty version 1
    assert slow.fetch("lists/a.txt.zst") == b"old.example"
    assert publisher.repository.prune(keep=1) == 9
    assert reader.take(publisher.folder) == {"lists/a.txt": b"2.example"}
    assert site(publisher, "new").take(publisher.folder) == {"lists/a.txt": b"2.example"}
    assert sorted(path.name for path in publisher.metadata.iterdir()) == [
        "1.orders.json",
        "1.program.json",
        "1.root.json",
        "2.root.json",
        "5.snapshot.json",
        "5.targets.json",
        "timestamp.json",
    ]


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
        return [one.version for one in offer.targets]

    assert (reader.take(folder), offered()) == (OLD, [])
    parcel = read_program(maker.sign(a_package(tmp_path / "built", "0.2.0")), NOW)
    with pytest.raises(FeedError, match="rotate-key REPO program"):
        publisher.repository.renew(signers, now=NOW, parcels=[parcel])
    publisher.repository.rotate_delegated(parcel, signers, now=NOW)
    assert (reader.take(folder), offered()) == (OLD, ["0.2.0"])


def test_a_root_names_the_key_for_enrolments_once_two_root_keys_have_signed_it(
    publisher: Publisher,
) -> None:
    key, roots = CryptoSigner.generate_ed25519().public_key, publisher.signers["root"]
    with pytest.raises(FeedError, match="too few"):
        publisher.repository.name_fleet_key(key, roots[:1], now=NOW)
    publisher.repository.name_fleet_key(key, roots[:2], now=NOW)
    publisher.repository.name_fleet_key(key, roots[:2], now=NOW)  # again, after a power cut
    root = read_root((publisher.metadata / "2.root.json").read_bytes())
    assert (named_keys(root, "fleet_keys"), root.version) == ([key], 2)
    assert len(named_keys(root, "program_keys")) == 1
    assert site(publisher).take(publisher.folder) == OLD


def test_an_interrupted_exchange_of_the_key_for_programs_goes_on(publisher: Publisher) -> None:
    """After any kill schools take the lists, and the same command completes it."""
    new = [CryptoSigner.generate_ed25519()]
    parcel = make_parcel("program", [], new, version=2, now=NOW)
    rotate = partial(publisher.repository.rotate_delegated, parcel, publisher.signers, now=NOW)
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
