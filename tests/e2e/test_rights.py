# SPDX-License-Identifier: Apache-2.0
"""Rights of administrators, teachers and others: real users, logins and groups.

The daemon has a user of its own. Skipped where a process cannot change its user.
"""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from filterd.overrides.rights.roles import ADMINS, TEACHERS, Role
from tests.e2e.machine import DAEMON, SITE, STATE, Machine, machine
from tests.support.commands import ROOT
from tests.support.daemon import build_lists, free_port, noon, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.usefixtures("warm_children"), pytest.mark.usefixtures("needs_root")]
ADMIN, TEACHER, STRANGER, CLERK = "minh", "lan", "binh", "hoa"
PRINCIPAL, READER, INSPECTOR = "an", "tu", "quy"
MONITOR = "filterd-monitor"
USERS = {
    ADMIN: ["staff", ADMINS],
    TEACHER: ["staff", TEACHERS],
    STRANGER: ["staff"],
    CLERK: [DAEMON],
    PRINCIPAL: ["staff", Role.PRINCIPAL.group],
    READER: ["staff", Role.READER.group],
    INSPECTOR: ["staff", Role.INSPECTOR.group],
    MONITOR: [Role.READER.group],
}
NOON = noon()
"""A teacher's changes end with the day."""
ROOM = f"  lab-a: {{cidrs: [127.0.50.0/24], grade: 6, room: true}}\ntime_zone: {NOON}\n"


