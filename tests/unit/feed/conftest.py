# SPDX-License-Identifier: Apache-2.0
"""What the tests of filterd.feed share."""

from tests.support.feed_fixtures import founded, published, school

__all__ = ["founded", "published", "school"]
