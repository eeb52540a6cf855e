# SPDX-License-Identifier: Apache-2.0
"""Freeze what people and programs meet: API, help, rights of tokens, payloads on the socket.

``python -m tests.support.frozen_faces`` (``make reference``) writes the tables beneath
``tests/fixtures/frozen``, one line an operation or command; ``tests/test_frozen_faces.py`` fails
where one differs. A digest stands for what is too long.
"""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import suppress
from hashlib import sha256
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import mock

from filterd import control
from filterd.accounts.grant import TokenScope
from filterd.base.clock import SystemClock
from filterd.base.errors import ControlError, FilterdError
from filterd.cli import help_pages
from filterd.operations import scopes
from filterd.overrides.changes.change_kinds import KINDS
from filterd.overrides.rights.read_access import READERS
from filterd.texts.i18n import say
from filterd.web import openapi, operations
from tests.support.commands import SAMPLE, call
from tests.support.help_texts import whole
from tests.support.operations import RecordedVisitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.texts.i18n import Language

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "frozen"
MONDAY_AT_8 = 1_764_550_800.0
_LANGUAGES: tuple[Language, ...] = ("en", "vi")

_ANSWERS: dict[str, dict[str, Any]] = {
    "clock": {
        "standing": "known",
        "shows": MONDAY_AT_8,
        "policy_time": MONDAY_AT_8,
        "floor": MONDAY_AT_8,
    },
    "report-period": {
        "kind": "month",
        "first": "2025-11-01",
        "last": "2025-11-30",
        "id": "2025-11",
    },
}
"""What is asked before the command, by a command that needs it."""

