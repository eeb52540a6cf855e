# SPDX-License-Identifier: Apache-2.0
"""``deploy/`` installs, refuses impossible requests, and needs few rights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from filterd.appliance import machine_changes
from filterd.appliance.site_writer import begun
from filterd.appliance.web_certificate import CHAIN, KEY
from filterd.cli import account
from filterd.cli.account_recover import BOOT_FOLDERS, REQUESTS
from filterd.overrides.roles import Role
from filterd.paths import SYSTEM_STATE
from filterd.policy.model import GRADES
from filterd.state_folder import StateFolder
from tests.support.commands import ROOT, call

DEPLOY = ROOT / "deploy"
UNIT_FOLDER = DEPLOY / "units"
INSTALL, UNIT = DEPLOY / "install.sh", UNIT_FOLDER / "filterd.service"
FEED, MONITOR = UNIT_FOLDER / "filterd-feed.service", UNIT_FOLDER / "filterd-monitor.service"
WEB, PAGE = UNIT_FOLDER / "filterd-web.service", UNIT_FOLDER / "filterd-blockpage.service"
RECOVER, MADE_ONCE = (
    UNIT_FOLDER / "filterd-recover.service",
    UNIT_FOLDER / "filterd-certificate.service",
)
UNITS = sorted(
    one for kind in ("service", "socket", "path") for one in UNIT_FOLDER.glob(f"*.{kind}")
)


def _install(
    *options: str | Path, user: int | None = None, locale: str = "C"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(INSTALL), *map(str, options)],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("LC_")},
            "PYTHON": str(Path(sys.base_prefix, "bin", "python3")),
            "LANG": locale,
        },
        capture_output=True,
        text=True,
        check=False,
        user=user,
        umask=0o077,
    )


def _unit(path: Path = UNIT) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, found, value = line.partition("=")
        if found and not line.startswith("#"):
            settings.setdefault(key, []).append(value)
    return settings


@pytest.mark.parametrize("unit", sorted(UNIT_FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_memory_is_bounded_and_a_child_that_is_ended_over_it_stops_nobody(unit: Path) -> None:
    settings = _unit(unit)
    assert settings["MemoryMax"]
    assert settings["OOMPolicy"] == ["continue"]


@pytest.mark.parametrize("unit", sorted(UNIT_FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_a_crash_leaves_no_memory_on_the_disk(unit: Path) -> None:
    assert _unit(unit)["LimitCORE"] == ["0"]


@pytest.mark.parametrize("file", ["deploy/install.sh", "Makefile"])
def test_what_a_build_requires_is_installed_before_it(file: str) -> None:
    """Builds run without isolation: a requirement that is missing stops every installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = [re.split("[<>=]", one)[0] for one in project["build-system"]["requires"]]
    lines = (ROOT / file).read_text(encoding="utf-8").split("\n")
    installs = [line for line in lines if " setuptools " in line and not line.startswith("#")]
    assert installs
    assert all(name in line.split() for line in installs for name in required)


def test_each_role_has_a_group_that_the_installer_makes() -> None:
    script = INSTALL.read_text(encoding="utf-8")
    (roles,) = re.findall(r"for role in (.*); do", script)
    assert roles.split() == [role.value for role in Role]
    assert 'groupadd --system --force "filterd-$role"' in script


def test_it_explains_itself() -> None:
    done = _install("--help")
    assert done.returncode == 0
    assert "--rollback" in done.stdout


def test_an_unknown_option_is_refused_before_anything_is_done() -> None:
    done = _install("--restart")
    assert done.returncode == 1
    assert done.stderr.endswith("filterd: unknown option '--restart'\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_does_nothing_without_the_rights() -> None:
    done = _install("--no-start", user=65534)
    assert done.returncode == 1
    assert "this needs root" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="it needs root")
def test_there_is_nothing_to_roll_back_to_at_first(tmp_path: Path) -> None:
    done = _install("--root", str(tmp_path), "--rollback")
    assert done.returncode == 1
    assert done.stderr == "filterd: there is no release before this one\n"


def test_the_site_to_begin_with_is_valid_and_gives_nobody_more_than_the_strictest(
    tmp_path: Path,
) -> None:
    (tmp_path / "site.yaml").write_text(begun("vi"), encoding="utf-8")
    assert call("policy", "validate", "--config", tmp_path).code == 0
    assert "networks: {}" in (tmp_path / "site.yaml").read_text(encoding="utf-8")
    assert "preschool" in GRADES


def test_the_service_has_one_right_and_one_place_to_write() -> None:
    unit = _unit()
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == ["CAP_NET_BIND_SERVICE"]
    assert unit["User"] == ["filterd"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["StateDirectory"] == unit["RuntimeDirectory"] == ["filterd"]
    assert "ReadWritePaths" not in unit


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("setpriority", "nice(2): without it no compiler starts, so no policy"),
        ("capset", "``ip`` gives its rights away first, and ends with an error where it cannot"),
        ("adjtimex", "to read whether a time server has set the clock"),
    ],
)
def test_the_service_may_call_what_it_needs_of_a_group_that_is_refused(call: str, why: str) -> None:
    filters = [one.split() for one in _unit()["SystemCallFilter"]]
    refused = next(at for at, names in enumerate(filters) if "~@privileged" in names)
    assert any(call in names for names in filters[refused + 1 :]), why


