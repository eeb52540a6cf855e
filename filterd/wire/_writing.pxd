# SPDX-License-Identifier: Apache-2.0
"""Writing records in C, their names compressed again: octet by octet what ``rebuild`` writes.

Memory safety. ``reserve`` makes room for a record before its first octet is
written, for names of 255 octets each; what was written is read back, to compare
names, by ``written_at`` alone, which knows where it ends.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from filterd.wire._names cimport HEADER_OCTETS, MAX_NAME_OCTETS, POINTER_BITS
from filterd.wire._octets cimport COSTLY, NO_MEMORY, Place, lower, put_two, stop
from filterd.wire._records cimport FIXED_OCTETS

cdef enum:
    FIRST_SLOTS = 64
    MAX_LABELS = 127
    MAX_POINTER_TARGET = 0x3FFF
    NAMES_OCTETS = 3 * MAX_NAME_OCTETS  # an owner and the two names that RDATA may have


cdef struct Secret:
    # A secret key of the hash: no message can make many of its names collide.
    uint64_t start
    uint64_t factor


cdef struct Suffix:
    # A name that stands in the message at ``target``, which is 0 for an empty slot.
    uint32_t hash
    uint32_t target


cdef struct Writer:
    # ``question`` stands before the body and ends at ``base`` of the message.
    const uint8_t* question
    uint32_t base
    uint8_t* body
    uint32_t used, room
    int steps_left
    Secret secret
    uint32_t suffixes, slots
    Suffix* table
    Suffix first_table[FIRST_SLOTS]


cdef inline int open_writer(
    Writer* writer,
    Secret secret,
    const uint8_t* question,
    uint32_t octets,
    uint32_t room,
    int steps,
    Place* place,
) noexcept:
    """Begin a body behind a question section that is well-formed; its name is noted."""
    cdef uint32_t kept, target
    writer.question, writer.base = question, HEADER_OCTETS + octets
    writer.used, writer.room = 0, room
    writer.steps_left = steps
    writer.secret = secret
    writer.suffixes, writer.slots = 0, FIRST_SLOTS
    writer.table = writer.first_table
    memset(writer.first_table, 0, sizeof(writer.first_table))
    writer.body = <uint8_t*>PyMem_Realloc(NULL, room)
    if writer.body == NULL:
        return stop(place, NO_MEMORY, 0)
    return place_name(writer, question, HEADER_OCTETS, &kept, &target, place)


cdef inline void close_writer(Writer* writer) noexcept:
    """Give the memory back."""
    PyMem_Free(writer.body)
    if writer.table != writer.first_table:
        PyMem_Free(writer.table)


cdef inline int reserve(Writer* writer, uint32_t rdlength, Place* place) noexcept:
    """Make room for a record with RDATA of this many octets, however its names are written."""
    cdef uint32_t needed = writer.used + NAMES_OCTETS + FIXED_OCTETS + rdlength
    cdef void* moved
    if needed > writer.room:
        moved = PyMem_Realloc(writer.body, 2 * needed)
        if moved == NULL:
            return stop(place, NO_MEMORY, 0)
        writer.body = <uint8_t*>moved
        writer.room = 2 * needed
    return 1


cdef inline void put(Writer* writer, const uint8_t* octets, uint32_t size) noexcept nogil:
    """Write octets for which room was reserved."""
    memcpy(writer.body + writer.used, octets, size)
    writer.used += size


cdef inline int put_name(Writer* writer, const uint8_t* name, Place* place) noexcept:
    """Write the shortest form of a well-formed name; see ``Compressor.write``."""
    cdef uint32_t kept, target
    if not place_name(writer, name, writer.base + writer.used, &kept, &target, place):
        return 0
    put(writer, name, kept)
    if target:
        put_two(writer.body + writer.used, <uint32_t>POINTER_BITS << 8 | target)
        writer.used += 2
    return 1


cdef inline int place_name(
    Writer* writer,
    const uint8_t* name,
    uint32_t offset,
    uint32_t* kept,
    uint32_t* target,
    Place* place,
) noexcept:
    """Find how to write a name at ``offset``, and note what of it can be pointed to.

    ``kept`` becomes the number of its octets to write, ``target`` where a pointer
    behind them aims, 0 for none. The caller must write just that, or no more at all.
    """
    cdef uint32_t hashes[MAX_LABELS]
    cdef uint8_t starts[MAX_LABELS]
    cdef uint32_t at = 0
    cdef int labels = 0, fresh = 0, label
    while name[at]:
        starts[labels] = <uint8_t>at
        labels += 1
        at += <uint32_t>name[at] + 1
    hash_suffixes(&writer.secret, name, starts, labels, at, hashes)
    kept[0], target[0] = at + 1, 0
    while fresh < labels:
        target[0] = find_suffix(writer, name + starts[fresh], hashes[fresh])
        if target[0]:
            kept[0] = starts[fresh]
            break
        fresh += 1
    for label in range(fresh):
        writer.steps_left -= 1
        if writer.steps_left < 0:
            return stop(place, COSTLY, offset)
        if offset + starts[label] <= MAX_POINTER_TARGET:
            if not note_suffix(writer, hashes[label], offset + starts[label]):
                return stop(place, NO_MEMORY, offset)
    return 1


cdef inline void hash_suffixes(
    const Secret* secret,
    const uint8_t* name,
    const uint8_t* starts,
    int labels,
    uint32_t end,
    uint32_t* hashes,
) noexcept nogil:
    """Hash what begins at each label, without regard to letter case, in one pass from the right."""
    cdef uint64_t state = secret.start
    cdef uint32_t at
    cdef int label
    for label in range(labels - 1, -1, -1):
        for at in range(starts[label], end):
            state = (state ^ lower(name[at])) * secret.factor
        state ^= state >> 32
        hashes[label] = <uint32_t>state
        end = starts[label]


cdef inline uint32_t find_suffix(Writer* writer, const uint8_t* name, uint32_t hash) noexcept nogil:
    """Return where a name stands in the message, 0 if it does not."""
    cdef uint32_t slot = hash & (writer.slots - 1)
    while writer.table[slot].target:
        if writer.table[slot].hash == hash and stands_at(writer, writer.table[slot].target, name):
            return writer.table[slot].target
        slot = (slot + 1) & (writer.slots - 1)
    return 0


cdef inline int note_suffix(Writer* writer, uint32_t hash, uint32_t target) noexcept:
    """Note a name that stood nowhere; at most half of the slots are used."""
    cdef Suffix* before = writer.table
    cdef Suffix* after
    cdef uint32_t slot
    if 2 * (writer.suffixes + 1) > writer.slots:
        after = <Suffix*>PyMem_Calloc(2 * writer.slots, sizeof(Suffix))
        if after == NULL:
            return 0
        for slot in range(writer.slots):
            if before[slot].target:
                put_suffix(after, 2 * writer.slots, before[slot])
        if before != writer.first_table:
            PyMem_Free(before)
        writer.table, writer.slots = after, 2 * writer.slots
    put_suffix(writer.table, writer.slots, Suffix(hash, target))
    writer.suffixes += 1
    return 1


cdef inline void put_suffix(Suffix* table, uint32_t slots, Suffix suffix) noexcept nogil:
    """Put a name into the first empty slot from its own on; there is one."""
    cdef uint32_t slot = suffix.hash & (slots - 1)
    while table[slot].target:
        slot = (slot + 1) & (slots - 1)
    table[slot] = suffix


cdef inline int written_at(const Writer* writer, uint32_t offset) noexcept nogil:
    """Return an octet of the message behind its header, -1 where nothing is written yet."""
    if offset < writer.base:
        return writer.question[offset - HEADER_OCTETS]
    offset -= writer.base
    return writer.body[offset] if offset < writer.used else -1


cdef inline bint stands_at(const Writer* writer, uint32_t target, const uint8_t* name) noexcept nogil:
    """Return whether a name stands at ``target``, where one that was written begins."""
    cdef int length, at
    while True:
        length = written_at(writer, target)
        if length >= POINTER_BITS:
            target = <uint32_t>(length & 0x3F) << 8 | <uint32_t>written_at(writer, target + 1)
            continue
        if length != name[0]:
            return False
        if length == 0:
            return True
        for at in range(1, length + 1):
            if lower(<uint8_t>written_at(writer, target + at)) != lower(name[at]):
                return False
        target += length + 1
        name += length + 1
