# SPDX-License-Identifier: Apache-2.0
"""The commands by which an administrator edits ``site.yaml`` from afar.

::

    site-read --> data     site-edit --> draft: difference, errors --> site-apply: file, reload

A draft is kept in memory, one of each person. It is applied only if its digest is the one
that was shown, and the file still has the text that it was made from. Where the daemon may not
write the file, it leaves a proposal for a unit of root (``config.site_proposal``) and waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import os
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import ConfigError, ControlError, StoreError, from_plain, to_plain
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE
from filterd.config.site_proposal import (
    OUTCOME,
    PROPOSAL,
    ProposalOutcome,
    SiteProposal,
    replaced,
)
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.lists.index_files import blocklists_in_force
from filterd.operations.site import (
    ApplyDraft,
    DraftSite,
    DraftTimetables,
    DropDraft,
    ReadDraft,
    ReadSite,
)
from filterd.overrides.history.history_chain import SITE_EDIT
from filterd.overrides.history.history_notes import MOST_KEYS
from filterd.overrides.rights.roles import Author, Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting

CHILD, TABLE_CHILD = "filterd.appliance.setup.site_edit", "filterd.config.pasted_timetable"
_CHILD_WITHIN_S, _MOST_OCTETS = 90.0, 16 << 20
_ROOT_WITHIN_S, _LOOK_EVERY_S = 90.0, 0.1
_MOST_DRAFTS = 20
_MOST_LINES = 2_000
"""Of a difference that is shown."""


@frozen
class SiteDraft:
    """A text that an administrator wants ``site.yaml`` to have.

    Attributes:
        base, digest: the SHA-256 of the text before and of this one.
        text: the new text.
        keys: the keys that differ, such as ``networks.lab-a``.
        difference: between the two texts, as lines of a unified difference.
        problem: why it cannot be in force, an error as plain data; else None.
        doubts: what it would leave unmet though it can be in force, as plain data.
        changes: what each network of a pasted timetable will have, as rows of
            ``policy.timetable_changes``.
        left_out: cells of that timetable which name no room.
    """

    base: str
    digest: str
    text: str
    keys: tuple[str, ...]
    difference: tuple[str, ...]
    problem: dict[str, Any] | None
    doubts: tuple[dict[str, Any], ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Return it as plain data; its text is in the difference as far as it matters."""
        return {
            "digest": self.digest,
            "keys": list(self.keys),
            "difference": list(self.difference[:_MOST_LINES]),
            "more_lines": max(0, len(self.difference) - _MOST_LINES),
            "problem": self.problem,
            "doubts": list(self.doubts),
            "changes": list(self.changes),
            "left_out": list(self.left_out),
        }