def test_the_service_starts_again_for_ever_and_is_watched() -> None:
    unit = _unit()
    assert (unit["Type"], unit["Restart"]) == (["notify"], ["always"])
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["WatchdogSec"] == ["30"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    for one in UNITS:  # a socket names its service
        text = one.read_text(encoding="utf-8")
        text = text.replace("/opt/filterd/current/bin/filterd", "/bin/true")
        (tmp_path / one.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert unit.name not in done.stderr


def test_what_takes_the_feed_is_another_process_with_no_right_at_all_and_goes_last() -> None:
    feed, serving = _unit(FEED), _unit()
    assert "sync --follow" in feed["ExecStart"][0]
    assert feed["CapabilityBoundingSet"] == [""]
    assert "AmbientCapabilities" not in feed
    assert int(feed["Nice"][0]) > 0
    assert int(feed["OOMScoreAdjust"][0]) > int(serving["OOMScoreAdjust"][0])
    same = {"User", "Group", "StateDirectory", "ProtectSystem", "NoNewPrivileges", "UMask"}
    assert all(feed[key] == serving[key] for key in same)


def test_the_monitor_is_another_user_who_may_read_the_status_only() -> None:
    monitor, feed = _unit(MONITOR), _unit(FEED)
    assert monitor["ExecStart"][0].split()[1] == "monitor"
    assert monitor["User"] == monitor["Group"] == monitor["StateDirectory"] == ["filterd-monitor"]
    assert monitor["SupplementaryGroups"] == ["filterd-reader"]
    of_both = [key for key in feed if key.startswith(("Protect", "Private", "Restrict", "System"))]
    assert {key: monitor[key] for key in of_both if key != "Restart"} == {
        key: feed[key] for key in of_both if key != "Restart"
    }


@pytest.mark.parametrize(
    ("unit", "user", "groups"),
    [
        (WEB, "filterd-web", ["filterd-web", "filterd-reader"]),
        (PAGE, "filterd-blockpage", ["filterd-page"]),
    ],
)
def test_the_faces_read_nothing_and_open_no_connection_of_their_own(
    unit: Path, user: str, groups: list[str]
) -> None:
    face = _unit(unit)
    assert face["User"] == [user]
    assert [*face["Group"], *face.get("SupplementaryGroups", [])] == groups
    for folder in ("/etc/filterd", "/etc/filterd-web", "/var/lib/filterd"):
        assert f"-{folder}" in face["InaccessiblePaths"][0].split()
    assert face["CapabilityBoundingSet"] == [""]
    assert face["PrivateNetwork"] == ["yes"]
    assert face["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert "StateDirectory" not in face
    assert face["StartLimitIntervalSec"] == ["0"]


def test_the_key_of_the_dashboard_is_root_s_and_handed_to_its_service_only() -> None:
    handed = [one.split(":") for one in _unit(WEB)["LoadCredential"]]
    folder = StateFolder(SYSTEM_STATE).web
    assert handed == [["certificate.pem", f"{folder}/{CHAIN}"], ["key.pem", f"{folder}/{KEY}"]]
    made = _unit(MADE_ONCE)
    assert "User" not in made
    assert made["ConditionPathExists"] == [f"!{folder}/{KEY}"], "an image has no key"
    assert made["ConfigurationDirectory"] == [folder.name]


def test_sockets_are_bound_by_systemd_and_start_with_the_machine() -> None:
    ports = {}
    for unit in (WEB, PAGE):
        socket = _unit(unit.with_suffix(".socket"))
        assert socket["WantedBy"] == ["sockets.target"]
        assert "WantedBy" not in _unit(unit), "it starts with the first connection"
        (ports[unit.stem],) = socket["ListenStream"]
    assert ports == {"filterd-web": str(account.PORT), "filterd-blockpage": "80"}
    assert {f"{name}.socket" for name in ports} == set(machine_changes.SOCKETS)


def _boot_problems(folder: Path, **changed: str) -> str:
    """Return what systemd says of a start of the machine with the units."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8") + changed.get(unit.suffix[1:], "")
        text = text.replace("/opt/filterd/current/bin/filterd", "/bin/true")
        (folder / unit.name).write_text(text, encoding="utf-8")
        for target in _unit(unit).get("WantedBy", ()):
            (folder / f"{target}.wants").mkdir(exist_ok=True)
            (folder / f"{target}.wants" / unit.name).symlink_to(folder / unit.name)
    done = subprocess.run(
        ["systemd-analyze", "verify", "multi-user.target"],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "\n".join(line for line in done.stderr.splitlines() if "filterd" in line)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_a_machine_starts_with_them_without_a_circle(tmp_path: Path) -> None:
    assert _boot_problems(tmp_path) == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_control_a_socket_that_waits_for_a_service_is_a_circle(tmp_path: Path) -> None:
    waits = f"\n[Unit]\nAfter={MADE_ONCE.name}\n"
    assert "Found dependency on filterd" in _boot_problems(tmp_path, socket=waits)


def test_a_request_to_be_let_in_is_looked_for_where_the_command_looks() -> None:
    recover = _unit(RECOVER)
    places = {f"|{folder}/{name}" for folder in BOOT_FOLDERS for name in REQUESTS}
    assert set(recover["ConditionPathExists"]) == places
    assert recover["StandardOutput"] == ["tty"], "the journal keeps what the screen forgets"
    assert recover["ExecStart"][0].split()[1:4] == ["account", "recover", "--boot"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_the_processes_that_others_reach_are_exposed_least() -> None:
    levels = {}
    for unit in (UNIT, FEED, MONITOR, WEB, PAGE, RECOVER, MADE_ONCE):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
            capture_output=True,
            text=True,
            check=True,
        )
        levels[unit] = float(done.stdout.rpartition(": ")[2].split()[0])
    assert levels[MONITOR] <= min(levels[UNIT], levels[FEED])
    assert max(levels[WEB], levels[PAGE]) < levels[MONITOR]
    assert max(levels[RECOVER], levels[MADE_ONCE]) <= 1.7


def test_a_reload_by_systemd_tells_how_it_went_and_a_stop_is_told_to_the_supervisor_only() -> None:
    unit = _unit()
    assert unit["ExecReload"][0].endswith(
        "/filterd reload --config /etc/filterd --state /var/lib/filterd"
    )
    assert unit["KillMode"] == ["mixed"]


class Image:
    """A machine beneath a folder, and what is installed there."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "opt" / "filterd"

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        return _install("--root", self.root, *options)

    @property
    def releases(self) -> set[str]:
        return {one.name for one in (self.home / "releases").iterdir()}

    def link(self, name: str) -> str:
        return (self.home / name).readlink().name


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="it needs root, and packages")
def test_releases_come_and_go_and_one_is_always_in_service(tmp_path: Path) -> None:
    image = Image(tmp_path / "root")
    old = image.home / "releases" / "20200101-000000"
    installed = []
    for _ in range(2):
        old.mkdir(parents=True)
        done = image.install()
        assert done.returncode == 0, done.stderr
        assert not old.exists(), "neither in service nor the one before"
        units = image.root / "etc" / "systemd" / "system"
        assert {one.name for one in units.iterdir()} == {one.name for one in UNITS}
        installed.append(image.link("current"))
    first, second = installed
    assert image.releases == {first, second}
    assert image.link("previous") == first
    share = image.root / "usr" / "local" / "share"
    helps = [one for one in share.rglob("*filterd*") if one.is_file()]
    assert {"filterd", "_filterd", "filterd.fish", "filterd-allow.1"} <= {one.name for one in helps}
    assert all(one.stat().st_size for one in helps)

    site = image.root / "etc" / "filterd" / "site.yaml"
    good = site.read_text(encoding="utf-8")
    site.write_text(good + "nonsense: 1\n", encoding="utf-8")
    refused = image.install()
    assert refused.returncode == 1
    place = f"site.yaml:{len(good.splitlines()) + 1}:1"
    assert f"{place}: không có khóa 'nonsense'" in refused.stderr  # the site is Vietnamese
    assert image.releases == {first, second}
    assert image.link("current") == second

    for expected in (first, second):
        assert image.install("--rollback").returncode == 0
        assert image.link("current") == expected
    release = image.home / "releases" / second
    assert all(
        one.stat().st_mode & 0o005 == 0o005 for one in (release, release / "bin" / "filterd")
    )

    assert image.install("--uninstall").returncode == 0
    assert not image.home.exists()
    assert not any(one.exists() for one in helps)
    assert list(units.iterdir()) == []
    assert site.exists()


def test_the_installer_has_every_text_in_vietnamese() -> None:
    script = INSTALL.read_text(encoding="utf-8")
    table = dict(re.findall(r'^    \["([^"]*)"\]="([^"]*)"$', script, re.MULTILINE))
    called = re.findall(r"""\b(?:say|fail) (?:"([^"]*)"|'([^']*)')""", script)
    assert {one or other for one, other in called} == set(table)
    assert all(vietnamese.count("%s") == text.count("%s") for text, vietnamese in table.items())


@pytest.mark.parametrize(
    ("words", "locale", "answer"),
    [
        ((), "vi_VN.UTF-8", "không có tùy chọn '--restart'"),
        (("--lang", "vi"), "C", "không có tùy chọn '--restart'"),
        (("--lang", "en"), "vi_VN.UTF-8", "unknown option '--restart'"),
    ],
)
def test_the_installer_speaks_the_language_of_the_option_else_of_the_terminal(
    words: tuple[str, ...], locale: str, answer: str
) -> None:
    assert _install(*words, "--restart", locale=locale).stderr == f"filterd: {answer}\n"
