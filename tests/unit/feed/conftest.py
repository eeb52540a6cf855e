# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.feed."""

from tests.support.feed_fixtures import founded, published, school

__all__ = ["founded", "published", "school"]
