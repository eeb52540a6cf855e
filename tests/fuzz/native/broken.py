# SPDX-License-Identifier: Apache-2.0
"""One small fault for each native module; its driver must find it."""

from __future__ import annotations

from tests.fuzz.native.building import Replacement

BROKEN = {
    # A name of 255 octets can begin one label more than there is room for.
    "filterd.lists._matcher": Replacement(
        "filterd/lists/_search.pxd",
        "if name[at] > 63 or labels == MAX_LABELS:",
        "if name[at] > 63:",
    ),
    # The last group is followed by nothing, not by the first one.
    "filterd.lists._packing": Replacement(
        "filterd/lists/_packing.pyx",
        "if at == group_count:",
        "if at > group_count:",
    ),
    # A name may be longer than its record has room for.
    "filterd.lists._line_scan": Replacement(
        "filterd/lists/_line_scan.pyx",
        "if not 0 < name_octets <= MAX_NAME:",
        "if name_octets <= 0:",
    ),
    # What is packed has one octet more than there was room for.
    "filterd.resolve._cache_store": Replacement(
        "filterd/resolve/_cache_packing.pxd",
        "cdef size_t octets = 1 + 10 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>sections[0])",
        "cdef size_t octets = 1 + PyBytes_GET_SIZE(<bytes?>sections[0])",
    ),
    # An address one octet too short is read as one of 16.
    "filterd.fastpath._rate_limit": Replacement(
        "filterd/fastpath/_rate_limit.pyx",
        "if len(address) not in (4, 16):",
        "if len(address) not in (4, 15, 16):",
    ),
    # The class of a question is read one octet behind the message.
    "filterd.fastpath._core": Replacement(
        "filterd/fastpath/_question.pxd",
        "if position + 4 > length:",
        "if position + 3 > length:",
    ),
    # A name has more labels than there is room to note where they begin.
    "filterd.fastpath._decision_cells": Replacement(
        "filterd/fastpath/_decision_cells.pyx",
        "if asked.labels < 2 or asked.labels > MOST_LABELS:",
        "if asked.labels < 2:",
    ),
    # The kernel is told of more room than a letter has.
    "filterd.fastpath._datagrams": Replacement(
        "filterd/fastpath/_envelopes.pxd",
        "letter.octets, LARGEST_QUERY",
        "letter.octets, LARGEST_QUERY + 8",
    ),
    # A question ends some octets behind where it does.
    "filterd.fastpath._direct_forward": Replacement(
        "filterd/fastpath/_direct_forward.pyx",
        "<uint32_t>asked.end, asked.flags",
        "<uint32_t>asked.end + 12, asked.flags",
    ),
    # A TTL that would end one octet behind the reply is found all the same.
    "filterd.fastpath._packet_cache": Replacement(
        "filterd/fastpath/_packet_cache.pyx",
        "if position + 10 > length:",
        "if position + 9 > length:",
    ),
    # Longer chains are followed than there is room for.
    "filterd.upstream._extraction": Replacement(
        "filterd/upstream/_extraction.pyx",
        "if chain.passed > longest_chain:",
        "if chain.passed > longest_chain + 9:",
    ),
    # A truncated answer is taken for a whole one.
    "filterd.upstream._singleflight": Replacement(
        "filterd/upstream/_singleflight.pyx",
        "if header[FLAGS] & TC:",
        "if header[FLAGS + 2] & TC:",
    ),
    # More is read than the array on the stack holds.
    "filterd.upstream._socket_pool": Replacement(
        "filterd/upstream/_socket_pool.pyx",
        "c_recv(opened._fd, message, LARGEST_RESPONSE, 0)",
        "c_recv(opened._fd, message, LARGEST_RESPONSE + 8, 0)",
    ),
    # A question may end one octet behind its message.
    "filterd.wire._assembling": Replacement(
        "filterd/wire/_assembling.pyx",
        "if end > PyBytes_GET_SIZE(message):",
        "if end > PyBytes_GET_SIZE(message) + 1:",
    ),
    # What stands one octet behind the message is taken for a part of it.
    "filterd.wire._codec": Replacement(
        "filterd/wire/_octets.pxd",
        "return <uint32_t>(offset + size) <= message.size",
        "return <uint32_t>(offset + size) <= message.size + 1",
    ),
    # RDATA may run past the end of its message.
    "filterd.wire._rebuilding": Replacement(
        "filterd/wire/_rebuilding.pyx",
        "or kept.rdlength > response.octets.size - kept.rdata",
        "or kept.rdlength > response.octets.size",
    ),
}
"""By the module whose driver finds it. Who changes that line changes it here, too."""
