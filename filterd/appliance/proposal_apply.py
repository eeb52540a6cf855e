# SPDX-License-Identifier: Apache-2.0
"""Put a proposed ``site.yaml`` in force, as the owner of the file.

The proposal is of the daemon's user, which could have written anything there. So it is read
and compiled with that user's rights, and nothing but ``site.yaml`` is written with root's; and
there nothing but what an administrator may edit from afar: no file, no listener, no secret.
"""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.appliance.site_edit import check_edited
from filterd.appliance.site_writer import compile_with
from filterd.config.build_record import SITE_FILE
from filterd.config.site_proposal import (
    LARGEST_TEXT,
    OUTCOME,
    PROPOSAL,
    ProposalOutcome,
    digest_of,
    replaced,
    too_large,
)
from filterd.errors import FilterdError, to_plain
from filterd.paths import reading, shipped
from filterd.privileges import as_owner_of, own_rights

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.config.site_proposal import SiteProposal
    from filterd.state_folder import StateFolder

_log = logging.getLogger("filterd.site")


def apply(config: Path, state: StateFolder, reload: Callable[[], dict[str, Any]]) -> None:
    """Put the proposal in force and leave its outcome.

    An error leaves the file as it was.

    Args:
        config: the folder of ``site.yaml``.
        state: with the proposal.
        reload: has the daemon take the file; returns what its command ``reload`` does.

    Raises:
        FilterdError: why it is not in force; the outcome has the same.
    """
    with as_owner_of(state.folder):
        if state.site_proposal.is_symlink():
            state.site_proposal.unlink()
        try:
            proposal = PROPOSAL.load(state.site_proposal)
        finally:
            state.site_proposal.unlink(missing_ok=True)  # one that fails is not tried again
        digest = digest_of(proposal.text)
        try:
            told = _applied(config, proposal, reload)
        except FilterdError as error:
            OUTCOME.save(state.site_outcome, ProposalOutcome(digest, json.dumps(to_plain(error))))
            raise
        restart_for = tuple(map(str, told.get("restart_for", ())))
        OUTCOME.save(state.site_outcome, ProposalOutcome(digest, restart_for=restart_for))
    _log.info("site.yaml replaced, as %s wants: %s", proposal.author[:80], digest[:12])


def _applied(
    config: Path, proposal: SiteProposal, reload: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    if len(proposal.text) > LARGEST_TEXT:
        raise too_large()
    with reading(config / SITE_FILE):
        former = (config / SITE_FILE).read_bytes().decode("utf-8", "replace")
    check_edited(former, proposal.text)
    with tempfile.TemporaryDirectory() as folder:
        compile_with(config, proposal.text, Path(folder) / "policy", shipped("blocklists"))
    with own_rights(), replaced(config, proposal.base, proposal.text):
        return reload()
