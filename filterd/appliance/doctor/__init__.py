# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with one gateway, and say who must do what.

A probe looks at one thing and changes nothing.

::

    examination         the table of probes; runs them all under one deadline
      examined_site     what they are told of the site
      resolver_probes   port, answers, upstreams, canaries
      service_probes    site, lists, release, sinkholes, lookups by device
      machine_probes    clock, disk, octets written, memory, kernel limits
      link_probes       placement, DHCP, IPv6, login at the switch
      bypass_probes     captive portal, other resolvers, DNS over HTTPS
        firewall_rules  what nftables does to a connection of one link
    probe               what they read: site, daemon, network; what they find: a text, a remedy
"""
