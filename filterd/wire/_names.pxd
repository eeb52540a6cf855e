# SPDX-License-Identifier: Apache-2.0
"""Names inside a message in C: limits, costs and memory are those of ``cursor``.

Memory safety. Names are copied into ``texts``, which has room for the longest
before the first label is; ``known`` has a cell for every octet of the message,
and a pointer is followed only below where its name began.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from filterd.wire._octets cimport (
    COSTLY,
    LABEL,
    NO_MEMORY,
    POINTER,
    TRUNCATED,
    Octets,
    Place,
    has,
    lower,
    octet_at,
    stop,
)

cdef enum:
    HEADER_OCTETS = 12
    MAX_LABEL_OCTETS = 63
    MAX_NAME_OCTETS = 255
    POINTER_BITS = 0xC0
    FIRST_TEXTS = 512
    FIRST_NAMES = 32
    MAX_STEPS = 2048  # both are those of ``cursor``
    OCTETS_A_STEP = 8


cdef struct Name:
    # A name as it was written, expanded: where it stands in ``texts``.
    uint32_t at
    uint32_t length


cdef struct Names:
    # What of a message's names is known, and how many steps are left for the others.
    # ``known`` holds by offset the number of the name that was expanded there, 0 for none.
    int steps_left
    uint32_t count, room
    Name* names
    uint32_t used, texts_room
    uint8_t* texts
    uint16_t* known


cdef inline int steps_for(uint32_t octets) noexcept nogil:
    """Return how many steps a message of this size may take; see ``cursor.steps_for``."""
    return max(MAX_STEPS, <int>(octets // OCTETS_A_STEP))


cdef inline int open_names(Names* names, const Octets* message, int steps) noexcept:
    """Begin with nothing known; the root stands at the beginning of ``texts``."""
    names.steps_left = steps
    names.count, names.room = 1, FIRST_NAMES
    names.used, names.texts_room = 1, FIRST_TEXTS
    names.names = <Name*>PyMem_Realloc(NULL, FIRST_NAMES * sizeof(Name))
    names.texts = <uint8_t*>PyMem_Realloc(NULL, FIRST_TEXTS)
    names.known = <uint16_t*>PyMem_Calloc(message.size + 1, sizeof(uint16_t))
    if names.names == NULL or names.texts == NULL or names.known == NULL:
        return 0
    names.texts[0] = 0
    names.names[0] = Name(0, 1)
    return 1


cdef inline void close_names(Names* names) noexcept:
    """Give the memory back; what was never opened is all NULL."""
    PyMem_Free(names.names)
    PyMem_Free(names.texts)
    PyMem_Free(names.known)


cdef inline int make_room(Names* names) noexcept:
    """Make room for one more text of the longest, and for two more names."""
    cdef void* moved
    if names.used + MAX_NAME_OCTETS > names.texts_room:
        moved = PyMem_Realloc(names.texts, 2 * names.texts_room + MAX_NAME_OCTETS)
        if moved == NULL:
            return 0
        names.texts = <uint8_t*>moved
        names.texts_room = 2 * names.texts_room + MAX_NAME_OCTETS
    if names.count + 2 > names.room:
        moved = PyMem_Realloc(names.names, 2 * names.room * sizeof(Name))
        if moved == NULL:
            return 0
        names.names = <Name*>moved
        names.room = 2 * names.room
    return 1


cdef inline void remember(Names* names, uint32_t offset, Name name) noexcept nogil:
    """Note what a name at ``offset`` expands to; ``make_room`` has made room."""
    if not names.known[offset]:
        names.names[names.count] = name
        names.known[offset] = <uint16_t>names.count
        names.count += 1


cdef inline int know(Names* names, uint32_t offset, const uint8_t* text, uint32_t length) noexcept:
    """Note a name that has been read elsewhere: the question's, at most 255 octets."""
    if not make_room(names):
        return 0
    memcpy(names.texts + names.used, text, length)
    remember(names, offset, Name(names.used, length))
    names.used += length
    return 1