_WORDS = (
    "allow vnu.edu.vn --grade 8 --for 45m",
    "allow service:youtube category:games service:youtube --class 6A --lesson",
    "allow entry:vnu.edu.vn",
    "allow entry:vnu.edu.vn a.example --for 1h",
    "allow a.example",
    "allow a.example --for 1h --lesson",
    "allow a.example --for 1h --grade 6 --room lab-a",
    "allow *.edu.vn --tier primary --until 20/12/2026",
    "allow edu.vn --for 1h",
    "block Tiếng.vn --room lab-a --from 09:00 --for 1h",
    "block a.example --client 10.0.6.21 --permanent",
    "block a.example --client ten --permanent",
    "block a.example b.example --network lab-a --until 'het tiet'",
    "block x:y --for 1h",
    "block a.example --grade 6A --for 1h30",
    "pause",
    "pause --for 20m --class 6A",
    "exceptions revoke 7",
    "undo",
    "undo 7",
    "requests approve 7 --for-tier --for 1h",
    "requests refuse 7",
    "report-mistake vnu.edu.vn",
    "clock accept",
    "undo 0",
    "room set lab-a --grade 8 --for 45m",
    "room set lab-a --class 6a --lesson",
    "room set lab-a --for 45m",
    "room set lab-a --grade 8",
    "room set lab-a --grade 13 --for 45m",
    "class lend 6a --to lan --for 2d",
    "class lend x --to lan --for 2d",
    "exam start --room lab-a --for 90m --allow a.example --allow Tiếng.vn --service youtube",
    "exam start --class 6a --at 09:00 --for 90m --allow a.example",
    "exam start --room lab-a --class 6A --for 90m --allow a.example",
    "exam start --for 90m --allow a.example",
    "exam start --room lab-a --for 90m",
    "exam start --room lab-a --for 90m --allow a..example",
    "exam stop 7",
    "devices name 02-00-5E-10-00-01 Máy",
    "devices name 02:00:5e:10:00:01 ''",
    "devices name x Máy",
    "devices assign 02:00:5e:10:00:01",
    "devices assign 02:00:5e:10:00:01 --class 6A --room lab-a",
    "policy set --grade 8 --allow-category games",
    "policy set --grade 8 --block-service youtube",
    "policy set --grade x --allow-category games",
    "policy set --grade 8",
    "report-mistake Tiếng.vn --until 20/12/2026",
    "report-mistake x..y",
    "log level names --tier primary --for 3d",
    "log level names --until 20/12/2026",
    "log level full --for 3d",
    "log level some",
    "log level names --tier some",
    "log confirm 7",
    "log forget --name *.a.example",
    "log forget --name a.example --day today",
    "log forget --device 02:00:5e:10:00:01",
    "log forget --day 27/11",
    "log forget --day 2026-11-27",
    "log forget",
    "log purge",
)
"""Commands of changes, without ``--reason``."""
_READS = (
    "status",
    "top --once",
    "alerts list",
    "reload",
    "report --json",
    "report --period 2025-11 --class 6A --json",
    "report --inside --grade 8 --json",
    "report --for-parents --json",
    "report --for-parents --inside",
    "inspect make --json",
    "account list",
    "account add lan --role teacher --role reader --code",
    "account add lan --role king --code",
    "account passwd lan",
    "account roles lan --role admin",
    "account roles lan --role x",
    "account disable lan",
    "account enable lan",
    "account totp lan --off",
    "account recovery lan",
    "account code",
    "account code lan",
    "account recover",
    "account recover lan",
    "account token-add Report --role reader --scope totals",
    "account token-add Report --account lan --role teacher --scope all --days 30"
    " --network 10.0.0.0/24",
    "account token-add Report --role king --scope some --days 400",
    "account token-list",
    "account token-list --account lan",
    "account token-revoke a1b2c3",
    "account device-list --account lan",
    "account device-code lan",
    "account device-confirm a1b2c3",
    "account device-revoke a1b2c3",
    "exam list",
    "exam list --all",
    "exam learn --room lab-a --out names.txt --for 5h",
    "exam learn --room lab-a --out names.txt",
    "devices list",
    "devices assign 10.0.6.21 --class 6a",
    "devices unassign 10.0.6.21",
    "devices nat --for 5m",
    "history list",
    "history list --limit 7 --views",
    "history list --limit 0",
    "history verify",
    "policy undo",
    "report-mistake --list",
    "log search",
    "log search a.example --class 6A --day yesterday --limit 9",
    "log search *.a.example --grade 6 --days 3 --after 2025-11-28T07:35:12.3",
    "log search a.example --subtree --tier primary --action blocked --category games",
    "log search tok --contains",
    "log search tok --contains --subtree",
    "log search Tiếng --contains",
    "log search --grade 13",
    "log search --tier some --action eaten",
    "log top",
    "log top --class 6A --days 1 --limit 5",
    "log new",
    "log new --days 7 --domains --limit 9",
    "log why 2025-11-28T07:35:12.3",
    "log names 6a",
    "log names x",
    "log totals",
    "log totals --class 6A",
    "log totals --grade 6 --days 30",
    "log totals --tier primary --network lan --hours --classes --networks",
    "log help --month 2025-10",
    "log export",
    "log export --days 7",
    "log export --month 2025-10",
    "log export --what names",
    "log export --what rows --days 3",
    "log export --what rows --month 2025-10",
    "log level",
    "log tail",
    "log tail --class 6A --action blocked --category games --since 7",
    "log tail --grade 6",
)
"""Commands that take no reason."""
_VALUES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("allow", {"targets": ["vnu.edu.vn"], "for_whom": "grade:8", "for_s": 2700}),
    ("allow", {"targets": "service:youtube\ncategory:games", "for_whom": "class:6A", "lesson": 1}),
    ("allow", {"targets": ["a.example", "b.example"], "for_whom": "class:6A", "lesson": True}),
    ("allow", {"targets": ["entry:vnu.edu.vn"]}),
    ("allow", {"targets": ["a.example"]}),
    ("allow", {"targets": ["a.example"], "for_s": 60, "lesson": True}),
    ("allow", {"targets": ["a.example"], "for_whom": "client:ten", "for_s": 60}),
    ("allow", {"targets": ["edu.vn"], "for_s": 60}),
    ("block", {"targets": ["a.example"], "term": "lesson"}),
    ("block", {"targets": ["a.example"], "term": "3600", "ends_at": "2026-12-20T17:30"}),
    ("block", {"targets": ["a.example"], "term": "permanent", "for_whom": "network:lab-a"}),
    ("block", {"targets": ["a.example"], "starts_at": 1_764_554_400, "for_s": 3600}),
    ("block", {"targets": ["x:y"], "for_s": 60}),
    ("pause", {"for_s": 300}),
    ("pause", {"for_s": 1200, "for_whom": "class:6A"}),
    ("pause", {"for_s": 3601}),
    ("revoke", {"id": 7}),
    ("approveRequest", {"id": 7, "for_tier": True, "for_s": 3600}),
    ("refuseRequest", {"id": 7}),
    ("acceptClock", {}),
    ("acceptClock", {"reasons": "x"}),
    ("readStatus", {}),
    ("readAlerts", {}),
    ("readAlerts", {"id": 7}),
    ("readClock", {}),
    ("reload", {}),
    ("reload", {"lists_only": True}),
    ("readSite", {}),
    ("draftSite", {"edits": [{"path": ["school"], "value": "THCS"}]}),
    ("draftSite", {"edits": []}),
    ("draftSite", {}),
    ("readSiteDraft", {}),
    ("dropSiteDraft", {}),
    ("applySite", {"digest": "0" * 64}),
    ("applySite", {"digest": "zz"}),
    ("pasteTimetable", {"table": "a\tb\nc\td"}),
    ("pasteTimetable", {"table": ""}),
    ("readReportSettings", {}),
    ("readReportPeriod", {}),
    ("readReportPeriod", {"first": "2025-11-01", "last": "2025-11-02"}),
    ("readReportPeriod", {"first": "2025-11-01"}),
    ("makeReport", {"period": "term", "whom": "class:6A", "format": "csv"}),
    ("makeReport", {"audience": "parents", "whom": "class:6A"}),
    ("makeReport", {"audience": "all"}),
    ("makeInspection", {"format": "xlsx"}),
    ("makeInspection", {}),
    ("readSession", {}),
    ("endOtherSessions", {}),
    ("readAccounts", {}),
    ("addAccount", {"account": "lan", "roles": ["teacher"]}),
    ("addAccount", {"account": "lan", "roles": "reader\nteacher", "password": "ba con meo vang"}),
    ("addAccount", {"account": "lan", "roles": ["king"]}),
    ("addAccount", {"account": "lan"}),
    ("setPassword", {"password": "ba con meo vang"}),
    ("setPassword", {"account": "lan", "password": "ba con meo vang", "end": "on"}),
    ("setPassword", {"account": "lan", "password": 7}),
    ("setRoles", {"account": "lan", "roles": ["reader", "teacher"]}),
    ("setRoles", {"account": "lan", "roles": []}),
    ("disableAccount", {"account": "lan"}),
    ("enableAccount", {"account": "lan"}),
    ("enableAccount", {}),
    ("setTotp", {"on": True}),
    ("setTotp", {"on": True, "code": "123456"}),
    ("setTotp", {"account": "lan", "on": False}),
    ("setTotp", {}),
    ("makeRecoveryCodes", {"account": "lan"}),
    ("makeRecoveryCodes", {}),
    ("makeCode", {"account": "lan"}),
    ("makeCode", {}),
    ("readTokens", {}),
    ("readTokens", {"account": "lan"}),
    ("addToken", {"name": "Report", "role": "reader", "scope": "totals", "days": 30}),
    (
        "addToken",
        {"name": "x", "role": "reader", "scope": "all", "days": 1, "addresses": "10.0.0.1, ::1"},
    ),
    ("addToken", {"name": "x", "role": "king", "scope": "all", "days": 1}),
    ("addToken", {"name": "x", "role": "reader", "scope": "all", "days": 0}),
    ("revokeToken", {"id": "a1b2c3"}),
    ("readEnrolledDevices", {"account": "lan"}),
    ("makeDeviceCode", {"account": "lan"}),
    ("confirmDevice", {"id": "a1b2c3"}),
    ("revokeDevice", {"id": "a1b2c3"}),
    ("startExam", {"room": "lab-a", "names": ["Tiếng.vn", "a.example"], "for_s": 3600}),
    ("startExam", {"class": "6a", "services": "youtube", "starts_at": 4e9, "for_s": 3600}),
    ("startExam", {"room": "lab-a", "class": "6A", "names": ["a.example"], "for_s": 3600}),
    ("startExam", {"names": ["a.example"], "for_s": 3600}),
    ("startExam", {"room": "lab-a", "for_s": 3600}),
    ("startExam", {"room": "lab-a", "names": ["a.example"], "for_s": 59}),
    ("stopExam", {"id": 7}),
    ("stopExam", {"id": 0}),
    ("watchExam", {"room": "lab-a"}),
    ("watchExam", {"room": "lab-a", "off": "on"}),
    ("watchExam", {}),
    ("readTrialNames", {"room": "lab-a"}),
    ("readExams", {"all": True}),
    ("readRooms", {}),
    ("readRoom", {"room": "x"}),
    ("setRoom", {"room": "lab-a", "grade": "8", "for_s": 3600}),
    ("setRoom", {"room": "lab-a", "grade": "6A", "term": "lesson"}),
    ("setRoom", {"room": "lab-a", "grade": "8"}),
    ("setRoom", {"room": "lab-a", "grade": "8", "for_s": 60, "lesson": True}),
    ("setRoom", {"grade": "8", "for_s": 3600}),
    ("readTimetable", {}),
    ("watchRoom", {"room": "lab-a"}),
    ("watchRoom", {"room": ""}),
    ("readAppeared", {"room": "lab-a"}),
    ("learnRoom", {"room": "lab-a", "add": True}),
    ("learnRoom", {"room": "lab-a", "random": "maybe"}),
    ("readDevices", {}),
    ("readUnknownDevices", {}),
    ("nameDevice", {"device": "02-00-5E-10-00-01", "name": "Máy"}),
    ("nameDevice", {"device": "02:00:5e:10:00:01"}),
    ("nameDevice", {"name": "Máy"}),
    ("assignDevices", {"devices": ["02:00:5e:10:00:01"], "to": "class:6A"}),
    ("assignDevices", {"devices": "02:00:5e:10:00:01, 10.0.6.21", "to": "network:lab-a"}),
    ("assignDevices", {"devices": ["02:00:5e:10:00:01"], "to": "lab-a"}),
    ("assignDevices", {"devices": [], "to": "network:lab-a"}),
    ("unassignDevices", {"devices": ["02:00:5e:10:00:01"]}),
    ("watchShared", {"for_s": 600}),
    ("watchShared", {"for_s": 0}),
    ("watchShared", {"for_s": 3601}),
    ("readShared", {}),
    ("readClasses", {}),
    ("readClass", {"class": "x"}),
    ("lendClass", {"class": "6a", "to": "lan", "for_s": 86400}),
    ("lendClass", {"class": "6A", "to": "lan"}),
    ("lendClass", {"class": "x", "to": "lan", "for_s": 86400}),
    ("readHistory", {}),
    ("readHistory", {"limit": 7, "views": True, "cursor": "40"}),
    ("readHistory", {"limit": 1001}),
    ("readHistory", {"cursor": "x"}),
    ("verifyHistory", {}),
    ("undo", {}),
    ("undo", {"number": 7}),
    ("undoSetting", {}),
    ("readMistakes", {}),
    ("reportMistake", {"name": "Tiếng.vn"}),
    ("reportMistake", {"name": "a.example", "ends_at": "2026-12-20T17:30"}),
    ("reportMistake", {"name": "x..y"}),
    ("reportMistake", {}),
    ("searchLog", {}),
    ("searchLog", {"name": "*.a.example", "class": "6A", "days": "3", "limit": 9}),
    ("searchLog", {"name": "a.example", "subtree": "true", "cursor": "2025-11-28T07:35:12.3"}),
    ("searchLog", {"name": "tok", "contains": True, "day": "2025-11-27", "grade": "6"}),
    ("searchLog", {"name": "tok", "contains": True, "subtree": True}),
    ("searchLog", {"tier": "primary", "action": "blocked", "category": "games"}),
    ("searchLog", {"days": 91}),
    ("searchLog", {"day": "yesterday"}),
    ("searchLog", {"cursor": "x y"}),
    ("readTopNames", {"class": "6A", "limit": 5}),
    ("readTopNames", {"action": "eaten"}),
    ("readNewNames", {}),
    ("readNewNames", {"days": 7, "domains": True, "limit": 9}),
    ("readNewNames", {"days": 90}),
    ("explainLogRow", {"id": "2025-11-28T07:35:12.3"}),
    ("readClassNames", {"class": "6A"}),
    ("readDayNames", {"day": "2025-11-27"}),
    ("readDayNames", {"day": "2025-11-27", "cursor": "2"}),
    ("readDayNames", {"cursor": "0"}),
    ("readTotals", {}),
    ("readTotals", {"days": 7, "tier": "primary", "by_hour": True, "by_class": "on"}),
    ("readTotals", {"days": 400, "class": "6A", "network": "lan", "by_network": False}),
    ("readTotals", {"days": 401}),
    ("readHelpSought", {"month": "2025-10"}),
    ("readHelpSought", {"month": "2025-13"}),
    ("exportTotals", {}),
    ("exportTotals", {"days": 7}),
    ("exportTotals", {"month": "2025-10"}),
    ("exportTotals", {"days": 101}),
    ("readLogLevels", {}),
    ("followLog", {}),
    ("followLog", {"class": "6A", "action": "blocked", "category": "games", "since": 7}),
    ("followLog", {"since": "x"}),
    ("setLogLevel", {"level": "names", "tier": "primary", "for_s": 3600}),
    ("setLogLevel", {"level": "names", "ends_at": "2026-12-20T17:30"}),
    ("setLogLevel", {"level": "some"}),
    ("setLogLevel", {"level": "full", "for_s": 59}),
    ("confirmLogLevel", {"id": 7}),
    ("forgetLog", {"name": "*.a.example"}),
    ("forgetLog", {"device": "02:00:5e:10:00:01"}),
    ("forgetLog", {"day": "2025-11-27"}),
    ("forgetLog", {"name": "a.example", "day": "2025-11-27"}),
    ("forgetLog", {}),
    ("purgeLog", {}),
)
"""Operations of the API with their values, without ``reason``."""


