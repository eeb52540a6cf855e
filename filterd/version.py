# SPDX-License-Identifier: Apache-2.0
"""The version of filterd, read by the build and shown by ``filterd --version``."""

__version__ = "0.1.0"
