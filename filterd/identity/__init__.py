# SPDX-License-Identifier: Apache-2.0
"""Floor 4: who is asking. (address, interface) -> the client that policy judges.

A client is recognised by the network that its address or interface belongs to;
the narrowest network wins, an interface only where no address range does. A
client of no network gets the grade of unknown clients, the strictest that the
site has: failing to recognise a device never opens anything.
"""

from filterd.identity.identifier import Identifier
from filterd.identity.surroundings import Surroundings

__all__ = ["Identifier", "Surroundings"]
