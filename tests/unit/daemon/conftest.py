# SPDX-License-Identifier: Apache-2.0
"""What the tests of filterd.daemon share."""

from tests.support.serving_fixtures import index, serving, upstream

__all__ = ["index", "serving", "upstream"]
