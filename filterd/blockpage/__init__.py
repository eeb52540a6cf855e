# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the page for pupils, a process of its own: why a name is closed, and what to do.

It reads no file of filterd. It may ask the manager three things only: why a name is closed for
the device at an address, and to note a request for review (``daemon.control_server``).
"""
