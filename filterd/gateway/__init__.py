# SPDX-License-Identifier: Apache-2.0
"""Floor 3: what this machine does as a gateway, beside answering lookups.

- ``firewall``: the rules of nftables by which a device of the school cannot ask elsewhere.
"""
