# SPDX-License-Identifier: Apache-2.0
"""The file of the compiled policy: written by the compiler, read when serving.

A new field of ``filterd.policy.model`` needs no line here, only a new
``_VERSION``; ``filterd.state_file`` follows the dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import state_file
from filterd.i18n import say
from filterd.lists import rules
from filterd.policy.model import Policy

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"filterd policy "
_VERSION = b"8"
_FORMAT = state_file.FileFormat(
    Policy,
    magic=_MAGIC,
    version=_VERSION,
    title=say("compiled policy"),
    remedy=say("compile it again"),
    # The model names these in annotations only; to read a file they are needed.
    words=vars(rules),
)


def save(path: Path, policy: Policy) -> None:
    """Replace the file ``path`` by this policy.

    A power cut leaves the old one or the new one.

    Raises:
        StoreError: the disk refused; the old file is untouched.
    """
    _FORMAT.save(path, policy)


def load(path: Path) -> Policy:
    """Return the policy in the file ``path``.

    Raises:
        StoreError: it is missing, damaged, or of another version.
    """
    return _FORMAT.load(path)


def dump(policy: Policy) -> bytes:
    """Return the content of a policy file; equal policies give equal octets."""
    return _FORMAT.dump(policy)


def parse(content: bytes, path: str) -> Policy:
    """Parse the content of a policy file; ``path`` is its name in errors.

    Raises:
        StoreError: it is damaged, or of another version.
    """
    return _FORMAT.parse(content, path)


def digest(policy: Policy) -> str:
    """Return twelve hexadecimal digits that identify the content of a policy."""
    return state_file.digest(policy)
