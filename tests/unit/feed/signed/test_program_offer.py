# SPDX-License-Identifier: Apache-2.0
"""Packages of the program are offered by their own key alone, and verified before use."""

from __future__ import annotations

import shutil
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import TargetFile

from filterd.base import paths
from filterd.base.errors import (
    DigestError,
    ExpiredError,
    FeedError,
    MetadataFormatError,
    MissingFileError,
    RollbackError,
    SignatureError,
    StoreError,
    TooLargeError,
)
from filterd.feed.signed import program_offer
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.signed.program_offer import (
    ProgramOffer,
    mirror,
    read_targets,
    refresh_program,
    target_name,
    version_key,
)
from filterd.feed.signed.trust import TrustFolder
from filterd.publish.parcels import make_parcel
from filterd.publish.signing import NewTarget
from tests.support.clock import FakeClock
from tests.support.feed_desk import files_of
from tests.support.packages_offered import Maker, a_package
from tests.support.publisher import DAY_S, NOW, Publisher, Site, meta_of, send, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    """Publish an empty feed, with a role for programs."""
    return Maker(tmp_path, Publisher(tmp_path / "www"))


class Appliance:
    """A trust for programs, and the runs with it."""

    def __init__(self, maker: Maker, name: str = "appliance") -> None:
        self.trust = TrustFolder(maker.folder / name)
        self.trust.establish(maker.publisher.root)

    def refresh(self, source: Path | str, now: float = NOW) -> ProgramOffer:
        clock = FakeClock(now)
        web = isinstance(source, str)
        fetcher: Any = WebFetcher(source, clock) if web else FolderFetcher(source, clock)  # type: ignore[arg-type]
        return refresh_program(self.trust, fetcher, Moment(now))


@pytest.fixture
def appliance(maker: Maker) -> Appliance:
    return Appliance(maker)


@pytest.mark.parametrize("by", ["web", "stick"])
def test_a_package_comes_as_its_maker_signed_it(
    maker: Maker, appliance: Appliance, by: str
) -> None:
    package = maker.offer("0.2.0")
    with served(maker.publisher.folder) as server:
        offer = appliance.refresh(server.url if by == "web" else maker.publisher.folder)
        target = offer.newest("13", "amd64")
        assert target is not None
        assert (target.version, target.released_at, target.urgent) == ("0.2.0", NOW, False)
        assert (offer.issued_at, offer.clock_known) == (NOW, True)
        offer.fetch(target, maker.folder / "got" / "a.deb")
    assert files_of(maker.folder / "got") == {"a.deb": package.read_bytes()}


def test_a_system_gets_the_highest_version_for_it_alone(maker: Maker, appliance: Appliance) -> None:
    built = maker.folder / "built"
    systems = [("12", "arm64"), ("13", "amd64"), ("13", "arm64")]
    maker.publish(maker.sign(*(a_package(built, "0.10.0", *system) for system in systems)))
    offer = appliance.refresh(maker.publisher.folder)
    assert {(target.debian, target.architecture) for target in offer.targets} == set(systems)
    assert offer.newest("12", "amd64") is None
    [of_12] = [target for target in offer.targets if target.debian == "12"]
    older = replace(of_12, version="0.9.0")
    assert replace(offer, targets=(older, of_12)).newest("12", "arm64") == of_12


def test_versions_are_ordered_by_their_numbers() -> None:
    versions = ["0.9", "0.10", "0.10.0.1", "1.0"]
    assert sorted(versions, key=version_key) == versions
    assert version_key("1.0") == version_key("1.0.0")
    for wrong in ("1", "1.0rc1", "1.0+deb13", "", "1.0\n", "1.0.0.0.0", "9999999.0"):
        with pytest.raises(ValueError, match=r"^"):
            version_key(wrong)


def test_a_feed_without_packages_offers_none(maker: Maker, appliance: Appliance) -> None:
    offer = appliance.refresh(maker.publisher.folder)
    assert (offer.targets, offer.newest("13", "amd64")) == ((), None)


def _by(maker: Maker, signers: list[CryptoSigner], file: NewTarget | None = None) -> None:
    """Publish packages and their key with the online keys alone, as a thief of them can."""
    publisher = maker.publisher
    custom = {"version": "9.0", "debian": "13", "architecture": "amd64", "released_at": int(NOW)}
    file = file or NewTarget(target_name("9.0", "13", "amd64"), b"evil", {"program": custom})
    parcel = make_parcel("program", [file], signers, version=9, now=NOW)
    changes = publisher.root_changes
    changes._name_key = lambda *_: None  # type: ignore[method-assign]
    changes.rotate_delegated(parcel, publisher.signers, now=NOW)


