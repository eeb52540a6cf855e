# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import contextlib
import errno
import grp
import json
import os
import pwd
import shutil
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ConfigError, ConfigErrors, ControlError, StoreError
from filterd.control import frames
from filterd.control.frames import ControlRequest
from filterd.daemon.handlers import control_caller
from filterd.daemon.handlers import control_server as module
from filterd.daemon.handlers.control_caller import PAGE_GROUP, Caller
from filterd.daemon.handlers.control_server import MOST_OF_A_PERSON, ControlServer, let_in
from filterd.texts.i18n import say
from tests.support.asking_as import as_user
from tests.support.needs import lack
from tests.support.unix_sockets import bind, connect, open_streams
from tests.support.unprivileged import open_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


async def _echo(request: dict[str, Any], _: Caller) -> Any:
    return request


async def _caller(_: dict[str, Any], caller: Caller) -> Any:
    return [caller.uid, caller.user, sorted(caller.groups)]


async def _refuse(_: dict[str, Any], __: Caller) -> Any:
    raise ControlError(say("not today"))


async def _wrong_site(_: dict[str, Any], __: Caller) -> Any:
    raise ConfigErrors(
        [ConfigError(say("bad key"), path="site.yaml", line=3, column=5, hint=say("mend it"))]
    )


async def _bug(_: dict[str, Any], __: Caller) -> Any:
    raise RuntimeError("a bug")


COMMANDS = {
    "echo": _echo,
    "who": _caller,
    "refuse": _refuse,
    "wrong-site": _wrong_site,
    "bug": _bug,
}


def _with_server(path: Path, work: Callable[[ControlServer], Awaitable[None]]) -> None:
    async def whole() -> None:
        server = ControlServer(path, COMMANDS)
        await server.start()
        try:
            await work(server)
        finally:
            await server.close()

    asyncio.run(whole())


async def _exchange(path: Path, request: bytes) -> bytes:
    reader, writer = await open_streams(path)
    writer.write(request)
    writer.write_eof()
    answer = b""
    with contextlib.suppress(ConnectionResetError):  # it was closed before all was taken in
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


def _ask(path: Path, request: bytes) -> Any:
    answers: list[bytes] = []

    async def work(_: ControlServer) -> None:
        answers.append(await _exchange(path, request))

    _with_server(path, work)
    return json.loads(answers[0]) if answers[0] else None


def _frame(**parts: Any) -> bytes:
    frame = {"version": 1, "id": 7, "stream": 3, "act_for": "", "ask": "echo", "arguments": {}}
    return json.dumps({**frame, **parts}).encode() + b"\n"


_ECHO = _frame(ask="echo")
_NUMBERS = {"version": 1, "id": 7, "stream": 3, "end": True}
_ECHOED = {"ok": True, "result": {}, **_NUMBERS}


def test_a_command_gets_its_arguments_and_its_result_comes_back(tmp_path: Path) -> None:
    answer = _ask(tmp_path / "s", _frame(arguments={"name": "và"}))
    assert answer == {"ok": True, "result": {"name": "và"}, **_NUMBERS}


def test_an_error_is_reported(tmp_path: Path) -> None:
    answer = _ask(tmp_path / "s", _frame(ask="refuse"))
    assert answer == {
        **_NUMBERS,
        "ok": False,
        "code": "control",
        "error": "not today",
        "errors": [],
        "sentence": ["not today", {}],
    }


def test_a_command_gets_its_caller_from_the_kernel_and_not_from_the_request(tmp_path: Path) -> None:
    claim = {"uid": 4711, "user": "x", "caller": {}}
    asked = _frame(ask="who", arguments=claim, **claim)
    uid, user, _groups = _ask(tmp_path / "s", asked)["result"]
    assert (uid, user) == (os.geteuid(), pwd.getpwuid(os.geteuid()).pw_name)


def _ask_as_page(path: Path, monkeypatch: pytest.MonkeyPatch, command: str, uid: int) -> Any:
    page = Caller(uid, "filterd-blockpage", frozenset({PAGE_GROUP, "filterd-admin"}))
    monkeypatch.setattr(module, "caller_of", lambda _: page)
    monkeypatch.setitem(COMMANDS, "page-why", _echo)
    return _ask(path, _frame(ask=command))


