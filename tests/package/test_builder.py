# SPDX-License-Identifier: Apache-2.0
"""The builder of packages: what it takes, what it refuses, and what stays when it fails."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest

from deploy.package import __main__ as builder
from deploy.package import bill_of_materials, environment, target_python, wheels
from deploy.package.steps import BuildError, made
from deploy.package.target import ALL, named, of_machine
from tests.support.commands import ROOT
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path

NEEDS_NEW_GLIBC = "int arc4random(void); int needed(void) { return arc4random(); }"
"""A function that glibc has since 2.36."""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_has_the_versions_of_the_constraints() -> None:
    tested = {
        _normal(name): version
        for name, version in re.findall(
            r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
        )
    }
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", wheels.LOCK.read_text("utf-8"), re.MULTILINE))
    assert {name: tested.get(_normal(name)) for name in locked} == locked
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {_normal(re.split(r"[^\w.-]", one)[0]) for one in project["dependencies"]}
    assert needed <= {_normal(name) for name in locked}


def test_words_name_targets() -> None:
    assert named(["all"]) == sorted(ALL)
    assert {str(one) for one in named(["arm64"])} == {"bookworm-arm64", "trixie-arm64"}
    assert named([]) == [of_machine()]
    with pytest.raises(BuildError, match=r"^sid: not a target; there are all, bookworm-amd64, "):
        named(["sid"])


def test_the_sources_of_apt_are_those_of_this_machine_for_another_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "school.sources"
    here.write_text("Types: deb\nURIs: file:/mirror\nSuites: trixie trixie-updates\n")
    monkeypatch.setenv("APT_SOURCES", str(here))
    (text,) = target_python.apt_sources("bookworm").values()
    assert "Suites: bookworm bookworm-updates" in text
    here.write_text("")
    with pytest.raises(BuildError, match="name a file of one by APT_SOURCES"):
        target_python.apt_sources("bookworm")


def test_a_wheel_writes_nothing_outside_of_the_environment(tmp_path: Path) -> None:
    archive = tmp_path / "bad-1-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("../outside.py", "")
    with pytest.raises(BuildError, match=r"\.\./outside\.py would be outside"):
        environment.unpack(ALL[0], [archive], tmp_path / "inside")
    assert not (tmp_path / "outside.py").exists()


def test_a_module_that_asks_for_a_new_glibc_is_refused(tmp_path: Path) -> None:
    source, library = tmp_path / "module.c", tmp_path / "module.so"
    source.write_text(NEEDS_NEW_GLIBC)
    subprocess.run([command("gcc"), "-shared", "-fPIC", source, "-o", library], check=True)
    with pytest.raises(BuildError, match=r"asks for glibc 2\.36"):
        wheels.glibc(of_machine(), library)


def test_a_step_that_fails_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    def make() -> None:
        with made(tmp_path / "step") as fresh:
            assert fresh
            fresh.mkdir()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        make()
    assert list(tmp_path.iterdir()) == []


def test_a_release_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_targets: object, folder: Path, _key: str, *, fast: bool) -> None:
        assert fast
        (folder / "half").touch()
        raise OSError("No space left on device")

    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "before").touch()
    monkeypatch.setattr(builder, "_release", fails)
    assert builder.main(["release", "--fast", "--out", str(dist)]) == 1
    assert capsys.readouterr().err == f"deploy.package: {dist}: No space left on device\n"
    assert [path.name for path in tmp_path.rglob("*")] == ["dist", "before"]


def test_the_bill_names_licence_and_digest_of_a_wheel(tmp_path: Path) -> None:
    archive = tmp_path / "some_part-1.2-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        about = "Metadata-Version: 2.4\nName: some.part\nVersion: 1.2\nLicense: MIT License\n"
        wheel.writestr("some_part-1.2.dist-info/METADATA", about)
    environment.unpack(ALL[0], [archive], tmp_path)
    site = environment.site_packages(tmp_path, ALL[0])
    (component,) = bill_of_materials.components(site, [archive]).values()
    assert component["licenses"] == [{"expression": "MIT"}]
    assert component["purl"] == "pkg:pypi/some-part@1.2"
    assert json.dumps(component["components"]).count("SHA-256") == 1
