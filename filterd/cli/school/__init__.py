# SPDX-License-Identifier: Apache-2.0
"""The commands of every day: open and close, rooms, classes, devices, exams, accounts.

``exceptions`` has ``allow``, ``block`` and ``pause``; ``history`` has ``undo``; ``check`` has the
services, too.
"""