def test_one_person_leaves_room_for_others(tmp_path: Path) -> None:
    async def whole() -> None:
        ended = asyncio.Event()

        async def slow(_: dict[str, Any], __: Caller) -> None:
            await ended.wait()

        def granting(request: ControlRequest, _: Caller) -> Grant:
            return Grant(request.act_for, frozenset())

        server = ControlServer(tmp_path / "s", {"slow": slow}, granting=granting)

        async def asked(person: str) -> Any:
            request = ControlRequest("slow", {}, 1, act_for=person)
            return json.loads(await server._answer(request, Caller(990, "web", frozenset())))

        at_work = [asyncio.ensure_future(asked("lan")) for _ in range(MOST_OF_A_PERSON)]
        await asyncio.sleep(0)
        assert (await asked("lan"))["code"] == "busy"
        at_work.append(asyncio.ensure_future(asked("minh")))
        await asyncio.sleep(0)
        ended.set()
        assert all(one["ok"] for one in [*await asyncio.gather(*at_work), await asked("lan")])

    asyncio.run(whole())


def test_the_page_of_pupils_has_no_commands_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _ask_as_page(tmp_path / "s", monkeypatch, "page-why", 990)["ok"]
    for command in ("echo", "who", "page", "unknown"):
        answer = _ask_as_page(tmp_path / "s", monkeypatch, command, 990)
        assert (answer["ok"], answer["code"]) == (False, "control")


def test_control_in_no_group_of_the_page_it_has_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_caller, "PAGE_GROUP", "")
    assert _ask_as_page(tmp_path / "s", monkeypatch, "echo", 990)["ok"]


def test_an_exam_of_two_thousand_names_is_no_request_too_long(tmp_path: Path) -> None:
    names = [f"{number}.{'x' * 60}.{'y' * 60}.example" for number in range(2000)]
    request = _frame(arguments={"names": names})
    assert len(_ask(tmp_path / "s", request)["result"]["names"]) == 2000


def test_errors_of_the_site_keep_their_places(tmp_path: Path) -> None:
    answer = _ask(tmp_path / "s", _frame(ask="wrong-site"))
    place = {"path": "site.yaml", "line": 3, "column": 5}
    assert answer["errors"] == [{"reason": ["bad key", {}], **place, "hint": ["mend it", {}]}]


def test_a_bug_is_logged_and_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answer = _ask(tmp_path / "s", _frame(ask="bug"))
    assert answer == {
        **_NUMBERS,
        "ok": False,
        "code": "internal",
        "error": "the command failed inside filterd; see its log",
    }
    assert "RuntimeError: a bug" in caplog.text


@pytest.mark.parametrize(
    "request_line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b'"echo"\n',
        b"5\n",
        b"not JSON\n",
        b"\xff\xfe\n",
        b'{"command": "echo", "id": 7}\n',
        _frame(ask=["echo"]),
        _frame(ask="unknown"),
        _frame(ask=None),
        b"[" * 30_000 + b"\n",
    ],
)
def test_what_is_no_command_is_answered_so(tmp_path: Path, request_line: bytes) -> None:
    answer = _ask(tmp_path / "s", request_line)
    assert (answer["ok"], answer["code"]) == (False, "unknown-command")
    assert answer["error"] == "the running filterd does not know this command"


def test_a_frame_is_answered_with_its_numbers_and_the_end_mark(tmp_path: Path) -> None:
    answer = _ask(tmp_path / "s", _frame(arguments={"command": "who", "version": 9}))
    assert answer == {"ok": True, "result": {"command": "who", "version": 9}, **_NUMBERS}


def test_a_frame_of_a_newer_release_is_refused_in_one_line(tmp_path: Path) -> None:
    answer = _ask(tmp_path / "s", b'{"version": 2, "something": "else"}\n')
    assert answer["error"].startswith("the command is of a newer filterd than the one that runs;")
    assert answer["id"] is None


@pytest.mark.parametrize("command", ["who", "echo"])
def test_a_token_is_refused_for_every_command(tmp_path: Path, command: str) -> None:
    answer = _ask(tmp_path / "s", _frame(ask=command, act_for="a token"))
    assert not answer["ok"]
    assert answer["error"].startswith("this filterd has no accounts, so that")
    assert "\n" not in answer["error"]
    assert answer["id"] == 7


@pytest.mark.parametrize("command", ["who", "echo"])
def test_without_accounts_no_process_acts_for_a_person(tmp_path: Path, command: str) -> None:
    """Not even root, which may do it itself."""
    answer = _ask(tmp_path / "s", _frame(ask=command, address="10.0.1.5"))
    assert answer["error"].startswith("this filterd has no accounts")


