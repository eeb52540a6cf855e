# SPDX-License-Identifier: Apache-2.0
"""What end-to-end tests share."""

from tests.support.serving_fixtures import index, serving, upstream

__all__ = ["index", "serving", "upstream"]
