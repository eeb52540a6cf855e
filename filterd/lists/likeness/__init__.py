# SPDX-License-Identifier: Apache-2.0
"""Find names that are like listed ones, and whom such a rule would harm.

::

    lookalikes             a rule, as the index holds it
      lookalike_families   names that differ in digits or suffix only
      lookalike_rules      the rules that the lists of a category make
      lookalike_reach      where rules that say little hold: where no school stands
      lookalike_errors     an estimate of whom a rule harms
"""
