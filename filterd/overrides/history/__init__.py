# SPDX-License-Identifier: Apache-2.0
"""Keep what is set and who set it, on the disk.

::

    store               the overrides and their history; store_file: its database
      store_writer      one writer at a time, the file and its copies alike
      history_chain     rows, each with the hash of the row before
      history_notes     rows that change nothing; history_copies: outside the state folder
      restored_history  a history that comes with a backup
      snapshot          the overrides of now, as a file that is read at once
      quarantine        histories that were altered or damaged, set aside
    policy_versions     the policies that were in force, for questions about the past
"""
