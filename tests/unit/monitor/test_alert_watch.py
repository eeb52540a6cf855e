# SPDX-License-Identifier: Apache-2.0
"""Alerts leave by mail and webhook as ``site.yaml`` wants, and secrets by nothing else."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ConfigError, DeliveryError, FilterdError, StoreError
from filterd.base.state_file import to_plain
from filterd.base.state_folder import StateFolder
from filterd.monitor import alert_watch, monitor_main
from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import AlertEvent
from filterd.monitor.alert_watch import MOST, AlertWatch, Outbox
from filterd.monitor.status_source import Observation
from filterd.operations.alerts import AlertSeverity
from filterd.policy.reporting_settings import (
    AlertSettings,
    Destinations,
    MailSettings,
    ReportSettings,
    WebhookSettings,
)
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.tls_fixtures import authority
from tests.support.web import Page, Web, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.tls import Authority

__all__ = ["authority"]

TOKEN = "khoa-bi-mat"
PAUSED: dict[str, Any] = {"policy": "a", "pauses": [{}]}
NOTHING: dict[str, Any] = {"policy": "a", "pauses": []}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "secrets").mkdir(parents=True)
    for name, content in (("mail", PASSWORD), ("token", TOKEN)):
        (folder / "secrets" / name).write_text(content, encoding="utf-8")
        (folder / "secrets" / name).chmod(0o600)
    return folder


@pytest.fixture
def mail(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with MailServer(authority.issue("127.0.0.1")) as server:
        yield server


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as server:
        server.pages[f"/{TOKEN}"] = Page(b"ok")
        yield server


class School:
    """A site with settings, and the monitor that watches its daemon."""

    def __init__(self, folder: Path, settings: AlertSettings | None) -> None:
        self.folder, self.clock, self.settings = folder, FakeClock(), settings
        self.read = 0
        self.problem: FilterdError | None = None
        self.watch = AlertWatch(folder / "site", folder / "state" / "monitor", self.clock)
        self.edit(settings)

    def edit(self, settings: AlertSettings | None, problem: FilterdError | None = None) -> None:
        """Write the file anew; what it says is ``settings``, or it has a problem."""
        self.settings, self.problem = settings, problem
        file = self.folder / "site" / "site.yaml"
        file.write_text(f"{'x' * self.read} {settings} {problem}", encoding="utf-8")

    def destinations(self, config: Path) -> Destinations:
        assert config == self.folder / "site"
        self.read += 1
        if self.problem is not None:
            raise self.problem
        return Destinations("Mẫu", "en", self.settings, ReportSettings())

    async def after(self, seconds: float, status: dict[str, Any] | None) -> None:
        self.clock.advance(seconds)
        await self.watch(Observation(self.clock.wall(), status))


@pytest.fixture
def school(
    tmp_path: Path, config: Path, mail: MailServer, web: Web, monkeypatch: pytest.MonkeyPatch
) -> School:
    assert config
    to = MailSettings("127.0.0.1", mail.port, "a@b.vn", ("c@d.vn",), USER, "mail")
    hook = WebhookSettings(f"{web.address}/{{token}}", "token")
    school = School(tmp_path, AlertSettings("Mẫu", "Asia/Ho_Chi_Minh", "en", to, hook))
    monkeypatch.setattr(alert_watch, "read_destinations", school.destinations)
    return school


async def _begin_and_end(school: School) -> None:
    await school.after(0, NOTHING)
    await school.after(15, PAUSED)
    await school.after(60, PAUSED)
    await school.watch.finish()
    await school.after(15, NOTHING)
    await school.after(60, NOTHING)
    await school.watch.finish()


def test_begin_and_end_go_both_ways(school: School, mail: MailServer, web: Web) -> None:
    asyncio.run(_begin_and_end(school))
    assert school.read == 1, "once for each edit"
    states = [json.loads(one)["alerts"][0]["state"] for one in web.posted]
    assert states == ["begins", "ends"]
    begin, end = mail.taken
    assert "1 pause is in force" in begin
    assert "over: 1 pause" in end


def test_no_secret_is_in_journal_state_or_settings(
    school: School, mail: MailServer, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")  # as the journal's
    mail.replies["AUTH"] = b"535 wrong password: " + PASSWORD.encode() + b"\r\n"
    web.pages.clear()
    asyncio.run(_begin_and_end(school))
    assert caplog.text.count("could not be sent") == 4
    kept = [path.read_bytes() for path in (school.folder / "state").rglob("*")]
    assert kept
    for text in (str(kept), caplog.text, str(to_plain(school.settings))):
        assert PASSWORD not in text
        assert TOKEN not in text


def test_a_mail_server_that_hangs_does_not_hold_up_the_webhook(
    school: School, mail: MailServer, web: Web
) -> None:
    released = threading.Event()

    def hang(_: socket.socket) -> None:
        released.wait(10)

    mail.serve_raw = hang

    async def work() -> None:
        await _begin(school)
        while not web.posted:
            await asyncio.sleep(0.01)
        await school.after(15, NOTHING)  # the next observation is judged meanwhile
        released.set()
        await school.watch.finish()

    asyncio.run(work())
    assert len(web.posted) == 1


async def _begin(school: School) -> None:
    await school.after(0, NOTHING)
    await school.after(15, PAUSED)
    await school.after(60, PAUSED)


def test_a_daemon_that_is_dead_from_the_start_is_reported_by_the_settings_of_before(
    school: School, web: Web
) -> None:
    async def work() -> None:
        await school.after(0, NOTHING)
        await school.after(15, NOTHING)
        after_restart = School(school.folder, None)
        after_restart.clock = school.clock
        state = school.folder / "state" / "monitor"
        after_restart.watch = AlertWatch(school.folder / "site", state, school.clock)
        school.edit(None, ConfigError(say("a key is unknown")))
        await after_restart.after(60, None)
        await after_restart.after(60, None)
        await after_restart.watch.finish()

    asyncio.run(work())
    assert [json.loads(one)["alerts"][0]["id"] for one in web.posted] == ["daemon-silent"]


def test_other_settings_count_from_the_next_edit_on(
    school: School, mail: MailServer, web: Web
) -> None:
    async def work() -> None:
        await _begin(school)
        assert school.settings is not None
        await school.watch.finish()
        school.edit(replace(school.settings, mail=None))
        await school.after(15, NOTHING)
        await school.after(60, NOTHING)
        await school.watch.finish()
        school.edit(None)
        await school.after(900, PAUSED)
        await school.after(60, PAUSED)
        await school.watch.finish()

    asyncio.run(work())
    assert (len(mail.taken), len(web.posted)) == (1, 2)


def test_a_mistake_in_the_site_is_told_once_and_leaves_the_ways_of_before(
    school: School, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        await school.after(0, NOTHING)
        school.edit(None, ConfigError(say("a key is unknown")))
        await _begin(school)
        await school.watch.finish()

    asyncio.run(work())
    assert caplog.text.count("alerts go where they went before: a key is unknown") == 1
    assert len(web.posted) == 1


def test_a_child_that_cannot_be_started_is_tried_again(school: School, web: Web) -> None:
    async def work() -> None:
        school.problem = StoreError(say("no memory"))
        await school.after(0, NOTHING)
        school.problem = None
        await _begin(school)
        await school.watch.finish()

    asyncio.run(work())
    assert (school.read, len(web.posted)) == (2, 1)


def test_the_daemon_is_asked_for_nothing_and_its_status_names_no_way(
    school: School, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ask", lambda *_, **__: pytest.fail("it was asked"))
    lie = to_plain(
        AlertSettings("x", "UTC", "en", None, WebhookSettings("http://127.0.0.1:9/", "mail"))
    )

    async def work() -> None:
        school.edit(None)
        for _ in range(6):
            await school.after(60, PAUSED | {"alerts": lie, "settings": lie, "policy": lie})
        await school.watch.finish()

    asyncio.run(work())
    assert web.posted == []


def test_the_monitor_has_it_as_a_watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "own"))
    (watcher,) = monitor_main.watchers_of(tmp_path, StateFolder(tmp_path / "state"), FakeClock())
    asyncio.run(watcher(Observation(0.0, {"pauses": [{}]})))  # type: ignore[arg-type]
    assert (tmp_path / "own" / "monitor.filterd").exists()
    assert not (tmp_path / "state").exists()


def _event(number: int) -> AlertEvent:
    return AlertEvent(Alert(str(number), AlertSeverity.NOTICE, say("x"), say("y")), 0.0)


def _refuse(_: Sequence[AlertEvent]) -> None:
    raise DeliveryError(say("the server is away"))


def test_events_of_a_minute_are_one_message() -> None:
    clock, sent = FakeClock(), list[list[str]]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(59)
    assert not outbox.is_due
    outbox.put([_event(2)])
    clock.advance(1)
    assert outbox.is_due
    outbox.send(lambda events: sent.append([event.alert.id for event in events]))
    assert (sent, outbox.is_due) == ([["1", "2"]], False)
    clock.advance(3600)
    assert not outbox.is_due


def test_after_failures_the_pause_grows_to_an_hour_and_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, sent = FakeClock(), list[AlertEvent]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(60)
    pauses = []
    for number in range(9):
        outbox.send(_refuse)
        outbox.put([_event(number)])
        before = clock.monotonic()
        while not outbox.is_due:
            clock.advance(60)
        pauses.append(clock.monotonic() - before)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert "could not be sent: the server is away" in caplog.text
    outbox.send(sent.extend)
    assert len(sent) == 10


def test_the_oldest_events_are_dropped_when_too_many_wait() -> None:
    outbox, sent = Outbox(FakeClock()), list[AlertEvent]()

    def deliver(events: Sequence[AlertEvent]) -> None:
        sent.extend(events)
        outbox.put(map(_event, range(1000, 1000 + MOST)))  # meanwhile

    outbox.put(map(_event, range(MOST + 7)))
    outbox.send(deliver)
    assert [sent[0].alert.id, len(sent)] == ["7", MOST]
    outbox.send(sent.extend)
    assert [sent[MOST].alert.id, len(sent)] == ["1000", 2 * MOST]


def test_an_unknown_error_is_reported_by_its_kind_only_and_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Sequence[AlertEvent]) -> None:
        raise UnicodeError("khoa-bi-mat")

    clock, sent = FakeClock(), list[AlertEvent]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(60)
    outbox.send(broken)
    assert not outbox.is_due
    assert "an error inside filterd: UnicodeError" in caplog.text
    assert "khoa-bi-mat" not in caplog.text
    outbox.send(sent.extend)
    assert len(sent) == 1
