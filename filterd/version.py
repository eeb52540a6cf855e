# SPDX-License-Identifier: Apache-2.0
"""The version of filterd, read by the build and shown by ``filterd --version``."""

__version__ = "0.1.0"

RELEASED_AT = 1_795_478_400
"""Unix time of the release, 2026-11-24: a clock that shows less is wrong."""
