# SPDX-License-Identifier: Apache-2.0
"""A compiled policy is written, with what it was compiled from."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import publicsuffixlist

from filterd.config import build_record
from filterd.errors import FilterdError
from filterd.policy import policy_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.config.build_record import Looked
    from filterd.lists.rules import ListSource
    from filterd.policy.model import Policy


def write_policy(
    target: Path, policy: Policy, looked: Looked | None, lists: Iterable[ListSource]
) -> None:
    """Write a policy, and what it was made from where that can be told.

    Args:
        target: the policy file.
        policy: what to write.
        looked: what ``build_record.look`` saw before anything was read.
        lists: all that it was compiled by.

    Raises:
        StoreError: the disk refused.
    """
    policy_file.save(target, policy)
    if looked is not None:
        files = [one.path for one in lists]
        with contextlib.suppress(FilterdError):  # then it is compiled once more
            build_record.note_origin(target, looked, files=files, data=[publicsuffixlist.PSLFILE])
