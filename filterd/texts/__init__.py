# SPDX-License-Identifier: Apache-2.0
"""Say things to people: sentences, their translation, rows and tables of them.

::

    i18n      a sentence with its values, in the language of who reads it
    words     the words of the domain: categories, actions, tiers
    counted   numbers with their nouns
    rows      columns and listings, the same for terminal and page
"""
