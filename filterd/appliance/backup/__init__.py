# SPDX-License-Identifier: Apache-2.0
"""Back up one gateway, and put a backup in force on it or on another one.

::

    backup_file         a backup: parts, manifest, digests
      backup_parts      the parts of this gateway; its secrets, encrypted
      restore_plan      what a backup would change here
      restore_journal   puts a backup in force, whole or not at all
"""
