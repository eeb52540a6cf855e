# SPDX-License-Identifier: Apache-2.0
"""What an extension depends on, and that one built of other sources is noticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import setuptools
from Cython.Build.Dependencies import create_dependency_tree
from setuptools import Extension

from filterd.base import native
from filterd.base.native import digest_of, is_stale, live_only, sources_of
from filterd.native_build import prepare

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = {one["name"]: one["sources"][0] for one in PROJECT["tool"]["setuptools"]["ext-modules"]}
DECLARED = sorted(
    str(path.relative_to(ROOT))
    for suffix in ("pxd", "pxi")
    for path in ROOT.glob(f"filterd/**/*.{suffix}")
)


_SETUPTOOLS = f"import sys; sys.path.append({str(Path(setuptools.__file__).parents[1])!r}); "
"""Without ``site``, so that an editable install of this package is not found."""


@cache
def used_by(name: str) -> set[str]:
    """Return what Cython itself finds that an extension uses."""
    tree = create_dependency_tree(quiet=True)  # type: ignore[no-untyped-call]
    known = tree.all_dependencies(SOURCES[name])
    paths = {Path(one).resolve() for one in known}
    ours = ROOT / "filterd"
    return {str(path.relative_to(ROOT)) for path in paths if path.is_relative_to(ours)}


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of all native sources, in packages."""
    for one in {*DECLARED, *SOURCES.values()}:
        target = tmp_path / one
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / one, target)
        for package in (target.parent, tmp_path / "filterd"):
            (package / "__init__.py").touch()
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_an_extension_depends_on_all_that_cython_reads_for_it(name: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in sources_of(ROOT / SOURCES[name])}
    assert found >= used_by(name)
    assert found <= {*DECLARED, SOURCES[name], SOURCES["filterd.fastpath._rate_limit"]}


@pytest.mark.parametrize("declared", DECLARED)
def test_another_declaration_gives_what_uses_it_another_digest(copied: Path, declared: str) -> None:
    before = {name: digest_of(copied / source) for name, source in SOURCES.items()}
    native._read.cache_clear()
    with (copied / declared).open("a", encoding="utf-8") as file:
        file.write("\n")
    after = {name: digest_of(copied / source) for name, source in SOURCES.items()}
    changed = {name for name in SOURCES if before[name] != after[name]}
    assert changed
    assert changed >= {name for name in SOURCES if declared in used_by(name)}


def test_the_build_is_given_the_dependencies_and_the_digest() -> None:
    extension = Extension("filterd.fastpath._core", ["filterd/fastpath/_core.pyx"])
    prepare(extension)
    assert str(ROOT / "filterd/lists/_blocks.pxd") in extension.depends
    assert digest_of(ROOT / "filterd/fastpath/_core.pyx").hex() in extension.extra_link_args[0]


def test_the_build_needs_no_package_that_can_be_imported() -> None:
    program = f"import runpy; runpy.run_path({str(ROOT / 'filterd/native_build.py')!r})"
    subprocess.run([sys.executable, "-S", "-P", "-c", _SETUPTOOLS + program], check=True, cwd="/")


def built(folder: Path, build_id: bytes) -> Path:
    """Write the head of an extension with a build ID."""
    path = folder / "filterd/fastpath/_core.cpython-311-x86_64-linux-gnu.so"
    note = len(build_id).to_bytes(4, "little")
    path.write_bytes(b"\x7fELF" + bytes(600) + b"\4\0\0\0" + note + b"\3\0\0\0GNU\0" + build_id)
    return path


def test_what_was_built_of_other_sources_is_stale(copied: Path) -> None:
    path = built(copied, digest_of(copied / "filterd/fastpath/_core.pyx"))
    assert not is_stale(path)
    native._read.cache_clear()
    with (copied / "filterd/lists/_blocks.pxd").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert is_stale(path)


def test_what_was_built_by_other_means_or_has_no_sources_is_not_judged(copied: Path) -> None:
    assert not is_stale(built(copied, bytes(20)))
    path = built(copied, bytes(32))
    assert is_stale(path)
    (copied / "filterd/fastpath/_core.pyx").unlink()
    assert not is_stale(path)


def test_an_installed_package_is_not_judged(copied: Path) -> None:
    path = built(copied, bytes(32))
    (copied / "pyproject.toml").unlink()
    assert not is_stale(path)


def test_another_source_of_a_cimported_extension_makes_what_uses_it_stale(copied: Path) -> None:
    source = copied / "filterd/fastpath/_datagrams.pyx"
    before = digest_of(source)
    native._read.cache_clear()
    with (copied / "filterd/fastpath/_rate_limit.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert digest_of(source) != before


def test_what_does_not_fit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_size(_: str) -> ModuleType:
        raise ValueError("Bucket size changed")

    monkeypatch.setattr(native, "_missing", set())
    monkeypatch.delenv("FILTERD_REQUIRE_NATIVE", raising=False)
    monkeypatch.setattr(native, "import_module", other_size)
    monkeypatch.setattr(native, "is_stale", lambda _: False)
    assert live_only("filterd.fastpath._datagrams") is None
    assert native.missing() == ["filterd.fastpath._datagrams"]


@pytest.mark.usefixtures("needs_native")
def test_what_is_stale_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_missing", set())
    monkeypatch.delenv("FILTERD_REQUIRE_NATIVE", raising=False)
    monkeypatch.setattr(native, "is_stale", lambda _: True)
    assert live_only("filterd.wire._codec") is None
    assert native.missing() == ["filterd.wire._codec"]
    monkeypatch.setenv("FILTERD_REQUIRE_NATIVE", "1")
    with pytest.raises(ImportError, match="other sources"):
        live_only("filterd.wire._codec")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_cimport_goes_downwards_only(name: str) -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one.get("containers") == ["filterd"])
    floors = [layer.split(" | ") for layer in contract["layers"]]
    floor = {package: number for number, floor in enumerate(floors) for package in floor}
    for path in sources_of(ROOT / SOURCES[name]):
        package = path.relative_to(ROOT).parts[1]
        for used in native._read(path)[1]:
            other = used.relative_to(ROOT).parts[1]
            assert package == other or floor[package] < floor[other], (path, used)
