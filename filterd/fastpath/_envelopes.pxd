# SPDX-License-Identifier: Apache-2.0
"""Messages as the kernel passes them, each with its source (recvmmsg(2), cmsg(3)).

Memory safety. The kernel gets the size of every part of a letter before each
call, and is believed about what it filled only up to that size.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <sys/socket.h>
    #include <netinet/in.h>
    #include <arpa/inet.h>
    """
    enum: AF_INET
    enum: AF_INET6
    enum: INET6_ADDRSTRLEN
    enum: IPPROTO_IP
    enum: IPPROTO_IPV6
    enum: IP_PKTINFO
    enum: IPV6_PKTINFO
    enum: MSG_DONTWAIT
    enum: MSG_TRUNC
    ctypedef unsigned int socklen_t
    struct in_addr:
        uint32_t s_addr
    struct in6_addr:
        uint8_t s6_addr[16]
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
    struct in_pktinfo:
        int ipi_ifindex
        in_addr ipi_spec_dst
        in_addr ipi_addr
    struct in6_pktinfo:
        in6_addr ipi6_addr
        unsigned int ipi6_ifindex
    struct iovec:
        void* iov_base
        size_t iov_len
    struct msghdr:
        void* msg_name
        socklen_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    cmsghdr* CMSG_FIRSTHDR(msghdr* header) nogil
    cmsghdr* CMSG_NXTHDR(msghdr* header, cmsghdr* control) nogil
    unsigned char* CMSG_DATA(cmsghdr* control) nogil
    size_t CMSG_LEN(size_t length) nogil
    size_t CMSG_SPACE(size_t length) nogil
    uint16_t ntohs(uint16_t number) nogil
    int recvmmsg(int fd, mmsghdr* headers, unsigned int count, int flags, void* timeout) nogil
    const char* inet_ntop(int family, const void* source, char* text, socklen_t room) nogil
    int sendmmsg(int fd, mmsghdr* headers, unsigned int count, int flags) nogil

cdef enum:
    LARGEST_QUERY = 4096
    CONTROL_WORDS = 8  # more than IPV6_PKTINFO needs with its header
    LINK_LOCAL = 0x3FA  # the first ten bits of fe80::/10

cdef struct Words:  # an address; one that is link-local is its interface's
    uint64_t high
    uint64_t low

cdef union Local:
    in_pktinfo ipv4
    in6_pktinfo ipv6

cdef struct Way:  # where a datagram came from, and the control message that answers from there
    sockaddr_in6 peer
    socklen_t peer_octets
    int level
    int kind
    size_t local_octets
    Local local

cdef struct Letter:  # a message that came; ``length`` 0: one that gets no answer
    size_t control[CONTROL_WORDS]
    iovec part
    sockaddr_in6 peer
    size_t length
    uint32_t interface
    uint8_t octets[LARGEST_QUERY]

cdef struct Envelope:  # of a message that leaves
    size_t control[CONTROL_WORDS]
    iovec part


cdef inline void expect(msghdr* header, Letter* letter) noexcept nogil:
    """Set the sizes of a letter for the kernel, which overwrites them with what it filled."""
    letter.part.iov_base, letter.part.iov_len = letter.octets, LARGEST_QUERY
    header.msg_name, header.msg_namelen = &letter.peer, sizeof(letter.peer)
    header.msg_iov, header.msg_iovlen = &letter.part, 1
    header.msg_control, header.msg_controllen = letter.control, sizeof(letter.control)
    header.msg_flags = 0


