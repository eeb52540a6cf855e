# SPDX-License-Identifier: Apache-2.0
"""What ``make deb`` and ``make release`` make: clean, and the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.package import wheels
from deploy.package.steps import CACHE
from deploy.package.target import ALL, Target
from tests.support.chroot import chroot
from tests.support.commands import ROOT
from tests.support.needs import command
from tests.support.packages import build, changed_source, package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.chroot import Chroot

pytestmark = pytest.mark.long

SUITES = ("bookworm", "trixie")


@pytest.fixture(params=SUITES)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chroot]:
    with chroot(request.param, tmp_path / "root") as made:
        yield made


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release for this machine's architecture and both suites; signed by a key made for it."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    key = "release@school.example"
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--quiet"]
    subprocess.run(
        [*gpg, "--quick-generate-key", key, "ed25519"], check=True, stderr=subprocess.DEVNULL
    )
    out = tmp_path_factory.mktemp("release") / "dist"
    source = changed_source(tmp_path_factory.mktemp("source") / "tree", None, {})
    build(source, ["amd64", "--key", key], out, task="release", GNUPGHOME=str(home))
    exported = subprocess.run([*gpg, "--armor", "--export", key], check=True, capture_output=True)
    (out / "key.asc").write_bytes(exported.stdout)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
    return out


@pytest.mark.parametrize("suite", SUITES)
def test_the_package_is_clean(suite: str) -> None:
    words = [command("lintian"), "--allow-root", "--suppress-tags", "malformed-deb-archive"]
    found = subprocess.run(
        [*words, str(package(suite))], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""  # the one tag is about zstd, by which packages of tests are quick


@pytest.mark.parametrize("target", ALL, ids=str)
def test_native_modules_need_no_newer_glibc_than_the_tag_of_their_wheel(target: Target) -> None:
    wheel = wheels.own(target)
    said = re.search(r"manylinux_2_(\d+)_", wheel.name)
    assert said
    assert 17 <= int(said[1]) <= 28


def test_another_folder_and_empty_steps_make_the_same_bytes(tmp_path: Path) -> None:
    first = package("trixie")
    cache = tmp_path / "steps"
    cache.mkdir()
    for kept in ("python", "wheels"):  # what was fetched
        (cache / kept).symlink_to(CACHE / kept)
    source = changed_source(tmp_path / "another" / "folder", None, {})
    build(source, ["trixie-amd64"], tmp_path, cache=cache)
    assert _digest(next(tmp_path.glob("*.deb"))) == _digest(first)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_package_has_nothing_that_only_a_build_needs() -> None:
    listed = subprocess.run(
        ["dpkg-deb", "--contents", package("trixie")], capture_output=True, text=True, check=True
    ).stdout
    names = re.findall(r" \./(\S+)", listed)
    assert len([name for name in names if name.endswith("linux-gnu.so")]) > 7
    assert len([name for name in names if name.endswith(".html.code")]) > 20
    assert "usr/share/man/vi/man1/filterd.1.gz" in names
    unwanted = re.compile(r"/(pip|setuptools|Cython|tests?)/|\.(pyx|pxd|c|po|pyi)$")
    assert [name for name in names if unwanted.search(name)] == []


@pytest.mark.usefixtures("needs_root")
def test_a_client_of_apt_installs_the_release(release: Path, root: Chroot) -> None:
    """It trusts the key alone, and has no other source."""
    shutil.copytree(release, root.path / "srv/release")
    etc, suite = (
        root.path / "etc/apt",
        root.run("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"),
    )
    for path in [etc / "sources.list", *(etc / "sources.list.d").iterdir()]:
        path.unlink(missing_ok=True)
    (etc / "sources.list.d/filterd.sources").write_text(
        f"Types: deb\nURIs: file:/srv/release/apt\nSuites: {suite.out.strip()}\n"
        "Components: main\nSigned-By: /srv/release/key.asc\n"
    )
    for words in (("update", "--error-on=any"), ("install", "--yes", "filterd")):
        done = root.run("apt-get", "--quiet=2", *words)
        assert done.code == 0, done.out + done.err
    assert root.run("filterd", "--version").out.startswith("filterd ")


def test_the_digests_are_those_of_the_files(release: Path) -> None:
    words = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(words, cwd=release, check=False).returncode == 0
    listed = (release / "SHA256SUMS").read_text()
    assert all(ending in listed for ending in (".deb", "x86_64.whl", ".tar.gz", ".cdx.json"))


def test_a_wheel_of_the_release_works_with_its_native_modules(
    release: Path, tmp_path: Path
) -> None:
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    (wheel,) = release.glob(f"*-{tag}-*_x86_64.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", tmp_path / "site", wheel], check=True)
    words = "import filterd.fastpath._core as core; print(core.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", words],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "FILTERD_REQUIRE_NATIVE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(tmp_path / "site")


@pytest.mark.usefixtures("needs_root")
def test_a_package_for_another_processor_is_refused_in_a_sentence(root: Chroot) -> None:
    deb = root.path / "var/filterd.deb"
    shutil.copy(package("trixie", "arm64"), deb)
    done = root.run("dpkg", "--install", "/var/filterd.deb")
    assert done.code != 0
    assert "package architecture (arm64) does not match system (amd64)" in done.err
    assert not (root.path / "usr/lib/filterd").exists()


@pytest.mark.usefixtures("needs_root")
def test_a_package_for_another_python_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with chroot("bookworm", tmp_path / "root") as root:
        shutil.copy(package("trixie"), root.path / "var/filterd.deb")
        done = root.run("dpkg", "--install", "/var/filterd.deb")
        assert done.code != 0
        assert re.search(r"^filterd: .*3\.13.*$", done.out + done.err, re.MULTILINE)
        assert not (root.path / "usr/lib/filterd/release/bin").exists()


def test_half_a_disk_leaves_the_package_before(tmp_path: Path) -> None:
    before = shutil.copy(package("trixie"), tmp_path)
    digest = _digest(Path(before))
    task = [sys.executable, "-m", "deploy.package", "deb", "trixie-amd64", "--fast"]
    limited = 'ulimit -f 16384; exec "$@"'  # 8 MB, in half kilobytes
    done = subprocess.run(
        ["sh", "-c", limited, "sh", *task, "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(": File too large")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [Path(before).name]
    assert _digest(Path(before)) == digest
