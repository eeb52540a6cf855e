# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.resolve.links."""

from tests.support.serving_fixtures import index, serving, upstream

__all__ = ["index", "serving", "upstream"]
