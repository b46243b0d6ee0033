/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgbed.c - the path, the clock and the record of wgbed.h. */
#include "tests/unit/wgbed.h"

#include "device.h"

#include <sched.h>
#include <stdlib.h>

#define OUTER_PORT 51820u
#define BED_EPOCH_S 1700000000
#define BED_START_US (100 * SECOND_US)
#define IP4_HEADER_BYTES 20u

static uint64_t bed_random(struct bed *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random;
}

static uint8_t *node_room(void *arg, uint32_t bytes)
{
	struct node *n = arg;

	ck_assert_uint_le(bytes, sizeof n->room);
	n->room_lent = bytes;
	return n->no_room ? NULL : n->room;
}

static void *copy_of(const void *bytes, uint32_t len)
{
	void *copy = malloc(len + 1);

	ck_assert(copy);
	memcpy(copy, bytes, len);
	return copy;
}

static void node_put(void *arg, struct wg_peer *peer, uint32_t len)
{
	struct node *n = arg;

	ck_assert_uint_le(len, n->room_lent);
	n->got = realloc(n->got, (n->got_count + 1) * sizeof *n->got);
	n->got[n->got_count++] = (struct got){peer, len, copy_of(n->room, len)};
}

static void record(struct node *n, const struct wg_endpoint *to,
		   const uint8_t *data, uint32_t len, uint16_t segment,
		   uint8_t tos)
{
	struct bed *b = n->bed;
	uint16_t train = (uint16_t)((len + segment - 1) / segment);

	for (uint32_t at = 0; at < len; at += segment) {
		uint32_t one = len - at < segment ? len - at : segment;

		struct sent *s = malloc(sizeof *s);

		*s = (struct sent){
			.at_us = b->now_us,
			.from = n->id,
			.to = *to,
			.tos = tos,
			.train = train,
			.len = one,
			.bytes = copy_of(data + at, one),
		};
		b->sent =
			realloc(b->sent, (b->sent_count + 1) * sizeof *b->sent);
		b->sent[b->sent_count++] = s;
	}
}

