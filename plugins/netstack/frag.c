/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frag.c - fragments become packets again.
 *
 * Pieces are copied and kept sorted. Any overlap condemns the whole datagram
 * (RFC 5722, and for IPv4 alike: honest fragments never overlap); an exact
 * repetition is ignored, and what cannot be a piece of any datagram takes no
 * memory. That is bounded in bytes over all links; when it is used up the
 * oldest datagram goes, and none waits longer than 30 s. What has been put
 * together starts again at the gate, where its checksums are read. */
#include "frag.h"

#include "buffer.h"
#include "bytes.h"
#include "checksum.h"
#include "ecn.h"
#include "memory.h"

#include <stdlib.h>

#define EXPIRE_US (30 * SECOND_US)
#define PIECES_MOST 256u

struct piece {
	struct piece *next;
	uint32_t at, len; /* of the payload within the whole */
	uint32_t header;  /* bytes of IP header before the payload */
	uint16_t next_at; /* IPv6: where the fragment header was named */
	uint8_t bytes[];  /* header, payload */
};

struct reassembly {
	struct node node; /* first */
	struct reassembly *older, *newer;
	struct piece *pieces;
	uint32_t have, total; /* payload bytes; total 0: not known yet */
	uint32_t count, memory;
	uint64_t expires_us;
	bool poisoned; /* overlapped: swallow the rest in silence */
};

static void drop_pieces(struct netstack *s, struct reassembly *r)
{
	while (r->pieces) {
		struct piece *piece = r->pieces;

		r->pieces = piece->next;
		free(piece);
	}
	s->fragment_bytes -= r->memory;
	memory_give(s, r->memory);
	r->memory = 0;
	stack_add(s, COUNT_FRAGMENTS_DROPPED, r->count);
	r->count = 0;
}

static void reassembly_free(struct netstack *s, struct reassembly *r)
{
	drop_pieces(s, r);
	s->fragment_bytes -= sizeof *r;
	memory_give(s, sizeof *r);
	*(r->older ? &r->older->newer : &s->oldest) = r->newer;
	*(r->newer ? &r->newer->older : &s->newest) = r->older;
	table_remove(&s->fragments, &r->node);
	free(r);
	if (!s->oldest)
		wheel_stop(&s->wheel, &s->fragment_timer);
}

static void expire(struct wheel_timer *t, uint64_t now_us)
{
	struct netstack *s =
		(struct netstack *)(void *)((char *)t -
					    offsetof(struct netstack,
						     fragment_timer));

	while (s->oldest && s->oldest->expires_us <= now_us)
		reassembly_free(s, s->oldest);
	if (s->oldest)
		wheel_set(&s->wheel, t, s->oldest->expires_us);
}

bool frag_init(struct netstack *s)
{
	s->fragment_timer.user = WHEEL_FRAGMENTS;
	s->wheel.fire[WHEEL_FRAGMENTS] = expire;
	return table_init(&s->fragments);
}

void frag_fini(struct netstack *s)
{
	table_fini(&s->fragments);
}

void frag_detach(struct weir_link *link)
{
	struct reassembly *r = link->stack->oldest;

	while (r) {
		struct reassembly *next = r->newer;

		if (r->node.key.realm == link->id)
			reassembly_free(link->stack, r);
		r = next;
	}
}

static struct reassembly *find_or_start(struct weir_link *link,
					const struct packet *p)
{
	struct netstack *s = link->stack;
	struct tuple key = p->key;
	struct reassembly *r;

	key.remote_port = (uint16_t)p->fragment_id;
	key.local_port = (uint16_t)(p->fragment_id >> 16);
	key.realm = link->id;
	r = (struct reassembly *)(void *)table_find(&s->fragments, &s->key,
						    &key);
	if (r)
		return r;
	r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	table_insert(&s->fragments, &s->key, &key, &r->node);
	r->older = s->newest;
	*(r->older ? &r->older->newer : &s->oldest) = r;
	s->newest = r;
	s->fragment_bytes += sizeof *r;
	memory_take(s, sizeof *r);
	r->expires_us = stack_now_us(s) + EXPIRE_US;
	wheel_set(&s->wheel, &s->fragment_timer, s->oldest->expires_us);
	return r;
}

static struct piece *piece_copy(const struct packet *p)
{
	struct piece *piece = malloc(sizeof *piece + p->len);

	if (!piece)
		return NULL;
	piece->header = p->l4;
	piece->next_at = p->next_at;
	piece->at = p->fragment_at;
	piece->len = p->len - p->l4;
	memcpy(piece->bytes, p->data, p->len);
	return piece;
}

static bool piece_possible(const struct packet *p)
{
	uint32_t len = p->len - p->l4;

	return len && !(p->more && len % 8) &&
	       p->fragment_at + len <= IP_TOTAL_MOST;
}

/* Does it agree with what we have? */
static bool piece_fits(const struct reassembly *r, const struct packet *p)
{
	uint32_t end = p->fragment_at + p->len - p->l4;

	if (r->count >= PIECES_MOST)
		return false;
	return !r->total || (end <= r->total && (p->more || end == r->total));
}

