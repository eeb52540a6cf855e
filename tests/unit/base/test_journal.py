# SPDX-License-Identifier: Apache-2.0
"""The journal is bounded, and ends a process that has no memory."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.base.journal import OUT_OF_MEMORY, Journal, put
from filterd.texts.i18n import Language, say
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT = 1_800_000_000.0


class Written:
    """A journal whose lines a test reads."""

    def __init__(self, language: Language = "en") -> None:
        self._stream = io.StringIO()
        self._journal = Journal(language)
        self._journal.setStream(self._stream)

    def write(self, template: str, *values: object, at: float = AT) -> None:
        record = logging.LogRecord("filterd", logging.ERROR, "x.py", 1, template, values, None)
        record.created = at
        self._journal.handle(record)

    def say(self, text: str, at: float = AT, line: int = 1, times: int = 1) -> None:
        for _ in range(times):
            record = logging.LogRecord(
                "filterd.x", logging.ERROR, "x.py", line, "%s", (text,), None
            )
            record.created = at
            self._journal.handle(record)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def written() -> Written:
    return Written()


def test_what_is_said_again_and_again_is_counted(written: Written) -> None:
    written.say("the same", times=1_000)
    assert written.lines == ["ERROR filterd.x: the same"] * 5
    written.say("another", at=AT + 60)
    assert written.lines[5:] == [
        "ERROR filterd.x: 995 times more within a minute: the same",
        "ERROR filterd.x: another",
    ]


def test_lines_are_in_the_language_of_the_site_and_so_are_errors_among_their_values() -> None:
    written = Written("vi")
    written.write(
        "the %s ended (%s); starting it again", "worker 1", say("signal {number}", number=9)
    )
    error = ConfigError(say("'{text}' is not a grade", text="13"), path="site.yaml", line=3)
    written.write("%s; the site before stays, trying again", error)
    assert written.lines == [
        "ERROR filterd: tiến trình worker 1 đã kết thúc (tín hiệu 9); đang khởi động lại",
        f"ERROR filterd: {error.translated('vi')}; giữ cấu hình trước đó và đang thử lại",
    ]


def test_what_moves_the_cursor_of_a_reader_stands_by_its_code(written: Written) -> None:
    written.say("a\x1b[2J\x9b\r\u202eb")
    assert written.lines == [r"ERROR filterd.x: a\x1b[2J\x9b\r\u202eb"]


def test_the_count_of_equal_lines_is_in_the_language_too() -> None:
    written = Written("vi")
    for _ in range(7):
        written.write("not reloaded: what was in force stays")
    written.write("%s", "another", at=AT + 60)
    line = "chưa nạp lại: giữ những gì đang có hiệu lực"
    assert written.lines[5:] == [
        f"ERROR filterd: lặp lại thêm 2 lần trong một phút: {line}",
        "ERROR filterd: another",
    ]


def test_a_place_with_ever_new_messages_is_bounded_too(written: Written) -> None:
    for number in range(5_000):
        written.say(f"number {number}")
    assert len(written.lines) == 100
    written.say("another", at=AT + 60, line=2)
    assert written.lines[100].endswith("4900 times more within a minute: lines of that kind")


def test_what_is_said_elsewhere_is_not_held_back(written: Written) -> None:
    written.say("the same", times=1_000)
    written.say("the same", line=2)
    assert len(written.lines) == 6


@pytest.mark.parametrize("later_s", [61.0, -86_400.0])
def test_after_a_minute_or_a_clock_set_back_it_is_said_again(
    written: Written, later_s: float
) -> None:
    written.say("the same", times=6)
    written.say("the same", at=AT + later_s)
    assert written.lines[5:] == [
        "ERROR filterd.x: 1 times more within a minute: the same",
        "ERROR filterd.x: the same",
    ]


def test_a_list_of_errors_is_written_whole(written: Written) -> None:
    for number in range(50):
        written.say(f"site.yaml:{number}: wrong")
    assert len(written.lines) == 50


@pytest.fixture(params=["a pipe", "a socket"])
def unread(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], bytes]]:
    """Standard error that takes no more; it returns what is in it, and then takes some again."""
    reading, writing = os.pipe() if request.param == "a pipe" else _socket_pair()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1024))
    for descriptor, blocks in ((writing, True), (reading, False)):
        os.set_blocking(descriptor, blocks)
    monkeypatch.setattr("filterd.base.journal._STDERR", writing)

    def read() -> bytes:
        found = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                found += os.read(reading, 65_536)
        return found.replace(b"\0", b"")

    yield read
    os.close(reading)
    os.close(writing)


def _socket_pair() -> tuple[int, int]:
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def test_no_line_waits_for_a_reader_and_those_that_are_lost_are_counted(
    unread: Callable[[], bytes],
) -> None:
    journal = Journal("vi")

    def say(text: str) -> None:
        journal.handle(logging.LogRecord("filterd", logging.ERROR, "x.py", 1, text, (), None))

    for number in range(3):
        say(f"number {number}")
    assert unread() == b""
    say("another")
    say("the last")
    lost = "WARNING filterd: đã mất 3 dòng"
    assert unread().decode().splitlines() == [
        lost,
        "ERROR filterd: another",
        "ERROR filterd: the last",
    ]


def test_a_standard_error_that_is_closed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr("filterd.base.journal._STDERR", writing)
    os.close(reading)
    assert not put("nobody reads")
    os.close(writing)
    assert not put("it is closed")


def _end_of(code: str) -> subprocess.CompletedProcess[str]:
    program = (
        f"import asyncio, logging\nfrom filterd.base import journal\njournal.begin('en')\n{code}"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )


CAUGHT = """
try:
    raise {error}
except Exception:
    logging.getLogger("filterd").exception("caught")
"""
IN_A_LOOP = """
async def main():
    journal.attend(loop := asyncio.get_running_loop())
    def fail(): raise {error}
    loop.call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(main())
"""
OF_NATIVE_CODE = """
class Failing:
    def __del__(self): raise {error}
Failing()
"""


@pytest.mark.parametrize("error", ["MemoryError", "OSError(12, 'no memory')"])
@pytest.mark.parametrize("code", [CAUGHT, IN_A_LOOP, OF_NATIVE_CODE])
def test_a_process_without_memory_reports_it_and_ends(code: str, error: str) -> None:
    ended = _end_of(code.format(error=error))
    assert ended.returncode == OUT_OF_MEMORY
    assert ended.stderr.splitlines() == [
        "ERROR filterd: no memory is left for this process: it ends, to be started again"
    ]


@pytest.mark.parametrize("code", [CAUGHT, IN_A_LOOP, OF_NATIVE_CODE])
def test_control_another_error_is_logged_and_it_goes_on(code: str) -> None:
    ended = _end_of(code.format(error="ValueError('x')"))
    assert ended.returncode == os.EX_OK
    assert "ValueError" in ended.stderr