HOSTILE = [
    {"version": 0},
    {"version": "1"},
    {"version": True},
    {"version": None},
    {"id": -1},
    {"id": 1 << 32},
    {"id": 10**4_000},
    {"id": "7"},
    {"id": 7.0},
    {"id": True},
    {"id": None},
    {"stream": -1},
    {"stream": 16},
    {"stream": 10**300},
    {"stream": [0]},
    {"act_for": None},
    {"act_for": "x" * 257},
    {"act_for": {}},
    {"address": None},
    {"address": "x" * 65},
    {"address": ["10.0.1.5"]},
    {"ask": ["echo"]},
    {"ask": None},
    {"ask": "x" * 100_000},
    {"arguments": []},
    {"arguments": None},
    {"arguments": "echo"},
]


@pytest.mark.parametrize("parts", HOSTILE, ids=lambda parts: str(parts)[:30])
def test_a_frame_with_a_part_beyond_its_bound_is_refused(
    tmp_path: Path, parts: dict[str, Any]
) -> None:
    answer = _ask(tmp_path / "s", _frame(**parts))
    assert (answer["ok"], answer["code"], answer["id"]) == (False, "unknown-command", None)


def test_an_id_of_more_digits_than_a_number_may_have_is_refused(tmp_path: Path) -> None:
    line = _frame().replace(b'"id": 7', b'"id": ' + b"7" * 400_000)
    assert _ask(tmp_path / "s", line)["code"] == "unknown-command"


@pytest.mark.parametrize(
    "parts",
    [{"id": 1 << 32}, {"stream": 16}, {"act_for": "x" * 257}],
    ids=["id", "stream", "token"],
)
def test_control_without_its_bound_that_part_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any]
) -> None:
    for bound in ("MOST_ID", "MOST_STREAMS", "LONGEST_TOKEN"):
        monkeypatch.setattr(frames, bound, 1 << 40)
    assert _ask(tmp_path / "s", _frame(**parts))["id"] == parts.get("id", 7)


def test_a_frame_that_is_too_long_is_not_collected(tmp_path: Path) -> None:
    assert _ask(tmp_path / "s", _frame(arguments={"x": "x" * 600_000})) is None


def test_control_without_its_bound_a_long_frame_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "LARGEST_REQUEST_OCTETS", 1 << 40)
    assert _ask(tmp_path / "s", _frame(arguments={"x": "x" * 600_000}))["ok"]


def test_of_many_streams_in_one_connection_the_first_is_answered_alone(tmp_path: Path) -> None:
    path, lines = tmp_path / "s", list[bytes]()

    async def work(_: ControlServer) -> None:
        for count in (100, 20_000):  # all are in one read of the server, or they are not
            frames_ = (_frame(id=number, stream=number % 16) for number in range(count))
            with contextlib.suppress(ConnectionError):
                lines.append(await _exchange(path, b"".join(frames_)))
        lines.append(await _exchange(path, _frame()))

    _with_server(path, work)
    assert [json.loads(line)["id"] for line in lines[0].splitlines()] == [0]
    assert json.loads(lines[-1])["ok"]


def test_a_line_that_never_ends_is_not_collected(tmp_path: Path) -> None:
    assert _ask(tmp_path / "s", b"x" * 2_000_000) is None


def test_a_silent_connection_does_not_keep_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REQUEST_WITHIN_S", 0.05)
    path = tmp_path / "s"

    async def work(_: ControlServer) -> None:
        reader, writer = await open_streams(path)
        assert json.loads(await _exchange(path, _ECHO))["ok"]
        assert await reader.read() == b""
        writer.close()

    _with_server(path, work)


def test_a_caller_that_leaves_before_the_answer_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def work(_: ControlServer) -> None:
        for _attempt in range(20):
            _reader, writer = await open_streams(path)
            writer.write(_ECHO)
            writer.transport.abort()
        assert json.loads(await _exchange(path, _ECHO))["ok"]

    _with_server(path, work)


def test_the_socket_is_for_its_owner_and_group_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "s"

    async def work(_: ControlServer) -> None:
        assert path.stat().st_mode & 0o777 == 0o660

    _with_server(path, work)
    assert not path.exists()


def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        bind(dead, path)
    assert path.exists()
    assert _ask(path, _ECHO) == _ECHOED