cdef inline int skip_name(
    const Octets* message, uint32_t offset, bint may_point, uint32_t* end, Place* place
) noexcept nogil:
    """Step over one name without following a pointer; see ``cursor.skip_name``."""
    cdef uint32_t position = offset
    cdef int length
    while True:
        length = octet_at(message, position)
        if length < 0:
            return stop(place, TRUNCATED, offset)
        if length == 0:
            end[0] = position + 1
            return 1
        if length > MAX_LABEL_OCTETS:
            if length < POINTER_BITS:
                return stop(place, LABEL, position)
            if not may_point:
                return stop(place, POINTER, position)
            if not has(message, position, 2):
                return stop(place, TRUNCATED, offset)
            end[0] = position + 2
            return 1
        position += <uint32_t>length + 1
        if position >= offset + MAX_NAME_OCTETS:
            return stop(place, LABEL, offset)


cdef inline int expand_name(
    Names* names, const Octets* message, uint32_t offset, Name* name, uint32_t* end, Place* place
) noexcept:
    """Read one possibly compressed name as it is written; see ``cursor.expand_name``."""
    cdef int length = octet_at(message, offset), second
    cdef uint32_t target
    if length >= POINTER_BITS:
        second = octet_at(message, offset + 1)
        if second < 0:
            return stop(place, TRUNCATED, offset)
        target = <uint32_t>(length & 0x3F) << 8 | <uint32_t>second
        if target < offset and names.known[target]:
            name[0] = names.names[names.known[target]]
            end[0] = offset + 2
            return 1
    elif length == 0:
        name[0] = names.names[0]
        end[0] = offset + 1
        return 1
    elif length > 0 and names.known[offset]:
        name[0] = names.names[names.known[offset]]
        return skip_name(message, offset, True, end, place)
    return follow(names, message, offset, name, end, place)


cdef inline int follow(
    Names* names, const Octets* message, uint32_t offset, Name* name, uint32_t* end, Place* place
) noexcept:
    """Expand a name that is not known yet; remember it, and what it points to."""
    cdef uint32_t position = offset, lowest = offset, total = 0
    cdef uint32_t first_target = 0, spelled = 0, target
    cdef int length, second
    cdef Name rest
    cdef uint8_t* text
    if not make_room(names):
        return stop(place, NO_MEMORY, offset)
    text = names.texts + names.used
    end[0] = 0
    while True:
        length = octet_at(message, position)
        if length < 0:
            return stop(place, TRUNCATED, offset)
        if length == 0:
            text[total] = 0
            total += 1
            if not end[0]:
                end[0] = position + 1
            break
        names.steps_left -= 1
        if names.steps_left < 0:
            names.steps_left = -1
            return stop(place, COSTLY, offset)
        if length <= MAX_LABEL_OCTETS:
            if total + <uint32_t>length + 1 >= MAX_NAME_OCTETS:
                return stop(place, LABEL, offset)
            if not has(message, position, <uint32_t>length + 1):
                return stop(place, TRUNCATED, offset)
            memcpy(text + total, message.start + position, <uint32_t>length + 1)
            total += <uint32_t>length + 1
            position += <uint32_t>length + 1
            continue
        if length < POINTER_BITS:
            return stop(place, LABEL, position)
        second = octet_at(message, position + 1)
        if second < 0:
            return stop(place, TRUNCATED, offset)
        target = <uint32_t>(length & 0x3F) << 8 | <uint32_t>second
        if target < HEADER_OCTETS or target >= lowest:
            return stop(place, POINTER, position)
        if not end[0]:
            end[0], first_target, spelled = position + 2, target, total
        if names.known[target]:
            rest = names.names[names.known[target]]
            if total + rest.length > MAX_NAME_OCTETS:
                return stop(place, LABEL, offset)
            memcpy(text + total, names.texts + rest.at, rest.length)
            total += rest.length
            break
        position = lowest = target
    name[0] = Name(names.used, total)
    names.used += total
    remember(names, offset, name[0])
    if first_target:
        remember(names, first_target, Name(name.at + spelled, total - spelled))
    return 1


cdef inline bint same_name(const uint8_t* one, const uint8_t* other, uint32_t length) noexcept nogil:
    """Return whether two names of the same length differ in letter case at most."""
    cdef uint32_t at
    for at in range(length):
        if one[at] != other[at] and lower(one[at]) != lower(other[at]):
            return False
    return True
