# SPDX-License-Identifier: Apache-2.0
"""Where things leave the school is read from ``site.yaml`` alone, with the checks of its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base import bounded_child
from filterd.base.errors import ConfigErrors
from filterd.config import compile_run, destinations
from filterd.config.compile_run import read_destinations
from filterd.config.destinations import destinations_of
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")

WAYS = """\
language: vi
alerts:
  mail: {server: mail.example, from: a@b.vn, to: [c@d.vn], user: u, password_file: mail}
  webhook: {url: "https://hook.example/{token}", token_file: token}
report:
  template: form.docx
  schedule: [{every: month, folder: /media/usb, mail: true}]
"""


def _site(folder: Path, more: str = WAYS) -> Path:
    (folder / "site.yaml").write_text(SCHOOL + more, encoding="utf-8")
    return folder


def test_the_ways_of_a_site_come_from_its_file_by_a_child(tmp_path: Path) -> None:
    found = read_destinations(_site(tmp_path))
    assert found == destinations_of(tmp_path)
    assert (found.school, found.language) == ("Mẫu", "vi")
    assert found.alerts is not None
    assert found.alerts.mail is not None
    assert (found.alerts.mail.server, found.alerts.mail.password_file) == ("mail.example", "mail")
    assert found.alerts.webhook is not None
    assert found.alerts.webhook.token_file == "token"
    (schedule,) = found.report.schedules
    assert (schedule.folder, schedule.is_mailed) == ("/media/usb", True)
    assert found.report.template == str(tmp_path / "form.docx")


def test_a_site_that_names_nothing_has_no_ways(tmp_path: Path) -> None:
    found = read_destinations(_site(tmp_path, ""))
    assert (found.alerts, found.report.schedules) == (None, ())


@pytest.mark.parametrize(
    ("key", "lie"),
    [
        ("password_file: mail", "password_file: /etc/shadow"),
        ("token_file: token", "token_file: ../../etc/shadow"),
        ('"https://hook.example/{token}"', '"http://hook.example/{token}"'),
        ('"https://hook.example/{token}"', '"file:///etc/shadow"'),
        ("server: mail.example", 'server: "mail example"'),
        ("folder: /media/usb", "folder: ../usb"),
        ("template: form.docx", "template: /etc/shadow"),
    ],
)
def test_what_the_schema_refuses_is_no_way(tmp_path: Path, key: str, lie: str) -> None:
    assert key in WAYS
    with pytest.raises(ConfigErrors):
        read_destinations(_site(tmp_path, WAYS.replace(key, lie)))


def test_a_report_by_mail_wants_a_mail_server(tmp_path: Path) -> None:
    more = "report: {schedule: [{every: month, mail: true}]}\n"
    with pytest.raises(ConfigErrors, match="there is no mail server"):
        read_destinations(_site(tmp_path, more))


def test_a_mistake_in_another_file_of_the_site_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "primary.yaml").write_text("tier: [")
    assert read_destinations(_site(tmp_path)).alerts is not None


def test_a_missing_site_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="cannot be read"):
        read_destinations(tmp_path)


def test_a_child_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_run, "TIME_LIMIT_S", 0.0)
    with pytest.raises(ConfigErrors, match="took more than"):
        read_destinations(_site(tmp_path))


def test_the_child_prints_what_is_wrong_as_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_child, "bound", lambda **_: None)
    assert destinations.main([str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["errors"][0]["path"] == str(tmp_path / "site.yaml")
