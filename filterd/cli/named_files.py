# SPDX-License-Identifier: Apache-2.0
"""Read and write files that the operator names, with the operator's rights and with bounds."""

from __future__ import annotations

import codecs
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import ConfigError, FilterdError, StoreError, from_plain, to_plain
from filterd.base.paths import is_plain, open_plain, write_atomically
from filterd.base.privileges import own_rights
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 1 << 20

MEMORY_OCTETS, CPU_S, TIME_LIMIT_S = 512 << 20, 60, 300.0
"""Of a child that reads, beyond what it begins with, and its time."""
_MOST_ANSWER_OCTETS = 16 << 20


def check_folder(path: Path, called: str) -> None:
    """Refuse a file to write whose folder does not exist: a slip of the pen makes no folders.

    Args:
        path: named by the operator.
        called: the option or argument that names it.

    Raises:
        ConfigError: there is no such folder.
    """
    with own_rights():
        has_folder = path.parent.is_dir()
    if not has_folder:
        raise ConfigError(
            say("there is no folder {parent}", parent=path.parent),
            hint=say("check {option}", option=called),
        )


def check_written(path: Path, called: str) -> None:
    """Refuse a file to write that no plain file can replace; raises as ``check_folder`` does.

    Raises:
        ConfigError: a link, a device or a folder has this name.
    """
    check_folder(path, called)
    with own_rights():
        is_free = is_plain(path)
    if not is_free:
        raise ConfigError(
            say("{path} is not a plain file", path=path), hint=say("check {option}", option=called)
        )


def write_named(path: Path, content: str | bytes, called: str, *, mode: int = 0o644) -> None:
    """Write a file that the operator has named; raises as ``check_written`` does.

    Raises:
        StoreError: the disk refused.
    """
    check_written(path, called)
    with own_rights():
        write_atomically(
            path, content if isinstance(content, bytes) else content.encode(), mode=mode
        )


def read_text(path: Path) -> str:
    """Return the text of a file that is not large, as ``decoded`` reads it.

    Raises:
        StoreError: it cannot be read.
        ConfigError: it is no text, or too large.
    """
    content = read_octets(path, _LARGEST)
    if len(content) > _LARGEST:
        raise ConfigError(say("the file is too large"), path=str(path), hint=say("at most 1 MiB"))
    return decoded(content, path)


def read_octets(path: Path, most: int) -> bytes:
    """Return the octets of a file that the caller names; of a longer one, one more than ``most``.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        with own_rights(), open_plain(path) as file:
            return file.read(most + 1)
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error


def read_apart(read: Callable[[Path], Any], path: Path) -> Any:
    """Read a file in a bounded fork of this process, which has no other thread.

    Args:
        read: returns plain data.
        path: the file, which may be hostile.

    Raises:
        FilterdError: as of ``read``, or the file asks for more than it may.
    """

    def work() -> int:
        most = bounded_child.mapped_octets() + MEMORY_OCTETS
        bounded_child.bound(memory_octets=most, cpu_s=CPU_S)
        try:
            answer = {"found": read(path)}
        except FilterdError as error:
            answer = to_plain(error)
        except MemoryError:
            answer = to_plain(_too_much(path))
        sys.stdout.write(json.dumps(answer))
        return 0

    try:
        ended = bounded_child.run_forked(
            work, limit_s=TIME_LIMIT_S, most_octets=_MOST_ANSWER_OCTETS
        )
    except TimeoutError:
        raise _too_much(path) from None
    except OSError as error:
        raise bounded_child.not_started(error) from error
    if ended.code or ended.is_too_long:
        raise _too_much(path)
    answer = json.loads(ended.output)
    if "error" in answer:
        raise from_plain(answer)
    return answer["found"]


def _too_much(path: Path) -> ConfigError:
    return ConfigError(
        say("to read it takes more memory or time than such a file needs"), path=str(path)
    )


def decoded(content: bytes, path: Path) -> str:
    """Return octets as text: UTF-8, or Excel's "Unicode text" (UTF-16).

    Raises:
        ConfigError: they are no text; ``path`` is its name in errors.
    """
    try:
        is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        hint = say("save it as UTF-8")
        raise ConfigError(say("the file is not UTF-8 text"), path=str(path), hint=hint) from error


def is_separator(line: str) -> bool:
    """Return whether a line is Excel's separator line: ``sep=;``."""
    return re.fullmatch(r"""["']?sep=.["']?""", line.strip(" \r"), re.IGNORECASE) is not None
