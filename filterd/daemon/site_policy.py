# SPDX-License-Identifier: Apache-2.0
"""The policy of the site's files as they are: compiled unless it is there, and put in place."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from filterd.config import build_record
from filterd.config.compile_run import compile_in_child
from filterd.daemon.site_loader import log_error
from filterd.errors import ConfigError, StoreError
from filterd.i18n import refused, say
from filterd.lists.index_files import blocklists_in_force
from filterd.paths import install

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.daemon.process import Setting

_log = logging.getLogger("filterd.manager")


def tried(setting: Setting) -> Path:
    """Return the policy of the site's files as they are, which need not come in force."""
    tried = setting.state.tried_policy
    blocklists = blocklists_in_force(setting.state).folder
    current = _current((setting.state.policy, tried), setting.config, blocklists)
    if current is None:
        compile_in_child(setting.config, tried, blocklists=blocklists)
    return current or tried


def compiled(setting: Setting, *, lists_only: bool) -> tuple[Path, tuple[ConfigError, ...]]:
    """Return the policy of the site's files, the one in force or a candidate.

    Args:
        setting: where the site's files are.
        lists_only: files that are wrong are taken as they last were good.

    Returns:
        With it, what is wrong with the files as they are.
    """
    state = setting.state
    candidate, blocklists = state.candidate_policy, blocklists_in_force(state).folder
    # The guard may write there again for the next version: from here on it is ours.
    build_record.move(state.judged_policy, candidate)
    current = _current((state.policy, candidate), setting.config, blocklists)
    if current is not None:
        return current, ()
    kept_of = state.policy if lists_only else None
    wrong = compile_in_child(setting.config, candidate, blocklists=blocklists, kept_of=kept_of)
    if wrong is None:
        return candidate, ()
    log_error(wrong)
    _log.error("the lists come in force with the site as it last was good")
    return candidate, wrong.errors


def _current(policies: Iterable[Path], config: Path, blocklists: Path) -> Path | None:
    """Return the first of some policies that the files as they are would give again."""
    found = (one for one in policies if build_record.is_current(one, config, blocklists=blocklists))
    return next(found, None)


def install_policy(policy: Path, in_force: Path) -> None:
    """Rename a candidate into the place of the policy in force, if it is another.

    Raises:
        StoreError: the disk refused.
    """
    if policy == in_force:
        return
    try:
        install(policy, in_force)
    except OSError as error:
        raise StoreError(
            say("{policy}: cannot be installed: {why}", policy=policy, why=refused(error))
        ) from error
    with contextlib.suppress(OSError):  # then the next start compiles it once more
        build_record.hand_over(policy, in_force)
