# SPDX-License-Identifier: Apache-2.0
"""A daemon that was taken over lies to root and to the monitor, who may do more than it may.

No secret goes where only the daemon wants it, root writes where the site says, and no text of any
answer becomes the name of a file, a host or a program.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from filterd import control
from filterd.appliance import report_schedule
from filterd.appliance.doctor.examination import PROBES
from filterd.base.clock import SystemClock
from filterd.base.state_file import to_plain
from filterd.base.state_folder import StateFolder
from filterd.cli import console
from filterd.cli.box import doctor
from filterd.monitor import alert_watch
from filterd.monitor.alert_watch import AlertWatch
from filterd.monitor.status_source import StatusSource
from filterd.policy.reporting_settings import (
    AlertSettings,
    Destinations,
    MailSettings,
    PeriodKind,
    ReportSchedule,
    ReportSettings,
    WebhookSettings,
)
from tests.e2e.audited import events_with
from tests.support.clock import FakeClock
from tests.support.commands import ROOT, Outcome, call, environment
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.report_sample import FACTS
from tests.support.tls_fixtures import authority
from tests.support.unix_sockets import bind
from tests.support.web import Page, Web
from tests.support.web import serving as web_serving

__all__ = ["authority"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.daemon import Served
    from tests.support.tls import Authority

TOKEN, OF_ROOT = "khoa-cua-truong", "bi-mat-cua-root"
DAYS = {"kind": "month", "first": "2026-10-01", "last": "2026-10-31", "id": ""}
AS_IT_WAS = (
    "-c",
    "import filterd.config.compile_run as c, filterd.policy.reporting_settings as r;"
    "from filterd import control; from filterd.base.state_file import Decoders;"
    "from pathlib import Path; of = Decoders(vars(r)).of(r.Destinations);"
    "c.read_destinations = lambda _: of(control.ask(Path({socket!r}), 'destinations'));"
    "from filterd.cli.app import main; main()",
)
"""The control: the daemon is asked, as it was."""


class LyingDaemon:
    """A process of the daemon's right behind the control socket, and a site of root's.

    Attributes:
        lies: what it says of the destinations.
        asked: what it was asked for.
    """

    def __init__(self, folder: Path, honest: Web, other: Web, mail: MailServer) -> None:
        self.folder, self.state = folder, StateFolder(folder / "state")
        self.state.folder.mkdir()
        self.stick, self.elsewhere = folder / "usb", folder / "elsewhere"
        self.stick.mkdir()
        self.elsewhere.mkdir()
        ways = (
            f"alerts:\n  webhook: {{url: '{honest.address}/hook', token_file: token}}\n"
            f"  language: en\n"
            f"report: {{schedule: [{{every: month, formats: [json], folder: '{self.stick}'}}]}}\n"
        )
        self.config = write_site(folder / "site", port=free_port(), more=ways)
        secrets = {"secrets/token": TOKEN, "secrets/mail": PASSWORD, "../own": OF_ROOT}
        (self.config / "secrets").mkdir()
        for name, content in secrets.items():
            (self.config / name).write_text(content, encoding="utf-8")
            (self.config / name).chmod(0o600)
        to = MailSettings("127.0.0.1", mail.port, "a@b.vn", ("c@d.vn",), USER, "mail")
        hook = WebhookSettings(f"{other.address}/hook", str(folder / "own"))
        alerts = AlertSettings("Mẫu", "Asia/Ho_Chi_Minh", "en", to, hook)
        schedule = ReportSchedule(PeriodKind.MONTH, ("json",), str(self.elsewhere))
        settings = ReportSettings(schedules=(schedule,))
        self.lies = Destinations("Mẫu", "en", alerts, settings)
        self.asked: list[str] = []

    def answer(self, command: str) -> Any:
        self.asked.append(command)
        facts = FACTS.to_plain() | {key: DAYS[key] for key in ("kind", "first", "last")}
        return {
            "status": {"policy": "a", "pauses": [{}], "alerts": to_plain(self.lies.alerts)},
            "alert-settings": to_plain(self.lies.alerts),
            "report-settings": {"settings": to_plain(self.lies.report), "language": "en"},
            "destinations": to_plain(self.lies),
            "report-period": DAYS,
            "report-facts": facts | {"audience": "outside"},
        }.get(command)

    @contextlib.contextmanager
    def serving(self) -> Iterator[LyingDaemon]:
        with socket.socket(socket.AF_UNIX) as listener:
            bind(listener, self.state.control_socket)
            listener.listen(8)
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
            yield self
            listener.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = listener.accept()
                with opened, opened.makefile("rb") as lines, contextlib.suppress(OSError):
                    request = json.loads(lines.readline())
                    frame = {key: request[key] for key in ("version", "id", "stream")}
                    result = self.answer(request["ask"])
                    frame |= {"ok": True, "result": result, "notices": [], "end": True}
                    opened.sendall(json.dumps(frame).encode() + b"\n")

    def run(self, *words: str, program: tuple[str, ...] = ("-m", "filterd"), **more: str) -> int:
        """Run a command of root's in a process of its own; return its exit code."""
        script = [one.format(socket=str(self.state.control_socket)) for one in program]
        options = ("--config", str(self.config), "--state", str(self.state.folder))
        return subprocess.run(
            [sys.executable, *script, *words, *options],
            cwd=ROOT,
            env=environment(**more),
            timeout=120,
            check=False,
        ).returncode

    def files(self, folder: Path) -> list[str]:
        return [one.name for one in folder.iterdir()]


