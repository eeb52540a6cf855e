# SPDX-License-Identifier: Apache-2.0
"""What is due is delivered once: totals for outside the school, into a folder and by mail."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.appliance import report_schedule
from filterd.appliance.backup import backup_file
from filterd.appliance.report_schedule import deliver_due, deliveries_of, letter_of
from filterd.base.errors import ConfigError, ControlError, DeliveryError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.status_files import REPORTS
from filterd.monitor import mail
from filterd.policy.reporting_settings import (
    AlertSettings,
    Destinations,
    MailSettings,
    PeriodKind,
    ReportSchedule,
)
from filterd.reports import report_run
from filterd.reports.report_run import ReportFile
from filterd.texts.i18n import Texts, say
from tests.support.clock import FakeClock
from tests.support.mail_server import MailServer
from tests.support.report_sample import FACTS, SCHOOL, SETTINGS
from tests.support.tls_fixtures import authority

__all__ = ["authority"]

if TYPE_CHECKING:
    from tests.support.tls import Authority

MONTH = PeriodKind.MONTH
DAYS = {"first": "2026-10-01", "last": "2026-10-31"}
MAKE = report_run.make
"""In a process of its own, which takes a second to begin."""


class Box:
    """A gateway in its last minutes of a night: the daemon's answers, a stick, a clock."""

    def __init__(self, tmp_path: Path) -> None:
        self.state, self.stick = StateFolder(tmp_path / "state"), tmp_path / "usb"
        self.config, self.clock = tmp_path, FakeClock()
        self.state.folder.mkdir()
        self.stick.mkdir()
        self.period = {"kind": "month", "first": "2026-10-01", "last": "2026-10-31", "id": ""}
        self.alerts: AlertSettings | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.wanted(ReportSchedule(MONTH, ("json",), str(self.stick)))

    def wanted(self, *schedules: ReportSchedule) -> None:
        self.settings = replace(SETTINGS, schedules=schedules)

    def ask(self, _: Path, command: str, **arguments: Any) -> Any:
        self.asked.append((command, arguments))
        match command:
            case "report-period":
                return self.period | {"kind": arguments["text"]}
            case "report-facts":
                span = {key: arguments[key] for key in ("first", "last", "kind")}
                return FACTS.to_plain() | span | {"audience": arguments["audience"]}
        raise AssertionError(command)

    def destinations(self, config: Path) -> Destinations:
        assert config == self.config
        return Destinations(SCHOOL, "vi", self.alerts, self.settings)

    def run(self) -> list[str]:
        return [Path(one).name for one in deliver_due(self.config, self.state, self.clock)]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(tmp_path)
    monkeypatch.setattr(control, "ask", made.ask)
    monkeypatch.setattr(report_schedule, "read_destinations", made.destinations)
    monkeypatch.setattr(report_run, "make", lambda one: ReportFile(one.format.encode() * 100, ()))
    monkeypatch.setattr(backup_file, "is_on_disk_of", lambda *_: False)
    return made


def test_a_report_comes_once_and_again_with_the_next_period(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_run, "make", MAKE)
    assert box.run() == ["bao-cao-2026-10.json"]
    assert box.run() == []
    box.period |= {"first": "2026-12-01", "last": "2026-12-31"}  # it was off for a month
    assert box.run() == ["bao-cao-2026-12.json"]
    facts = json.loads((box.stick / "bao-cao-2026-10.json").read_text())["facts"]
    assert (facts["audience"], facts["last"]) == ("outside", "2026-10-31")


def test_only_totals_for_outside_the_school_are_asked_for(box: Box) -> None:
    box.run()
    assert [given["audience"] for one, given in box.asked if one == "report-facts"] == ["outside"]


def test_a_file_that_is_there_stays(box: Box) -> None:
    there = box.stick / "bao-cao-2026-10.json"
    there.write_text("of another gateway")
    assert box.run() == ["bao-cao-2026-10-2.json"]
    assert there.read_text() == "of another gateway"


