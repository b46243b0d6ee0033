/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gro.c - receive offload for links that deliver packet by packet.
 *
 * A segment's payload should end where the payload of the next one begins;
 * then a run of segments is one train and needs no copy. So the room lent for
 * the next packet begins as far before the end of the train as its headers are
 * long: they come to lie over the tail of the payload before them. Those bytes
 * of the tail are kept aside and put back once the headers have been read.
 *
 * What does not go on the train is moved to a slab of its own: one copy where
 * a run ends. Then it begins the next train, or is ready as it is. The train
 * ends only for what must not overtake it: a segment without payload of another
 * connection is let pass. Each packet goes through the gate before it is
 * anything at all; a bad one leaves the train as it was.
 *
 * The first header speaks for the train, with the newest word about the other
 * direction: acknowledgement, window and echoed timestamp. The timestamp
 * proper stays the first's, as for a delayed ACK (RFC 7323, 4.3). */
#include "gro.h"

#include "buffer.h"
#include "burst.h"
#include "bytes.h"
#include "flow.h"
#include "input.h"

#include <netinet/in.h>

#define ROOM_AHEAD 16u	  /* the IP header lies aligned */
#define SLACK 64u	  /* that the SDK promises behind the room */
#define TRAIN_MOST 65535u /* what an IP packet may be long */
#define TCP_ACK_AT 8u
#define TCP_RESERVED_AT 12u
#define TCP_WINDOW_AT 14u
#define STAMPED_HEADER 32u /* TCP with timestamps as everybody lays them out */
#define STAMP_AT 24u
#define ECHO_AT 28u

static bool is_older(const uint8_t *a, const uint8_t *b)
{
	return (int32_t)(get32(a) - get32(b)) < 0;
}

static bool is_stamped(const struct packet *p)
{
	static const uint8_t lead[] = {1, 1, 8, 10}; /* two NOPs, timestamps */

	return p->payload - p->l4 == STAMPED_HEADER &&
	       memcmp(p->data + p->l4 + TCP_HEADER, lead, sizeof lead) == 0;
}

static bool is_tcp(const struct packet *p)
{
	return p->key.protocol == IPPROTO_TCP;
}

/* Could a train begin with it? Its payload has to be longer than its headers,
 * or the next packet's would lie over them. */
static bool begins(const struct packet *p)
{
	if (p->fragment || p->l4 != (p->key.v6 ? IP6_HEADER : IP4_HEADER) ||
	    p->len - p->payload < p->payload)
		return false;
	if (is_tcp(p))
		return (p->data[p->l4 + TCP_FLAGS_AT] & ~TCP_FLAG_ECE) ==
		       TCP_FLAG_ACK;
	return p->key.protocol == IPPROTO_UDP;
}

/* All that the IP header says beside addresses, length and identification. */
static bool same_ip(const struct packet *a, const struct packet *b)
{
	if (b->l4 != a->l4)
		return false;
	if (a->key.v6)
		return memcmp(a->data, b->data, 4) == 0 &&
		       a->data[7] == b->data[7];
	return memcmp(a->data, b->data, 2) == 0 &&
	       memcmp(a->data + 6, b->data + 6, 3) == 0;
}

static bool follows_tcp(const struct packet *t, const struct packet *p)
{
	const uint8_t *a = t->data + t->l4, *b = p->data + p->l4;

	if (p->tcp_seq != t->tcp_seq + (t->len - t->payload) ||
	    a[TCP_RESERVED_AT] != b[TCP_RESERVED_AT] ||
	    (b[TCP_FLAGS_AT] & ~TCP_FLAG_PSH) != a[TCP_FLAGS_AT] ||
	    is_older(b + TCP_ACK_AT, a + TCP_ACK_AT))
		return false;
	if (is_stamped(t) && is_stamped(p))
		return !is_older(b + STAMP_AT, a + STAMP_AT) &&
		       !is_older(b + ECHO_AT, a + ECHO_AT);
	return memcmp(a + TCP_HEADER, b + TCP_HEADER,
		      t->payload - t->l4 - TCP_HEADER) == 0;
}

static bool same_flow(const struct packet *a, const struct packet *b)
{
	return memcmp(&a->key, &b->key, sizeof a->key) == 0;
}

static bool follows(const struct gro *g, const struct packet *p)
{
	const struct packet *t = &g->train;
	uint32_t len = p->len - p->payload;

	return !p->fragment && len && len <= g->unit &&
	       p->payload == t->payload && t->len + len <= TRAIN_MOST &&
	       same_flow(t, p) && same_ip(t, p) &&
	       (!is_tcp(t) || follows_tcp(t, p));
}

static void hand_on(struct weir_link *link)
{
	struct gro *g = &link->gro;
	int n = g->n;

	g->n = 0;
	input_packets(link, g->ready, g->buffers, n);
}

static void make_ready(struct weir_link *link, const struct packet *p,
		       struct weir_buffer *b)
{
	struct gro *g = &link->gro;

