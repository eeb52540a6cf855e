# SPDX-License-Identifier: Apache-2.0
"""``deploy/``: the units need few rights, and the package reports what it does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import machine_changes
from filterd.appliance.setup.site_writer import begun
from filterd.appliance.setup.web_certificate import CHAIN, KEY
from filterd.base.paths import SYSTEM_STATE
from filterd.base.state_folder import StateFolder
from filterd.cli.school import account
from filterd.cli.school.account import BOOT_FOLDERS, REQUESTS
from filterd.overrides.rights.roles import Role
from filterd.policy.model import GRADES
from tests.support.commands import ROOT, call
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEPLOY = ROOT / "deploy"
UNIT_FOLDER = DEPLOY / "units"
UNIT = UNIT_FOLDER / "filterd.service"
FEED, MONITOR = UNIT_FOLDER / "filterd-feed.service", UNIT_FOLDER / "filterd-monitor.service"
WEB, PAGE = UNIT_FOLDER / "filterd-web.service", UNIT_FOLDER / "filterd-blockpage.service"
RECOVER, MADE_ONCE = (
    UNIT_FOLDER / "filterd-recover.service",
    UNIT_FOLDER / "filterd-certificate.service",
)
UNITS = sorted(
    one for kind in ("service", "socket", "path", "timer") for one in UNIT_FOLDER.glob(f"*.{kind}")
)


def _unit(path: Path = UNIT) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, found, value = line.partition("=")
        if found and not line.startswith("#"):
            settings.setdefault(key, []).append(value)
    return settings


def test_an_interrupted_restore_is_done_before_what_would_see_the_half_of_it() -> None:
    (before,) = _unit(UNIT_FOLDER / "filterd-restore.service")["Before"]
    others = ("filterd", "filterd-certificate", "filterd-site", "filterd-backup")
    assert before.split() == [f"{one}.service" for one in others]


@pytest.mark.parametrize("unit", sorted(UNIT_FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_memory_is_bounded_and_a_child_that_is_ended_over_it_stops_no_other(unit: Path) -> None:
    settings = _unit(unit)
    assert settings["MemoryMax"]
    assert settings["OOMPolicy"] == ["continue"]


@pytest.mark.parametrize("unit", sorted(UNIT_FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_a_crash_leaves_no_memory_on_the_disk(unit: Path) -> None:
    assert _unit(unit)["LimitCORE"] == ["0"]


def test_developers_have_what_a_build_requires() -> None:
    """What compiles again in the environment of the tests needs no other environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = {re.split("[<>=]", one)[0] for one in project["build-system"]["requires"]}
    extra = project["project"]["optional-dependencies"]["dev"]
    assert required <= {re.split("[<>=]", one)[0] for one in extra}


def test_scheduled_reports_have_no_right_that_the_backup_has_not_but_the_network_for_mail() -> None:
    backup, report = (_unit(UNIT_FOLDER / f"filterd-{one}.service") for one in ("backup", "report"))
    assert report["ExecStart"][0].split()[1:3] == ["report", "--scheduled"]
    assert report.pop("RestrictAddressFamilies") == ["AF_INET AF_INET6 AF_UNIX"]
    rights, fewer = (one.pop("CapabilityBoundingSet")[0].split() for one in (backup, report))
    assert set(fewer) < set(rights)
    of_units = {"ExecStart", "Description", "After", "TimeoutStartSec"}
    of_mail = {"PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"}
    for key in backup.keys() - of_units - of_mail:
        assert report[key] == backup[key], key


def test_each_role_has_a_group_that_the_package_makes() -> None:
    users = (DEPLOY / "package/sysusers.conf").read_text(encoding="utf-8")
    groups = re.findall(r"^g filterd-(\w+) ", users, re.MULTILINE)
    assert groups == [*(role.value for role in Role), "page"]


