# SPDX-License-Identifier: Apache-2.0
"""What people read, in Vietnamese and English.

One table, a key a message, so that a translation is never missing without a
test saying so; a module holds what is said of one topic, and ``messages`` puts
them together. Data that a school or the publisher writes (names, reasons,
category titles) is shown as it is written.
"""

from filterd.texts.messages import Texts

__all__ = ["Texts"]
