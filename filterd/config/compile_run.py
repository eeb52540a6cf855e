# SPDX-License-Identifier: Apache-2.0
"""Compiles a site in a child process: PyYAML and pydantic stay out of the serving process.

They would cost it 15 MB for good, and a file that a person wrote could then
cost it more; the child has bounds on time and memory and ends. The two ends
speak by one line of JSON on the child's output (``filterd.config.__main__``
is the other end). This side needs the standard library only.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from filterd.config.compile_child import afresh
from filterd.errors import (
    ConfigError,
    ConfigErrors,
    FilterdError,
    StoreError,
    TellableError,
    from_plain,
)
from filterd.i18n import Sentence, quoted, refused, say
from filterd.policy import policy_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.config.compile_child import Ended, Start
    from filterd.policy.model import Policy

TIME_LIMIT_S = 60
AS_KEPT = 3
"""The exit code of a child that has compiled the site as it was kept."""


def compile_in_child(
    config: Path,
    target: Path,
    *,
    blocklists: Path | None = None,
    kept_of: Path | None = None,
    start: Start = afresh,
) -> ConfigErrors | None:
    """Compile the site in the folder ``config`` and replace the policy file ``target``.

    It waits for the child, so a server calls it in a thread.

    Args:
        config: the folder of ``site.yaml``.
        target: the policy file; untouched unless everything is right.
        blocklists: the catalogue's folder, if it is not the one that ships.
        kept_of: a policy; where the site's files are wrong, those that it was compiled
            from are taken, if they are known and right.
        start: how the child is started; see ``filterd.config.compile_child``.

    Returns:
        What is wrong with the site's files, where others were taken.

    Raises:
        ConfigErrors: all that is wrong with the site.
        StoreError: the disk refused.
    """
    arguments = [str(config), str(target), str(blocklists or ""), str(kept_of or "")]
    ended = _ended(config, arguments, start)
    if ended.code == 0:
        return None
    told = _error_of(ended, config)
    if ended.code == AS_KEPT and isinstance(told, ConfigErrors):
        return told
    raise told


def _ended(config: Path, arguments: Sequence[str], start: Start) -> Ended:
    try:
        return start(arguments, TIME_LIMIT_S)
    except TimeoutError:
        reason = say("compiling the site took more than {limit_s} s", limit_s=TIME_LIMIT_S)
        raise _failure(config, reason, say("make the files smaller")) from None
    except OSError as error:
        raise StoreError(
            say(
                "{executable}: cannot be started: {why}",
                executable=sys.executable,
                why=refused(error),
            )
        ) from error


def compile_in_memory(config: Path, blocklists: Path) -> Policy:
    """Compile the site without a file: for a disk that does not take one.

    Raises:
        ConfigErrors: all that is wrong with the site.
        StoreError: the child cannot be started.
    """
    ended = _ended(config, [str(config), "", str(blocklists)], afresh)
    if ended.code:
        raise _error_of(ended, config)
    return policy_file.parse(ended.output, str(config))


def _error_of(ended: Ended, config: Path) -> FilterdError:
    try:
        report: dict[str, Any] = json.loads(ended.output)
    except ValueError:  # it met a bound, or the system ended it
        last = ended.errors.decode(errors="replace").strip().rpartition("\n")[2]
        status = say("exit status {status}", status=ended.code)
        reason = say("compiling the site failed: {why}", why=quoted(last) if last else status)
        return _failure(config, reason, say("are the files very large, or memory short?"))
    error = from_plain(report)
    return StoreError(error.sentence) if isinstance(error, TellableError) else error


def _failure(config: Path, reason: Sentence, hint: Sentence) -> ConfigErrors:
    return ConfigErrors([ConfigError(reason, path=str(config), hint=hint)])
