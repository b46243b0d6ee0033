/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reorder.c - what came ahead of a hole.
 *
 * lwIP would keep such segments in a list and walk it for each. Here they are
 * contiguous ranges, one a hole, sorted in an array: a segment that goes on
 * where the newest range ends is put there at once, any other finds its place
 * by halving. A range is a chain of pbufs as the receive queue is, so when the
 * hole before it is filled it is hung on there as a whole (reorder_join, called
 * while lwIP hands over the segment that filled it, so that the ACK of that one
 * acknowledges all). lwIP sees of a segment ahead only the header (demux.c):
 * acknowledgement, window and timestamps are its business still.
 *
 * SACK blocks name the ranges that changed last first (RFC 2018, 4); bytes that
 * came twice lead the next ACK (RFC 2883). They are put into the pcb just
 * before an ACK goes out and taken away after: lwIP must not find any, or it
 * would send an ACK of its own for each segment. A FIN that comes early is
 * remembered by where it stands.
 *
 * Payload and array count against the budget (memory.c), and ranges are
 * bounded: of what comes with ever more holes the rest is dropped, as by a
 * path that loses more. */
#include "reorder.h"

#include "buffer.h"
#include "conn.h"
#include "memory.h"

#include "lwip/priv/tcp_priv.h"

#include <stdlib.h>

#define RANGES_FIRST 8u
#define RANGES_MOST 2048u

struct range {
	uint32_t left, right;
	struct pbuf *first, *last;
};

struct reorder {
	uint32_t n, room;
	bool fin, untold, urgent;
	uint8_t recents;
	uint32_t fin_at;		/* behind the last byte */
	struct tcp_sack_range repeated; /* empty: nothing was */
	struct tcp_sack_range recent[LWIP_TCP_MAX_SACK_NUM]; /* to tell of */
	struct range v[];
};

static uint32_t size_of(uint32_t room)
{
	return (uint32_t)(sizeof(struct reorder) + room * sizeof(struct range));
}

/* Room for that many ranges, for none: NULL. */
static bool resize(struct conn *c, uint32_t room)
{
	struct reorder *r = c->reorder;
	uint32_t old = r ? size_of(r->room) : 0, size = size_of(room);

	if (room > RANGES_MOST ||
	    !buffer_admits(c->stack, c->rx_held, size - old, false))
		return false;
	r = realloc(r, size);
	if (!r)
		return false;
	if (!old)
		memset(r, 0, size);
	c->reorder = r;
	r->room = room;
	c->rx_held += size - old;
	memory_take(c->stack, size - old);
	return true;
}

static bool exists(struct conn *c)
{
	return c->reorder || resize(c, RANGES_FIRST);
}

static void chain_free(struct pbuf *p)
{
	while (p) {
		struct pbuf *next = p->next;

		p->next = NULL;
		p->tot_len = p->len;
		pbuf_free(p);
		p = next;
	}
}

static void ranges_remove(struct reorder *r, uint32_t at, uint32_t n)
{
	r->n -= n;
	memmove(&r->v[at], &r->v[at + n], (r->n - at) * sizeof r->v[0]);
}

void reorder_free(struct conn *c)
{
	struct reorder *r = c->reorder;

	if (!r)
		return;
	for (uint32_t i = 0; i < r->n; i++)
		chain_free(r->v[i].first);
	c->rx_held -= size_of(r->room);
	memory_give(c->stack, size_of(r->room));
	free(r);
	c->reorder = NULL;
}

static void free_if_idle(struct conn *c)
{
	struct reorder *r = c->reorder;

	if (r && !r->n && !r->fin && r->repeated.left == r->repeated.right)
		reorder_free(c);
}

