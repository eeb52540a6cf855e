# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.daemon."""

from tests.support.serving_fixtures import index, serving, upstream
from tests.support.site_fixtures import config, state

__all__ = ["config", "index", "serving", "state", "upstream"]
