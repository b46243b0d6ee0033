/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgtunnel.h - two tunnels on sockets of the loopback, a stack that counts, and
 * a sendmsg that fails where the test says so. It holds functions; a program
 * that includes it is linked with --wrap for sendmsg and clock_gettime. */
#ifndef TESTS_WGTUNNEL_H
#define TESTS_WGTUNNEL_H

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <weir/fakehost.h>

#include "plugins/wireguard/constants.h"
#include "plugins/wireguard/message.h"
#include "plugins/wireguard/network.h"
#include "plugins/wireguard/tunnel.h"
#include "plugins/wireguard/tunnel_ops.h"
#include "tests/unit/idle.h"

#define UNREACHABLE 192 /* the first byte of the address of the third peer */
#define A_INNER 1
#define B_INNER 2
#define FAR_INNER 3
#define SENT_MOST 4096
#define MTU 1420u
#define EPOCH_S 1700000000
#define TURNS 3 /* of the loop, for what tasks put off to the next */
#define PATIENCE_ROUNDS 1000 /* of 10 ms */

struct side {
	struct weir_instance *instance;
	struct tunnel tunnel;
	uint8_t private_key[WG_KEY_BYTES], public_key[WG_KEY_BYTES];
	const struct weir_link_ops *ops;
	uint8_t room[65536];
	unsigned got, writable, rechecks;
};

/* One datagram that left. */
struct left {
	const struct side *by;
	uint32_t len;
	uint8_t bytes[64];
};

static struct world {
	struct fakehost *host;
	struct side a, b;
	struct left sent[SENT_MOST];
	size_t sent_count;
	uint8_t refuse_ip; /* first byte of an address; 0: none */
	int refuse_err;
	uint8_t lost_ip;     /* last byte; nobody is there */
	bool no_trains;	     /* the kernel takes one datagram a call */
	unsigned room_left;  /* calls until EAGAIN */
	uint64_t on_the_way; /* datagrams sent so far */
	time_t asleep_s;     /* that the machine slept */
} w;

/* ---- the stack */

static struct weir_link *stack_attach(void *self,
				      const struct weir_link_conf *c,
				      const struct weir_link_ops *ops,
				      void *link, struct weir_error *e)
{
	struct side *s = self;

	(void)c, (void)link, (void)e;
	s->ops = ops;
	return (struct weir_link *)s;
}

static void stack_detach(struct weir_link *link)
{
	(void)link;
}

static void stack_writable(struct weir_link *link)
{
	((struct side *)link)->writable++;
}

static uint8_t *stack_room(struct weir_link *link, uint32_t bytes)
{
	ck_assert_uint_le(bytes, 65536);
	return ((struct side *)link)->room;
}

static void stack_put(struct weir_link *link, uint32_t len, unsigned flags)
{
	(void)flags;
	((struct side *)link)->got += len > 0;
}

static void stack_flush(struct weir_link *link)
{
	(void)link;
}

static void stack_recheck(struct weir_link *link)
{
	((struct side *)link)->rechecks++;
}

static const struct weir_netstack_ops stack_ops = {
	.size = sizeof stack_ops,
	.attach = stack_attach,
	.detach = stack_detach,
	.writable = stack_writable,
	.room = stack_room,
	.put = stack_put,
	.flush = stack_flush,
	.recheck = stack_recheck,
};

/* ---- the kernel */

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);

static void record(int fd, const struct iovec *v)
{
	struct left *l = &w.sent[w.sent_count++];
	struct sockaddr_in own = {0};
	socklen_t len = sizeof own;

	ck_assert_uint_lt(w.sent_count, SENT_MOST);
	getsockname(fd, (struct sockaddr *)&own, &len);
	l->by = ntohs(own.sin_port) == wg_udp_port(w.a.tunnel.udp) ? &w.a
								   : &w.b;
	l->len = (uint32_t)v->iov_len;
	memcpy(l->bytes, v->iov_base, l->len < 64 ? l->len : 64);
}