def test_a_missing_stick_is_noted_and_the_others_get_theirs(box: Box, tmp_path: Path) -> None:
    box.wanted(
        ReportSchedule(MONTH, ("json",), str(tmp_path / "missing")),
        ReportSchedule(MONTH, ("json",), str(box.stick)),
    )
    for _ in range(2):
        with pytest.raises(ConfigError, match="no folder"):
            box.run()
        box.clock.advance(86_400)
    kept = REPORTS.load(box.state.report_outcome)
    assert kept.failing_since == box.clock.wall() - 2 * 86_400
    assert "no folder" in kept.problem
    assert len(list(box.stick.iterdir())) == 1
    (tmp_path / "missing").mkdir()
    assert box.run() == ["bao-cao-2026-10.json"]
    kept = REPORTS.load(box.state.report_outcome)
    assert (kept.failing_since, kept.problem, kept.done_at) == (None, "", box.clock.wall())


def test_control_a_folder_without_its_stick_is_refused(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_file, "is_on_disk_of", lambda *_: True)
    with pytest.raises(StoreError, match="same disk"):
        box.run()
    assert list(box.stick.iterdir()) == []
    monkeypatch.setattr(report_schedule, "_OWN_DISK", box.stick.parent)
    assert box.run() == ["bao-cao-2026-10.json"], "a share of the gateway itself"