def _sockets_mode() -> str:
    unit = (ROOT / "deploy" / "units" / "filterd.service").read_text(encoding="utf-8")
    found = re.search(r"^RuntimeDirectoryMode=(\d+)$", unit, re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    config = write_site(tmp_path_factory.mktemp("site"), port=free_port(), more=ROOM)
    (config / "own.yaml").write_text("- vnu.edu.vn passes for everybody\n", encoding="utf-8")
    (config / "rooms.csv").write_text("room,mac\nlab-a,00:00:5e:00:53:01\n", encoding="utf-8")
    lists = build_lists(config, tmp_path_factory.mktemp("state"))
    log = io.StringIO()
    with machine(USERS, config, lists.index, _sockets_mode()) as made:
        with made.serving(log):
            yield made
        assert "Traceback" not in log.getvalue()


LESSON = "--for 1m --reason thi"

OF_A_TEACHER = [
    f"allow www.youtube.com --room lab-a {LESSON}",
    f"block www.tiktok.com --grade 8 {LESSON}",
    f"allow service:youtube --client 127.0.8.9 {LESSON}",
    "room set lab-a --grade 8 --for 1m && undo --reason nhầm",
    "exam start --room lab-a --for 5m --allow thi.example.edu.vn && exam stop",
    "exceptions list",
    "history list",
    "policy history",
    "policy show --grade 6",
    "policy test",
    f"policy test {SITE}/own.yaml",
    "policy diff --versions now now",
    "lists status",
    "lists search www.tiktok.com",
    "status",
]

OF_AN_ADMINISTRATOR = {
    f"allow www.youtube.com --tier staff {LESSON}": "for one room, grade, network or device",
    "allow www.youtube.com --room lab-a --permanent --reason thi": "ends the same day",
    "policy set --grade 7 --allow-category streaming --reason thi": "may not change that",
    f"room import {SITE}/rooms.csv": "may not change that",
    "room learn lab-a --for 1m": "may not set which devices are in a room",
    "reload": "may not reload",
    f"block google.com --grade staff {LESSON}": "change what staff may see",
    f"block google.com --client 127.0.0.1 {LESSON}": "change what 127.0.0.1 may see",
    f"allow www.youtube.com --client ::1 {LESSON}": "change what ::1 may see",
    "pause --grade guest --for 1m --reason thi": "change what guest may see",
    "exam start --room of-6 --for 1m --allow thi.example.edu.vn": "of-6, which is not a room",
}


@pytest.mark.parametrize("words", OF_A_TEACHER)
def test_a_teacher_does_what_a_lesson_needs(school: Machine, words: str) -> None:
    for command in words.split(" && "):
        done = school.filterd(TEACHER, *command.split())
        assert (done.code, "filterd: " in done.err) == (0, False), done.err


@pytest.mark.parametrize("words", OF_AN_ADMINISTRATOR)
def test_what_a_teacher_may_not_is_refused_in_one_line_that_names_the_role(
    school: Machine, words: str
) -> None:
    done = school.filterd(TEACHER, *words.split())
    errors = [line for line in done.error_lines if line.startswith("filterd: ")]
    assert (done.code, len(errors)) == (2, 1), done
    assert OF_AN_ADMINISTRATOR[words] in errors[0]
    assert f"administrators may: root and the group {ADMINS}" in errors[0]
    assert "Traceback" not in done.err


OF_THE_LOG = {
    "log search": "single lookups",
    "log top": "single lookups",
    "log new": "names",
    "log why 2026-11-28T07:35:12.3": "single lookups",
    "log forget --day today --reason thi": "remove anything",
    "log purge --reason thi": "remove anything",
}


@pytest.mark.parametrize("words", OF_THE_LOG)
def test_names_of_the_log_are_for_administrators(school: Machine, words: str) -> None:
    for user in (TEACHER, CLERK):
        done = school.filterd(user, *words.split())
        (error,) = (line for line in done.error_lines if line.startswith("filterd: "))
        assert (done.code, done.out) == (2, "")
        assert f"{user} may not" in error
        assert OF_THE_LOG[words] in error
    user = "root" if words in OF_ROOT else ADMIN
    assert "may not" not in school.filterd(user, *words.split()).err


OF_ROOT = [
    "log forget --day today --reason thi",
    "log purge --reason thi",
    "log level off --for 1h --reason thi",
    "log level full --tier staff --for 1h --reason thi",
    "clock accept --reason thi",
    "account code lan",
]


@pytest.mark.parametrize("words", OF_ROOT)
def test_an_administrators_login_is_no_proof(school: Machine, words: str) -> None:
    done = school.filterd(ADMIN, *words.split())
    (error,) = (line for line in done.error_lines if line.startswith("filterd: "))
    assert done.code == 2
    assert "root may, or an administrator in the dashboard" in error


@pytest.mark.parametrize("words", [one for one in OF_AN_ADMINISTRATOR if "learn" not in one])
def test_an_administrator_does_it(school: Machine, words: str) -> None:
    done = school.filterd(ADMIN, *words.split())
    assert (done.code, "filterd: " in done.err) == (0, False), done.err


@pytest.mark.parametrize(
    "words",
    [
        f"allow www.youtube.com --room lab-a {LESSON}",
        "room list",
        "exceptions list",
        "exam list",
        "history list",
        "status",
        "reload",
        "undo",
        "policy show --grade 6",
        "check www.tiktok.com --grade 6",
        "report-mistake www.tiktok.com --reason nhầm",
    ],
)
def test_a_stranger_is_refused_and_learns_which_users_may(school: Machine, words: str) -> None:
    done = school.filterd(STRANGER, *words.split())
    assert done.code == 2
    assert len(done.error_lines) == 1, done.err
    (line,) = done.error_lines
    assert f"{STRANGER} may not ask filterd; root and these groups may" in line
    assert all(role.group in line for role in Role)


def test_a_reader_of_the_daemons_files_looks_and_changes_nothing(school: Machine) -> None:
    assert school.filterd(CLERK, "status").code == 0
    done = school.filterd(CLERK, *OF_A_TEACHER[0].split())
    (line,) = done.error_lines
    assert f"teachers and administrators may: the groups {TEACHERS} and {ADMINS}" in line


FULL = "log level full --tier staff --for 1h --reason thi --json"


def _number(school: Machine, user: str, words: str) -> str:
    done = school.filterd(user, *words.split())
    assert done.code == 0, done.err
    return str(json.loads(done.out)["number"])


def test_full_is_confirmed_by_the_principal_and_not_by_its_author(school: Machine) -> None:
    number = _number(school, "root", FULL)
    for user in (TEACHER, READER, INSPECTOR, "root"):
        refused = school.filterd(user, "log", "confirm", number)
        assert f"{user} may not confirm this log level" in refused.err
    assert "confirmed by" not in school.filterd(TEACHER, "status").out
    confirmed = _number(school, PRINCIPAL, f"log confirm {number} --json")
    for user in (READER, PRINCIPAL):
        shown = " ".join(school.filterd(user, "status").out.split())
        assert "(set by root, confirmed by an)" in shown
    assert "may not change anything" in school.filterd(PRINCIPAL, "undo").err
    _number(school, ADMIN, f"undo {confirmed} --json")
    _number(school, ADMIN, f"undo {number} --json")


def test_what_root_has_set_no_administrator_confirms(school: Machine) -> None:
    number = _number(school, "root", FULL)
    refused = school.filterd(ADMIN, "log", "confirm", number)
    assert "filterd-principal" in refused.err
    assert "filterd-admin" not in refused.err
    _number(school, "root", f"undo {number} --json")


@pytest.mark.parametrize("user", [READER, PRINCIPAL, INSPECTOR])
def test_readers_see_the_levels_and_change_nothing(school: Machine, user: str) -> None:
    for words in ("status", "log level", "history list --views"):
        assert school.filterd(user, *words.split()).code == 0
    done = school.filterd(user, *["log", "level", "off", "--reason", "thi"])
    assert f"{user} may not change anything" in done.err
    assert "may not list the devices" in school.filterd(user, "devices", "list").err


def test_a_teacher_takes_back_what_is_the_teachers_own(school: Machine) -> None:
    asked = [*OF_A_TEACHER[0].split(), "--json"]
    of_admin = json.loads(school.filterd(ADMIN, *asked).out)["number"]
    own = json.loads(school.filterd(TEACHER, *asked).out)["number"]
    done = school.filterd(TEACHER, "exceptions", "revoke", str(of_admin))
    assert "may not undo another person's change" in done.err
    assert school.filterd(TEACHER, "exceptions", "revoke", str(own)).code == 0


@pytest.mark.parametrize("user", [ADMIN, TEACHER])
def test_without_rights_to_the_daemons_files_the_past_is_asked_of_it(
    school: Machine, user: str
) -> None:
    (version,) = json.loads(school.filterd(user, "policy", "history", "--json").out)["versions"]
    began = datetime.fromtimestamp(version["activated_at"], NOON)
    checked = school.filterd(user, "check", "vnu.edu.vn", "--at", f"{began:%Y-%m-%dT%H:%M}")
    assert (checked.code, checked.error_lines) == (
        2,
        [
            f"filterd: the policy of {began:%H:%M} is not known"
            " (`filterd policy history` shows from when it is)"
        ],
    )


def test_what_is_guarded_root_opens_for_two_weeks_at_most(school: Machine) -> None:
    opened = ("allow", "category:violence", "--grade", "6", "--reason", "lịch sử 9")
    for user, words in ((TEACHER, "administrators may"), (ADMIN, "root may, or an administrator")):
        done = school.filterd(user, *opened, "--for", "1m")
        assert (done.code, words in done.err) == (2, True), done.err
    done = school.filterd("root", *opened, "--for", "15d")
    assert (done.code, "violence is guarded: it is opened for 14 days" in done.err) == (2, True)
    assert school.filterd("root", *opened, "--for", "14d").code == 0
    shown = school.filterd(READER, "status", "--json")
    (row,) = json.loads(shown.out)["guarded"]
    assert (row["category"], row["audience"], row["whom"]) == ("violence", "grade", "6")
    done = school.filterd(ADMIN, "policy", "set", "--grade", "6", "--allow-category", "violence")
    assert (done.code, "14 days at most" in done.err) == (2, True), done.err
    assert school.filterd("root", "undo").code == 0


def test_a_grade_of_the_staff_in_a_pupils_room_opens_what_is_guarded_there(
    school: Machine,
) -> None:
    words = ("room", "set", "lab-a", "--grade", "staff", "--reason", "họp")
    done = school.filterd(ADMIN, *words, "--for", "1m")
    assert (done.code, "root may, or an administrator" in done.err) == (2, True), done.err
    done = school.filterd("root", *words, "--for", "15d")
    assert (done.code, "it is opened for 14 days at most" in done.err) == (2, True), done.err
    assert school.filterd("root", *words, "--for", "1m").code == 0
    rows = json.loads(school.filterd(READER, "status", "--json").out)["guarded"]
    assert {(row["audience"], row["whom"]) for row in rows} == {("network", "lab-a")}
    assert "violence" in {row["category"] for row in rows}
    assert school.filterd("root", "undo").code == 0
    assert school.filterd(ADMIN, *words[:4], "8", "--for", "1m").code == 0
    assert school.filterd(ADMIN, "undo").code == 0


def test_a_former_administrator_takes_no_block_of_the_school_back(school: Machine) -> None:
    done = school.filterd(ADMIN, "block", "google.com", "--reason", "thi", "--for", "1h")
    assert done.code == 0, done.err
    login = ("setpriv", "--reuid", ADMIN, "--regid", ADMIN, f"--groups={TEACHERS}")
    undo = (sys.executable, "-m", "filterd", "undo", "--config", SITE, "--state", STATE)
    asking = school.start("root", *login, *undo, stdout=-1, stderr=-1)
    said = "".join(asking.communicate(timeout=30))
    assert asking.returncode == 2
    assert f"{ADMIN} may not take back what only an administrator can set" in said
    assert school.filterd(ADMIN, "undo").code == 0


def test_the_author_is_the_user_by_the_kernel(school: Machine) -> None:
    """Nor does the environment count, which the caller may set."""
    environment = {"USER": "root", "LOGNAME": "root", "SUDO_USER": "root", "SUDO_UID": "0"}
    school.filterd(TEACHER, *OF_A_TEACHER[1].split(), **environment)
    rows = json.loads(school.filterd(ADMIN, "history", "list", "--json").out)
    assert rows[0]["author"] == TEACHER


CLAIMS = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as one:
    one.connect("/run/filterd/control.sock")
    claim = {"uid": 0, "user": "root", "author": "root", "rank": 2, "groups": ["filterd-admin"]}
    frame = {"version": 1, "id": 0, "stream": 0, "act_for": "", "ask": "reload", "arguments": {}}
    one.sendall(json.dumps({**frame, **claim}).encode() + b"\\n")
    print(one.recv(65536).decode())
"""


def test_what_a_process_claims_to_be_counts_for_nothing(school: Machine) -> None:
    asking = school.start(TEACHER, sys.executable, "-c", CLAIMS, stdout=-1)
    answer = json.loads(asking.communicate(timeout=30)[0])
    assert not answer["ok"]
    assert "lan may not reload" in json.dumps(answer)


def test_groups_are_those_of_the_login(school: Machine) -> None:
    """Without them, as setpriv logs in, a teacher is a stranger; with them a stranger a teacher."""
    ask = (sys.executable, "-c", CLAIMS)
    for user, groups, expected in (
        (TEACHER, "--clear-groups", "Permission denied"),
        (STRANGER, f"--groups={TEACHERS}", f"{STRANGER} may not reload"),
    ):
        login = ("setpriv", "--reuid", user, "--regid", user, groups)
        asking = school.start("root", *login, *ask, stdout=-1, stderr=-1)
        assert expected in "".join(asking.communicate(timeout=30))


def test_the_daemons_files_are_closed_to_other_users(school: Machine) -> None:
    for user in (TEACHER, ADMIN, STRANGER):
        looking = school.start(user, "ls", STATE, stdout=-1, stderr=-1)
        assert "Permission denied" in "".join(looking.communicate(timeout=30))


def test_the_folder_of_the_socket_takes_nothing_from_others(school: Machine) -> None:
    for user in (TEACHER, ADMIN, STRANGER):
        moving = school.start(user, "rm", "-f", "/run/filterd/control.sock", stderr=-1)
        assert "Permission denied" in moving.communicate(timeout=30)[1]


def test_the_monitor_s_user_gets_the_status_and_neither_files_nor_changes(school: Machine) -> None:
    port = free_port()
    command = ("-m", "filterd", "monitor", "--listen", f"127.0.0.1:{port}")
    place = ("--config", SITE, "--state", STATE)
    monitor = school.start(MONITOR, sys.executable, *command, *place, stderr=-1)
    try:
        assert monitor.stderr is not None
        assert "metrics: http://" in monitor.stderr.readline()
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as reply:
            assert b"\nfilterd_up 1.0\n" in reply.read()
    finally:
        monitor.terminate()
        monitor.communicate(timeout=30)
    assert f"{MONITOR} may not reload" in school.filterd(MONITOR, "reload").err
    looking = school.start(MONITOR, "ls", STATE, stdout=-1, stderr=-1)
    assert "Permission denied" in "".join(looking.communicate(timeout=30))