/* Bytes of each datagram of a train; 0: it is just one. */
static uint16_t segment_of(const struct msghdr *m)
{
	struct cmsghdr *c = m->msg_control ? CMSG_FIRSTHDR(m) : NULL;
	uint16_t segment = 0;

	for (; c; c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, c))
		if (c->cmsg_level == IPPROTO_UDP)
			memcpy(&segment, CMSG_DATA(c), sizeof segment);
	return segment;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	const struct sockaddr_in *to = m->msg_name;
	uint16_t segment = segment_of(m);
	uint32_t len = (uint32_t)m->msg_iov->iov_len;
	uint8_t ip[4];

	memcpy(ip, &to->sin_addr, sizeof ip);
	errno = w.refuse_err;
	if (w.refuse_ip && ip[0] == w.refuse_ip)
		return -1;
	errno = EIO;
	if (w.no_trains && segment)
		return -1;
	errno = EAGAIN;
	if (!w.room_left)
		return -1;
	w.room_left--;
	if (w.lost_ip && ip[3] == w.lost_ip)
		return (ssize_t)len;
	w.on_the_way += segment ? (len + segment - 1) / segment : 1;
	record(fd, m->msg_iov);
	return __real_sendmsg(fd, m, flags);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

/* The wall clock goes with the host's; the machine sleeps when told to. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t now_us;

	if (clock == CLOCK_BOOTTIME) {
		__real_clock_gettime(CLOCK_MONOTONIC, now);
		now->tv_sec += w.asleep_s;
		return 0;
	}
	if (clock != CLOCK_REALTIME || !w.host)
		return __real_clock_gettime(clock, now);
	now_us = fakehost_table(w.host)->now_us();
	*now = (struct timespec){.tv_sec =
					 EPOCH_S + (time_t)(now_us / SECOND_US),
				 .tv_nsec = (long)(now_us % SECOND_US * 1000)};
	return 0;
}

/* ---- what was sent */

static unsigned count_sent(const struct side *by, enum message_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < w.sent_count; i++)
		n += w.sent[i].by == by && w.sent[i].bytes[0] == type;
	return n;
}

/* ---- two tunnels */

static void side_peer(struct wg_peer_settings *p, const uint8_t *public_key,
		      uint8_t inner, struct weir_cidr *allowed)
{
	memcpy(p->public_key, public_key, WG_KEY_BYTES);
	*allowed = (struct weir_cidr){
		{.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0, inner}}, 32};
	p->allowed = allowed;
	p->allowed_count = 1;
}

static int by_key(const void *x, const void *y)
{
	const struct wg_peer_settings *a = x, *b = y;

	return memcmp(a->public_key, b->public_key, WG_KEY_BYTES);
}

static void side_keys(struct side *s, const char *tag, uint8_t byte)
{
	struct weir_error e;

	s->instance = fakehost_start(w.host, &idle_component, tag, NULL, &e);
	memset(s->private_key, byte, WG_KEY_BYTES);
	ck_assert(crypto_public_key(s->public_key, s->private_key));
}

/* `far`: there is a third peer, nobody; `endpoint`: of the other, or NULL. */
static void side_up(struct side *s, const struct side *other, uint8_t inner,
		    bool far, const struct weir_addr *endpoint)
{
	static struct weir_cidr allowed[4];
	struct weir_cidr *to = allowed + (s == &w.a ? 0 : 2);
	struct wg_settings *settings = calloc(1, sizeof *settings);
	struct wg_peer_settings *p = calloc(3, sizeof *p);
	struct tunnel_conf conf = {.instance = s->instance,
				   .host = fakehost_table(w.host),
				   .settings = settings,
				   .mtu_bytes = MTU,
				   .stack = &stack_ops,
				   .stack_self = s};
	uint8_t nobody[WG_KEY_BYTES] = {9};
	struct weir_error e;

	side_peer(&p[0], other->public_key, inner, &to[0]);
	if (endpoint)
		p[0].endpoint = *endpoint;
	side_peer(&p[1], nobody, FAR_INNER, &to[1]);
	p[1].endpoint = (struct weir_addr){
		.kind = WEIR_ADDR_IP4, .port = 1, .ip = {UNREACHABLE, 0, 2, 1}};
	settings->peers = p;
	settings->peer_count = 1 + far;
	qsort(p, settings->peer_count, sizeof *p, by_key);
	memcpy(settings->private_key, s->private_key, WG_KEY_BYTES);
	ck_assert_msg(tunnel_init(&s->tunnel, &conf, &e), "%s", e.text);
	ck_assert_msg(tunnel_start(&s->tunnel, &e), "%s", e.text);
	ck_assert_int_eq(tunnel_up(&s->tunnel), 0);
	network_unwatch(s->tunnel.network); /* the machine's are not asked */
}

