# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import filterd
from filterd.version import __version__


def test_the_version_is_three_numbers_and_the_packages_own() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert filterd.__version__ == __version__
