# SPDX-License-Identifier: Apache-2.0
"""The file of the compiled policy: written by the compiler, read when serving.

A new field of ``filterd.policy.model`` needs no line here, only a new
``_VERSION``; ``filterd.base.state_file`` follows the dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base import state_file
from filterd.lists import rules
from filterd.policy.model import Policy
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable

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

save, load, dump, parse = _FORMAT.save, _FORMAT.load, _FORMAT.dump, _FORMAT.parse
"""Write and read a policy, as a file and as its content (``FileFormat``)."""
digest: Callable[[Policy], str] = state_file.digest
"""Return twelve hexadecimal digits that identify the content of a policy."""
