/* SPDX-License-Identifier: GPL-2.0-or-later */
/* split - how fast a proxy behind a TUN can be at all.
 *
 * Theory of operation: a TUN on one side, sockets on the other, in between as
 * little as moves the bytes of TCP over IPv4: everything is taken to arrive
 * once and in order, nothing is sent again, nobody's window is guessed. What
 * is left are the system calls and the copies, so what a real stack takes
 * beyond this is its own. The benches hold weir against it in the same run.
 *
 * usage: split MTU, with the device as the file WEIR_TUN_FD names. */
#include "split.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tool.h"

#define BURST 64  /* packets a turn */
#define EVENTS 64 /* a call of epoll_wait */
#define FRAME_MOST 65600
#define MTU_LEAST 576
#define MTU_MOST 65520

struct split split;

static uint64_t sum_add(uint64_t sum, const uint8_t *p, uint32_t len)
{
	uint32_t last = 0;

	for (; len >= 4; len -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, sizeof word);
		sum += word;
	}
	if (len) {
		memcpy(&last, p, len);
		sum += last;
	}
	return sum;
}

static uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void set_checksums(uint8_t *head, const uint8_t *payload, uint32_t len)
{
	uint16_t total = htons((uint16_t)(SPLIT_HEADERS + len));
	uint64_t sum = htons((uint16_t)(20 + len)) + htons(IPPROTO_TCP);
	uint16_t folded;

	memcpy(head + 2, &total, 2);
	memset(head + 10, 0, 2);
	folded = (uint16_t)~sum_fold(sum_add(0, head, 20));
	memcpy(head + 10, &folded, 2);

	memset(head + 36, 0, 2);
	sum = sum_add(sum, head + 12, 8);
	if (split.trains) {
		folded = sum_fold(sum);
	} else {
		sum = sum_add(sum, head + 20, 20);
		folded = (uint16_t)~sum_fold(sum_add(sum, payload, len));
	}
	memcpy(head + 36, &folded, 2);
}

void split_send(uint8_t *head, const uint8_t *payload, uint32_t len)
{
	struct virtio_net_hdr vnet = {0};
	struct iovec v[] = {{&vnet, sizeof vnet},
			    {head, SPLIT_HEADERS},
			    {(void *)(uintptr_t)payload, len}};

	set_checksums(head, payload, len);
	if (split.trains) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.csum_start = 20;
		vnet.csum_offset = 16;
	}
	if (len > split.unit) {
		vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		vnet.gso_size = (uint16_t)split.unit;
		vnet.hdr_len = SPLIT_HEADERS;
	}
	if (writev(split.tun, split.vnet ? v : v + 1, split.vnet ? 3 : 2) < 0)
		split.stalls++;
}

static void tun_read(void)
{
	static uint8_t frame[FRAME_MOST];
	size_t head = split.vnet ? sizeof(struct virtio_net_hdr) : 0;

	for (int i = 0; i < BURST; i++) {
		ssize_t n = read(split.tun, frame, sizeof frame);

		if (n < 0 && errno != EAGAIN)
			tool_die("the TUN");
		if (n <= (ssize_t)head)
			return;
		conn_input(frame + head, (uint32_t)((size_t)n - head));
	}
}

static void tun_take(const char *number, uint32_t mtu)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct ifreq request = {0};
	int size = sizeof(struct virtio_net_hdr);

	split.tun = (int)tool_number(number, 0, INT32_MAX);
	split.unit = mtu - SPLIT_HEADERS;
	if (ioctl(split.tun, TUNGETIFF, &request) < 0)
		tool_die("WEIR_TUN_FD is no TUN");
	split.vnet = request.ifr_flags & IFF_VNET_HDR;
	split.trains = split.vnet &&
		       ioctl(split.tun, TUNSETVNETHDRSZ, &size) == 0 &&
		       ioctl(split.tun, TUNSETOFFLOAD,
			     TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0;
	fcntl(split.tun, F_SETFL, fcntl(split.tun, F_GETFL) | O_NONBLOCK);
	split.poll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(split.poll, EPOLL_CTL_ADD, split.tun, &e) < 0)
		tool_die("epoll_ctl");
}

int main(int argc, char **argv)
{
	const char *number = getenv("WEIR_TUN_FD");
	struct epoll_event e[EVENTS];
	bool idle = true;

	if (argc != 2 || !number) {
		fputs("usage: WEIR_TUN_FD=N split MTU\n", stderr);
		return 64;
	}
	tun_take(number, (uint32_t)tool_number(argv[1], MTU_LEAST, MTU_MOST));
	tool_raise_fd_limit();
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(split.poll, e, EVENTS, idle ? -1 : 0);

		for (int i = 0; i < n; i++) {
			if (e[i].data.ptr)
				conn_event(e[i].data.ptr, e[i].events);
			else
				tun_read();
		}
		idle = conn_run();
	}
}
