# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from datetime import UTC, datetime

import filterd
from filterd.version import RELEASED_AT, __version__


def test_the_version_is_three_numbers_and_the_packages_own() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert filterd.__version__ == __version__


def test_the_release_is_a_day_and_past() -> None:
    released = datetime.fromtimestamp(RELEASED_AT, UTC)
    assert f"{released:%Y-%m-%d %H:%M:%S}" == "2026-11-24 00:00:00"
    assert released <= datetime.now(UTC)  # noqa: TID251 -- the machine's own clock is the point
