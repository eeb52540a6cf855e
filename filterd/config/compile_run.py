# SPDX-License-Identifier: Apache-2.0
"""Compile a site, or read where it sends things, in a child process.

So PyYAML and pydantic stay out of the serving process. They would cost it
15 MB for good, and a file that a person wrote could then cost it more; the
child has bounds on time and memory and ends. The two ends
speak by one line of JSON on the child's output (``filterd.config.__main__``
is the other end). The daemon forks at its start, when all wait for it, and from
then on starts its children afresh, as commands do (``filterd.base.bounded_child``).
This side needs the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from filterd.base import bounded_child
from filterd.base.errors import (
    ConfigError,
    ConfigErrors,
    FilterdError,
    StoreError,
    TellableError,
    from_plain,
)
from filterd.base.state_file import Decoders
from filterd.policy import policy_file, reporting_settings
from filterd.policy.reporting_settings import Destinations
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from filterd.base.bounded_child import Ended
    from filterd.policy.model import Policy

    Start: TypeAlias = Callable[[Sequence[str], float], Ended]
    """Runs the child with arguments, within so many seconds."""

TIME_LIMIT_S = 60
_MOST_OCTETS = 64 << 20
"""Of a policy, which is what the child writes at most."""
_NO_PLUGINS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}  # to look for some takes a tenth of the time
AS_KEPT = 3
"""The exit code of a child that has compiled the site as it was kept."""
_destinations = Decoders(vars(reporting_settings)).of(Destinations)


def afresh(arguments: Sequence[str], limit_s: float) -> Ended:
    """Run ``filterd.config`` in an interpreter of its own; for every kind of process.

    Raises:
        TimeoutError: it took longer than ``limit_s`` and was ended.
        OSError: it cannot be started.
    """
    return _run("filterd.config", arguments, limit_s)


def forked(arguments: Sequence[str], limit_s: float) -> Ended:
    """Run the same in a fork of this process, which must have no other thread.

    Afresh, where the system refuses what a fork needs.

    Raises:
        TimeoutError: it took longer than ``limit_s`` and was ended.
        OSError: it cannot be started.
    """

    def compile_here() -> int:
        os.environ |= _NO_PLUGINS
        sys.dont_write_bytecode = True
        from filterd.config.__main__ import main  # noqa: PLC0415 -- never in the parent

        return main(list(arguments))

    try:
        return bounded_child.run_forked(compile_here, limit_s=limit_s, most_octets=_MOST_OCTETS)
    except TimeoutError:
        raise
    except OSError:
        return afresh(arguments, limit_s)


def _run(module: str, arguments: Sequence[str], limit_s: float) -> Ended:
    words, given = (
        bounded_child.command(module, *arguments),
        bounded_child.environment(**_NO_PLUGINS),
    )
    return bounded_child.run(words, limit_s=limit_s, most_octets=_MOST_OCTETS, given=given)


def compile_in_child(
    config: Path,
    target: Path,
    *,
    blocklists: Path | None = None,
    kept_of: Path | None = None,
    start: Start = afresh,
) -> ConfigErrors | None:
    """Compile the site in the folder ``config`` and replace the policy at ``target``.

    It waits for the child, so a server calls it in a thread.

    Args:
        config: the folder of ``site.yaml``.
        target: the policy file; untouched unless everything is right.
        blocklists: the catalogue's folder, if it is not the one that ships.
        kept_of: a policy; where the site's files are wrong, those that it was compiled
            from are taken, if they are known and right.
        start: how the child is started; ``afresh`` or ``forked``.

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
    error = _error_of(ended, config)
    if ended.code == AS_KEPT and isinstance(error, ConfigErrors):
        return error
    raise error


def _ended(config: Path, arguments: Sequence[str], start: Start) -> Ended:
    try:
        return start(arguments, TIME_LIMIT_S)
    except TimeoutError:
        reason = say("compiling the site took more than {limit_s} s", limit_s=TIME_LIMIT_S)
        raise _failure(config, reason, say("make the files smaller")) from None
    except OSError as error:
        raise bounded_child.not_started(error) from error


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


def read_destinations(config: Path) -> Destinations:
    """Return where the site sends alerts and reports, from its file as it is now.

    For processes that may do more than the daemon: nothing that the daemon says or keeps decides
    where a secret goes or where root writes. A caller that is root has root's rights meanwhile
    (``own_rights``), since the daemon's user may change what a child of that user prints.

    Args:
        config: the folder of ``site.yaml``.

    Raises:
        ConfigErrors: all that is wrong with the file.
        StoreError: the child cannot be started.
    """
    ended = _ended(config, [str(config)], partial(_run, "filterd.config.destinations"))
    if ended.code:
        raise _error_of(ended, config)
    return cast("Destinations", _destinations(json.loads(ended.output)))


def _error_of(ended: Ended, config: Path) -> FilterdError:
    try:
        report: dict[str, Any] = json.loads(ended.output)
    except ValueError:  # it met a bound, or the system ended it
        reason = say("compiling the site failed: {why}", why=ended.last_words)
        return _failure(config, reason, say("check the size of the files and the free memory"))
    error = from_plain(report)
    if not isinstance(error, TellableError):
        return error
    wrong = StoreError(error.sentence)
    wrong.code = error.code
    return wrong


def _failure(config: Path, reason: Sentence, hint: Sentence) -> ConfigErrors:
    return ConfigErrors([ConfigError(reason, path=str(config), hint=hint)])
