# SPDX-License-Identifier: Apache-2.0
"""The package gives a machine the users, the folders and the limits that the units need."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from tests.support.commands import ROOT
from tests.support.needs import commands

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE, UNITS = ROOT / "deploy" / "package", ROOT / "deploy" / "units"


@pytest.fixture
def root(tmp_path: Path, needs_root: None) -> Path:  # noqa: ARG001 -- it skips
    """Return a root with the users and folders of the package."""
    commands("systemd-sysusers", "systemd-tmpfiles")
    (tmp_path / "etc").mkdir()
    for kind, options in (("sysusers", []), ("tmpfiles", ["--create"])):
        command = [f"systemd-{kind}", f"--root={tmp_path}", *options]
        subprocess.run([*command, str(PACKAGE / f"{kind}.conf")], check=True)
    return tmp_path


def _names(root: Path, file: str) -> dict[str, list[str]]:
    lines = (root / "etc" / file).read_text(encoding="utf-8").splitlines()
    return {line.partition(":")[0]: line.split(":") for line in lines}


def test_each_role_has_a_group(root: Path) -> None:
    assert {f"filterd-{role.value}" for role in Role} <= set(_names(root, "group"))


def test_each_user_and_group_that_a_unit_names_is_made_and_none_can_log_in(root: Path) -> None:
    users, groups = _names(root, "passwd"), _names(root, "group")
    for unit in UNITS.glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        assert set(re.findall(r"^User=(.+)$", text, re.MULTILINE)) <= set(users)
        named = re.findall(r"^(?:Supplementary)?Groups?=(.+)$", text, re.MULTILINE)
        assert set(" ".join(named).split()) <= set(groups)
    assert {fields[6] for fields in users.values()} == {"/usr/sbin/nologin"}


def test_only_root_writes_the_site_and_others_do_not_read_the_state(root: Path) -> None:
    modes = {
        "etc/filterd": 0o755,
        "etc/filterd/secrets": 0o711,
        "etc/filterd-web": 0o2755,
        "var/lib/filterd": 0o750,
    }
    assert {name: (root / name).stat().st_mode & 0o7777 for name in modes} == modes
    assert {(root / name).stat().st_uid for name in modes if name.startswith("etc")} == {0}
    of_key = int(_names(root, "group")["filterd"][2])
    assert (root / "etc/filterd-web").stat().st_gid == of_key, "the daemon cannot read the key"
    assert (root / "var/lib/filterd").stat().st_uid == int(_names(root, "passwd")["filterd"][2])


def test_nothing_is_deleted_by_its_age() -> None:
    lines = (PACKAGE / "tmpfiles.conf").read_text(encoding="utf-8").splitlines()
    ages = [line.split()[5] for line in lines if line and not line.startswith("#")]
    assert set(ages) == {"-"}


def test_the_journal_has_a_limit_of_size_and_of_rate() -> None:
    text = (PACKAGE / "journald.conf").read_text(encoding="utf-8")
    limits = dict(re.findall(r"^(\w+)=(.+)$", text, re.MULTILINE))
    assert {"SystemMaxUse", "RuntimeMaxUse", "RateLimitBurst"} <= set(limits)
    assert text.index("[Journal]") < text.index("SystemMaxUse")
