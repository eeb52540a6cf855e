# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.appliance.update."""

from tests.support.updated_box import box

__all__ = ["box"]
