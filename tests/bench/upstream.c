// SPDX-License-Identifier: Apache-2.0
// An upstream that is never the limit: A 198.18.51.7, AAAA 2001:2::7, NODATA for the rest.
//   upstream ADDR PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, PKT = 1232 };

static size_t answer(const unsigned char *q, size_t n, unsigned char *a)
{
    static const unsigned char soa[] = {
        0, 0, 6, 0, 1, 0, 0, 14, 16, 0, 22,         /* . SOA IN 3600 rdlen 22 */
        0, 0, 0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 14, 16,
        0, 0, 14, 16, 0, 0, 14, 16};
    static const unsigned char a4[] = {
        0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 198, 18, 51, 7};
    static const unsigned char a6[] = {
        0xc0, 12, 0, 28, 0, 1, 0, 0, 14, 16, 0, 16,
        0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    static const unsigned char opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
    size_t p = 12, len;
    unsigned type, an = 0, ns = 0, ar = 0;

    if (n < 17 || (q[2] & 0x80) || q[4] || q[5] != 1)
        return 0;
    while (p < n && q[p])
        p += q[p] + 1u;
    p += 5;
    if (p > n || p > 512)
        return 0;
    type = (unsigned)q[p - 4] << 8 | q[p - 3];
    memcpy(a, q, p);
    len = p;
    if (type == 1) {
        memcpy(a + len, a4, sizeof a4); len += sizeof a4; an = 1;
    } else if (type == 28) {
        memcpy(a + len, a6, sizeof a6); len += sizeof a6; an = 1;
    } else {
        memcpy(a + len, soa, sizeof soa); len += sizeof soa; ns = 1;
    }
    if (q[10] || q[11]) {
        memcpy(a + len, opt, sizeof opt); len += sizeof opt; ar = 1;
    }
    a[2] = 0x80 | (q[2] & 1); a[3] = 0x80;
    a[6] = 0; a[7] = an; a[8] = 0; a[9] = ns; a[10] = 0; a[11] = ar;
    return len;
}

int main(int argc, char **argv)
{
    static unsigned char in[BATCH][PKT], out[BATCH][PKT];
    static struct sockaddr_in from[BATCH];
    static struct mmsghdr rx[BATCH], tx[BATCH];
    static struct iovec rv[BATCH], tv[BATCH];
    struct sockaddr_in me = {.sin_family = AF_INET};
    int fd, big = 4 << 20;

    if (argc != 3) {
        fprintf(stderr, "usage: upstream ADDR PORT\n");
        return 2;
    }
    me.sin_port = htons((unsigned short)atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &me.sin_addr);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    if (bind(fd, (struct sockaddr *)&me, sizeof me)) {
        perror("bind");
        return 1;
    }
    for (int i = 0; i < BATCH; i++) {
        rv[i] = (struct iovec){in[i], PKT};
        rx[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_iov = &rv[i], .msg_iovlen = 1};
    }
    for (;;) {
        int n, k = 0;
        for (int i = 0; i < BATCH; i++)
            rx[i].msg_hdr.msg_namelen = sizeof from[i];
        n = recvmmsg(fd, rx, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            size_t m = answer(in[i], rx[i].msg_len, out[i]);
            if (!m)
                continue;
            tv[k] = (struct iovec){out[i], m};
            tx[k].msg_hdr = (struct msghdr){.msg_name = &from[i],
                .msg_namelen = rx[i].msg_hdr.msg_namelen, .msg_iov = &tv[k], .msg_iovlen = 1};
            k++;
        }
        for (int s = 0; s < k;) {
            int d = sendmmsg(fd, tx + s, (unsigned)(k - s), 0);
            s += d > 0 ? d : 1;
        }
    }
}
