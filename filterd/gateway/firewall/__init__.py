# SPDX-License-Identifier: Apache-2.0
"""Close the ways past filterd in one table of nftables, ``inet filterd``.

- ``ruleset``: the text of the table. Pure.
- ``listed_addresses``: the resolvers and tunnels that it closes, and those that it must not.
- ``nftables``: loads the table, takes it away, and reads what is there.

No other table is touched. The rules are the kernel's once they are loaded: they stay when filterd
ends, and only ``filterd firewall off`` takes them away.
"""