enum place { PLACE_FREE, PLACE_REPEATED, PLACE_TAKEN };

/* Where the piece goes: *slot is set for PLACE_FREE. */
static enum place find_place(struct reassembly *r, const struct packet *p,
			     struct piece ***slot)
{
	uint32_t at = p->fragment_at, end = at + p->len - p->l4;
	struct piece **link = &r->pieces;

	while (*link && (*link)->at + (*link)->len <= at)
		link = &(*link)->next;
	*slot = link;
	if (!*link)
		return PLACE_FREE;
	if (!p->more)
		return (*link)->at == at && (*link)->at + (*link)->len == end
			       ? PLACE_REPEATED
			       : PLACE_TAKEN;
	if ((*link)->at >= end)
		return PLACE_FREE;
	return (*link)->at == at && (*link)->len == end - at ? PLACE_REPEATED
							     : PLACE_TAKEN;
}

static void make_room(struct netstack *s, const struct reassembly *keep)
{
	struct reassembly *r = s->oldest;

	while (r && (s->fragment_bytes > s->conf->fragment_memory ||
		     s->memory_used > s->memory_most)) {
		struct reassembly *next = r->newer;

		if (r != keep)
			reassembly_free(s, r);
		r = next;
	}
}

static void piece_insert(struct netstack *s, struct reassembly *r,
			 const struct packet *p, struct piece **slot)
{
	struct piece *piece = piece_copy(p);
	uint32_t memory = (uint32_t)sizeof *piece + p->len;

	if (!piece)
		return;
	piece->next = *slot;
	*slot = piece;
	r->have += piece->len;
	r->count++;
	r->memory += memory;
	s->fragment_bytes += memory;
	memory_take(s, memory);
	if (!p->more)
		r->total = piece->at + piece->len;
	make_room(s, r);
}

/* Header of the first piece, as if there had been no fragments; the header's
 * own length fields come after. */
static void join_header(uint8_t *to, const struct piece *first, bool v6,
			uint32_t len)
{
	memcpy(to, first->bytes, len);
	if (v6)
		to[first->next_at] = first->bytes[len];
}

static void fix_lengths(uint8_t *ip, uint32_t header, uint32_t total, bool v6)
{
	uint16_t sum;

	put16(ip + (v6 ? 4 : 2), v6 ? total - IP6_HEADER : total);
	if (v6)
		return;
	memset(ip + 6, 0, 2);
	memset(ip + 10, 0, 2);
	sum = (uint16_t)~checksum_fold(checksum_add(0, ip, header));
	memcpy(ip + 10, &sum, 2);
}

/* A mark on a piece is one on the whole (RFC 3168, 5.3). */
static bool any_is_marked(const struct reassembly *r)
{
	for (const struct piece *p = r->pieces; p; p = p->next)
		if (ecn_field(p->bytes, r->node.key.v6) == ECN_CE)
			return true;
	return false;
}

static struct weir_buffer *join(struct netstack *s, const struct reassembly *r,
				uint32_t *total)
{
	bool v6 = r->node.key.v6;
	uint32_t most = IP_TOTAL_MOST + (v6 ? IP6_HEADER : 0);
	struct weir_buffer *b;
	uint32_t header = r->pieces->header - (v6 ? IP6_FRAGMENT_HEADER : 0);

	if (header + r->total > most) /* IPv6 does not count its header */
		return NULL;
	b = buffer_get(s);
	if (!b)
		return NULL;
	join_header(b->data, r->pieces, v6, header);
	if (any_is_marked(r))
		b->data[1] |= (uint8_t)(v6 ? ECN_CE << 4 : ECN_CE);
	for (const struct piece *p = r->pieces; p; p = p->next)
		memcpy(b->data + header + p->at, p->bytes + p->header, p->len);
	*total = header + r->total;
	fix_lengths(b->data, header, *total, v6);
	return b;
}

struct weir_buffer *frag_input(struct weir_link *link, const struct packet *p,
			       uint32_t *len)
{
	struct netstack *s = link->stack;
	struct reassembly *r =
		piece_possible(p) ? find_or_start(link, p) : NULL;
	struct weir_buffer *whole = NULL;
	struct piece **slot;
	enum place place = PLACE_TAKEN;

	if (!r || r->poisoned) {
		stack_add(s, COUNT_FRAGMENTS_DROPPED, 1);
		return NULL;
	}
	if (piece_fits(r, p))
		place = find_place(r, p, &slot);
	if (place == PLACE_REPEATED)
		return NULL;
	if (place == PLACE_TAKEN) {
		stack_add(s, COUNT_FRAGMENTS_DROPPED, 1);
		drop_pieces(s, r);
		r->poisoned = true;
		return NULL;
	}
	piece_insert(s, r, p, slot);
	if (!r->total || r->have != r->total)
		return NULL;
	whole = join(s, r, len);
	if (whole)
		r->count = 0; /* they are not counted as dropped */
	reassembly_free(s, r);
	return whole;
}
