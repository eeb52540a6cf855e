# SPDX-License-Identifier: Apache-2.0
"""Floor 7: set up one gateway, and find what is wrong with it.

Each works on the machine on which it runs, on behalf of the person in front of it; nothing here
is imported by what serves. A probe looks at one thing and changes nothing; setup writes the
site's files only after the last question.
"""
