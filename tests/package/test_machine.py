# SPDX-License-Identifier: Apache-2.0
"""The package on a machine with a real systemd: installed, set up, looked at as a user does.

The tests of a suite share one machine and follow each other, as the days of a school do.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.booted import booted
from tests.support.gateway import eventually, gateway
from tests.support.installed_school import (
    BOX,
    DASHBOARD,
    FOR_STAFF,
    LOCKED,
    OFFICE_BOX,
    OPEN,
    PAGE,
    InstalledSchool,
)
from tests.support.mmdebstrap import SUITES
from tests.support.packages import NEXT, package

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

SERVING = ("filterd.service", "filterd-feed.service", "filterd-monitor.service")
WAITING = (
    "filterd-web.socket",
    "filterd-blockpage.socket",
    "filterd-site.path",
    "filterd-firewall.path",
)
"""What starts its service with the first connection, or with the first proposal."""
CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")
TROUBLE = (
    "Traceback",
    "Error:",
    "Exception",
    "never awaited",
    "Operation not permitted",
    "code=dumped",
)


@pytest.fixture(scope="module", params=SUITES)
def school(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InstalledSchool]:
    """A school with a machine on which nothing but the package was installed."""
    suite, folder = request.param, tmp_path_factory.mktemp(request.param)
    deb = package(suite)
    with (
        gateway(folder, upstream_port=53) as around,
        booted(suite, folder / "box", around.gateway.name) as box,
    ):
        box.run("mount", "-t", "tmpfs", "tmpfs", "/boot")
        box.run("touch", "/dev/tty1")  # what is written to the screen can be read
        made = InstalledSchool(box, around)
        made.install(deb)
        yield made


def test_the_package_starts_all_units(school: InstalledSchool) -> None:
    for unit in (*SERVING, *WAITING):
        assert school.box.is_active(unit), f"{unit}\n{school.journal()}"
    eventually(lambda: school.box.is_active("filterd-setup.service"))
    assert not school.box.run("systemctl", "--failed", "--plain", "--no-legend").out
    enabled = school.box.run("systemctl", "is-enabled", *SERVING, *WAITING, "filterd-recover")
    assert set(enabled.out.split()) == {"enabled"}


def test_before_the_set_up_every_device_has_the_strictest_policy(school: InstalledSchool) -> None:
    for where, server in ((school.around.pupil, BOX), (school.around.office, OFFICE_BOX)):
        assert school.blocks(where, LOCKED, server)
        assert school.blocks(where, FOR_STAFF, server)


def test_the_screen_and_the_card_show_the_code_of_the_set_up(school: InstalledSchool) -> None:
    def shows_code(path: str) -> bool:
        return CODE.search(school.box.run("cat", path, check=False).out) is not None

    eventually(lambda: shows_code("/dev/tty1"))
    eventually(lambda: shows_code("/boot/filterd-code.txt"))
    assert not CODE.search(school.journal())


def test_the_dashboard_starts_with_the_first_connection(school: InstalledSchool) -> None:
    assert not school.box.is_active("filterd-web.service")
    status, _ = school.page(DASHBOARD, "/setup")
    assert status == 200, school.journal()
    assert school.box.is_active("filterd-web.service")


def test_a_file_of_answers_sets_the_school_up(school: InstalledSchool) -> None:
    school.set_up()
    pupil, office = school.around.pupil, school.around.office
    assert school.blocks(pupil, LOCKED)
    assert school.blocks(pupil, FOR_STAFF)
    assert school.blocks(office, LOCKED, OFFICE_BOX)
    assert not school.blocks(office, FOR_STAFF, OFFICE_BOX)
    assert not school.blocks(pupil, OPEN)


def test_after_the_set_up_no_page_can_claim_the_gateway(school: InstalledSchool) -> None:
    school.box.run("systemctl", "restart", "filterd-setup")
    eventually(lambda: not school.box.is_active("filterd-setup.service"))
    assert school.box.run("cat", "/boot/filterd-code.txt", check=False).code != 0
    assert not school.box.run("systemctl", "--failed", "--plain", "--no-legend").out


def test_the_page_for_pupils_starts_with_the_first_connection(school: InstalledSchool) -> None:
    assert not school.box.is_active("filterd-blockpage.service")
    status, text = school.page(PAGE)
    assert status == 200, school.journal()
    assert "Trường THCS Nguyễn Du" in text
    assert school.box.is_active("filterd-blockpage.service")


def test_the_certificate_is_made_once(school: InstalledSchool) -> None:
    before = school.box.run("cat", "/etc/filterd-web/certificate.pem").out
    school.box.run("systemctl", "start", "filterd-certificate")
    assert school.box.run("cat", "/etc/filterd-web/certificate.pem").out == before
    mode = school.box.run("stat", "-c", "%a %U %G", "/etc/filterd-web/key.pem").out
    assert mode.split() == ["640", "root", "filterd"]


def test_a_file_on_the_card_lets_an_administrator_in_again(school: InstalledSchool) -> None:
    school.box.write("/boot/filterd-recover", "")
    shown = len(school.box.console)
    school.box.run("systemctl", "start", "filterd-recover")
    assert school.box.run("ls", "/boot").out.split() == ["filterd-recover-code.txt"]
    code = school.box.run("cat", "/boot/filterd-recover-code.txt").out.split("#")[-1].strip()
    eventually(lambda: code[-8:] in school.box.console[shown:].replace("\n", ""))
    assert code[-8:] not in school.journal()


def test_a_reload_takes_an_edited_site(school: InstalledSchool) -> None:
    path = "/etc/filterd/site.yaml"
    before = school.box.run("cat", path).out
    school.box.write(path, before.replace("language: en", "language: vi"))
    school.box.run("systemctl", "reload", "filterd")
    school.box.write(path, before + "no-such-key: 1\n")
    assert school.box.run("systemctl", "reload", "filterd", check=False).code != 0
    assert school.blocks(school.around.pupil, LOCKED)
    school.box.write(path, before)
    school.box.run("systemctl", "reload", "filterd")


DECIDE = """
from pathlib import Path
from filterd.appliance.backup import restore_journal, restore_plan
from filterd.appliance.backup.backup_parts import BackupLock
plan = restore_plan.read_plan(next(Path("/mnt/usb").glob("*.zip")), BackupLock())
restore_journal.decide(plan, Path("/etc/filterd"))
"""


def test_the_nightly_backup_goes_to_a_stick_and_an_interrupted_restore_goes_on(
    school: InstalledSchool,
) -> None:
    box, path = school.box, "/etc/filterd/site.yaml"
    before = box.run("cat", path).out
    assert box.is_active("filterd-backup.timer")
    box.write(path, before + "backup: {to: /mnt/usb}\n")
    assert box.run("systemctl", "start", "filterd-backup", check=False).code != 0, "no stick"
    box.run("mkdir", "/mnt/usb")
    box.run("mount", "-t", "tmpfs", "tmpfs", "/mnt/usb")
    box.run("filterd", "block", OPEN, "--permanent", "--reason", "bài kiểm tra")
    box.run("systemctl", "start", "filterd-backup")
    assert "/mnt/usb" in box.run("filterd", "status", "--json").out
    box.run("filterd", "undo")
    assert not school.blocks(school.around.pupil, OPEN)
    box.write(path, before)
    box.run("/opt/filterd/current/bin/python", "-c", DECIDE)
    box.run("systemctl", "start", "filterd-restore")
    assert "backup:" in box.run("cat", path).out
    assert school.blocks(school.around.pupil, OPEN)
    assert box.run("ls", "/etc/filterd/.restore.filterd", check=False).code != 0
    box.run("filterd", "undo")
    box.write(path, before)
    box.run("systemctl", "reload", "filterd")
    box.run("systemctl", "reset-failed", "filterd-backup", check=False)


MAKE_REPORTS = """
import json, ssl, sys, urllib.request
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for name in ("docx", "xlsx", "html", "csv", "json"):
    request = urllib.request.Request(
        "https://127.0.0.1:8443/api/v1/reports",
        json.dumps({"format": name}).encode(),
        {"Authorization": "Bearer " + sys.argv[1], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        print(name, answer.status, len(answer.read()) > 500)
"""


def test_the_dashboard_makes_reports_in_its_sandbox(school: InstalledSchool) -> None:
    box, token = school.box, ("--account", "report", "--role", "admin", "--scope", "all", "--json")
    box.run("filterd", "account", "add", "report", "--role", "admin", "--code")
    made = json.loads(box.run("filterd", "account", "token-add", "report", *token).out)
    python = "/opt/filterd/current/bin/python"
    done = box.run(python, "-c", MAKE_REPORTS, made["token"], check=False)
    formats = ("docx", "xlsx", "html", "csv", "json")
    assert done.out.splitlines() == [f"{one} 200 True" for one in formats], (
        f"{done.err}\n{school.journal()}"
    )


def test_the_service_makes_an_inspection_record_in_its_sandbox(school: InstalledSchool) -> None:
    box = school.box
    box.run("filterd", "inspect", "make", "--out", "/root/record.json")
    envelope = json.loads(box.run("cat", "/root/record.json").out)
    content = json.loads(base64.b64decode(envelope["payload"]))
    facts, journal = content["facts"], school.journal()
    assert len(envelope["signatures"]) == 1
    assert facts["self_test"]["passed"], journal
    assert not facts["self_test"]["failed"], journal
    probes = {one["probe"] for one in facts["findings"]}
    seen = (facts["findings"], journal)
    assert {"answers", "canaries", "lists", "disk", "memory"} <= probes, seen


def test_what_another_policy_would_change_is_tried_in_the_sandbox(school: InstalledSchool) -> None:
    tried = school.box.run("filterd", "policy", "whatif", "--policy", "/etc/filterd", check=False)
    assert tried.code == 0, f"{tried}\n{school.journal()}"


def test_scheduled_reports_go_to_a_stick_each_once(school: InstalledSchool) -> None:
    box, path = school.box, "/etc/filterd/site.yaml"
    before = box.run("cat", path).out
    assert box.is_active("filterd-report.timer")
    schedule = "{every: month, formats: [docx, csv], folder: /mnt/reports}"
    box.write(path, f"{before}report: {{schedule: [{schedule}]}}\n")
    box.run("systemctl", "reload", "filterd")
    assert box.run("systemctl", "start", "filterd-report", check=False).code != 0, "no stick"
    box.run("mkdir", "/mnt/reports")
    box.run("mount", "-t", "tmpfs", "tmpfs", "/mnt/reports")
    for _ in range(2):
        box.run("systemctl", "start", "filterd-report")
        names = box.run("ls", "/mnt/reports").out.split()
        assert [name.rpartition(".")[2] for name in names] == ["csv", "docx"], school.journal()
    assert "/mnt/reports" in box.run("filterd", "status", "--json").out
    box.write(path, before)
    box.run("systemctl", "reload", "filterd")


def test_the_service_is_stopped_started_and_restarted(school: InstalledSchool) -> None:
    school.box.run("systemctl", "restart", "filterd")
    assert school.blocks(school.around.pupil, LOCKED)
    school.box.run("systemctl", "stop", "filterd")
    assert school.asks(school.around.pupil, LOCKED) is None
    school.box.run("systemctl", "start", "filterd")
    assert school.blocks(school.around.pupil, LOCKED)
    assert not school.blocks(school.around.pupil, OPEN)


@pytest.mark.parametrize("unit", ["filterd", "filterd-monitor"])
def test_a_killed_service_comes_back(school: InstalledSchool, unit: str) -> None:
    before = school.pid(unit)
    school.box.run("systemctl", "kill", "--signal=KILL", unit)
    eventually(lambda: school.pid(unit) not in {0, before})
    eventually(lambda: school.box.is_active(unit))
    assert school.blocks(school.around.pupil, LOCKED)


def test_a_service_that_hangs_is_started_again(school: InstalledSchool) -> None:
    before = school.pid()
    school.box.run("systemctl", "kill", "--signal=STOP", "filterd")
    assert school.asks(school.around.pupil, LOCKED) is None
    for _ in range(2):  # WatchdogSec=30
        with contextlib.suppress(AssertionError):
            eventually(lambda: school.pid() not in {0, before} and school.box.is_active("filterd"))
    assert school.blocks(school.around.pupil, LOCKED)
    assert "watchdog" in school.journal().lower()


def test_everything_is_there_again_after_a_boot(school: InstalledSchool) -> None:
    school.box.stop()
    school.box.start()
    eventually(lambda: all(map(school.box.is_active, (*SERVING, *WAITING))))
    assert school.blocks(school.around.pupil, LOCKED)
    assert not school.blocks(school.around.office, FOR_STAFF, OFFICE_BOX)
    assert not school.box.run("systemctl", "--failed", "--plain", "--no-legend").out


def test_an_upgrade_puts_the_next_release_in_service(school: InstalledSchool) -> None:
    before = school.pid()
    school.install(package(school.box.suite, version=NEXT))
    eventually(lambda: school.pid() not in {0, before} and school.box.is_active("filterd"))
    assert school.box.run("filterd", "--version").out.split()[1] == NEXT
    assert school.blocks(school.around.pupil, LOCKED)
    assert not school.blocks(school.around.office, FOR_STAFF, OFFICE_BOX)


def test_the_journal_has_no_trouble(school: InstalledSchool) -> None:
    shown = school.journal()
    assert not [line for line in shown.splitlines() if any(one in line for one in TROUBLE)]
