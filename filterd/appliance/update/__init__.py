# SPDX-License-Identifier: Apache-2.0
"""Update filterd on one gateway, by root, and take it back where it does harm.

::

    program_update      one update of filterd, from the offer on; and commands of an administrator
      update_steps      from the package to its end, also after a power cut
      update_decision   whether it is installed now, and why not
      self_test         what a release proves before it serves
      update_watch      port 53, canaries and counters afterwards
      update_files      its files
"""