/* b is at `endpoint`, at whichever port. */
static void begin_with(struct weir_addr endpoint)
{
	memset(&w, 0, sizeof w);
	ck_assert(crypto_init());
	w.room_left = UINT32_MAX;
	w.host = fakehost_new();
	side_keys(&w.a, "a", 1);
	side_keys(&w.b, "b", 2);
	side_up(&w.b, &w.a, A_INNER, false, NULL);
	endpoint.port = wg_udp_port(w.b.tunnel.udp);
	side_up(&w.a, &w.b, B_INNER, true, &endpoint);
}

static void begin(void)
{
	begin_with((struct weir_addr){.kind = WEIR_ADDR_IP4,
				      .ip = {127, 0, 0, 1}});
}

static void side_down(struct side *s)
{
	tunnel_stop(&s->tunnel);
	tunnel_fini(&s->tunnel);
}

static void end(void)
{
	side_down(&w.a);
	side_down(&w.b);
	fakehost_free(w.host);
	w.host = NULL;
}

static uint64_t arrived(void)
{
	return fakehost_counter(w.a.instance, "udp_received") +
	       fakehost_counter(w.b.instance, "udp_received");
}

/* Until all that was sent has come, and nothing follows from it. */
static void settle(void)
{
	int patience = PATIENCE_ROUNDS;

	do {
		for (int turn = 0; turn < TURNS; turn++)
			fakehost_turn(w.host);
		if (!fakehost_poll(w.host, arrived() < w.on_the_way ? 10 : 0))
			patience--;
		else
			patience = PATIENCE_ROUNDS;
	} while (patience > 0 &&
		 (arrived() < w.on_the_way || patience == PATIENCE_ROUNDS));
}

static void pass(unsigned seconds)
{
	while (seconds--) {
		fakehost_advance(w.host, SECOND_US);
		settle();
	}
}

/* A packet into the tunnel; was it taken? */
static bool offer(struct side *s, uint8_t inner, uint16_t len, uint16_t number)
{
	static const uint8_t header[] = {0x45, 0, 0,  0, 0, 0, 0,  0, 64, 17,
					 0,    0, 10, 0, 0, 0, 10, 0, 0};
	uint8_t packet[MTU] = {0};
	struct iovec view = {packet, len};
	struct weir_egress e = {.view = &view, .views = 1};

	memcpy(packet, header, sizeof header);
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	packet[15] = s == &w.a ? A_INNER : B_INNER;
	packet[19] = inner;
	memcpy(packet + 20, &number, sizeof number);
	return s->ops->output(&s->tunnel, &e, 1) == 1;
}

static void change_peer(struct side *s, const struct side *other,
			struct wg_peer_set *p)
{
	struct wg_set set = {.peers = p, .peer_count = 1};
	struct weir_error e;

	memcpy(p->public_key, other->public_key, WG_KEY_BYTES);
	ck_assert(wg_set(s->tunnel.device, &set,
			 fakehost_table(w.host)->now_us(), &e));
}

static void connect_both(void)
{
	offer(&w.a, B_INNER, 100, 0);
	settle();
	ck_assert_uint_eq(w.b.got, 1);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 1);
}

#endif