static void launch(struct bed *b, struct flight *f)
{
	struct flight **at = &b->flights;

	while (*at && (*at)->at_us <= f->at_us)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

static struct wg_sent node_send(void *arg, struct wg_peer *peer,
				const struct wg_endpoint *to, uint8_t *data,
				uint32_t len, uint16_t segment, uint8_t tos)
{
	struct node *n = arg;
	struct bed *b = n->bed;
	struct flight *f;

	(void)peer;
	ck_assert(segment && len && segment <= len);
	n->full = n->full || (n->takes && len > n->takes * segment);
	if (n->full)
		len = n->takes * segment;
	n->takes = 0;
	if (!len)
		return (struct wg_sent){0};
	record(n, to, data, len, segment, tos);
	memset(data - WG_HEADROOM, 0xee, WG_HEADROOM);
	if (!n->full) /* the rest of the train is there otherwise */
		memset(data + len, 0xee, WG_TAIL);
	if (n->silent || bed_random(b) % 100 < b->loss_percent)
		return (struct wg_sent){len, len};
	f = malloc(sizeof *f + len);
	f->at_us = b->now_us + BED_DELAY_US;
	if (b->reorder_us)
		f->at_us += bed_random(b) % b->reorder_us;
	f->source = n->address;
	f->target = to->addr;
	f->segment = segment;
	f->tos = n->mark ? n->mark : tos;
	f->len = len;
	memcpy(f->bytes, data, len);
	launch(b, f);
	return (struct wg_sent){len, len};
}

static void node_flush_later(void *arg)
{
	struct node *n = arg;

	ck_assert(!n->flush_wanted);
	n->flush_wanted = true;
}

static void node_wake_at(void *arg, uint64_t at_us)
{
	struct node *n = arg;

	n->wake_us = at_us;
}

static void node_wall(void *arg, struct timespec *now)
{
	struct node *n = arg;

	now->tv_sec =
		BED_EPOCH_S + n->wall_s + (time_t)(n->bed->now_us / SECOND_US);
	now->tv_nsec = (long)(n->bed->now_us % SECOND_US * 1000);
}

static void node_event(void *arg, struct wg_peer *p, enum wg_event event)
{
	struct node *n = arg;

	n->events[event]++;
	if (n->on_event)
		n->on_event(n, p, event);
}

static void node_passed_on(void *arg)
{
	struct node *n = arg;

	n->passed_on++;
	if (n->on_passed_on)
		n->on_passed_on(n);
}

/* By a worker: bed_flush looks anyway. */
static void node_collect_later(void *arg)
{
	struct node *n = arg;

	atomic_fetch_add(&n->told, 1);
}

static const struct wg_ops node_ops = {
	.room = node_room,
	.put = node_put,
	.send = node_send,
	.flush_later = node_flush_later,
	.wake_at = node_wake_at,
	.wall = node_wall,
	.event = node_event,
	.collect_later = node_collect_later,
	.passed_on = node_passed_on,
};

static void node_init(struct bed *b, int id)
{
	struct node *n = &b->nodes[id];
	struct wg_conf conf = {.ops = &node_ops,
			       .arg = n,
			       .mtu_bytes = BED_MTU,
			       .workers = bed_workers};
	struct wg_set key = {.flags = WG_SET_PRIVATE_KEY};
	struct weir_error e;

	n->bed = b;
	n->id = id;
	n->wake_us = UINT64_MAX;
	n->address = (struct weir_addr){.kind = WEIR_ADDR_IP4,
					.port = OUTER_PORT,
					.ip = {192, 0, 2, (uint8_t)(id + 1)}};
	n->d = wg_new(&conf);
	ck_assert(n->d);
	memset(key.private_key, id + 1, WG_KEY_BYTES);
	ck_assert(wg_set(n->d, &key, b->now_us, &e));
	wg_get_keys(n->d, n->private_key, n->public_key);
	wg_up(n->d, b->now_us);
}

void bed_init(struct bed *b)
{
	*b = (struct bed){.now_us = BED_START_US, .random = 88172645463325252};
	for (int i = 0; i < BED_NODES; i++)
		node_init(b, i);
}

static void node_fini(struct node *n)
{
	wg_free(n->d);
	for (unsigned i = 0; i < n->got_count; i++)
		free(n->got[i].bytes);
	free(n->got);
}

void bed_fini(struct bed *b)
{
	struct flight *f;

	for (int i = 0; i < BED_NODES; i++)
		node_fini(&b->nodes[i]);
	while ((f = b->flights) != NULL) {
		b->flights = f->next;
		free(f);
	}
	for (unsigned i = 0; i < b->sent_count; i++) {
		free(b->sent[i]->bytes);
		free(b->sent[i]);
	}
	free(b->sent);
}

struct wg_peer *bed_peer_set(struct bed *b, int at, int of,
			     struct wg_peer_set s)
{
	struct wg_allowed allowed[2] = {
		{.prefix = {{.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0}}, 32}},
		{.prefix = {{.kind = WEIR_ADDR_IP6, .ip = {0xfd}}, 128}}};
	struct wg_set set = {.peers = &s, .peer_count = 1};
	struct weir_error e;

	allowed[0].prefix.base.ip[3] = (uint8_t)(of + 1);
	allowed[1].prefix.base.ip[15] = (uint8_t)(of + 1);
	if (!s.allowed) {
		s.allowed = allowed;
		s.allowed_count = 2;
	}
	memcpy(s.public_key, b->nodes[of].public_key, WG_KEY_BYTES);
	ck_assert(wg_set(b->nodes[at].d, &set, b->now_us, &e));
	return bed_find(b, at, of);
}

struct wg_peer *bed_peer(struct bed *b, int at, int of)
{
	return bed_peer_set(
		b, at, of,
		(struct wg_peer_set){.flags = WG_PEER_ENDPOINT,
				     .endpoint.addr = b->nodes[of].address});
}

void bed_pair(struct bed *b, int x, int y)
{
	bed_peer(b, x, y);
	bed_peer(b, y, x);
}

struct wg_peer *bed_find(struct bed *b, int at, int of)
{
	return wg_peer_find(b->nodes[at].d, b->nodes[of].public_key);
}

struct wg_peer_info bed_info(struct bed *b, int at, int of)
{
	struct wg_peer_info info;

	wg_peer_get(bed_find(b, at, of), &info);
	return info;
}

bool bed_is_at(struct bed *b, int at, int of, const struct weir_addr *a)
{
	struct wg_peer_info info = bed_info(b, at, of);

	return weir_addr_equal(&info.endpoint.addr, a);
}

/* The workers' part of a turn: nothing is under way then. Where something was,
 * they must say so. */
static void node_wait(struct node *n)
{
	while (wg_collect(n->d, n->bed->now_us)) {
		while (!atomic_exchange(&n->told, 0))
			sched_yield(); /* or the test's time is over */
	}
}

static bool node_turn(struct node *n)
{
	bool due;

	node_wait(n);
	due = n->flush_wanted || (bed_workers && n->d->trains && !n->full);
	n->flush_wanted = false;
	if (due)
		wg_flush(n->d, n->bed->now_us);
	return due;
}

void bed_flush(struct bed *b)
{
	bool any = true;

	while (any) {
		any = false;
		for (int i = 0; i < BED_NODES; i++)
			any = node_turn(&b->nodes[i]) || any;
	}
}

