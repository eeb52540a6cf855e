# SPDX-License-Identifier: Apache-2.0
"""Ask a version once: most judgements compare with the same one in force, and with what ships.

A child that judges asks each once; the tests of a file would ask the same a hundred times.
"""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from filterd import state_file
from filterd.feed.guard.candidate import Asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.policy.model import Policy

_MOST = 8
"""Versions that are remembered; each holds its index."""
_known = dict[tuple[str, bytes, float], dict[str, Any]]()
_make = Asking.__init__


@contextmanager
def remembered() -> Iterator[None]:
    """Share what versions of equal policies and octets have answered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Asking, "__init__", _share)
        yield


def _share(self: Asking, policy: Policy, index: Index, now: float) -> None:
    key = (state_file.digest(policy), sha256(index._mapped).digest(), now)
    known = _known.pop(key, None)
    if known is None:
        _make(self, policy, index, now)
        known = vars(self)
    vars(self).update(known)
    _known[key] = known  # the last is the latest
    while len(_known) > _MOST:
        del _known[next(iter(_known))]