def test_a_thief_of_the_online_keys_signs_no_program(
    maker: Maker, appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    _by(maker, [CryptoSigner.generate_ed25519()])
    before = files_of(appliance.trust.folder)
    with pytest.raises(SignatureError, match="a key that the root does not name"):
        appliance.refresh(maker.publisher.folder)
    kept = files_of(appliance.trust.folder)
    assert {name: one for name, one in kept.items() if "root" not in name} == {
        name: one for name, one in before.items() if "root" not in name
    }
    # The control: without the root's word the thief's program is offered.
    monkeypatch.setattr(program_offer, "_check_key", lambda *_: None)
    assert appliance.refresh(maker.publisher.folder).newest("13", "amd64") is not None


def test_a_thief_of_the_online_keys_cannot_use_the_id_of_the_true_key(
    maker: Maker, appliance: Appliance
) -> None:
    thief = CryptoSigner.generate_ed25519()
    thief.public_key.keyid = maker.publisher.signers["program"][0].public_key.keyid
    _by(maker, [thief])
    with pytest.raises(SignatureError, match="a key that the root does not name"):
        appliance.refresh(maker.publisher.folder)


def test_a_key_that_was_exchanged_signs_nothing_any_more(
    maker: Maker, appliance: Appliance
) -> None:
    """Also where the thief of it has the online keys."""
    stolen, publisher = maker.publisher.signers["program"], maker.publisher
    new = [CryptoSigner.generate_ed25519()]
    parcel = make_parcel("program", [], new, version=2, now=NOW)
    publisher.root_changes.rotate_delegated(parcel, publisher.signers, now=NOW)
    assert appliance.refresh(publisher.folder).targets == ()
    _by(maker, stolen)
    with pytest.raises(SignatureError, match="a key that the root does not name"):
        appliance.refresh(publisher.folder)


def test_a_package_that_the_role_targets_names_is_refused(
    maker: Maker, appliance: Appliance
) -> None:
    package = maker.offer("0.2.0")
    name = target_name("0.3.0", "13", "amd64")
    [signed] = appliance.refresh(maker.publisher.folder).targets
    file = maker.publisher.read("2.program.json").signed.targets[signed.target]
    maker.publisher.forge_targets(lambda one: one.targets.__setitem__(name, file))
    with pytest.raises(SignatureError, match="the role targets must not sign this file"):
        appliance.refresh(maker.publisher.folder)
    assert package.is_file()


def test_the_role_program_names_no_list(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    program = maker.publisher.read("2.program.json")
    [file] = program.signed.targets.values()
    program.signed.targets = {"lists/a.txt.zst": file}
    _put_program(maker, program.signed)
    with pytest.raises(SignatureError, match="the role program must not sign this file"):
        appliance.refresh(maker.publisher.folder)


def _put_program(maker: Maker, signed: Any) -> None:
    """Publish other metadata of the role, signed by its own key."""
    signed.version += 1
    content = maker.publisher.sign("program", signed)
    maker.publisher.put(f"{signed.version}.program.json", content)
    meta = meta_of(signed.version, content)
    maker.publisher.forge_snapshot(lambda one: one.meta.__setitem__("program.json", meta))


WRONG: list[Callable[[Any], object]] = [
    lambda file: file.custom["program"].__setitem__("version", "0.2.0-evil"),
    lambda file: file.custom["program"].__setitem__("debian", "12"),  # not that of the name
    lambda file: file.custom["program"].__setitem__("architecture", "../amd64"),
    lambda file: file.custom["program"].__setitem__("released_at", "now"),
    lambda file: file.custom["program"].__setitem__("released_at", -1),
    lambda file: file.custom["program"].__setitem__("urgent", 1),
    lambda file: file.unrecognized_fields.clear(),
    lambda file: file.custom.__setitem__("program", [1]),
    lambda file: file.unrecognized_fields.__setitem__("custom", [1]),
    lambda file: setattr(file, "length", program_offer.MOST_OCTETS + 1),
    lambda file: setattr(file, "hashes", {"sha256": "../../etc/passwd"}),
    lambda file: setattr(file, "hashes", {"sha512": "0" * 128}),
]


@pytest.mark.parametrize("harm", WRONG)
def test_malformed_data_is_refused_even_if_it_is_signed(
    maker: Maker, appliance: Appliance, harm: Callable[[Any], object]
) -> None:
    maker.offer("0.2.0")
    signed = maker.publisher.read("2.program.json").signed
    harm(next(iter(signed.targets.values())))
    _put_program(maker, signed)
    with pytest.raises(MetadataFormatError):
        appliance.refresh(maker.publisher.folder)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
FIELDS = ("version", "debian", "architecture", "released_at", "urgent")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.none() | JSON, st.text(max_size=30))
def test_whatever_is_signed_is_read_or_refused(
    changed: dict[str, Any], custom: Any, name: str
) -> None:
    fields = {"version": "1.2", "debian": "13", "architecture": "arm64", "released_at": 7}
    fields |= changed
    named = {target_name("1.2", "13", "arm64"): fields, f"program/{name}": custom}
    for target, data in named.items():
        extra = {"custom": {"program": data} if data is fields else data}
        file = TargetFile(9, {"sha256": "0" * 64}, target, extra)
        try:
            [read] = read_targets({target: file})
        except (MetadataFormatError, SignatureError):
            continue
        assert read.custom["program"] == {"urgent": False, **fields}
        assert (read.version, read.target) == ("1.2", target)


def test_a_school_that_takes_lists_asks_for_no_package(maker: Maker) -> None:
    maker.publisher.publish("a.example")
    maker.offer("0.2.0")
    site = Site(maker.folder / "site", maker.publisher.root)
    with served(maker.publisher.folder) as server:
        assert site.take(server.url) == {"lists/a.txt": b"a.example"}
        assert [path for path, _ in server.asked if "program" in path] == []


def test_what_is_older_than_what_was_seen_is_refused(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    old = maker.folder / "old"
    shutil.copytree(maker.publisher.folder, old)
    maker.offer("0.3.0")
    appliance.refresh(maker.publisher.folder)
    with pytest.raises(RollbackError):
        appliance.refresh(old)
    # Newer metadata with the older packages in it: a mix of two publications.
    before = maker.publisher.read("2.program.json")
    meta = meta_of(2, maker.publisher.sign("program", before))
    maker.publisher.forge_snapshot(lambda one: one.meta.__setitem__("program.json", meta))
    with pytest.raises(RollbackError):
        appliance.refresh(maker.publisher.folder)
    # The control: an appliance that has seen nothing takes both.
    assert [target.version for target in Appliance(maker, "new").refresh(old).targets] == ["0.2.0"]


def test_a_feed_that_stands_still_counts_as_expired(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    assert appliance.refresh(maker.publisher.folder).expires_at == NOW + 30 * DAY_S
    with pytest.raises(ExpiredError):
        appliance.refresh(maker.publisher.folder, NOW + 31 * DAY_S)
    # Renewed by the online keys, while the makers sign nothing for more than a year.
    maker.publisher.repository.renew(maker.publisher.signers, now=NOW + 370 * DAY_S)
    with pytest.raises(ExpiredError, match="program"):
        appliance.refresh(maker.publisher.folder, NOW + 371 * DAY_S)


def test_without_a_known_clock_expiry_waits(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    assert not appliance.refresh(maker.publisher.folder, 1_000.0).clock_known


@pytest.mark.parametrize(
    ("content", "kind"),
    [(lambda right: right[:-1] + b"x", DigestError), (lambda right: right + b"x", TooLargeError)],
)
def test_another_content_never_gets_the_name(
    maker: Maker,
    appliance: Appliance,
    content: Callable[[bytes], bytes],
    kind: type[FeedError],
) -> None:
    package = maker.offer("0.2.0").read_bytes()
    with served(maker.publisher.folder) as server:
        offer = appliance.refresh(server.url)
        [target] = offer.targets
        folder, _, name = target.target.rpartition("/")
        path = f"/targets/{folder}/{target.sha256}.{name}"
        server.answers[path] = lambda handler: send(handler, content(package))
        with pytest.raises(kind):
            offer.fetch(target, maker.folder / "got" / "a.deb")
    assert files_of(maker.folder / "got") == {}


def test_a_package_that_is_not_there_leaves_nothing(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    offer = appliance.refresh(maker.publisher.folder)
    shutil.rmtree(maker.publisher.folder / "targets" / "program")
    with pytest.raises(MissingFileError):
        offer.fetch(offer.targets[0], maker.folder / "got" / "a.deb")
    assert files_of(maker.folder / "got") == {}


def test_a_full_disk_is_refused_before_anything_is_fetched(
    maker: Maker, appliance: Appliance
) -> None:
    maker.offer("0.2.0")
    offer = appliance.refresh(maker.publisher.folder)
    huge = replace(offer.targets[0], octets=1 << 60)
    with pytest.raises(StoreError, match="must be free"):
        offer.fetch(huge, maker.folder / "got" / "a.deb")


class _Recorder:
    """A fetcher of one endless file, which counts what is held at once."""

    base = "folder:/"

    def download_into(self, _url: str, most: int, take: Callable[[bytes], object]) -> None:
        for _ in range(0, most, 1 << 16):
            take(bytes(1 << 16))


def test_a_large_package_is_not_held_in_memory(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    offer = replace(appliance.refresh(maker.publisher.folder), fetcher=_Recorder())  # type: ignore[arg-type]
    large = replace(offer.targets[0], octets=32 << 20)
    tracemalloc.start()
    with pytest.raises(DigestError):
        offer.fetch(large, maker.folder / "got" / "a.deb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


def _taken(maker: Maker, name: str, source: Path) -> bytes:
    """Return the package that a root-owned reader with a trust of its own takes."""
    offer = Appliance(maker, name).refresh(source)
    target = offer.newest("13", "amd64")
    assert target is not None
    offer.fetch(target, maker.folder / name / "a.deb")
    return (maker.folder / name / "a.deb").read_bytes()


def test_a_mirror_is_enough_for_a_reader_with_a_trust_of_its_own(
    maker: Maker, appliance: Appliance
) -> None:
    maker.publisher.publish("a.example")
    maker.publisher.renew_root()
    package = maker.offer("0.2.0")
    folder = maker.folder / "mirror"
    offer = appliance.refresh(maker.publisher.folder)
    mirror(offer, folder, offer.newest("13", "amd64"))
    assert _taken(maker, "reader", folder) == package.read_bytes()
    assert not list(folder.rglob("*.zst"))


def test_a_reader_of_a_mirror_finds_a_whole_at_every_step(
    maker: Maker, appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen, packages = maker.folder / "mirror", list[bytes](), dict[str, bytes]()
    for version in ("0.2.0", "0.3.0", "0.4.0"):
        packages[version] = maker.offer(version).read_bytes()
        offer = appliance.refresh(maker.publisher.folder)
        install = paths.install

        def observed(temporary: Path, path: Path, install: Any = install) -> None:
            install(temporary, path)
            if path.is_relative_to(folder) and len(packages) > 1:
                seen.append(_taken(maker, f"reader-{len(seen)}", folder))

        with monkeypatch.context() as patched:
            patched.setattr(paths, "install", observed)
            mirror(offer, folder, offer.newest("13", "amd64"))
    assert set(seen) == set(packages.values())
    assert seen[-1] == packages["0.4.0"]
    # What the last but one named is gone with the next call.
    assert len(list((folder / "targets").rglob("*.deb"))) == 2
    mirror(offer, folder, offer.newest("13", "amd64"))
    assert len(list((folder / "targets").rglob("*.deb"))) == 1


def test_a_package_that_is_mirrored_already_is_not_fetched_again(
    maker: Maker, appliance: Appliance
) -> None:
    maker.offer("0.2.0")
    folder = maker.folder / "mirror"
    with served(maker.publisher.folder) as server:
        for _ in range(2):
            offer = appliance.refresh(server.url)
            mirror(offer, folder, offer.newest("13", "amd64"))
        asked = [path for path, _ in server.asked if path.endswith(".deb")]
        assert len(asked) == 1
        [stored] = (folder / "targets").rglob("*.deb")
        stored.write_bytes(b"spoilt")
        mirror(offer, folder, offer.newest("13", "amd64"))
    assert _taken(maker, "reader", folder)


def test_leftovers_of_a_killed_process_are_removed(maker: Maker, appliance: Appliance) -> None:
    maker.offer("0.2.0")
    folder = maker.folder / "mirror"
    (folder / "targets" / "program").mkdir(parents=True)
    (folder / "targets" / "program" / ".a.deb.7.tmp").write_bytes(b"half")
    offer = appliance.refresh(maker.publisher.folder)
    mirror(offer, folder, None)
    assert list((folder / "targets" / "program").iterdir()) == []
    with pytest.raises(MissingFileError):
        _taken(maker, "reader", folder)
