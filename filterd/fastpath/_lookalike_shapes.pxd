# SPDX-License-Identifier: Apache-2.0
"""Hash the skeletons and widest forms of labels, in C; see ``filterd.lists.lookalikes``.

A set of them is a table of their hashes, so once in 2**64 a name may pass for a
possible look-alike; the chain decides then.

Memory safety. A label has at most 63 octets, and its skeleton never more. What is
read of a name are its labels, which ``_question`` has checked, with zeros behind them.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memset

from filterd.fastpath._hashing cimport hash_label

cdef enum:
    MOST_SKELETON_OCTETS = 63
    SKELETON_ROOM = 80  # its length, it, and zeros for whole words

cdef struct Skeletons:
    uint64_t* hashes  # NULL: there are none; 0: free
    uint64_t mask


cdef inline uint64_t skeleton_hash(const uint64_t* key, const uint8_t* label) noexcept nogil:
    """Hash the skeleton of a label, which follows its length octet; never zero."""
    cdef uint8_t drawn[SKELETON_ROOM]
    cdef uint8_t octet, last = 0
    cdef size_t at, length = 0
    cdef uint64_t hashed
    memset(drawn, 0, sizeof(drawn))
    for at in range(1, label[0] + 1):
        octet = label[at]
        if octet == c"-" or octet == c"_":
            continue
        if c"0" <= octet <= c"9" or octet == c"o" or octet == c"i" or octet == c"l":
            octet = c"#"
        if octet == c"#" and last == c"#":
            continue
        if (octet == c"n" and last == c"r") or (octet == c"v" and last == c"v"):
            octet = last = c"m" if octet == c"n" else c"w"
            drawn[length] = octet
            continue
        length += 1
        drawn[length] = last = octet
    drawn[0] = <uint8_t>length
    hashed = hash_label(key, 0, drawn)
    return hashed if hashed else 1


cdef inline uint64_t form_hash(const uint64_t* key, const uint8_t* label) noexcept nogil:
    """Hash the widest form of a label, which follows its length octet; never zero."""
    cdef uint8_t drawn[SKELETON_ROOM]
    cdef uint8_t octet, last = 0
    cdef size_t at, length = 0
    cdef uint64_t hashed
    memset(drawn, 0, sizeof(drawn))
    for at in range(1, label[0] + 1):
        octet = label[at]
        if octet == c"-" or octet == c"_":
            continue
        if (octet == c"n" and last == c"r") or (octet == c"v" and last == c"v"):
            last = c"m" if octet == c"n" else c"w"
            continue
        last = octet
        if c"a" <= octet <= c"z":
            octet = c"@"
        elif c"0" <= octet <= c"9":
            octet = c"%"
        length += 1
        drawn[length] = octet
    drawn[0] = <uint8_t>length
    hashed = hash_label(key, 0, drawn)
    return hashed if hashed else 1


cdef inline bint has_form(
    const Skeletons* known, const uint64_t* key, const uint8_t* label
) noexcept nogil:
    """Return whether a label, directly beneath a suffix of one label, may be of a form."""
    cdef size_t at
    # Every form has a digit, most labels have none, and a scan costs a tenth of a hash. What a
    # form writes for a digit counts, too, so that ``may_match`` and this always agree.
    for at in range(1, label[0] + 1):
        if c"0" <= label[at] <= c"9" or label[at] == c"%":
            return _is_kept(known, form_hash(key, label))
    return False


cdef inline bint _is_kept(const Skeletons* known, uint64_t hashed) noexcept nogil:
    cdef uint64_t place = hashed & known.mask
    while known.hashes[place]:
        if known.hashes[place] == hashed:
            return True
        place = (place + 1) & known.mask
    return False


cdef inline bint has_skeleton(
    const Skeletons* known, const uint64_t* key, const uint8_t* label
) noexcept nogil:
    """Return whether a label may be that of a look-alike."""
    if label[0] >= 4 and memcmp(label + 1, b"xn--", 4) == 0:
        return True
    return _is_kept(known, skeleton_hash(key, label))


cdef inline int keep_skeletons(Skeletons* known, const uint64_t* key, skeletons) except -1:
    """Take a set of skeletons; nothing may be known before."""
    cdef uint8_t label[SKELETON_ROOM]
    cdef uint64_t size = 16, hashed, place
    cdef size_t at, length
    cdef bytes one
    if not skeletons:
        return 0
    while size < 4 * <uint64_t>len(skeletons):
        size *= 2
    known.hashes = <uint64_t*>PyMem_Calloc(size, sizeof(uint64_t))
    if not known.hashes:
        raise MemoryError
    known.mask = size - 1
    for one in skeletons:
        length = <size_t>PyBytes_GET_SIZE(one)
        if length > MOST_SKELETON_OCTETS:
            raise ValueError("a skeleton has at most 63 octets")
        label[0] = <uint8_t>length
        for at in range(length):
            label[at + 1] = <uint8_t>PyBytes_AS_STRING(one)[at]
        hashed = skeleton_hash(key, label)
        place = hashed & known.mask
        while known.hashes[place]:
            place = (place + 1) & known.mask
        known.hashes[place] = hashed
    return 0


cdef inline void forget_skeletons(Skeletons* known) noexcept:
    PyMem_Free(known.hashes)
    known.hashes = NULL
    known.mask = 0
