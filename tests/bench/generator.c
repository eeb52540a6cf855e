/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions for tests/bench/floods.py, faster than Python can ask them.
 *
 * generator flood SERVER PORT FIRST SOURCES RATE SECONDS QUERY...
 *     Send RATE questions a second (0: as many as possible) from forged
 *     addresses FIRST, FIRST + 1, ...; needs CAP_NET_RAW. Prints how many.
 * generator load SERVER PORT FIRST SOURCES WINDOW SECONDS QUERY...
 *     Keep WINDOW questions of each source unanswered. Prints how many answers
 *     came, and how many questions had none after a second.
 *
 * A QUERY is a message in hexadecimal; each question takes the next one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LARGEST = 8192, SOURCE_PORT = 20053 };
enum { HEADERS = sizeof(struct iphdr) + sizeof(struct udphdr) };

static struct sockaddr_in server;
static uint32_t first_source, source_count;
static uint8_t queries[64][LARGEST];
static size_t lengths[64];
static int query_count;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void flood(double rate, double seconds)
{
    static uint8_t packets[BATCH][HEADERS + LARGEST];
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), sink = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in everywhere = {.sin_family = AF_INET, .sin_port = htons(SOURCE_PORT)};
    double start = now_s(), now = start;
    uint64_t sent = 0;
    if (raw < 0)
        fail("a raw socket");
    /* Answers go where nobody reads; else the kernel would answer each with an ICMP error. */
    if (bind(sink, (struct sockaddr *)&everywhere, sizeof(everywhere)))
        fail("the source port");
    while (now < start + seconds) {
        if (rate && sent >= (now - start) * rate) {
            struct timespec pause = {0, 50000};
            nanosleep(&pause, NULL);
            now = now_s();
            continue;
        }
        for (int i = 0; i < BATCH; i++) {
            uint64_t number = sent + i;
            int query = number / source_count % query_count;
            struct iphdr *ip = (struct iphdr *)packets[i];
            struct udphdr *udp = (struct udphdr *)(ip + 1);
            uint8_t *message = (uint8_t *)(udp + 1);
            *ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
                                 .saddr = htonl(first_source + number % source_count),
                                 .daddr = server.sin_addr.s_addr};
            *udp = (struct udphdr){.source = htons(SOURCE_PORT),
                                   .dest = server.sin_port,
                                   .len = htons(sizeof(*udp) + lengths[query])};
            memcpy(message, queries[query], lengths[query]);
            message[0] = number >> 8;
            message[1] = number;
            parts[i] = (struct iovec){packets[i], HEADERS + lengths[query]};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &server,
                .msg_namelen = sizeof(server), .msg_iov = &parts[i], .msg_iovlen = 1};
        }
        int count = sendmmsg(raw, messages, BATCH, 0);
        if (count > 0)
            sent += count;
        now = now_s();
    }
    printf("%llu\n", (unsigned long long)sent);
}

static void ask(int fd, uint16_t id)
{
    uint8_t message[LARGEST];
    int query = id % query_count;
    memcpy(message, queries[query], lengths[query]);
    message[0] = id >> 8;
    message[1] = id & 255;
    send(fd, message, lengths[query], MSG_DONTWAIT);
}

static void load(int window, double seconds)
{
    struct pollfd *clients = calloc(source_count, sizeof(*clients));
    double *heard_at = calloc(source_count, sizeof(*heard_at));
    uint64_t answered = 0, lost = 0;
    uint16_t id = 0;
    double start = now_s(), now = start;
    uint8_t answer[4096];
    for (uint32_t i = 0; i < source_count; i++) {
        struct sockaddr_in own = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(first_source + i)};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own))
            || connect(fd, (struct sockaddr *)&server, sizeof(server)))
            fail("a client's socket");
        clients[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        heard_at[i] = now;
        for (int n = 0; n < window; n++)
            ask(fd, id++);
    }
    while ((now = now_s()) < start + seconds) {
        poll(clients, source_count, 100);
        for (uint32_t i = 0; i < source_count; i++) {
            while (clients[i].revents & POLLIN
                   && recv(clients[i].fd, answer, sizeof(answer), MSG_DONTWAIT) > 0) {
                answered += !(answer[2] & 2); /* a hint to come by TCP is no answer */
                heard_at[i] = now;
                ask(clients[i].fd, id++);
            }
            if (now - heard_at[i] > 1) {
                lost += window;
                heard_at[i] = now;
                for (int n = 0; n < window; n++)
                    ask(clients[i].fd, id++);
            }
        }
    }
    printf("%llu %llu\n", (unsigned long long)answered, (unsigned long long)lost);
}

int main(int count, char **words)
{
    if (count < 9)
        return 2;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
    inet_pton(AF_INET, words[2], &server.sin_addr);
    first_source = ntohl(inet_addr(words[4]));
    source_count = atoi(words[5]);
    for (int i = 8; i < count && query_count < 64; i++, query_count++) {
        lengths[query_count] = strlen(words[i]) / 2;
        if (lengths[query_count] > LARGEST)
            return 2;
        for (size_t n = 0; n < lengths[query_count]; n++)
            sscanf(words[i] + 2 * n, "%2hhx", &queries[query_count][n]);
    }
    if (!strcmp(words[1], "flood"))
        flood(atof(words[6]), atof(words[7]));
    else
        load(atoi(words[6]), atof(words[7]));
    return 0;
}