def test_a_path_that_cannot_be_listened_on_is_named() -> None:
    path = "/dev/null/x/s"
    with pytest.raises(StoreError, match=f"{path}: cannot listen there: Not a directory"):
        asyncio.run(ControlServer(Path(path), {}).start())


@pytest.mark.parametrize("folder", ["x" * 120, "ổ đĩa của thầy/" * 40])
def test_a_socket_of_any_path_is_served_kept_and_removed(folder: str, tmp_path: Path) -> None:
    path = tmp_path / folder / "s"
    assert _ask(path, _ECHO) == _ECHOED
    assert list(path.parent.iterdir()) == []


def test_closing_what_never_started_leaves_the_socket_of_another(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"")
    asyncio.run(ControlServer(path, {}).close())
    assert path.exists()


def test_closing_ends_open_connections(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s"

    async def whole() -> None:
        server = ControlServer(path, COMMANDS)
        await server.start()
        reader, writer = await open_streams(path)
        await _exchange(path, _ECHO)  # so that the first was accepted
        await server.close()
        assert await reader.read() == b""
        writer.close()

    asyncio.run(whole())
    assert caplog.text == ""


def test_a_socket_that_was_removed_with_its_folder_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.001)
    path = tmp_path / "state" / "s"

    async def work(server: ControlServer) -> None:
        keeping = asyncio.ensure_future(server.keep())
        shutil.rmtree(path.parent)
        path.parent.write_bytes(b"")  # nobody can listen here
        while "trying again" not in caplog.text:
            await asyncio.sleep(0.001)
        path.parent.unlink()
        while not path.exists():
            await asyncio.sleep(0.001)
        assert json.loads(await _exchange(path, _ECHO)) == _ECHOED
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    _with_server(path, work)
    assert not path.exists()
    assert caplog.text.count("trying again") == 1


def test_a_socket_in_place_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    path = tmp_path / "s"

    async def work(server: ControlServer) -> None:
        before = path.stat()
        keeping = asyncio.ensure_future(server.keep())
        for _ in range(20):
            await asyncio.sleep(0)
        assert os.path.samestat(before, path.stat())
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    _with_server(path, work)


def test_the_socket_of_a_successor_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def work(_: ControlServer) -> None:
        path.unlink()
        path.write_bytes(b"another's")

    _with_server(path, work)
    assert path.exists()


def test_a_hundred_silent_connections_delay_no_other(tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def work(_: ControlServer) -> None:
        silent = [await open_streams(path) for _ in range(100)]
        assert json.loads(await _exchange(path, _ECHO)) == _ECHOED
        for _reader, writer in silent:
            writer.close()
            await writer.wait_closed()

    _with_server(path, work)


USER, OWN = 65_533, 65_533


@pytest.fixture
def path() -> Iterator[Path]:
    """A socket with a listener, in folders that everybody may enter."""
    with open_folder() as folder, closing(socket.socket(socket.AF_UNIX)) as listening:
        bind(listening, folder / "s")
        listening.listen()
        (folder / "s").chmod(0o660)
        yield folder / "s"


def can_connect(path: Path, *groups: str) -> bool:
    """Return whether a user of these groups may open it."""

    def connects() -> bool:
        with closing(socket.socket(socket.AF_UNIX)) as one:
            try:
                connect(one, path)
            except PermissionError:
                return False
            return True

    numbers = [grp.getgrnam(group).gr_gid for group in groups]
    connected: bool = as_user(USER, [OWN, *numbers], connects)
    return connected


@pytest.mark.usefixtures("needs_root")
def test_members_of_these_groups_are_let_in_and_others_are_not(path: Path) -> None:
    if not let_in(path, ["daemon", "games", "no-such-group"]):
        lack("access lists on its disk", "TMPDIR in a folder of ext4, XFS or tmpfs")
    assert can_connect(path, "daemon")
    assert can_connect(path, "mail", "games")
    assert not can_connect(path, "mail")
    assert not can_connect(path)


@pytest.mark.usefixtures("needs_root")
def test_control_without_it_they_are_not(path: Path) -> None:
    assert not can_connect(path, "daemon")


def test_where_there_are_no_such_groups_the_mode_stays_the_same(path: Path) -> None:
    let_in(path, ["no-such-group"])
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_disk_without_access_lists_is_reported_and_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "setxattr", refuse)
    assert not let_in(path, ["daemon"])
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_socket_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        let_in(tmp_path / "s", [])
