# SPDX-License-Identifier: Apache-2.0
"""What all tests share."""

from __future__ import annotations

import hypothesis

# No deadline: it measures the machine and not the code, and machines are shared.
hypothesis.settings.register_profile("filterd", deadline=None)
hypothesis.settings.load_profile("filterd")
