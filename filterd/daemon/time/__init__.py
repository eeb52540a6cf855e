# SPDX-License-Identifier: Apache-2.0
"""Keep the time by which policy holds.

``timekeeper`` reads the machine's clock and believes it or not; ``known_time`` bounds it.
"""
