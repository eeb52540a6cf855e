# SPDX-License-Identifier: Apache-2.0
"""Read questions that the fast path may answer; any other is left to the chain.

Memory safety. A message is read within its length, by one walk over the name of
its question (``read_name``); no pointer is followed. Octets behind the name are
read only where they lie within the message.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from filterd.fastpath._hashing cimport lower_case, word_at

cdef enum:
    HEADER_OCTETS = 12
    MAX_NAME_OCTETS = 255
    MAX_LABEL_OCTETS = 63
    MOST_OPTIONS = 32
    LARGEST_ANSWER = 1232
    MIN_UDP_SIZE = 512
    OPT = 41
    ASKED_RD = 1
    ASKED_CD = 2
    ASKED_AD = 4
    ASKED_DO = 8
    ASKED_OPT = 16
    WHOLE_WORDS = 272  # a name of 255 octets, zeros up to a whole word, and one word more

cdef struct Question:
    size_t end  # of its section
    size_t name_octets
    size_t limit
    uint32_t flags
    uint32_t labels
    uint16_t qtype
    uint8_t name[WHOLE_WORDS]  # lower-case, then zeros


cdef inline uint16_t get_u16(const uint8_t* octets) noexcept nogil:
    return <uint16_t>(octets[0] << 8 | octets[1])


cdef inline uint32_t get_u32(const uint8_t* octets) noexcept nogil:
    return <uint32_t>get_u16(octets) << 16 | get_u16(octets + 2)


cdef inline void put_u32(uint8_t* octets, uint32_t number) noexcept nogil:
    octets[0] = <uint8_t>(number >> 24)
    octets[1] = <uint8_t>(number >> 16)
    octets[2] = <uint8_t>(number >> 8)
    octets[3] = <uint8_t>number


cdef inline bint read_name(const uint8_t* message, size_t length, Question* question) noexcept nogil:
    """Read the one question behind a header, its name in lower case; True if its class is IN."""
    cdef size_t position = HEADER_OCTETS, size, at
    cdef uint64_t word
    question.labels = 0
    while True:
        if position >= length:
            return False
        size = message[position]
        if size > MAX_LABEL_OCTETS or position + 1 + size - HEADER_OCTETS > MAX_NAME_OCTETS:
            return False
        if size == 0:
            break
        question.labels += 1
        position += 1 + size
    position += 1
    if position + 4 > length:
        return False
    question.name_octets = position - HEADER_OCTETS
    memset(question.name + (question.name_octets & ~<size_t>7), 0, 16)
    memcpy(question.name, message + HEADER_OCTETS, question.name_octets)
    for at in range(0, question.name_octets, 8):
        # A length octet is at most 63 and so never a capital letter.
        word = lower_case(word_at(question.name + at))
        memcpy(question.name + at, &word, 8)
    question.qtype = get_u16(message + position)
    question.end = position + 4
    return get_u16(message + position + 2) == 1


cdef inline bint put_name(Question* question, bytes name) noexcept:
    """Take one uncompressed name of at most 255 octets as that of a question; False if it is none."""
    cdef size_t length = <size_t>PyBytes_GET_SIZE(name), at = 0
    cdef uint64_t word
    if not 0 < length <= MAX_NAME_OCTETS:
        return False
    question.labels = 0
    question.name_octets = length
    memset(question.name + (length & ~<size_t>7), 0, 16)
    memcpy(question.name, PyBytes_AS_STRING(name), length)
    while question.name[at]:
        if question.name[at] > MAX_LABEL_OCTETS:
            return False
        question.labels += 1
        at += question.name[at] + 1
        if at >= length:
            return False
    if at + 1 != length:
        return False
    for at in range(0, length, 8):
        word = lower_case(word_at(question.name + at))
        memcpy(question.name + at, &word, 8)
    return True


cdef inline bint read_opt(const uint8_t* opt, size_t length, Question* asked) noexcept nogil:
    """Read an OPT record that fills what is left, with options that change nothing only."""
    cdef size_t at = 11
    cdef uint16_t code
    cdef int options = 0
    if length < 11 or opt[0] or get_u16(opt + 1) != OPT:
        return False
    if opt[5] or opt[6] or opt[7] & 0x7F or opt[8] or get_u16(opt + 9) != length - 11:
        return False
    while at < length:
        if length - at < 4 or options == MOST_OPTIONS:
            return False
        code = get_u16(opt + at)
        if code != 3 and code != 11 and code != 12:
            return False
        at += 4 + get_u16(opt + at + 2)
        options += 1
    if at != length:
        return False
    asked.flags |= ASKED_OPT | (ASKED_DO if opt[7] & 0x80 else 0)
    asked.limit = min(max(<size_t>MIN_UDP_SIZE, <size_t>get_u16(opt + 3)), <size_t>LARGEST_ANSWER)
    return True


cdef inline bint read_question(
    const uint8_t* message, size_t length, Question* asked
) noexcept nogil:
    """Read a question if it is of the kind that may be answered here."""
    if length < HEADER_OCTETS or message[2] & ~1 or message[3] & ~0x30:
        return False
    if get_u16(message + 4) != 1 or get_u32(message + 6) or message[10] or message[11] > 1:
        return False
    if not read_name(message, length, asked):
        return False
    if asked.qtype == 0 or asked.qtype == OPT or 249 <= asked.qtype <= 255:
        return False
    asked.flags = (
        (ASKED_RD if message[2] & 1 else 0)
        | (ASKED_CD if message[3] & 0x10 else 0)
        | (ASKED_AD if message[3] & 0x20 else 0)
    )
    asked.limit = MIN_UDP_SIZE
    if message[11] == 0:
        return length == asked.end
    return read_opt(message + asked.end, length - asked.end, asked)
