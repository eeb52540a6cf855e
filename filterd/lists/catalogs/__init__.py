# SPDX-License-Identifier: Apache-2.0
"""Read which lists and categories a publisher has, and what no list may name.

::

    catalog                the lists of a folder, each with its category and pins
      catalog_schema       what every catalogue has in common; services
      catalog_categories   the categories, and parts of them
      catalog_tables       the shipped tables
      optional_lists       lists that a site may leave out
      table_additions      keys that older programs leave aside
      help_names           names that help people, which no list of others closes
"""
