# SPDX-License-Identifier: Apache-2.0
"""What the tests of filterd.daemon share."""

from tests.support.serving_fixtures import index, serving, upstream
from tests.support.site_fixtures import config, state

__all__ = ["config", "index", "serving", "state", "upstream"]
