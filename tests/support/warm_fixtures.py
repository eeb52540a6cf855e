# SPDX-License-Identifier: Apache-2.0
"""The fixture of tests that start filterd's programs warm.

Not for those of memory, of limits, of other users or of the start itself.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import warm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def warm_children() -> Iterator[None]:
    """Fork filterd's programs from an interpreter that has imported them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", warm.Popen)
        yield
