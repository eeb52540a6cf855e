# SPDX-License-Identifier: Apache-2.0
"""Floor 3: client identification: (address, interface) -> a client of policy.

A client is recognised by the first of these that matches:

1. the **MAC** of its device, which the kernel's neighbour table or a DHCP lease
   gives for an address on a link of the school's side;
2. the narrowest **range** that holds its address;
3. the **interface** on which its query came in; a link-local address has no meaning
   without it.

A client that none of them recognises gets the grade of unknown clients, the strictest
that the site has. A device that is not seen yet gets the strictest of the grades that it
may turn out to have, for a second: failing to recognise a device never opens anything.

What a table or a lease says of a MAC is a **claim**, which anybody on the link can forge. It
opens something only where the witnesses agree (``network_view``): table, leases, and the
frames of the questions themselves, which the sockets compare (``frame_filter``).

::

    files of DHCP servers -----------------> leases -.
    kernel_tables -.-> neighbours (claims) -----------+--> network_view --> identifier
                   '-> interfaces --------------------|
    MACs of questions ---> frame_filter <-------------'

``observer`` keeps it up to date. What was learned is forgotten after a minute.
``device_survey`` looks at the same sources once, for a list of devices (``device_rows``),
and reads the makers of network cards where the system has their table.
Allowed clients are: the networks and ranges of the site, every device on a link of
the school's side (``interfaces`` defines which those are), and this machine itself.
"""