SCRIPTS = [DEPLOY / "package" / name for name in ("preinst", "postinst", "prerm", "postrm")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_maintainer_script_is_one_of_any_shell(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", script], check=True)


def test_the_messages_of_the_package_are_in_both_languages() -> None:
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8").replace("\\\n", " ")
        sentences = re.findall(r'^[^#\n]*\bsay "(.*?)" +"(.*?)"', text, re.MULTILINE)
        assert len(sentences) == len(re.findall(r'\bsay "', text))
        for english, vietnamese in sentences:
            assert re.findall(r"\$\w+|'[a-z -]+'|@\w+@", english) == re.findall(
                r"\$\w+|'[a-z -]+'|@\w+@", vietnamese
            )
            assert not vietnamese.isascii()
    question = (DEPLOY / "package/templates").read_text(encoding="utf-8")
    assert "Description-vi.UTF-8: " in question
    assert "Default: false" in question


def test_the_site_to_begin_with_is_valid_and_the_strictest_for_all(
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


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for one in UNITS:
        text = one.read_text(encoding="utf-8")
        text = text.replace("/opt/filterd/current/bin/filterd", "/bin/true")
        (tmp_path / one.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [command("systemd-analyze"), "verify", *(str(tmp_path / one.name) for one in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [one.name for one in UNITS if one.name in done.stderr] == [], done.stderr


def test_what_takes_the_feed_is_another_process_with_no_right_at_all_and_goes_last() -> None:
    feed, serving = _unit(FEED), _unit()
    assert "sync --follow" in feed["ExecStart"][0]
    assert feed["CapabilityBoundingSet"] == [""]
    assert "AmbientCapabilities" not in feed
    assert int(feed["Nice"][0]) > 0
    assert int(feed["OOMScoreAdjust"][0]) > int(serving["OOMScoreAdjust"][0])
    same = {"User", "Group", "StateDirectory", "ProtectSystem", "NoNewPrivileges", "UMask"}
    assert all(feed[key] == serving[key] for key in same)
    assert feed["InaccessiblePaths"] == ["-/etc/filterd-web"], "it could read the key"


def test_the_monitor_is_another_user_that_may_read_the_status_only() -> None:
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
    """Return the problems that systemd finds in a start of the machine with the units."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8") + changed.get(unit.suffix[1:], "")
        text = text.replace("/opt/filterd/current/bin/filterd", "/bin/true")
        (folder / unit.name).write_text(text, encoding="utf-8")
        for target in _unit(unit).get("WantedBy", ()):
            (folder / f"{target}.wants").mkdir(exist_ok=True)
            (folder / f"{target}.wants" / unit.name).symlink_to(folder / unit.name)
    done = subprocess.run(
        [command("systemd-analyze"), "verify", "multi-user.target"],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "\n".join(line for line in done.stderr.splitlines() if "filterd" in line)


def test_a_machine_starts_with_them_without_a_circle(tmp_path: Path) -> None:
    assert _boot_problems(tmp_path) == ""


def test_control_a_socket_that_waits_for_a_service_is_a_circle(tmp_path: Path) -> None:
    waits = f"\n[Unit]\nAfter={MADE_ONCE.name}\n"
    assert "Found dependency on filterd" in _boot_problems(tmp_path, socket=waits)


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        (("pending", "program"), "program"),
        (("program",), "current"),  # a power cut left it, and nothing is pending
        (("pending",), "current"),
        ((), "current"),
    ],
)
def test_the_release_that_began_an_update_ends_it(
    tmp_path: Path, files: Sequence[str], runs: str
) -> None:
    for name in {*files, "current"}:
        script = tmp_path / name / "bin/filterd"
        script.parent.mkdir(parents=True)
        script.write_text(f"#!/bin/sh\necho {name}\n")
        script.chmod(0o755)
    (line,) = _unit(ROOT / "deploy/units/filterd-install.service")["ExecStart"]
    line = line.replace("/var/lib/filterd-install", f'"{tmp_path}"')
    words = shlex.split(line.replace("/opt/filterd/current", f'"{tmp_path}/current"'))
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == f"{runs}\n"


def test_a_request_to_be_let_in_is_looked_for_where_the_command_looks() -> None:
    recover = _unit(RECOVER)
    places = {f"|{folder}/{name}" for folder in BOOT_FOLDERS for name in REQUESTS}
    assert set(recover["ConditionPathExists"]) == places
    assert recover["StandardOutput"] == ["tty"], "the journal keeps what the screen forgets"
    assert recover["ExecStart"][0].split()[1:4] == ["account", "recover", "--boot"]


def test_a_reload_by_systemd_reports_its_outcome_and_a_stop_reaches_the_supervisor_only() -> None:
    unit = _unit()
    assert unit["ExecReload"][0].endswith(
        "/filterd reload --config /etc/filterd --state /var/lib/filterd"
    )
    assert unit["KillMode"] == ["mixed"]
