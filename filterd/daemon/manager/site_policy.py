# SPDX-License-Identifier: Apache-2.0
"""Choose the policy of a start or a reload.

It is from the site's files, if it may be activated. It is compiled unless the one of these
files is there already. A start is an activation like a reload: if the files fail the
expectations, the last good policy stays in force, and if they are wrong, the last good
site. The first start has none. Then the names that should be blocked are blocked, whatever
the files contain, and other failures are reported: DNS works, and no name passes that
should be blocked.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigError, ConfigErrors, FilterdError, StoreError
from filterd.base.paths import install
from filterd.config import build_record
from filterd.config.compile_run import afresh, compile_in_child
from filterd.daemon.manager.site_loader import Unwritten, compile_unwritten, log_error, open_index
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.lists.index_files import blocklists_in_force, blocklists_to_compile_by
from filterd.policy import policy_file
from filterd.resolve import expectation_checks
from filterd.resolve.site import Site
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.config.compile_run import Start
    from filterd.daemon.process import Setting
    from filterd.lists.index import Index
    from filterd.policy.model import Policy

_logger = logging.getLogger("filterd.site_policy")


def tried(setting: Setting) -> Path:
    """Return the policy of the site's present files, without activating it."""
    tried = setting.state.tried_policy
    blocklists = blocklists_in_force(setting.state).folder
    current = _current((setting.state.policy, tried), setting.config, blocklists)
    if current is None:
        compile_in_child(setting.config, tried, blocklists=blocklists)
    return current or tried


def compiled(setting: Setting, *, lists_only: bool) -> tuple[Path, tuple[ConfigError, ...]]:
    """Return the policy of the site's files, the active one or a candidate.

    Args:
        setting: where the site's files are.
        lists_only: where the files are wrong, take the last good ones.

    Returns:
        The file, and the errors of the site's present files.
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
    _logger.error("the lists take effect with the last good version of the site")
    return candidate, wrong.errors


def _current(policies: Iterable[Path], config: Path, blocklists: Path) -> Path | None:
    """Return the first policy that was compiled from the present files."""
    found = (
        policy
        for policy in policies
        if build_record.is_current(policy, config, blocklists=blocklists)
    )
    return next(found, None)


def install_policy(policy: Path, in_force: Path) -> None:
    """Rename a candidate into the place of the active policy, if it is another.

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


def compile_policy_or_keep(
    config: Path,
    state: StateFolder,
    *,
    now: float,
    indexes: VerifiedIndexes | None = None,
    start: Start = afresh,
    unwritten: Unwritten | None = None,
) -> None:
    """Compile the site's YAML if it has changed.

    If the result may not serve, the last good policy serves. So does the one of another
    release, if it is of this site: compiling takes seconds on a small board, in which
    lookups would wait after an update. The manager compiles it once all serve.

    Args:
        config: the folder of ``site.yaml``.
        state: what the daemon keeps.
        now: Unix time.
        indexes: those that this process uses already.
        start: starts the compiling child.
        unwritten: takes files that the disk does not take.

    Raises:
        FilterdError: it cannot be compiled and there is no last good policy.
    """
    blocklists, indexes = blocklists_in_force(state).folder, indexes or VerifiedIndexes()
    if build_record.is_current(state.policy, config, blocklists=blocklists):
        return
    last_good = _usable(state.policy)
    if last_good and build_record.is_of_site(state.policy, config, blocklists=blocklists):
        return
    if last_good is None:
        unwritten = Unwritten() if unwritten is None else unwritten
        _compile_the_first(config, state, unwritten, now=now, indexes=indexes, start=start)
        return
    _compile_again(config, state, last_good, now=now, indexes=indexes, start=start)


def is_of_another_release(setting: Setting) -> bool:
    """Return whether another release has compiled the policy of the present site."""
    of = setting.state.policy, setting.config
    blocklists = blocklists_in_force(setting.state).folder
    is_current = build_record.is_current(*of, blocklists=blocklists)
    return not is_current and build_record.is_of_site(*of, blocklists=blocklists)


def _compile_again(
    config: Path,
    state: StateFolder,
    last_good: Policy,
    *,
    now: float,
    indexes: VerifiedIndexes,
    start: Start,
) -> None:
    """Compile the site; install the policy if it may serve, else keep the last good."""
    blocklists, compiled = blocklists_in_force(state).folder, state.candidate_policy
    try:
        wrong = compile_in_child(
            config, compiled, blocklists=blocklists, kept_of=state.policy, start=start
        )
        if wrong is not None:
            log_error(wrong)
        meets = _meets(policy_file.load(compiled), last_good, config, state, indexes, now)
        if meets:
            install_policy(compiled, state.policy)
    except FilterdError as error:
        log_error(error)
        meets, wrong = False, None
    if not meets:
        _logger.error(
            "the site was not compiled: its last good policy stays in force "
            "until the errors are corrected"
        )
    elif wrong is not None:
        _logger.error(
            "the last good version of the site stays in force until its errors are corrected"
        )


def _compile_the_first(
    config: Path,
    state: StateFolder,
    unwritten: Unwritten,
    *,
    now: float,
    indexes: VerifiedIndexes,
    start: Start,
) -> None:
    """Compile the site where there is no last good policy.

    It is compiled into memory if the disk refuses.

    Raises:
        FilterdError: it cannot be compiled.
    """
    blocklists, compiled = blocklists_to_compile_by(state).folder, state.candidate_policy
    refused: FilterdError | None = None
    try:
        compile_in_child(config, compiled, blocklists=blocklists, start=start)
        candidate = policy_file.load(compiled)
    except FilterdError as error:
        candidate, refused = compile_unwritten(config, state, error), error
    policy = _enforced(candidate, open_index(config, state, indexes, unwritten), now)
    try:
        if refused is not None:
            raise refused
        if policy is not candidate:
            _save_enforced(state, policy)
        install_policy(state.candidate_policy, state.policy)
    except FilterdError as error:
        unwritten.hold_policy(state, policy, error)


def _meets(
    candidate: Policy,
    last_good: Policy,
    config: Path,
    state: StateFolder,
    indexes: VerifiedIndexes,
    now: float,
) -> bool:
    """Return whether a policy meets its expectations, or fails only as the last does.

    The last is the last good policy: no other expectations may fail than fail with it.
    """
    index = open_index(config, state, indexes, Unwritten())
    site = _site(candidate, index, now)
    with contextlib.suppress(ConfigErrors):
        expectation_checks.check(site, now)
        return True  # mostly, and a start need not ask what the last good one fails to meet
    known = expectation_checks.known_to_fail(_site(last_good, index, now), now)
    try:
        expectation_checks.check(site, now, known=known)
    except FilterdError as error:
        log_error(error)
        return False
    return True


def _enforced(policy: Policy, index: Index, now: float) -> Policy:
    """Return a policy that also blocks the names that are expected to be blocked."""
    unmet = expectation_checks.unmet(_site(policy, index, now), policy.expectations, now)
    return expectation_checks.enforced(policy, unmet)


def _save_enforced(state: StateFolder, enforced: Policy) -> None:
    policy_file.save(state.candidate_policy, enforced)
    with contextlib.suppress(OSError, StoreError):  # then the next start compiles it once more
        build_record.note_changed(state.candidate_policy)


def _site(policy: Policy, index: Index, now: float) -> Site:
    return Site.of(policy, index, (), now=now)


def _usable(policy: Path) -> Policy | None:
    try:
        return policy_file.load(policy)
    except StoreError as error:
        if os.path.lexists(policy):  # and not Path.exists, which raises errors of the disk
            log_error(error)
        return None
