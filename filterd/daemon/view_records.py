# SPDX-License-Identifier: Apache-2.0
"""Record looks at the query log in the history: view, user, days, class.

The same look of the same user is one row in ten minutes, so that a page that is loaded
again and again does not fill the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.history_chain import VIEW
from filterd.overrides.read_access import RECORDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.clock import Clock
    from filterd.overrides.read_access import View
    from filterd.overrides.roles import Author

ONCE_IN_S = 600.0


class ViewRecords:
    """The looks of the last ten minutes.

    Args:
        clock: for the ten minutes.
        record: adds a row to the history: kind, payload, author and reason.
    """

    def __init__(
        self, clock: Clock, record: Callable[[str, Mapping[str, Any], Author, str], Any]
    ) -> None:
        self._clock, self._record = clock, record
        self._seen: dict[tuple[str, View, tuple[str, ...], str], float] = {}

    def note(self, view: View, author: Author, about: Mapping[str, Any]) -> None:
        """Record a look, unless the same one is recorded already.

        Args:
            view: what is looked at.
            author: the user.
            about: ``days``, as dates, and ``class``; other keys, such as a name that is
                searched for, are not recorded.

        Raises:
            ChangeError: a day or the class is none.
            StoreError: it cannot be recorded; the view must not be shown then.
        """
        if view not in RECORDED:
            return
        days, class_id = tuple(sorted(about.get("days", ()))), str(about.get("class") or "")
        now, key = self._clock.monotonic(), (author.name, view, days, class_id)
        self._seen = {one: at for one, at in self._seen.items() if now - at < ONCE_IN_S}
        if key in self._seen:
            return
        payload = {"view": view.value, "days": list(days), "class_id": class_id}
        self._record(VIEW, payload, author, "")
        self._seen[key] = now
