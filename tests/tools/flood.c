/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flood: packets that nobody honest sends, straight into a device.
 *
 *   flood syn       DEVICE TARGET PORT PER-SECOND SECONDS
 *   flood udp       DEVICE TARGET PORT PER-SECOND SECONDS
 *   flood fragments DEVICE TARGET PORT PER-SECOND SECONDS
 *
 * Every packet has a source of its own: an address of 198.18.0.0/15 and a
 * port. `syn` draws them at random, `udp` counts them, so that so many packets
 * are as many five-tuples; `fragments` are first pieces whose rest never comes.
 * PER-SECOND 0 is as fast as it goes. The result is one line of JSON.
 *
 * Theory of operation: a packet socket without a link layer, batches by
 * sendmmsg, paced in slices of a millisecond. What the device's queue does not
 * take is sent all the same as far as the sender is concerned: `refused`. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "tool.h"

#define BATCH 64
#define PACKET_BYTES 1500
#define FRAGMENT_BYTES 1400 /* of payload: the most memory a packet */
#define UDP_BYTES 64
#define MORE_FRAGMENTS 0x2000
#define SYN_MSS 1460
#define TTL_SENT 64
#define NET 0xc6120000u /* 198.18.0.0/15 */
#define NET_MASK 0x1ffffu
#define PORT_LEAST 1024u
#define PORT_COUNT 64000u
#define SECOND_US 1000000
#define NAP_NS 250000
#define RATE_MOST 10000000
#define SECONDS_MOST 3600

enum kind { FLOOD_SYN, FLOOD_UDP, FLOOD_FRAGMENTS };

struct flood {
	enum kind kind;
	struct in_addr target;
	uint16_t port;
	uint64_t random, serial;
	int fd;
	uint8_t packets[BATCH][PACKET_BYTES];
	struct iovec views[BATCH];
	struct mmsghdr messages[BATCH];
};

static uint32_t sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static uint16_t sum_transport(const struct ip *ip, const void *l4, size_t len)
{
	uint32_t sum = sum_add(0, &ip->ip_src, 8);

	return sum_fold(sum_add(sum + ip->ip_p + (uint32_t)len, l4, len));
}

static size_t make_syn(struct flood *f, struct ip *ip, uint16_t source)
{
	struct tcphdr *tcp = (struct tcphdr *)(ip + 1);
	uint8_t *option = (uint8_t *)(tcp + 1);
	size_t len = sizeof *tcp + 4;

	ip->ip_p = IPPROTO_TCP;
	tcp->source = source;
	tcp->dest = htons(f->port);
	tcp->seq = (uint32_t)random_next(&f->random);
	tcp->doff = (uint16_t)(len / 4) & 0xf;
	tcp->syn = 1;
	tcp->window = htons(UINT16_MAX);
	option[0] = TCPOPT_MAXSEG;
	option[1] = TCPOLEN_MAXSEG;
	option[2] = SYN_MSS >> 8;
	option[3] = SYN_MSS & 0xff;
	tcp->check = sum_transport(ip, tcp, len);
	return len;
}

static size_t make_udp(struct flood *f, struct ip *ip, uint16_t source)
{
	struct udphdr *udp = (struct udphdr *)(ip + 1);
	size_t len = sizeof *udp + UDP_BYTES;

	ip->ip_p = IPPROTO_UDP;
	udp->source = source;
	udp->dest = htons(f->port);
	udp->len = htons((uint16_t)len);
	udp->check = sum_transport(ip, udp, len);
	return len;
}

static size_t make_fragment(struct flood *f, struct ip *ip)
{
	ip->ip_p = IPPROTO_UDP;
	ip->ip_off = htons(MORE_FRAGMENTS);
	ip->ip_id = (uint16_t)random_next(&f->random);
	return FRAGMENT_BYTES;
}

