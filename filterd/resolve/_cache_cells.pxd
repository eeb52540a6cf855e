# SPDX-License-Identifier: Apache-2.0
"""Memory in cells of one size, so that what comes and goes leaves no gaps.

An area is mapped as large as it may become; what was never touched of it takes no
memory. A cell is known by its number, not by a pointer, because an area may move.
Octets lie in chains of cells, the number of the next one at the head of each;
``NONE`` is the first cell, which is never given away.

Memory safety. A number comes from ``take_cells`` or from a chain that was written
here, and is below ``top``, which never exceeds what is mapped. Who takes cells has
seen to it that so many are free.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy

cdef extern from "sys/mman.h" nogil:
    enum: PROT_READ
    enum: PROT_WRITE
    enum: MAP_PRIVATE
    enum: MAP_ANONYMOUS
    enum: MAP_NORESERVE
    enum: MREMAP_MAYMOVE
    enum: MADV_DONTNEED
    enum: MADV_NOHUGEPAGE
    void* MAP_FAILED
    void* mmap(void* address, size_t length, int access, int flags, int file, long offset)
    void* mremap(void* address, size_t old, size_t new, int flags)
    int munmap(void* address, size_t length)
    int madvise(void* address, size_t length, int advice)

cdef enum:
    NONE = 0
    CELL_OCTETS = 64
    LINK_OCTETS = 4
    CHAINED_OCTETS = 60  # of a cell, behind the number of the next one
    PAGE_OCTETS = 4096

cdef struct Cells:
    uint8_t* octets
    uint32_t most  # that may be taken
    uint32_t top  # that were ever taken and the first one: those from here on are untouched
    uint32_t free  # the first of those that were given back
    uint32_t taken


cdef inline void* map_octets(size_t octets) noexcept nogil:
    """Return memory full of zeros, NULL where there is none; pages come as they are touched."""
    cdef void* mapped = mmap(
        NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0
    )
    if mapped == MAP_FAILED:
        return NULL
    # A huge page would be taken whole for the first cell in it.
    madvise(mapped, octets, MADV_NOHUGEPAGE)
    return mapped


cdef inline void* map_again(void* mapped, size_t octets, size_t wanted) noexcept nogil:
    """Return the same memory in another size, NULL where there is no room and all is as it was."""
    cdef void* moved = mremap(mapped, octets, wanted, MREMAP_MAYMOVE)
    return NULL if moved == MAP_FAILED else moved


cdef inline void unmap(void* mapped, size_t octets) noexcept nogil:
    if mapped != NULL:
        munmap(mapped, octets)


cdef inline void zero(void* mapped, size_t octets) noexcept nogil:
    """Give memory back; it reads as zeros from now on."""
    madvise(mapped, octets, MADV_DONTNEED)


cdef inline size_t mapped_for(size_t octets) noexcept nogil:
    """Return how much is mapped for so many octets: whole pages, and one at least."""
    return (octets + PAGE_OCTETS) & ~<size_t>(PAGE_OCTETS - 1)


cdef inline size_t area_octets(uint32_t most) noexcept nogil:
    return mapped_for((<size_t>most + 1) * CELL_OCTETS)


cdef inline uint8_t* cell_at(const Cells* cells, uint32_t number) noexcept nogil:
    return cells.octets + <size_t>number * CELL_OCTETS


cdef inline uint32_t link_of(const Cells* cells, uint32_t number) noexcept nogil:
    return (<uint32_t*>cell_at(cells, number))[0]


cdef inline void set_link(const Cells* cells, uint32_t number, uint32_t following) noexcept nogil:
    (<uint32_t*>cell_at(cells, number))[0] = following


cdef inline uint32_t take_cell(Cells* cells) noexcept nogil:
    """Take a cell; what is in it means nothing."""
    cdef uint32_t number = cells.free
    cells.taken += 1
    if number != NONE:
        cells.free = link_of(cells, number)
        return number
    number = cells.top
    cells.top += 1
    return number


cdef inline void give_cell(Cells* cells, uint32_t number) noexcept nogil:
    set_link(cells, number, cells.free)
    cells.free = number
    cells.taken -= 1


cdef inline void give_chain(Cells* cells, uint32_t number) noexcept nogil:
    cdef uint32_t following
    while number != NONE:
        following = link_of(cells, number)
        give_cell(cells, number)
        number = following


cdef inline uint32_t cells_for(size_t octets) noexcept nogil:
    """Return how many cells a chain of so many octets has."""
    return <uint32_t>((octets + CHAINED_OCTETS - 1) // CHAINED_OCTETS)


cdef inline uint32_t* write_chained(
    Cells* cells, uint32_t* link, uint32_t* filled, const uint8_t* octets, size_t length
) noexcept nogil:
    """Write octets behind those that are there; return where the next cell's number belongs.

    ``link`` is what this returned last, or where the chain begins; ``filled`` counts
    what is in the last cell, and is CHAINED_OCTETS where there is none yet.
    """
    cdef uint32_t number
    cdef size_t room
    while length:
        if filled[0] == CHAINED_OCTETS:
            number = take_cell(cells)
            link[0] = number
            link = <uint32_t*>cell_at(cells, number)
            link[0] = NONE
            filled[0] = 0
        room = min(length, <size_t>(CHAINED_OCTETS - filled[0]))
        memcpy(<uint8_t*>link + LINK_OCTETS + filled[0], octets, room)
        filled[0] += <uint32_t>room
        octets += room
        length -= room
    return link


cdef inline void read_chain(
    const Cells* cells, uint32_t number, uint8_t* to, size_t length
) noexcept nogil:
    """Copy the first octets of a chain that has so many."""
    cdef size_t part
    while length:
        part = min(length, <size_t>CHAINED_OCTETS)
        memcpy(to, cell_at(cells, number) + LINK_OCTETS, part)
        to += part
        length -= part
        number = link_of(cells, number)


cdef inline bint chain_begins(
    const Cells* cells, uint32_t number, const uint8_t* octets, size_t length
) noexcept nogil:
    """Return whether a chain, which has so many, begins with these octets."""
    cdef size_t part
    while length:
        part = min(length, <size_t>CHAINED_OCTETS)
        if memcmp(octets, cell_at(cells, number) + LINK_OCTETS, part) != 0:
            return False
        octets += part
        length -= part
        number = link_of(cells, number)
    return True