bool bed_unblock(struct bed *b, int at)
{
	struct node *n = &b->nodes[at];

	n->full = n->flush_wanted = false;
	while (!wg_flush(n->d, b->now_us)) {
		if (!bed_workers || n->full)
			return false;
		node_wait(n);
		n->flush_wanted = false;
	}
	return true;
}

void bed_reach(struct bed *b)
{
	struct flight *f = b->flights;
	struct wg_endpoint from = {.addr = f->source};
	struct wg_datagrams v = {f->bytes, f->len, f->segment, f->tos, &from};

	for (int i = 0; i < BED_NODES; i++) {
		if (weir_addr_equal(&b->nodes[i].address, &f->target))
			wg_receive(b->nodes[i].d, &v, 1, b->now_us);
	}
}

void bed_land(struct bed *b)
{
	struct flight *f = b->flights;

	bed_reach(b);
	b->flights = f->next;
	free(f);
}

/* When something happens next, and to whom: -1 is the path. */
static uint64_t bed_next(struct bed *b, int *who)
{
	uint64_t at_us = b->flights ? b->flights->at_us : UINT64_MAX;

	*who = -1;
	for (int i = 0; i < BED_NODES; i++) {
		if (b->nodes[i].wake_us < at_us) {
			at_us = b->nodes[i].wake_us;
			*who = i;
		}
	}
	return at_us;
}

void bed_run_us(struct bed *b, uint64_t us)
{
	uint64_t until_us = b->now_us + us, at_us;
	int who;

	bed_flush(b);
	while ((at_us = bed_next(b, &who)) <= until_us) {
		if (at_us > b->now_us)
			b->now_us = at_us;
		if (who < 0) {
			bed_land(b);
		} else {
			b->nodes[who].wake_us = UINT64_MAX;
			wg_expire(b->nodes[who].d, b->now_us);
		}
		bed_flush(b);
	}
	b->now_us = until_us;
}

void bed_run(struct bed *b, unsigned seconds)
{
	bed_run_us(b, seconds * SECOND_US);
}

uint32_t bed_packet(uint8_t *to, int from, int target, uint32_t len)
{
	static const uint8_t header[IP4_HEADER_BYTES] = {
		0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10};

	memcpy(to, header, sizeof header);
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	to[15] = (uint8_t)(from + 1);
	to[19] = (uint8_t)(target + 1);
	for (uint32_t i = IP4_HEADER_BYTES; i < len; i++)
		to[i] = (uint8_t)i;
	return len;
}

bool bed_offer(struct bed *b, int from, const void *packet, uint32_t len)
{
	struct iovec view = {(void *)(uintptr_t)packet, len};
	struct weir_egress e = {.view = &view, .views = 1};

	return wg_send(b->nodes[from].d, &e, 1, b->now_us) == 1;
}

void bed_send(struct bed *b, int from, int target, uint32_t len)
{
	uint8_t packet[WG_DATAGRAM_MAX];

	bed_packet(packet, from, target, len);
	ck_assert(bed_offer(b, from, packet, len));
	bed_flush(b);
}

void bed_session(struct bed *b, int x, int y)
{
	bed_pair(b, x, y);
	bed_send(b, x, y, 100);
	bed_run_us(b, SECOND_US / 2);
	ck_assert_uint_eq(b->nodes[y].got_count, 1);
}

void bed_receive(struct bed *b, int to, const struct weir_addr *from,
		 const void *bytes, uint32_t len, uint8_t tos)
{
	struct wg_endpoint endpoint = {.addr = *from};
	uint8_t *copy = copy_of(bytes, len);
	struct wg_datagrams v = {copy, len, 0, tos, &endpoint};

	wg_receive(b->nodes[to].d, &v, 1, b->now_us);
	bed_flush(b);
	free(copy);
}

unsigned bed_count(struct bed *b, int from, enum message_type type)
{
	unsigned n = 0;

	while (bed_last(b, from, type, n))
		n++;
	return n;
}

struct sent *bed_last(struct bed *b, int from, enum message_type type,
		      unsigned nth)
{
	for (unsigned i = b->sent_count; i-- > 0;) {
		struct sent *s = b->sent[i];

		if (s->from == from && s->bytes[0] == type && nth-- == 0)
			return s;
	}
	return NULL;
}

unsigned bed_keepalives(struct bed *b, int from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->sent_count; i++)
		n += b->sent[i]->from == from &&
		     b->sent[i]->bytes[0] == MESSAGE_DATA &&
		     b->sent[i]->len == WG_OVERHEAD;
	return n;
}

uint64_t bed_drops(struct bed *b, int at, enum wg_drop why)
{
	return wg_drops(b->nodes[at].d)[why];
}
