# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from filterd.control import ask, is_running
from filterd.control import connection as module
from filterd.errors import ConfigErrors, ControlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def _answering(path: Path, *answers: bytes | None) -> Iterator[list[Any]]:
    """Answer one connection after the other; None closes it without a word."""
    asked: list[Any] = []
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                asked.append(json.loads(lines.readline()))
                if answer is not None:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        yield asked
        thread.join()


def test_the_command_and_its_arguments_are_sent(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", b'{"ok": true, "result": [1]}\n') as asked:
        assert ask(tmp_path / "s", "check", qname="00", grade=None) == [1]
    assert asked == [{"command": "check", "qname": "00", "grade": None}]


def test_an_answer_in_many_pieces_is_put_together(tmp_path: Path) -> None:
    long = json.dumps({"ok": True, "result": "x" * 1_000_000}).encode() + b"\n"
    with _answering(tmp_path / "s", long):
        assert len(ask(tmp_path / "s", "status")) == 1_000_000


def test_an_answer_without_end_is_not_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 1000)
    with (
        _answering(tmp_path / "s", b"x" * 100_000),
        pytest.raises(ControlError, match="gave no answer"),
    ):
        ask(tmp_path / "s", "status")


@pytest.mark.parametrize(
    "answer", [None, b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'"ok"\n', b"[" * 9_999]
)
def test_no_answer_is_an_error_that_says_where_to_look(
    tmp_path: Path, answer: bytes | None
) -> None:
    with (
        _answering(tmp_path / "s", answer),
        pytest.raises(ControlError, match="s: filterd gave no answer; see its log"),
    ):
        ask(tmp_path / "s", "status")


def test_what_the_daemon_refuses_is_raised(tmp_path: Path) -> None:
    with (
        _answering(tmp_path / "s", b'{"ok": false, "error": "not today", "errors": []}\n'),
        pytest.raises(ControlError, match=r"^not today$"),
    ):
        ask(tmp_path / "s", "status")


def test_errors_of_the_site_arrive_with_their_places(tmp_path: Path) -> None:
    error = {"reason": "bad key", "path": "site.yaml", "line": 3, "column": 5, "hint": "mend it"}
    answer = json.dumps({"ok": False, "error": "", "errors": [error, error]}).encode() + b"\n"
    with _answering(tmp_path / "s", answer), pytest.raises(ConfigErrors) as caught:
        ask(tmp_path / "s", "reload")
    assert str(caught.value).splitlines() == ["site.yaml:3:5: bad key (mend it)"] * 2


@pytest.mark.parametrize("path", ["none", "folder", "x" * 200])
def test_where_nobody_answers_the_error_says_what_to_do(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ControlError, match=r"no running filterd answers .* `filterd serve`"):
        ask(tmp_path / path, "status")
    assert not is_running(tmp_path / path)


def test_a_daemon_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(ControlError, match="timed out"):
            ask(tmp_path / "s", "status")


def test_a_daemon_that_answers_is_running(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", b'{"ok": true, "result": "pong"}\n') as asked:
        assert is_running(tmp_path / "s")
    assert asked == [{"command": "ping"}]