cdef inline bint read_way(
    msghdr* header, const Letter* letter, Way* way, uint32_t* interface
) noexcept nogil:
    """Read the addresses of a letter; return whether it was sent to broadcast or multicast."""
    cdef cmsghdr* control = CMSG_FIRSTHDR(header)
    cdef in_pktinfo ipv4
    cdef in6_pktinfo ipv6
    interface[0] = 0
    way.peer, way.local_octets = letter.peer, 0
    way.peer_octets = min(header.msg_namelen, <socklen_t>sizeof(way.peer))
    while control:
        if (
            control.cmsg_level == IPPROTO_IP
            and control.cmsg_type == IP_PKTINFO
            and control.cmsg_len >= CMSG_LEN(sizeof(ipv4))
        ):
            memcpy(&ipv4, CMSG_DATA(control), sizeof(ipv4))
            interface[0] = ipv4.ipi_ifindex
            way.level, way.kind, way.local_octets = IPPROTO_IP, IP_PKTINFO, sizeof(ipv4)
            way.local.ipv4.ipi_ifindex = 0
            way.local.ipv4.ipi_spec_dst = ipv4.ipi_spec_dst
            way.local.ipv4.ipi_addr.s_addr = 0
            # A datagram to one address has that address as its local one.
            return ipv4.ipi_addr.s_addr != ipv4.ipi_spec_dst.s_addr
        if (
            control.cmsg_level == IPPROTO_IPV6
            and control.cmsg_type == IPV6_PKTINFO
            and control.cmsg_len >= CMSG_LEN(sizeof(ipv6))
        ):
            memcpy(&ipv6, CMSG_DATA(control), sizeof(ipv6))
            interface[0] = ipv6.ipi6_ifindex
            way.level, way.kind, way.local_octets = IPPROTO_IPV6, IPV6_PKTINFO, sizeof(ipv6)
            way.local.ipv6 = ipv6
            if not is_link_local(ipv6.ipi6_addr.s6_addr):
                way.local.ipv6.ipi6_ifindex = 0
            return ipv6.ipi6_addr.s6_addr[0] == 0xFF
        control = CMSG_NXTHDR(header, control)
    return False


cdef inline bint is_link_local(const uint8_t* address) noexcept nogil:
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


cdef inline const uint8_t* address_of(const sockaddr_in6* peer) noexcept nogil:
    if peer.sin6_family == AF_INET6:
        return peer.sin6_addr.s6_addr
    return <const uint8_t*>&(<const sockaddr_in*>peer).sin_addr


cdef inline int address_octets(const sockaddr_in6* peer) noexcept nogil:
    return 16 if peer.sin6_family == AF_INET6 else 4


cdef inline str text_of(const sockaddr_in6* peer):
    """Write an address as the socket module does."""
    cdef char text[INET6_ADDRSTRLEN]
    inet_ntop(peer.sin6_family, address_of(peer), text, sizeof(text))
    return (<bytes>text).decode("ascii")


cdef inline Words words_of(const sockaddr_in6* peer, uint32_t interface) noexcept nogil:
    """Return an address as two words, as ``_rate_limit.words_of`` does."""
    cdef const uint8_t* octets = address_of(peer)
    cdef Words words
    if peer.sin6_family == AF_INET6:
        words.high, words.low = eight_octets(octets), eight_octets(octets + 8)
    else:
        words.high = 0
        words.low = (
            <uint64_t>0xFFFF << 32
            | <uint64_t>octets[0] << 24
            | <uint64_t>octets[1] << 16
            | <uint64_t>octets[2] << 8
            | octets[3]
        )
    if words.high >> 54 == LINK_LOCAL:
        words.high ^= interface
    return words


cdef inline uint64_t eight_octets(const uint8_t* octets) noexcept nogil:
    """Read a big-endian number."""
    cdef uint64_t word = 0
    cdef int index
    for index in range(8):
        word = word << 8 | octets[index]
    return word


cdef inline void address(
    msghdr* header, Envelope* envelope, Way* way, uint8_t* octets, size_t length
) noexcept nogil:
    """Put a message into an envelope; way and message must live until it is sent."""
    cdef cmsghdr* control = <cmsghdr*>envelope.control
    envelope.part.iov_base, envelope.part.iov_len = octets, length
    header.msg_name, header.msg_namelen = &way.peer, way.peer_octets
    header.msg_iov, header.msg_iovlen = &envelope.part, 1
    header.msg_control, header.msg_controllen = NULL, 0
    if way.local_octets:
        control.cmsg_level, control.cmsg_type = way.level, way.kind
        control.cmsg_len = CMSG_LEN(way.local_octets)
        memcpy(CMSG_DATA(control), &way.local, way.local_octets)
        header.msg_control = control
        header.msg_controllen = CMSG_SPACE(way.local_octets)