@pytest.fixture
def mail(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with MailServer(authority.issue("127.0.0.1")) as server:
        yield server


@pytest.fixture
def honest() -> Iterator[Web]:
    with web_serving(Web()) as server:
        server.pages["/hook"] = Page(b"ok")
        yield server


@pytest.fixture
def other() -> Iterator[Web]:
    with web_serving(Web()) as server:
        server.pages["/hook"] = Page(b"ok")
        yield server


@pytest.fixture
def liar(tmp_path: Path, honest: Web, other: Web, mail: MailServer) -> Iterator[LyingDaemon]:
    with LyingDaemon(tmp_path, honest, other, mail).serving() as daemon:
        yield daemon


def _tokens(web: Web) -> set[str | None]:
    return {header.get("Authorization") for _, header in web.asked}


def test_a_test_of_alerts_goes_where_the_site_says_and_no_file_of_root_s_leaves(
    liar: LyingDaemon, honest: Web, other: Web, mail: MailServer
) -> None:
    assert liar.run("alerts", "test") == 0
    assert _tokens(honest) == {f"Bearer {TOKEN}"}
    assert (other.posted, mail.logins, liar.asked) == ([], [], [])


def test_control_a_command_that_believes_the_daemon_sends_root_s_file_away(
    liar: LyingDaemon, honest: Web, other: Web, mail: MailServer
) -> None:
    trusted = {"SSL_CERT_FILE": os.environ["SSL_CERT_FILE"]}
    assert liar.run("alerts", "test", program=AS_IT_WAS, **trusted) == 0
    assert _tokens(other) == {f"Bearer {OF_ROOT}"}
    assert (honest.posted, mail.logins) == ([], [(USER, PASSWORD)])


async def _monitored(liar: LyingDaemon) -> None:
    clock = FakeClock()
    source = StatusSource(liar.state.control_socket, clock)
    watch = AlertWatch(liar.config, liar.folder / "monitor", clock)
    for _ in range(4):
        clock.advance(60)
        await watch(await source.latest())
        await watch.finish()  # a time limit counts by the same clock


def test_the_monitor_sends_no_password_to_a_server_that_the_site_does_not_name(
    liar: LyingDaemon, honest: Web, other: Web, mail: MailServer
) -> None:
    asyncio.run(_monitored(liar))
    assert _tokens(honest) == {f"Bearer {TOKEN}"}
    assert (other.posted, mail.logins, {*liar.asked}) == ([], [], {"status"})


def test_control_a_monitor_that_believes_the_daemon_sends_the_password_of_mail(
    liar: LyingDaemon, other: Web, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_watch, "read_destinations", lambda _: liar.lies)
    asyncio.run(_monitored(liar))
    assert _tokens(other) == {f"Bearer {OF_ROOT}"}
    assert mail.logins == [(USER, PASSWORD)]


_OWN_DISK = (
    "-c",
    "import filterd.appliance.backup.backup_file as b; b.is_on_disk_of = lambda *_: False;",
)
"""The folders of the test are on one disk, as the state is."""


def _on_any_disk(program: tuple[str, ...]) -> tuple[str, ...]:
    return (_OWN_DISK[0], _OWN_DISK[1] + program[1])


@pytest.mark.long
def test_a_report_goes_into_the_folder_of_the_site_under_a_name_of_root_s(
    liar: LyingDaemon,
) -> None:
    program = _on_any_disk(("", "from filterd.cli.app import main; main()"))
    assert liar.run("report", "--scheduled", program=program) == 0
    assert liar.files(liar.stick) == ["report-2026-10.json"]
    assert liar.files(liar.elsewhere) == []


@pytest.mark.long
def test_control_a_report_that_believes_the_daemon_goes_elsewhere(liar: LyingDaemon) -> None:
    assert liar.run("report", "--scheduled", program=_on_any_disk(AS_IT_WAS)) == 0
    assert liar.files(liar.stick) == []
    assert len(liar.files(liar.elsewhere)) == 1


MARK = "khong-dang-tin"
LIES = (
    f"/{MARK}/x",
    f"../../../{MARK}",
    f"https://{MARK}.example/",
    f"{MARK}.example",
    f"{MARK}",
)
"""What could be taken for a file, a folder, a scheme, a host or a program."""
SEEDS = 12
_IN_TIME_S = 120
LOOKS: dict[str, tuple[str, ...]] = {
    "status": ("status", "--verbose"),
    "alerts": ("alerts", "list"),
    "reload": ("reload",),
    "check": ("check", "tiktok.com", "--grade", "6"),
    "history": ("history", "list"),
    "verify": ("history", "verify"),
    "policies": ("policy", "history"),
    "exceptions": ("exceptions", "list"),
    "requests": ("requests", "list"),
    "devices": ("devices", "list"),
    "rooms": ("room", "list"),
    "mistakes": ("report-mistake", "--list"),
    "accounts": ("account", "list"),
    "totals": ("log", "totals"),
    "top": ("log", "top"),
    "new": ("log", "new"),
    "rows": ("log", "search", "tiktok.com"),
    "export": ("log", "export", "--out", "{folder}/export.csv"),
    "names": ("log", "export", "--what", "names", "--out", "{folder}/names.csv"),
    "report": ("report", "--period", "day", "--out", "{folder}/report.json"),
    "scheduled": ("report", "--scheduled"),
    "inspection": ("inspect", "--out", "{folder}/record"),
    "doctor": ("doctor",),
    "block": ("block", "x.example", "--for", "1h", "--reason", "r"),
}
"""Commands of root's that read answers, some of which write a file or connect."""
ASKED_APART = {
    **dict.fromkeys(
        (
            "add",
            "code",
            "device-code",
            "device-list",
            "list",
            "passwd",
            "recover",
            "recovery",
            "roles",
            "token-add",
            "token-list",
            "totp",
        ),
        "of `account`: what was done, or a code, is printed",
    ),
    "account add": "with `account list`",
    "account code": "a code is printed",
    "class-lend": "as `change`: what was done is printed",
    "clock-accept": "as `change`",
    "device-name": "as `change`",
    "device-table": "as `change`",
    "exam": "as `change`",
    "exam-names": "its names become the content of the file that --out names",
    "exam-stop": "as `change`",
    "exam-watch": "nothing is read",
    "history-check": "as `check`",
    "ids": "words for the shell, printed and quoted",
    "lists": "root reads the file",
    "lists-search": "root reads the file",
    "log class": "as `log top`",
    "log help": "as `log totals`",
    "log why": "as `log search`",
    "log-follow": "rows are printed",
    "nat-seen": "rows are printed",
    "nat-watch": "nothing is read",
    "pause": "as `change`",
    "policy": "root reads the file",
    "report-mistake": "as `change`",
    "report-template": "octets for the child that makes the file",
    "requests approve": "as `change`",
    "requests refuse": "as `change`",
    "restore": "two numbers and names of accounts are printed",
    "revoke": "as `change`",
    "room": "as `change`",
    "room-devices": "as `change`",
    "room-watch": "rows are printed",
    "undo": "as `change`",
    "what-if": "rows are printed",
}


ESCAPES = (
    f"{MARK}\x1b[2J\x1b]0;{MARK}\x07",
    f"\x9b31m{MARK}\r\x08\x08",
    f"\u202e{MARK}\u2066\u200b\ud800",
    f"{MARK}\x00\x0b\x0c\x7f\x85\u2028\U000e0001",
)
"""What clears a screen, names its window, turns the writing round or hides a part of it."""
SHAPES: tuple[Any, ...] = (
    *(None, True, -1, 2**70, 1e308, float("nan"), float("inf"), "", "x" * 100_000),
    *([], {}, [[]], {"": None}, json.loads("[" * 900 + "]" * 900), [0] * 10_000),
)
"""What has another type, size or depth than any answer."""


def _name(value: Any, chosen: int) -> Any:
    is_text = isinstance(value, str | None)
    return LIES[chosen % len(LIES)] if is_text else value


def _escape(value: Any, chosen: int) -> Any:
    return ESCAPES[chosen % len(ESCAPES)] if isinstance(value, str | None) else value


def _escape_texts(value: Any, chosen: int) -> Any:
    """Leave None as it is: it may stand for a time, and then no line is printed."""
    return value if value is None else _escape(value, chosen)


def _shape(_: Any, chosen: int) -> Any:
    return SHAPES[chosen % len(SHAPES)]


class Relay:
    """Asks a real daemon, and lies in a part of what it answers.

    Attributes:
        seed: chooses in which part, and which lie; 0 for the truth.
        lie: returns what is said instead of a value.
    """

    def __init__(self) -> None:
        self.seed, self.commands = 0, set[str]()
        self.lie: Callable[[Any, int], Any] = _name
        self._ask, self._answers = control.ask, dict[str, Any]()

    def ask(self, path: Path, command: str, **arguments: Any) -> Any:
        self.commands.add(command)
        key = f"{command} {arguments}"
        if key not in self._answers:
            self._answers[key] = self._ask(path, command, **arguments)
        answer = self._answers[key]
        return self._lied(answer, command) if self.seed else answer

    def _lied(self, value: Any, place: str) -> Any:
        match value:
            case dict():
                value = {key: self._lied(one, f"{place}.{key}") for key, one in value.items()}
            case list():
                value = [self._lied(one, f"{place}[]") for one in value]
        chosen = crc32(f"{self.seed} {place}".encode())
        return value if chosen % 3 else self.lie(value, chosen // 3)


@pytest.fixture(scope="module")
def served(built: StateFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("school")
    (folder / "usb").mkdir()
    more = (
        f"report: {{schedule: [{{every: month, formats: [json], folder: '{folder / 'usb'}'}}]}}\n"
    )
    config = write_site(folder / "site", port=free_port(), more=more)
    state = copy_lists(built, folder / "state")
    with serving(config, state.folder) as daemon:
        words = ("block", "y.example", "--for", "1h", "--reason", "r")
        assert call(*words, *daemon.options).code == 0
        yield daemon


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    made = Relay()
    monkeypatch.setattr(control, "ask", made.ask)
    connecting = {"answers", "upstreams", "canaries", "sinkhole", "site", "captive-portal"}
    probes = tuple(one for one in PROBES if one.id in connecting)
    monkeypatch.setattr(doctor, "PROBES", probes)
    monkeypatch.setattr(report_schedule, "check_other_disk", lambda *_: None)
    return made


def _run(served: Served, folder: Path, words: tuple[str, ...]) -> int:
    return _outcome(served, folder, words).code


def _outcome(served: Served, folder: Path, words: tuple[str, ...]) -> Outcome:
    served.state.report_outcome.unlink(missing_ok=True)  # the report is due again
    return call(*(word.format(folder=folder) for word in words), *served.options)


@pytest.mark.long
@pytest.mark.parametrize("name", LOOKS)
def test_no_text_of_an_answer_names_a_file_a_host_or_a_program(
    name: str, served: Served, relay: Relay, tmp_path: Path
) -> None:
    with events_with(MARK) as events:
        assert _run(served, tmp_path, LOOKS[name]) in {0, 1}, "where nothing is a lie"
        for relay.seed in range(1, SEEDS):
            with contextlib.suppress(Exception):  # an answer that is nonsense may end it
                _run(served, tmp_path, LOOKS[name])
    assert relay.commands, "it asks the daemon"
    assert events == []


def _shown(served: Served, folder: Path, words: tuple[str, ...]) -> str:
    """Return what root's terminal gets: all that is printed, also for an answer of nonsense."""
    try:
        return "".join(_outcome(served, folder, words)[1:])
    except Exception as nonsense:  # noqa: BLE001 -- then the interpreter prints it
        return "".join(traceback.format_exception(nonsense))


def _hidden(
    served: Served,
    relay: Relay,
    folder: Path,
    words: tuple[str, ...],
    lie: Callable[[Any, int], Any] = _escape,
) -> list[str]:
    """Return the lines with characters that show nothing, of many answers with such."""
    relay.lie, found = lie, list[str]()
    for more in ((), ("--json",)):
        for relay.seed in range(1, SEEDS):
            lines = (
                _shown(served, folder, (*words, *more))
                .replace("\u00a0", " ")
                .replace("\u202f", " ")
                .split("\n")
            )
            found += [line for line in lines if not line.isprintable()]
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", LOOKS)
def test_no_answer_moves_the_cursor_of_root_s_terminal_or_hides_a_part_of_it(
    name: str, served: Served, relay: Relay, tmp_path: Path
) -> None:
    assert _hidden(served, relay, tmp_path, LOOKS[name]) == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["status", "doctor", "policies", "history"])
def test_control_with_a_plain_console_they_do(
    name: str, served: Served, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "visible", str)
    assert _hidden(served, relay, tmp_path, LOOKS[name], _escape_texts)


@pytest.mark.long
@pytest.mark.parametrize("name", LOOKS)
def test_answers_of_any_type_size_or_depth_end_each_command_in_time(
    name: str, served: Served, relay: Relay, tmp_path: Path
) -> None:
    relay.lie = _shape
    with events_with(MARK) as events:
        for relay.seed in range(1, SEEDS):
            began = SystemClock().monotonic()
            with contextlib.suppress(Exception):
                _run(served, tmp_path, LOOKS[name])
            assert SystemClock().monotonic() - began < _IN_TIME_S
    assert events == []


@pytest.mark.long
def test_every_answer_that_root_or_the_monitor_reads_is_lied_in(
    served: Served, relay: Relay, tmp_path: Path
) -> None:
    for words in LOOKS.values():
        _run(served, tmp_path, words)
    known = relay.commands | ASKED_APART.keys()
    assert sorted(_asked_in_code() - known) == []
    assert sorted(ASKED_APART.keys() & relay.commands) == []


def _asked_in_code() -> set[str]:
    """Return the commands that stand in the code of processes with more right than the daemon."""
    found = set[str]()
    for package in ("cli", "appliance", "monitor"):
        for path in (ROOT / "filterd" / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found.update(_command_of(node))
    return found


_NO_COMMANDS = {"-4", "-6", "address", "neigh"}
"""Arguments of the program ip."""


def _command_of(call_: ast.Call) -> list[str]:
    function = call_.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in {"ask", "_ask", "ask_or_none", "ask_else", "stream"}:
        return []
    texts = [one.value for one in call_.args if isinstance(one, ast.Constant)]
    return [text for text in texts[:1] if isinstance(text, str) and text not in _NO_COMMANDS]


@pytest.mark.long
def test_control_a_file_that_is_named_by_an_answer_is_noticed(
    served: Served, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believing(*_: Any) -> str:
        answer = relay.ask(served.state.control_socket, "report-settings")
        return f"{answer['language']}.json"

    monkeypatch.setattr(report_schedule, "file_name", believing)
    with events_with(MARK) as events:
        for relay.seed in range(1, SEEDS):
            with contextlib.suppress(Exception):
                _run(served, tmp_path, LOOKS["scheduled"])
            if events:
                break
    assert events
