# SPDX-License-Identifier: Apache-2.0
"""Packages of one version are signed, each above the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner

from filterd.base.errors import ConfigError, FeedError, StoreError
from filterd.publish import program_packages
from filterd.publish.program_packages import newest_version, read_program, sign_program
from filterd.publish.signing import content_of
from tests.support.packages_offered import a_package
from tests.support.publisher import DAY_S, NOW

if TYPE_CHECKING:
    from pathlib import Path


class Desk:
    """The machine of the key of the role ``program``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.parcel = folder, folder / "parcel"
        self.signer = CryptoSigner.generate_ed25519()

    def sign(self, *packages: Path, **how: Any) -> program_packages.SignedProgram:
        return sign_program(packages, self.parcel, [self.signer], **{"now": NOW, **how})

    def package(self, *fields: str, **more: str) -> Path:
        return a_package(self.folder / "built", *fields, **more)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_parcel_has_the_packages_by_system(desk: Desk) -> None:
    packages = [desk.package("0.2.0", debian) for debian in ("12", "13")]
    signed = desk.sign(*packages, urgent=True)
    assert (signed.version, signed.newest) == (2, "0.2.0")
    assert [
        (package.debian, package.architecture, package.urgent) for package in signed.packages
    ] == [
        ("12", "amd64", True),
        ("13", "amd64", True),
    ]
    parcel = read_program(desk.parcel, NOW)
    assert [content_of(target) for target in parcel.targets] == [
        package.read_bytes() for package in packages
    ]


@pytest.mark.parametrize("version", ["0.2.0", "0.1.9", "0.2"])
def test_no_version_is_signed_twice_or_after_a_higher_one(desk: Desk, version: str) -> None:
    desk.sign(desk.package("0.2.0"))
    before = (desk.parcel / "program.json").read_bytes()
    with pytest.raises(FeedError, match=r"is not above 0\.2\.0, which was signed last"):
        desk.sign(desk.package(version, "12"))
    assert (desk.parcel / "program.json").read_bytes() == before


def test_what_is_withdrawn_lets_no_older_version_follow(desk: Desk) -> None:
    desk.sign(desk.package("0.3.0"))
    assert desk.sign() == program_packages.SignedProgram(3, (), "0.3.0")
    assert newest_version(desk.parcel) == "0.3.0"
    with pytest.raises(FeedError, match=r"not above 0\.3\.0"):
        desk.sign(desk.package("0.2.0"))
    assert desk.sign(desk.package("0.3.1")).version == 4


def test_versions_are_not_mixed(desk: Desk) -> None:
    packages = [desk.package("0.10.0"), desk.package("0.9.0", "12")]
    with pytest.raises(FeedError, match=r"of the versions 0\.9\.0, 0\.10\.0; sign one"):
        desk.sign(*packages)


def test_a_system_has_one_package(desk: Desk) -> None:
    package = desk.package()
    with pytest.raises(FeedError, match="two packages are for the same system"):
        desk.sign(package, package)


@pytest.mark.parametrize(
    "how",
    [{"name": "other"}, {"version": "1.0~rc1"}, {"debian": ""}, {"version": "1.2.3.4.5"}],
)
def test_another_package_is_not_signed(desk: Desk, how: dict[str, str]) -> None:
    with pytest.raises(FeedError, match="not a package of filterd whose version is like"):
        desk.sign(desk.package(**how))


def test_what_is_no_package_is_refused_in_one_line(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"not a package")
    with pytest.raises(FeedError, match=r"a\.deb: this is not a package: dpkg-deb: error"):
        desk.sign(tmp_path / "a.deb")
    with pytest.raises(StoreError, match="No such file"):
        desk.sign(tmp_path / "b.deb")


def test_a_package_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_packages, "MOST_OCTETS", 100)
    with pytest.raises(FeedError, match="more than 100 octets"):
        desk.sign(desk.package())


def test_without_dpkg_the_remedy_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    package = desk.package()
    monkeypatch.setenv("PATH", str(desk.folder))
    with pytest.raises(ConfigError, match="dpkg-deb cannot be run") as raised:
        desk.sign(package)
    assert raised.value.hint == "sign on a machine with Debian"


def test_a_parcel_that_waited_for_a_day_is_signed_again(desk: Desk) -> None:
    """Else all rings would take it at once."""
    desk.sign(desk.package("0.2.0"))
    read_program(desk.parcel, NOW + DAY_S)
    with pytest.raises(FeedError, match="signed more than a day ago"):
        read_program(desk.parcel, NOW + DAY_S + 1)
    desk.sign(desk.package("0.2.1"), urgent=True)
    read_program(desk.parcel, NOW + 9 * DAY_S)