@pytest.mark.parametrize("way", ["srv/link", "srv/../state"])
def test_no_link_of_a_share_leads_to_another_folder_of_the_gateway(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/link").symlink_to(box.state.folder)
    monkeypatch.setattr(backup_file, "is_on_disk_of", lambda *_: True)
    monkeypatch.setattr(report_schedule, "_OWN_DISK", tmp_path / "srv")
    box.wanted(ReportSchedule(MONTH, ("json",), str(tmp_path / way)))
    with pytest.raises(StoreError, match="same disk"):
        box.run()
    assert not list(box.state.folder.glob("*.json"))


def test_a_name_of_several_lines_adds_nothing_to_the_head_of_a_mail(box: Box) -> None:
    about = DAYS | {"school": "Trường A\r\nBcc: b@truong.example\u2028C"}
    letter = letter_of(about, ("a.csv",), 0, Texts("vi"))
    settings = MailSettings("127.0.0.1", 25, "f@truong.example", ("a@truong.example",))
    written = mail.Mail(settings, box.config, box.clock)._written(letter, ())
    found = email.message_from_bytes(written.as_bytes(), policy=email.policy.default)
    assert found["Bcc"] is None
    assert "Trường A Bcc: b@truong.example C" in found["Subject"]


def test_a_site_without_schedules_keeps_nothing(box: Box) -> None:
    box.run()
    box.wanted()
    assert box.run() == []
    assert not box.state.report_outcome.exists()


def test_what_is_scheduled_no_more_is_forgotten(box: Box) -> None:
    box.run()
    box.wanted(ReportSchedule(PeriodKind.WEEK, ("json",), str(box.stick)))
    box.run()
    (key,) = REPORTS.load(box.state.report_outcome).delivered
    assert key.startswith("week json ")


def test_a_daemon_that_does_not_answer_is_a_failure_of_what_is_scheduled(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise ControlError(say("away"))

    box.run()
    monkeypatch.setattr(control, "ask", away)
    with pytest.raises(ControlError):
        box.run()
    assert REPORTS.load(box.state.report_outcome).failing_since == box.clock.wall()


def _mailed(box: Box, server: MailServer) -> None:
    settings = MailSettings("127.0.0.1", server.port, "f@truong.example", ("a@truong.example",))
    box.alerts = AlertSettings(SCHOOL, "Asia/Ho_Chi_Minh", "vi", settings)
    box.wanted(ReportSchedule(MONTH, ("json", "csv"), "", is_mailed=True))


def test_files_are_mailed_in_one_message_that_names_them(
    box: Box, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    asks = ("number",)
    monkeypatch.setattr(report_run, "make", lambda one: ReportFile(one.format.encode() * 100, asks))
    with MailServer(authority.issue("127.0.0.1")) as server:
        _mailed(box, server)
        assert box.run() == ["bao-cao-2026-10.json", "bao-cao-2026-10.csv"]
        assert box.run() == []
    (taken,) = server.taken
    message = email.message_from_string(taken, policy=email.policy.default)
    text, *files = message.iter_parts()
    assert "01/10/2026" in message["Subject"]
    assert [file.get_filename() for file in files] == [
        "bao-cao-2026-10.json",
        "bao-cao-2026-10.csv",
    ]
    assert [file.get_content_type() for file in files] == ["application/json", "text/csv"]
    assert files[0].get_payload(decode=True) == b"json" * 100
    assert "bao-cao-2026-10.csv" in text.get_content()
    assert "1 chỗ" in text.get_content()


@pytest.mark.parametrize("reply", [{"RCPT": b"550 no\r\n"}, {"DATA": b"552 too large\r\n"}])
def test_a_mail_that_is_refused_is_sent_again_the_next_night(
    box: Box, authority: Authority, monkeypatch: pytest.MonkeyPatch, reply: dict[str, bytes]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with MailServer(authority.issue("127.0.0.1"), replies=reply) as server:
        _mailed(box, server)
        box.wanted(ReportSchedule(MONTH, ("json",), "", is_mailed=True))
        with pytest.raises(DeliveryError):
            box.run()
        server.replies.clear()
        assert box.run() == ["bao-cao-2026-10.json"]


def test_what_is_too_large_for_mail_or_has_no_server_is_refused(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail.Mail, "send", lambda *_: pytest.fail("it was sent"))
    box.wanted(ReportSchedule(MONTH, ("json",), "", is_mailed=True))
    with pytest.raises(DeliveryError, match="no `mail`"):
        box.run()
    server = MailSettings("127.0.0.1", 1, "f@truong.example", ("a@truong.example",))
    box.alerts = AlertSettings(SCHOOL, "Asia/Ho_Chi_Minh", "vi", server)
    monkeypatch.setattr(report_schedule, "MOST_MAILED_OCTETS", 100)
    with pytest.raises(DeliveryError, match="at most 100"):
        box.run()


def test_each_file_of_a_folder_is_a_delivery_and_a_mail_is_one() -> None:
    both = ReportSchedule(MONTH, ("docx", "xlsx"), "/media/usb", is_mailed=True)
    assert [one.id for one in deliveries_of([both])] == [
        "month docx /media/usb",
        "month xlsx /media/usb",
        "month docx+xlsx mail",
    ]


def test_a_subject_is_one_line_whatever_the_school_is_called() -> None:
    about = DAYS | {"school": "A\r\nBcc: all@example"}
    assert "\n" not in letter_of(about, ("a.csv",), 0, Texts("en")).subject


LIES = ("../../etc/x", "/etc/x", "a\nb", "2026-10-01\n")


@pytest.mark.parametrize("lie", LIES)
def test_no_answer_of_the_daemon_names_the_file_of_a_report(
    box: Box, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    def lying(path: Path, command: str, **arguments: Any) -> Any:
        answer = box.ask(path, command, **arguments)
        named = {"scope", "audience", "language", "id", "folder"} & answer.keys()
        return answer | dict.fromkeys(named, lie)

    monkeypatch.setattr(control, "ask", lying)
    assert box.run() == ["bao-cao-2026-10.json"]
    assert [one.name for one in box.stick.iterdir()] == ["bao-cao-2026-10.json"]


@pytest.mark.parametrize("lie", [*LIES, 7, None, ["x"], {"x": 1}, "20261001", "2026-10-01/../x"])
def test_days_of_the_daemon_that_are_none_are_refused(box: Box, lie: Any) -> None:
    box.period |= {"last": lie}
    with pytest.raises(ControlError, match="another"):
        box.run()
    assert list(box.stick.iterdir()) == []


def test_a_site_with_a_mistake_is_a_failure_of_what_is_scheduled(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_: Path) -> Destinations:
        raise ConfigError(say("a key is unknown"))

    box.run()
    monkeypatch.setattr(report_schedule, "read_destinations", wrong)
    with pytest.raises(ConfigError):
        box.run()
    assert REPORTS.load(box.state.report_outcome).failing_since == box.clock.wall()
