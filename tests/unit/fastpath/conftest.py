# SPDX-License-Identifier: Apache-2.0
"""What the tests of filterd.fastpath share."""

from tests.support.serving_fixtures import index, served_by, serving, upstream

__all__ = ["index", "served_by", "serving", "upstream"]
