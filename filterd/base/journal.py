# SPDX-License-Identifier: Apache-2.0
"""Write to the journal of the service, bounded in size during any fault.

A fault may come back with every turn of a loop. So the first few of equal lines are
written, and the rest are counted until the minute is over: ``_SAME`` of one text, and
``_OF_A_PLACE`` of one place in the code. The next line after has the count.

A process waits only a moment for the reader of standard error: the journal hangs with its disk,
and a daemon that waited for it would answer no client. So a line that is not taken is lost, and the
next one that is taken begins with the count.

A process without memory cannot work, and a loop that tries takes the whole processor and
disk. So it logs one line and ends, and its supervisor starts it again. Code that catches
every exception logs it whole, so it is found here.

Lines are in the language of the site: the ``%`` templates of the code stand in the
catalogue like sentences, and errors and sentences among their values are translated too.
Reports of bugs, with their traceback, stay English.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from filterd.base.errors import FilterdError
from filterd.texts.i18n import catalogue, quoted, say, translated, visible

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from filterd.texts.i18n import Language

_WINDOW_S = 60.0
_SAME, _OF_A_PLACE = 5, 100
_MOST_TEXTS = 1_000
"""Kept to be compared; beyond that only the place counts."""
OUT_OF_MEMORY = 70
"""The exit status of a process that had no memory left."""
_logger = logging.getLogger("filterd")

_STDERR = 2
_TAKEN_WITHIN_MS = 20
"""By a reader that is busy; one that has not taken a line is not waited for again."""
_LAST_WORDS = b"ERROR filterd: no memory is left for this process: it ends, to be started again\n"


def begin(language: Language) -> None:
    """Write the log of this process, and of those that it forks, to standard error."""
    if language != "en":
        catalogue(language)  # read once, before processes are forked and lookups wait for it
    logging.basicConfig(level=logging.INFO, handlers=[Journal(language)])
    logging.raiseExceptions = False  # an error of the log cannot be logged
    sys.unraisablehook = _log_unraisable


def attend(loop: AbstractEventLoop) -> None:
    """End this process where a callback of its loop finds no memory.

    The process ends before anything is logged.
    """
    loop.set_exception_handler(_end_or_log)


def put(text: str, within_ms: int = _TAKEN_WITHIN_MS) -> bool:
    """Write to standard error, if it takes that; return whether it did."""
    return _put(text.encode(errors="backslashreplace"), within_ms)


def _put(octets: bytes, within_ms: int) -> bool:
    poll = select.poll()
    poll.register(_STDERR, select.POLLOUT)
    try:
        while octets:
            # A pipe with any room has room for so much, and a socket for much more.
            if not any(ready & select.POLLOUT for _, ready in poll.poll(within_ms)):
                return False
            octets = octets[os.write(_STDERR, octets[: select.PIPE_BUF]) :]
    except OSError:  # it is closed, or has no reader
        return False
    return True


class _StandardError:
    """Standard error as a stream that is waited for once."""

    def __init__(self) -> None:
        self._waits_ms = _TAKEN_WITHIN_MS

    def write(self, text: str) -> bool:
        """Write a text, if it is taken; return whether it was."""
        is_taken = put(text, self._waits_ms)
        self._waits_ms = _TAKEN_WITHIN_MS if is_taken else 0
        return is_taken

    def flush(self) -> None:
        """Do nothing: nothing is kept."""


class Journal(logging.StreamHandler[Any]):
    """Writes lines to standard error; see above."""

    def __init__(self, language: Language = "en") -> None:
        super().__init__(_StandardError())
        self._language: Language = language
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self._began = 0.0
        self._written = Counter[tuple[str, ...]]()
        self._counted = Counter[tuple[str, ...]]()
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        error = record.exc_info[1] if record.exc_info else None
        if is_out_of_memory(error):
            _end()
        try:
            if not 0 <= record.created - self._began < _WINDOW_S:
                self._begin_anew(record)
            record = self._translated(record)
            if self._is_one_too_many(record):
                return
        except MemoryError:
            _end()
        try:
            self._put(self.format(record))
        except Exception:  # noqa: BLE001 -- an error of the log cannot be logged
            self.handleError(record)

    def _put(self, line: str) -> None:
        """Write a line after the count of those that were lost, or count it, too."""
        if self._lost:
            note = translated(say("{lost} lines were lost", lost=self._lost), self._language)
            line = f"WARNING filterd: {note}{self.terminator}{line}"
        is_taken = self.stream.write(visible(line) + self.terminator)
        self._lost = 0 if is_taken else self._lost + 1

    def _translated(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return a record in the language.

        A record of an exception, or with odd values, is returned as it is.
        """
        if self._language == "en" or record.exc_info or not isinstance(record.args, tuple):
            return record
        template = translated(quoted(str(record.msg)), self._language)
        values = tuple(self._worded(one) for one in record.args)
        return logging.makeLogRecord({**record.__dict__, "msg": template, "args": values})

    def _worded(self, value: object) -> object:
        if isinstance(value, FilterdError):
            return value.translated(self._language)
        return translated(value, self._language) if isinstance(value, str) else value

    def _is_one_too_many(self, record: logging.LogRecord) -> bool:
        place = (record.name, record.levelname, record.pathname, str(record.lineno))
        text = (*place, record.getMessage())
        self._written[place] += 1
        if text in self._written or len(self._written) < _MOST_TEXTS:
            self._written[text] += 1
        if self._written[text] <= _SAME and self._written[place] <= _OF_A_PLACE:
            return False
        kept = text if self._written[text] > _SAME else place
        self._counted[kept] += 1
        return True

    def _begin_anew(self, record: logging.LogRecord) -> None:
        """Report the counts, and start to count anew; also if the clock was set back."""
        counted, self._counted = self._counted, Counter()
        self._written.clear()
        self._began = record.created
        for (name, level, _, _, *text), times in counted.items():
            words = text[0] if text else say("lines of that kind")
            note = say("{times} times more within a minute: {words}", times=times, words=words)
            line = f"{level} {name}: {translated(note, self._language)}".replace("\n", " ")
            self._put(line[:500])


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error means that this process has no memory or thread left."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and "start new thread" in str(error))
    )


def _end_or_log(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
    if is_out_of_memory(context.get("exception")):
        _end()
    loop.default_exception_handler(context)


def _log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Log what native code could not raise to a caller.

    Python would write it unbounded.
    """
    error = unraisable.exc_value
    if is_out_of_memory(error):
        _end()
    _logger.error("%s: %r", unraisable.err_msg or "an error was ignored", error)


def _end() -> NoReturn:
    """End this process without asking for memory."""
    try:
        _put(_LAST_WORDS, 0)
    finally:
        os._exit(OUT_OF_MEMORY)
