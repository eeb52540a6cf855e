# SPDX-License-Identifier: Apache-2.0
"""The active site of a worker: the one of the epoch on the shared page.

The manager lets every worker prepare the next site and then moves the epoch; from
that store on no worker may answer by the old one. So the epoch is read for every use of
the current site, and the clock if the effective policy ends at a time. A worker that has
prepared the site moves one reference; one that has not, because it was started in
between, loads it at once from memory, and its clients wait meanwhile.

A lookup must not fail because a site cannot be loaded, with too little memory for example:
then the site before goes on, also in the fast path, and there is another attempt soon.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from filterd.base.errors import ControlError, FilterdError
from filterd.base.journal import is_out_of_memory
from filterd.resolve.site import EpochGuard
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.daemon.shared_page import SharedPage
    from filterd.resolve.site import Site

AGAIN_AFTER_S = 1.0
"""The pause after an error."""

_logger = logging.getLogger("filterd.current_site")


class ActiveSite:
    """The active site.

    Args:
        page: where the epoch stands.
        load: loads what is in force.
        moved: called with the new site after each change.
        clock: for what holds by turns.
    """

    def __init__(
        self,
        page: SharedPage,
        load: Callable[[], Site],
        moved: Callable[[Site], None],
        clock: Clock,
    ) -> None:
        self._page, self._load, self._moved, self._clock = page, load, moved, clock
        self._prepared: tuple[int, Site] | None = None
        self._problem: FilterdError | None = None
        self._again_at, self._stands_until = -inf, inf
        self._epoch = page.epoch  # before loading: what is committed meanwhile is loaded again
        self._take(load())

    @property
    def current(self) -> Site:
        """The site that is active now."""
        if self._page.epoch != self._epoch or self._problem is not None:
            self._activate()
        if self._ends and not self._site.moment.holds_at(now := self._clock.wall()):
            self._pass_edge(now)
        return self._site

    @property
    def standing(self) -> EpochGuard:
        """The marks by which the last ``current`` is seen to be still valid."""
        moment = self._site.moment
        until = min(moment.until, self._stands_until)
        return EpochGuard(self._page.epoch_word, self._epoch, moment.since, until)

    @property
    def loaded(self) -> Site:
        """The site that was loaded last, for code that is only being prepared."""
        return self._site

    def prepare(self, epoch: int, site: Site) -> None:
        """Keep a site for when ``epoch`` becomes active.

        One that comes too late, after a newer one, is not kept.
        """
        if self._prepared is None or self._prepared[0] < epoch:
            self._prepared = epoch, site

    def confirm(self) -> None:
        """Make sure that the active site is used.

        Raises:
            FilterdError: it could not be loaded; the site before stays.
        """
        _ = self.current
        if self._problem is not None:
            raise self._problem

    def _activate(self) -> None:
        """Use the site of the epoch on the page.

        Every answer comes by here, so no error may get through. Whatever of the new site
        could not be put in place is put there by the next attempt.
        """
        epoch = self._page.epoch
        if epoch == self._epoch and self._clock.monotonic() < self._again_at:
            return
        self._epoch = epoch
        try:
            site = self._prepared_for(epoch) or self._load()
            self._take(site)
            self._moved(site)
        except Exception as error:  # noqa: BLE001 -- one line of it is logged; see above
            self._problem = _as_problem(error)
            self._again_at = self._clock.monotonic() + AGAIN_AFTER_S
            self._stands_until = self._clock.wall() + AGAIN_AFTER_S
            _logger.error("%s; the site before stays, trying again", self._problem)
        else:
            self._problem, self._prepared, self._stands_until = None, None, inf

    def _pass_edge(self, now: float) -> None:
        """Use the policy of now: a lesson has ended, for example, or the clock was set.

        Every answer comes by here, so no error may get through: the site before stays,
        and there is another attempt soon.
        """
        if self._clock.monotonic() < self._again_at:
            return
        try:
            site = self._site.at(now)
        except Exception:
            _logger.exception("what holds now cannot be found; what held before stays")
            self._again_at = self._clock.monotonic() + AGAIN_AFTER_S
            return
        self._take(site)
        self._moved(site)

    def _take(self, site: Site) -> None:
        self._site = site
        self._ends = site.moment.since != -inf or site.moment.until != inf

    def _prepared_for(self, epoch: int) -> Site | None:
        return self._prepared[1] if self._prepared and self._prepared[0] == epoch else None


def _as_problem(error: Exception) -> FilterdError:
    if isinstance(error, FilterdError):
        return error
    if is_out_of_memory(error):
        return ControlError(say("there is not enough memory for the policy and lists in force"))
    why = quoted(f"{type(error).__name__}: {error}")
    return ControlError(say("the policy and lists in force cannot be loaded: {why}", why=why))