def _digest(whole_text: str) -> str:
    return sha256(whole_text.encode()).hexdigest()[:12]


def _api() -> Iterator[str]:
    """Yield a line an operation: address, name, roles, parameters (* must be there)."""
    found = openapi.description(operations.ORDER)
    for path, methods in found["paths"].items():
        for method, one in methods.items():
            fields = operations.BY_NAME[one["operationId"]].fields
            named = (name + "*" * (name in fields.required) for name in fields.named)
            roles, values = ",".join(one["x-roles"]), " ".join(named)
            text = _digest(json.dumps(one, sort_keys=True))
            yield f"{method.upper()} {path} {one['operationId']} [{roles}] ({values}) {text}"
    del found["paths"], found["info"]["version"]
    yield f"what all share {_digest(json.dumps(found, sort_keys=True))}"


def _help() -> Iterator[str]:
    """Yield a line a command, with a digest of its manual page in each language."""
    for path, command in whole().items():
        name = " ".join(path)
        pages = (help_pages.page(name, command, language) for language in _LANGUAGES)
        # The first line has the version.
        digests = (_digest(page.partition("\n")[2]) for page in pages)
        yield " ".join((f"filterd {name}".strip(), *digests))


def _scopes() -> Iterator[str]:
    """Yield the scopes of tokens that have a command of the socket; the roles of a view."""
    kinds = {f"change {kind}" for kind in KINDS}
    named = {
        key
        for key, found in scopes.REQUESTS.items()
        if any(one.scopes or one.is_guarded or one.is_open for one in found)
    }
    for command in sorted(kinds | named):
        first, _, kind = command.partition(" ")
        asked = ("change", {"kind": kind}) if first == "change" else (command, {})
        having = [scope for scope in TokenScope if scopes.is_in_scope(scope, *asked)]
        words = ["password"] * scopes.needs_password(*asked) + ["open"] * (command in scopes.OPEN)
        yield " ".join((f"{command}: {','.join(having) or '-'}", *words))
    for view, roles in READERS.items():
        yield f"view {view}: roles {','.join(sorted(roles))}"