/* The first range that ends at `seq` or later. */
static uint32_t find(const struct reorder *r, uint32_t seq)
{
	uint32_t low = 0, high = r->n;

	if (high && TCP_SEQ_GEQ(seq, r->v[high - 1].right))
		return high - (seq == r->v[high - 1].right);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (TCP_SEQ_GEQ(r->v[middle].right, seq))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* A block to name first. Those it touches are part of it. */
static void note_recent(struct reorder *r, uint32_t left, uint32_t right)
{
	struct tcp_sack_range kept[LWIP_TCP_MAX_SACK_NUM] = {{left, right}};
	uint8_t n = 1;

	for (int i = 0; i < r->recents && n < LWIP_TCP_MAX_SACK_NUM; i++) {
		const struct tcp_sack_range *s = &r->recent[i];

		if (TCP_SEQ_LT(s->right, left) || TCP_SEQ_LT(right, s->left))
			kept[n++] = *s;
	}
	memcpy(r->recent, kept, n * sizeof kept[0]);
	r->recents = n;
}

/* What is acknowledged now is no block any more. */
static void forget_recent(struct reorder *r, uint32_t before)
{
	uint8_t n = 0;

	for (int i = 0; i < r->recents; i++)
		if (TCP_SEQ_GT(r->recent[i].right, before))
			r->recent[n++] = r->recent[i];
	r->recents = n;
}

static void cut_front(struct pbuf *p, uint32_t n)
{
	p->payload = (char *)p->payload + n;
	p->len = (u16_t)(p->len - n);
}

/* Range `at` has grown at its end: it takes in those that it reaches. What was
 * there stays, but for what is covered as a whole. */
static void absorb(struct reorder *r, uint32_t at)
{
	struct range *g = &r->v[at];
	uint32_t next = at + 1;

	while (next < r->n && TCP_SEQ_LEQ(r->v[next].left, g->right)) {
		struct range *o = &r->v[next++];

		if (TCP_SEQ_LEQ(o->right, g->right)) {
			chain_free(o->first);
			continue;
		}
		g->last->len = (u16_t)(g->last->len - (g->right - o->left));
		g->last->next = o->first;
		g->last = o->last;
		g->right = o->right;
	}
	ranges_remove(r, at + 1, next - at - 1);
}

/* A new range before that at `at`. */
static bool range_open(struct conn *c, uint32_t at, uint32_t left,
		       uint32_t right, struct pbuf *p)
{
	struct reorder *r = c->reorder;

	if (r->n == r->room) {
		if (!resize(c, 2 * r->room))
			return false;
		r = c->reorder;
	}
	memmove(&r->v[at + 1], &r->v[at], (r->n - at) * sizeof r->v[0]);
	r->v[at] = (struct range){left, right, p, p};
	r->n++;
	r->urgent = true;
	return true;
}

/* To the end of a range that begins no later and ends sooner. */
static void range_append(struct conn *c, struct range *g, uint32_t seq,
			 uint32_t end, struct pbuf *p)
{
	if (seq != g->right)
		reorder_repeated(c, seq, g->right);
	cut_front(p, g->right - seq);
	g->last->next = p;
	g->last = p;
	g->right = end;
}

static void keep_payload(struct conn *c, uint32_t seq, struct pbuf *p)
{
	struct reorder *r = c->reorder;
	uint32_t end = seq + p->len, at = find(r, seq);
	bool reaches = at < r->n && TCP_SEQ_LEQ(r->v[at].left, seq);

	if (reaches && TCP_SEQ_LEQ(end, r->v[at].right)) {
		reorder_repeated(c, seq, end);
		pbuf_free(p);
	} else if (reaches) {
		range_append(c, &r->v[at], seq, end, p);
	} else if (!range_open(c, at, seq, end, p)) {
		stack_add(c->stack, COUNT_MEMORY_DROPPED, 1);
		pbuf_free(p);
		return;
	}
	r = c->reorder;
	absorb(r, at);
	note_recent(r, r->v[at].left, r->v[at].right);
}

static void keep_fin(struct reorder *r, uint32_t at)
{
	if (r->fin || (r->n && TCP_SEQ_GT(r->v[r->n - 1].right, at)))
		return;
	r->fin = true;
	r->fin_at = at;
	if (!r->n || r->v[r->n - 1].right != at)
		note_recent(r, at, at);
}

void reorder_keep(struct conn *c, uint32_t seq, struct pbuf *p, bool fin)
{
	uint32_t end = seq + (p ? p->len : 0);
	struct reorder *r;

	if (!exists(c)) {
		if (p)
			pbuf_free(p);
		return;
	}
	r = c->reorder;
	r->untold = true;
	r->urgent |= !(c->pcb->flags & TF_SACK);
	if (r->fin && TCP_SEQ_GT(end, r->fin_at)) { /* nothing can be there */
		if (p)
			pbuf_free(p);
		return;
	}
	if (p)
		keep_payload(c, seq, p);
	if (fin)
		keep_fin(c->reorder, end);
}

void reorder_join(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	struct reorder *r = c->reorder;
	uint32_t n = 0;

	for (; n < r->n && TCP_SEQ_LEQ(r->v[n].left, pcb->rcv_nxt); n++) {
		struct range *g = &r->v[n];
		uint32_t gain = g->right - pcb->rcv_nxt;

		if (TCP_SEQ_LEQ(g->right, pcb->rcv_nxt)) {
			chain_free(g->first);
			continue;
		}
		while (g->first->len <= pcb->rcv_nxt - g->left) {
			struct pbuf *p = g->first;

			g->left += p->len;
			g->first = p->next;
			p->next = NULL;
			chain_free(p);
		}
		cut_front(g->first, pcb->rcv_nxt - g->left);
		pcb->rcv_nxt += gain;
		pcb->rcv_wnd -= gain;
		tcp_update_rcv_ann_wnd(pcb);
		receive_chain(c, g->first, g->last, gain);
	}
	ranges_remove(r, 0, n);
	if (r->fin && TCP_SEQ_LT(r->fin_at, pcb->rcv_nxt))
		r->fin = false;
	forget_recent(r, pcb->rcv_nxt);
	tcp_ack_now(pcb); /* who fills a gap waits for it (RFC 5681, 4.2) */
	free_if_idle(c);
}

bool reorder_fin_due(const struct conn *c)
{
	const struct reorder *r = c->reorder;

	return r && r->fin && r->fin_at == c->pcb->rcv_nxt;
}

void reorder_repeated(struct conn *c, uint32_t left, uint32_t right)
{
	if (!(c->pcb->flags & TF_SACK) || !exists(c))
		return;
	c->reorder->repeated.left = left;
	c->reorder->repeated.right = right;
	c->reorder->untold = true;
}

bool reorder_untold(const struct conn *c)
{
	return c->reorder && c->reorder->untold;
}

bool reorder_urgent(const struct conn *c)
{
	return c->reorder && c->reorder->urgent;
}

void reorder_tell(struct conn *c)
{
	const struct reorder *r = c->reorder;
	struct tcp_sack_range *to = c->pcb->rcv_sacks;
	int n = 0;

	if (!r)
		return;
	if (r->repeated.left != r->repeated.right)
		to[n++] = r->repeated;
	for (int i = 0; i < r->recents && n < LWIP_TCP_MAX_SACK_NUM; i++) {
		to[n] = r->recent[i];
		to[n++].right += r->fin && r->recent[i].right == r->fin_at;
	}
}

void reorder_told(struct conn *c)
{
	struct reorder *r = c->reorder;

	memset(c->pcb->rcv_sacks, 0, sizeof c->pcb->rcv_sacks);
	if (!r)
		return;
	r->untold = r->urgent = false;
	r->repeated.left = r->repeated.right = 0;
	free_if_idle(c);
}
