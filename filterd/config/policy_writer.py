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
    """Write a policy, and its build record if there can be one.

    Args:
        target: the policy file.
        policy: the policy to write.
        looked: the result of ``build_record.look`` before anything was read.
        lists: the lists that it was compiled with.

    Raises:
        StoreError: the disk refused.
    """
    policy_file.save(target, policy)
    if looked is not None:
        files = [one.path for one in lists]
        with contextlib.suppress(FilterdError):  # then it is compiled once more
            build_record.note_origin(target, looked, files=files, data=[publicsuffixlist.PSLFILE])
