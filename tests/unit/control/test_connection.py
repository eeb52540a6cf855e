# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigErrors, ControlError
from filterd.control import ask, frames, is_running, stream
from filterd.control import connection as module
from tests.support.unix_sockets import bind, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = {"ok": True, "result": [1]}


@contextmanager
def _answering(path: Path, *answers: bytes | list[dict[str, Any]] | None) -> Iterator[list[Any]]:
    """Answer one connection after the other: octets as they are, or frames to the request.

    None closes it without a word.
    """
    asked: list[Any] = []
    listening = socket.socket(socket.AF_UNIX)
    bind(listening, path)
    listening.listen()

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            # A client that has read enough closes; what is still written then is an error.
            gone = suppress(BrokenPipeError, ConnectionResetError)
            with gone, connection, connection.makefile("rb") as lines:
                asked.append(json.loads(lines.readline()))
                for frame in answer if isinstance(answer, list) else ():
                    ours = {key: asked[-1][key] for key in ("version", "id", "stream")}
                    connection.sendall(json.dumps({**ours, "end": True, **frame}).encode() + b"\n")
                if isinstance(answer, bytes):
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        yield asked
        thread.join()


def test_the_command_and_its_arguments_are_sent(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", [GOOD], [GOOD]) as asked:
        assert ask(tmp_path / "s", "check", qname="00", grade=None) == [1]
        assert ask(tmp_path / "s", "log", act_for="token") == [1]
    first, second = asked
    assert second.pop("id") != first.pop("id")
    frame = {"version": 1, "stream": 0}
    wanted = {"ask": "check", "arguments": {"qname": "00", "grade": None}, "act_for": ""}
    assert first == {**frame, **wanted}
    assert second == {**frame, "ask": "log", "arguments": {}, "act_for": "token"}


def test_an_answer_in_several_frames_is_read_to_its_end_mark(tmp_path: Path) -> None:
    several = [{**GOOD, "result": number, "end": number == 3} for number in range(5)]
    with _answering(tmp_path / "s", several, several):
        assert list(stream(tmp_path / "s", "follow")) == [0, 1, 2]  # the end is no value
        assert ask(tmp_path / "s", "follow") == 3


def test_a_stream_has_more_values_than_an_answer_has_frames_and_no_heartbeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_FRAMES", 3)
    beat = {"ok": True, "result": None, "heartbeat": True, "end": False}
    many = [{**GOOD, "result": number, "end": False} for number in range(50)]
    with _answering(tmp_path / "s", [beat, *many, beat, GOOD]):
        assert list(stream(tmp_path / "s", "follow")) == [*range(50)]


def test_a_stream_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        bind(silent, tmp_path / "s")
        silent.listen()
        with pytest.raises(ControlError, match="timed out"):
            list(stream(tmp_path / "s", "follow", silence_s=0.05))


@pytest.mark.parametrize("end", [None, 1, "yes", []])
def test_a_frame_without_an_end_mark_is_no_answer(tmp_path: Path, end: object) -> None:
    with (
        _answering(tmp_path / "s", [{**GOOD, "end": end}]),
        pytest.raises(ControlError, match="did not answer"),
    ):
        ask(tmp_path / "s", "status")


def test_an_answer_that_breaks_off_before_its_end_mark_is_none(tmp_path: Path) -> None:
    with (
        _answering(tmp_path / "s", [{**GOOD, "end": False}]),
        pytest.raises(ControlError, match="did not answer"),
    ):
        ask(tmp_path / "s", "status")


def test_frames_without_end_are_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_FRAMES", 3)
    more = [{**GOOD, "end": False}] * 3 + [GOOD]
    with _answering(tmp_path / "s", more), pytest.raises(ControlError, match="did not answer"):
        ask(tmp_path / "s", "status")


def test_control_without_a_most_of_frames_all_are_read(tmp_path: Path) -> None:
    more = [{**GOOD, "end": False}] * 300 + [GOOD]
    with _answering(tmp_path / "s", more):
        assert ask(tmp_path / "s", "status") == [1]


@pytest.mark.parametrize(
    "other",
    [{"id": 0}, {"id": None}, {"id": True}, {"stream": 1}, {"version": 2}, {"version": True}],
)
def test_the_answer_to_another_request_is_none(tmp_path: Path, other: dict[str, Any]) -> None:
    with (
        _answering(tmp_path / "s", [{**GOOD, **other}]),
        pytest.raises(ControlError, match="did not answer"),
    ):
        ask(tmp_path / "s", "status")


def test_a_daemon_without_the_command_is_to_be_restarted(tmp_path: Path) -> None:
    unknown = {"ok": False, "code": "unknown-command", "error": "this filterd does not"}
    with (
        _answering(tmp_path / "s", [{**GOOD, **unknown}]),
        pytest.raises(ControlError, match=r"is of an earlier release .* `sudo systemctl"),
    ):
        ask(tmp_path / "s", "log search")


def test_an_answer_in_many_pieces_is_put_together(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", [{"ok": True, "result": "x" * 1_000_000}]):
        assert len(ask(tmp_path / "s", "status")) == 1_000_000


def test_an_answer_without_end_is_not_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "LARGEST_ANSWER_OCTETS", 1000)
    with (
        _answering(tmp_path / "s", b"x" * 100_000),
        pytest.raises(ControlError, match="did not answer"),
    ):
        ask(tmp_path / "s", "status")


@pytest.mark.parametrize(
    "answer", [None, b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'"ok"\n', b"[" * 9_999]
)
def test_a_missing_answer_is_an_error_that_names_where_to_look(
    tmp_path: Path, answer: bytes | None
) -> None:
    with (
        _answering(tmp_path / "s", answer),
        pytest.raises(ControlError, match="s: filterd did not answer; see its log"),
    ):
        ask(tmp_path / "s", "status")


def test_what_the_daemon_refuses_is_raised(tmp_path: Path) -> None:
    with (
        _answering(tmp_path / "s", [{"ok": False, "error": "not today", "errors": []}]),
        pytest.raises(ControlError, match=r"^not today$"),
    ):
        ask(tmp_path / "s", "status")


def test_errors_of_the_site_arrive_with_their_places(tmp_path: Path) -> None:
    error = {"reason": "bad key", "path": "site.yaml", "line": 3, "column": 5, "hint": "mend it"}
    answer = {"ok": False, "error": "", "errors": [error, error], "id": None}
    with _answering(tmp_path / "s", [answer]), pytest.raises(ConfigErrors) as caught:
        ask(tmp_path / "s", "reload")
    assert str(caught.value).splitlines() == ["site.yaml:3:5: bad key (mend it)"] * 2


@pytest.mark.parametrize("path", ["none", "folder", "x" * 200])
def test_a_missing_daemon_is_an_error_with_a_remedy(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ControlError, match=r"no running filterd answers .* `filterd serve`"):
        ask(tmp_path / path, "status")
    assert not is_running(tmp_path / path)


def test_a_daemon_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        bind(silent, tmp_path / "s")
        silent.listen()
        with pytest.raises(ControlError, match="timed out"):
            ask(tmp_path / "s", "status")


def test_while_others_connect_a_command_waits_for_its_turn(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as other:
        bind(listening, tmp_path / "s")
        listening.listen(0)
        connect(other, tmp_path / "s")  # there is room for one
        with pytest.raises(ControlError, match="temporarily unavailable"):
            ask(tmp_path / "s", "ping", silence_s=0.05)

        def serve() -> None:
            listening.accept()[0].close()
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                number = json.loads(lines.readline())["id"]
                frame = {**GOOD, "id": number, "version": 1, "stream": 0, "end": True}
                connection.sendall(json.dumps(frame).encode() + b"\n")

        late = threading.Timer(0.05, serve)
        late.start()
        assert ask(tmp_path / "s", "ping") == [1]
        late.join()


def test_a_caller_may_give_up_sooner(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        bind(silent, tmp_path / "s")
        silent.listen()
        with pytest.raises(ControlError, match="timed out"):
            ask(tmp_path / "s", "status", silence_s=0.05)


def test_a_daemon_that_answers_is_running(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", b'{"ok": true, "result": "pong"}\n') as asked:
        assert is_running(tmp_path / "s")
    assert [frame["ask"] for frame in asked] == ["ping"]
