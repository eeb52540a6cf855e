# SPDX-License-Identifier: Apache-2.0
"""Floor 3: who is asking. (address, interface) -> the client that policy judges.

A client is recognised by the first of these that knows it:

1. the **MAC** of its device, which the kernel's neighbour table or a DHCP lease
   tells for an address on a link of the school's side;
2. the narrowest **range** that holds its address;
3. the **interface** that it asked by; a link-local address says nothing without it.

A client of none gets the grade of unknown clients, the strictest that the site
has. A device that is not seen yet gets the strictest of what it may turn out to
be, for a second: failing to recognise a device never opens anything.

::

    files of DHCP servers --> leases ------.
    ip neigh ---------------> neighbours ---> devices ----.
    ip address, ip route ---> interfaces --'              +--> network_view --> identifier
                              leases -------> lease_names '

``observer`` keeps it fresh. What was learned is forgotten after a minute.
Who may ask at all: the networks and ranges of the site, whoever is on a link of
the school's side (``interfaces`` says which those are), and this machine itself.
"""

from filterd.clients.identifier import Identifier
from filterd.clients.network_view import Surroundings
from filterd.clients.observer import Observer

__all__ = ["Identifier", "Observer", "Surroundings"]
