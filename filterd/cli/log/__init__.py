# SPDX-License-Identifier: Apache-2.0
"""The commands that show what was asked: log, totals, reports, the record of an inspection."""