static void make(struct flood *f, unsigned slot)
{
	struct ip *ip = (struct ip *)(void *)f->packets[slot];
	uint64_t who = f->kind == FLOOD_UDP ? f->serial++
					    : random_next(&f->random) >> 16;
	uint16_t source = htons((uint16_t)(PORT_LEAST + who % PORT_COUNT));
	size_t len;

	memset(ip, 0, sizeof *ip + sizeof(struct tcphdr));
	ip->ip_v = 4;
	ip->ip_hl = sizeof *ip / 4;
	ip->ip_ttl = TTL_SENT;
	ip->ip_src.s_addr = htonl(NET | ((who / PORT_COUNT) & NET_MASK));
	ip->ip_dst = f->target;
	if (f->kind == FLOOD_SYN)
		len = make_syn(f, ip, source);
	else if (f->kind == FLOOD_UDP)
		len = make_udp(f, ip, source);
	else
		len = make_fragment(f, ip);
	len += sizeof *ip;
	ip->ip_len = htons((uint16_t)len);
	ip->ip_sum = sum_fold(sum_add(0, ip, sizeof *ip));
	f->views[slot].iov_base = ip;
	f->views[slot].iov_len = len;
}

static void open_device(struct flood *f, const char *device)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_IP),
		.sll_ifindex = (int)if_nametoindex(device),
	};

	/* Protocol 0: it sends and hears nothing. */
	f->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || !at.sll_ifindex)
		tool_die(device);
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &f->messages[i].msg_hdr;

		m->msg_iov = &f->views[i];
		m->msg_iovlen = 1;
		m->msg_name = malloc(sizeof at);
		if (!m->msg_name)
			tool_die("malloc");
		memcpy(m->msg_name, &at, sizeof at);
		m->msg_namelen = sizeof at;
	}
}

/* Send up to a batch of `wanted`; what was refused is counted. */
static uint64_t send_some(struct flood *f, uint64_t wanted, uint64_t *refused)
{
	unsigned n = wanted < BATCH ? (unsigned)wanted : BATCH, sent = 0;

	for (unsigned i = 0; i < n; i++)
		make(f, i);
	while (sent < n) {
		int more = sendmmsg(f->fd, f->messages + sent, n - sent, 0);

		if (more > 0) {
			sent += (unsigned)more;
			continue;
		}
		sent++;
		++*refused;
	}
	return n;
}

static void run(struct flood *f, uint64_t rate, uint64_t seconds)
{
	uint64_t start_us = tool_now_us(), now_us, sent = 0, refused = 0;
	uint64_t end_us = start_us + seconds * SECOND_US;

	while ((now_us = tool_now_us()) < end_us) {
		uint64_t due = sent + BATCH;

		if (rate)
			due = (now_us - start_us) * rate / SECOND_US;
		if (due <= sent) {
			struct timespec nap = {.tv_nsec = NAP_NS};

			nanosleep(&nap, NULL);
			continue;
		}
		sent += send_some(f, due - sent, &refused);
	}
	printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)sent, (unsigned long long)refused,
	       (double)(now_us - start_us) / SECOND_US);
}

static int usage(void)
{
	fputs("usage: flood syn|udp|fragments DEVICE TARGET PORT PER-SECOND "
	      "SECONDS\n",
	      stderr);
	return 64;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"syn", "udp", "fragments"};
	static struct flood f;
	unsigned kind = 0;

	while (argc == 7 && kind < 3 && strcmp(argv[1], kinds[kind]))
		kind++;
	if (argc != 7 || kind == 3 ||
	    inet_pton(AF_INET, argv[3], &f.target) != 1)
		return usage();
	f.kind = (enum kind)kind;
	f.port = (uint16_t)tool_number(argv[4], 1, UINT16_MAX);
	f.random = tool_now_us();
	open_device(&f, argv[2]);
	run(&f, (uint64_t)tool_number(argv[5], 0, RATE_MOST),
	    (uint64_t)tool_number(argv[6], 1, SECONDS_MOST));
	return 0;
}
