# SPDX-License-Identifier: Apache-2.0
"""Read a change, and work out what it does. Pure.

::

    change_kinds        every kind of change, by its name
      exception_changes, room_changes, log_changes, period_changes
      change_fields     the fields of a change: read key by key, and checked
    assignments         which devices a change moves, and where
    preconditions       why a change would do nothing
    effects             what a change sets and ends, and what stands before and after it
"""