class SiteDrafts:
    """Reads, edits and replaces ``site.yaml`` for administrators."""

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._manager, self._setting = manager, setting
        self._drafts: dict[str, SiteDraft] = {}
        self._turn, self._child_turn = asyncio.Lock(), asyncio.Lock()

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            **handled(ReadSite, self._read),
            **handled(DraftSite, self._edit),
            **handled(DraftTimetables, self._edit_by_table),
            **handled(ReadDraft, self._show),
            **handled(DropDraft, self._drop),
            **handled(ApplyDraft, self._apply),
        }

    async def _read(self, _: ReadSite, caller: Caller) -> dict[str, Any]:
        """Return the data of the file, its digest, and rooms with an imported timetable."""
        _administrator(caller)
        facts = await self._child({})
        return {key: facts[key] for key in ("data", "digest", "imported")}

    async def _edit(self, asked: DraftSite, caller: Caller) -> dict[str, Any]:
        return await self._kept(asked.edits, _administrator(caller))

    async def _edit_by_table(self, asked: DraftTimetables, caller: Caller) -> dict[str, Any]:
        """Draft the timetables of a pasted table."""
        author = _administrator(caller)
        lists = str(blocklists_in_force(self._setting.state).folder)
        facts = await self._child({"table": asked.table, "blocklists": lists}, TABLE_CHILD)
        shown = {key: tuple(facts[key]) for key in ("changes", "left_out")}
        return await self._kept(facts["edits"], author, **shown)

    async def _kept(self, edits: Any, author: Author, **shown: Any) -> dict[str, Any]:
        draft = replace(await self._drafted(edits), **shown)
        self._drafts.pop(author.person, None)
        while len(self._drafts) >= _MOST_DRAFTS:
            del self._drafts[next(iter(self._drafts))]
        self._drafts[author.person] = draft
        return draft.shown()

    async def _show(self, _: ReadDraft, caller: Caller) -> dict[str, Any]:
        return self._draft_of(_administrator(caller)).shown()

    async def _drop(self, _: DropDraft, caller: Caller) -> None:
        self._drafts.pop(_administrator(caller).person, None)

    async def _apply(self, asked: ApplyDraft, caller: Caller) -> dict[str, Any]:
        author = _administrator(caller)
        draft = self._draft_of(author)
        if asked.digest != draft.digest:
            raise ControlError(say("this is not the change that was shown last; look at it again"))
        if draft.problem is not None:
            raise from_plain(draft.problem)
        async with self._turn:
            restart_for = await self._in_force(draft, author)
            edit = {"keys": list(draft.keys[:MOST_KEYS]), "digest": draft.digest}
            await self._manager.changes.note(SITE_EDIT, edit, author)
        self._drafts.pop(author.person, None)
        return {"digest": draft.digest, "restart_for": list(restart_for)}

    def text_of(self, author: Author) -> str:
        """Return the text that an administrator wants the site's file to have.

        Raises:
            FilterdError: there is no draft, or it cannot be in force.
        """
        draft = self._draft_of(author)
        if draft.problem is not None:
            raise from_plain(draft.problem)
        return draft.text

    def _draft_of(self, author: Author) -> SiteDraft:
        """Return the draft of an administrator.

        Raises:
            ControlError: there is none.
        """
        draft = self._drafts.get(author.person)
        if draft is None:
            raise ControlError(say("there is no change of the site to look at; edit it first"))
        return draft

    async def _drafted(self, edits: Any) -> SiteDraft:
        with tempfile.TemporaryDirectory() as folder:
            policy = Path(folder) / "policy"
            lists = blocklists_in_force(self._setting.state).folder
            edited = await self._child(
                {
                    "edits": edits,
                    "language": self._manager.site.policy.language,
                    "policy": str(policy),
                    "blocklists": str(lists),
                }
            )
            if edited["new"] == edited["text"]:
                raise ControlError(say("nothing differs from what the site has already"))
            problem, doubts = edited["problem"], list[dict[str, Any]]()
            if problem is None:
                try:
                    doubts = list(await self._manager.expectations.judge(policy))
                except ConfigError as error:
                    problem = to_plain(error)
        before, after = (edited[key].splitlines() for key in ("text", "new"))
        lines = difflib.unified_diff(before, after, SITE_FILE, SITE_FILE, lineterm="")
        return SiteDraft(
            edited["digest"],
            edited["new_digest"],
            edited["new"],
            tuple(edited["keys"]),
            tuple(lines),
            problem,
            tuple(doubts),
        )

    async def _child(self, request: dict[str, Any], module: str = CHILD) -> dict[str, Any]:
        """Ask a child: ``appliance.setup.site_edit`` or ``config.pasted_timetable``.

        Raises:
            FilterdError: it refuses, or it failed.
        """
        ask = partial(
            bounded_child.ask,
            module,
            {"config": str(self._setting.config), **request},
            say("editing the site failed: {why}"),
            say("editing the site took more than {limit_s} s", limit_s=round(_CHILD_WITHIN_S)),
            limit_s=_CHILD_WITHIN_S,
            most_octets=_MOST_OCTETS,
        )
        async with self._child_turn:  # each may take much memory
            answer: dict[str, Any] = json.loads(await asyncio.to_thread(ask))
        return answer

    async def _in_force(self, draft: SiteDraft, author: Author) -> tuple[str, ...]:
        """Write the file and reload, or have root do it; return keys that need a restart.

        Raises:
            FilterdError: the file and the site in force are as before.
        """
        config = self._setting.config
        if not os.access(config, os.W_OK):
            return await self._by_root(draft, author)
        with replaced(config, draft.base, draft.text):
            return (await self._manager.reload()).restart_for

    async def _by_root(self, draft: SiteDraft, author: Author) -> tuple[str, ...]:
        state = self._setting.state
        state.site_outcome.unlink(missing_ok=True)
        PROPOSAL.save(state.site_proposal, SiteProposal(draft.base, draft.text, author.name))
        try:
            async with asyncio.timeout(_ROOT_WITHIN_S):
                outcome = await self._outcome(draft.digest)
        except TimeoutError:
            raise StoreError(
                say("the change waits for root; at the gateway: sudo filterd site apply")
            ) from None
        if outcome.problem:
            raise from_plain(json.loads(outcome.problem))
        return outcome.restart_for

    async def _outcome(self, digest: str) -> ProposalOutcome:
        path = self._setting.state.site_outcome
        while True:
            found = OUTCOME.read(path)
            if found is not None and found.digest == digest:
                with contextlib.suppress(OSError):
                    path.unlink()
                return found
            await asyncio.sleep(_LOOK_EVERY_S)


def _administrator(caller: Caller) -> Author:
    author = author_of(caller)
    author.must_be(Rank.ADMIN, say("edit the site"))
    return author
