# SPDX-License-Identifier: Apache-2.0
"""The commands for the machine: set-up, doctor, updates, backup, certificate, its processes.

``setup_finish`` and ``first_boot`` are steps of ``setup``; ``update_install`` is one of ``update``.
"""