def _socket() -> Iterator[str]:
    """Yield what commands and operations send to the manager, or why they send nothing."""
    for words in _WORDS:
        yield f"filterd {words}\n  {_sent_by_command(words, '--reason', 'why')}"
    for words in _READS:
        yield f"filterd {words}\n  {_sent_by_command(words)}"
    for name, values in _VALUES:
        plain = json.dumps(values, ensure_ascii=False)
        yield f"{name} {plain}\n  {_sent_by_operation(name, values)}"


def _sent_by_command(words: str, *more: str) -> str:
    sent: list[str] = []

    def ask(_path: Path, command: str, **arguments: Any) -> Any:
        if command in _ANSWERS:
            return _ANSWERS[command]
        sent.append(_written(command, arguments))
        raise ControlError(say("recorded"))

    with (
        TemporaryDirectory() as state,
        mock.patch.object(SystemClock, "wall", return_value=MONDAY_AT_8),
        mock.patch.object(sys, "stdin", StringIO()),
        mock.patch.object(control, "ask", ask),
        mock.patch.object(control, "stream", ask),
        mock.patch.object(control, "is_running", return_value=True),
    ):
        places = ("--config", SAMPLE, "--state", state, "--lang", "en")
        done = call(*shlex.split(words), *more, *places)
    return sent[0] if sent else done.err.strip().replace(state, "STATE").replace("\n", " / ")


def _sent_by_operation(name: str, values: dict[str, Any]) -> str:
    period = _ANSWERS["report-period"]
    answers = {"requests approve": {}, "requests refuse": {}, "report-period": period}
    visitor = RecordedVisitor(answers=answers)
    operation = operations.BY_NAME[name]
    reason = {"reason": "why"} if "reason" in operation.fields.named else {}
    try:
        with suppress(KeyError):  # it has no answer of the manager's
            visitor.do(operation, **values, **reason)
    except FilterdError as error:
        return f"{error}"
    return _written(*visitor.asked[-1])


def _written(command: str, arguments: dict[str, Any]) -> str:
    return f"{command} {json.dumps(arguments, ensure_ascii=False, sort_keys=True)}"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "api": _api,
    "help": _help,
    "scopes": _scopes,
    "socket": _socket,
}
"""What is frozen, by the name of its file."""


def frozen(name: str) -> str:
    """Return the text of a table as the program has it now."""
    return "\n".join((*TABLES[name](), ""))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in TABLES:
        (FOLDER / f"{one}.txt").write_text(frozen(one), encoding="utf-8")
