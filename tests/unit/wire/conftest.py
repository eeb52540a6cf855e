# SPDX-License-Identifier: Apache-2.0
"""Tests of the codec run on both of its twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.wire import _codec_py, codec

if TYPE_CHECKING:
    from collections.abc import Iterator

TWINS = {"pure": _codec_py, "live": codec}


@pytest.fixture(scope="module", params=TWINS)
def both_twins(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the names of the codec in a module of tests to each twin in turn."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(_codec_py.__all__) & set(vars(request.module)):
            patch.setattr(request.module, name, getattr(TWINS[request.param], name))
        yield
