# SPDX-License-Identifier: Apache-2.0
"""The commands of the signed feed: follow it (``admin``, ``status``, ``sync``), or publish it."""
