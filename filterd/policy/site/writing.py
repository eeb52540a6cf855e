# SPDX-License-Identifier: Apache-2.0
"""A compiled policy is written, with what it was compiled from."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import publicsuffixlist

from filterd.errors import FilterdError
from filterd.policy import store
from filterd.policy.site import origin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.rules import ListSource
    from filterd.policy.model import Policy
    from filterd.policy.site.origin import Looked


def write_policy(
    target: Path, policy: Policy, looked: Looked | None, lists: Iterable[ListSource]
) -> None:
    """Write a policy, and what it was made from where that can be told.

    Args:
        target: the policy file.
        policy: what to write.
        looked: what ``origin.look`` saw before anything was read.
        lists: all that it was compiled by.

    Raises:
        StoreError: the disk refused.
    """
    store.save(target, policy)
    if looked is not None:
        files = [one.path for one in lists]
        with contextlib.suppress(FilterdError):  # then it is compiled once more
            origin.note_origin(target, looked, files=files, data=[publicsuffixlist.PSLFILE])
