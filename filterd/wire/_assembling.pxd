# SPDX-License-Identifier: Apache-2.0
"""How other native modules send what was kept."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

# The reply to an ordinary query of which the first ``end`` octets, header and
# question, are there; what ``rebuild.assemble_for`` returns.
cdef bytes assembled_for(
    const uint8_t* query,
    uint32_t end,
    bint edns,
    bint do,
    object sections,
    int rcode,
    int64_t age_s,
    int64_t cap_ttl_s,
    bint authentic,
)