	if (g->n == GRO_GROUP)
		hand_on(link);
	g->ready[g->n] = *p;
	g->buffers[g->n++] = b;
}

static void train_end(struct weir_link *link)
{
	struct gro *g = &link->gro;

	make_ready(link, &g->train, g->slab);
	g->train.data = NULL;
	g->slab = NULL;
}

static struct weir_buffer *slab_get(struct weir_link *link)
{
	struct weir_buffer *b = buffer_get(link->stack);

	if (b || !link->gro.n)
		return b;
	hand_on(link); /* what is ready may give some back */
	return buffer_get(link->stack);
}

uint8_t *gro_room(struct weir_link *link, uint32_t bytes)
{
	struct netstack *s = link->stack;
	struct gro *g = &link->gro;
	struct packet *t = &g->train;

	if (!s->batch_us)
		s->batch_us = s->host->now_us();
	if (t->data && ROOM_AHEAD + t->len - t->payload + bytes + SLACK >
			       g->slab->capacity)
		train_end(link);
	if (t->data) {
		g->room = t->data + t->len - t->payload;
		memcpy(g->saved, g->room, t->payload);
		return g->room;
	}
	if (!g->slab)
		g->slab = slab_get(link);
	g->room = g->slab ? g->slab->data + ROOM_AHEAD : NULL;
	return g->room;
}

static void restore(struct gro *g)
{
	if (g->train.data)
		memcpy(g->room, g->saved, g->train.payload);
}

/* Its payload lies in place already. */
static void join(struct weir_link *link, const struct packet *p)
{
	struct gro *g = &link->gro;
	struct packet *t = &g->train;
	uint8_t *to = t->data + t->l4;
	const uint8_t *from = p->data + p->l4;
	uint32_t len = p->len - p->payload;
	bool last = len < g->unit;

	if (is_tcp(t)) {
		memcpy(to + TCP_ACK_AT, from + TCP_ACK_AT, 4);
		memcpy(to + TCP_WINDOW_AT, from + TCP_WINDOW_AT, 2);
		if (is_stamped(t))
			memcpy(to + ECHO_AT, from + ECHO_AT, 4);
		to[TCP_FLAGS_AT] |= from[TCP_FLAGS_AT];
		last |= from[TCP_FLAGS_AT] & TCP_FLAG_PSH;
	}
	restore(g);
	t->len += len;
	t->gso_size = (uint16_t)g->unit;
	if (last)
		train_end(link);
}

/* Off the train's tail, to a slab of its own. NULL: it is lost. */
static struct weir_buffer *move_off(struct weir_link *link, struct packet *p)
{
	struct weir_buffer *b = slab_get(link);

	if (b) {
		memcpy(b->data + ROOM_AHEAD, p->data, p->len);
		p->data = b->data + ROOM_AHEAD;
	} else {
		stack_add(link->stack, COUNT_MEMORY_DROPPED, 1);
	}
	restore(&link->gro);
	return b;
}

static bool may_pass(const struct packet *train, const struct packet *p)
{
	return is_tcp(p) && !p->fragment && p->payload == p->len &&
	       !same_flow(train, p);
}

/* A packet that goes on no train there is. */
static void begin(struct weir_link *link, struct packet *p)
{
	struct gro *g = &link->gro;
	struct weir_buffer *b = g->slab;

	if (g->train.data) {
		b = move_off(link, p);
		if (!b)
			return;
		if (may_pass(&g->train, p)) {
			make_ready(link, p, b);
			return;
		}
		train_end(link);
	}
	if (!begins(p)) {
		make_ready(link, p, b);
		g->slab = NULL;
		return;
	}
	g->slab = b;
	g->train = *p;
	g->unit = p->len - p->payload;
}

void gro_put(struct weir_link *link, uint32_t len, unsigned flags)
{
	struct gro *g = &link->gro;
	struct packet p;
	enum drop drop;

	if (!len) {
		restore(g);
		return;
	}
	drop = packet_parse_bytes(g->room, len, flags, &p);
	if (drop) {
		stack_add(link->stack, COUNT_DROP + drop, 1);
		restore(g);
	} else if (g->train.data && follows(g, &p)) {
		join(link, &p);
	} else {
		begin(link, &p);
	}
}

void gro_flush(struct weir_link *link)
{
	struct gro *g = &link->gro;

	if (g->train.data)
		train_end(link);
	if (g->slab)
		buffer_put(link->stack, g->slab);
	g->slab = NULL;
	hand_on(link);
	burst_done(link->stack);
	flow_flush(link);
	link->stack->batch_us = 0;
}

void gro_detach(struct weir_link *link)
{
	struct gro *g = &link->gro;

	if (g->slab)
		buffer_put(link->stack, g->slab);
	for (int i = 0; i < g->n; i++)
		buffer_put(link->stack, g->buffers[i]);
	memset(g, 0, sizeof *g);
}
