/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pmtu.c - how large a packet a path takes.
 *
 * A router that drops a segment because it is too big says so (RFC 1191, 8201)
 * and quotes it. Anybody could claim that, so it is believed only about what is
 * in flight now (RFC 5927), down to the least MTU that a path must have, and
 * not often. Then the wire MSS is less for the rest of the connection, and what
 * was too big goes out again, which is no sign of congestion.
 *
 * Where no router says so, full segments vanish: after two timeouts in a row
 * without progress smaller ones are tried (RFC 4821, 7.7). If these get
 * through, they stay; but the path may just have been dead for a while, so the
 * old size is tried once more later. If they do not, size was not the cause.
 *
 * A flow's datagrams and pings that are larger than a router said go out in
 * fragments from then on, as a kernel would send them, and so do answers to
 * pings. The one that the router dropped is gone: where the stack is the
 * client, its sender is told.
 *
 * Segments that lwIP has built stay as they are. They are sent as trains of the
 * new size, which the link or cut.c cuts. */
#include "pmtu.h"

#include "flow.h"
#include "narrow.h"
#include "scoreboard.h"

#include <errno.h>

#define MTU4_LEAST 576u /* smaller ones are no use to anybody today */
#define MTU6_LEAST 1280u
#define BELIEVE_EVERY_MS 100u
#define BLACK_HOLE_TIMEOUTS 2u
#define RETRY_AFTER_MS 30000u

static const uint32_t smaller_mtus[] = {MTU6_LEAST, MTU4_LEAST};

static uint32_t now_ms(const struct conn *c)
{
	return (uint32_t)(stack_now_us(c->stack) / 1000);
}

static uint32_t payload_of(const struct conn *c, uint32_t mtu)
{
	return mtu - (c->node.key.v6 ? IP6_HEADER : IP4_HEADER) - TCP_HEADER -
	       c->options_len;
}

static void set_mss(struct conn *c, uint32_t mss)
{
	struct recovery *r = &c->recovery;

	r->mss = r->cc.mss = mss;
	r->train = mss;
	r->train_most = conn_train(c, mss);
	r->train_since = (uint32_t)r->rate.delivered;
	c->pmtu.changed_ms = now_ms(c);
}

static struct conn *quoted_conn(struct weir_link *link, const struct packet *p)
{
	struct tuple key;

	packet_quoted_key(p, &key);
	return (struct conn *)(void *)table_find(&link->conns,
						 &link->stack->key, &key);
}

static bool enough(const struct packet *p)
{
	return p->too_big >= (p->key.v6 ? MTU6_LEAST : MTU4_LEAST);
}

static bool believable(const struct conn *c, const struct packet *p)
{
	const struct tcp_pcb *pcb = c->pcb;

	return c->established && pcb && pcb->state != TIME_WAIT &&
	       p->tcp_seq - pcb->lastack < pcb->snd_nxt - pcb->lastack &&
	       enough(p) && p->too_big <= c->link->mtu &&
	       payload_of(c, p->too_big) < c->recovery.mss &&
	       now_ms(c) - c->pmtu.changed_ms >= BELIEVE_EVERY_MS;
}

static bool lower_conn(struct weir_link *link, const struct packet *p)
{
	struct conn *c = quoted_conn(link, p);

	if (!c || !believable(c, p))
		return false;
	narrow_learn(link, &c->node.key, p->too_big);
	set_mss(c, payload_of(c, p->too_big));
	c->pmtu.before = 0;
	c->pmtu.timeouts = 0;
	c->pmtu.trying = false;
	/* What did not fit has to go again. The window stays. */
	scoreboard_lose_larger(&c->recovery, c->recovery.mss);
	conn_settle(c);
	return true;
}

static bool lower_flow(struct weir_link *link, const struct packet *p)
{
	struct flow *f = flow_quoted(link, p);
	struct tuple key;

	if (!f || !enough(p) || p->too_big >= f->mtu)
		return false;
	packet_quoted_key(p, &key);
	narrow_learn(link, &key, p->too_big);
	f->mtu = p->too_big;
	if (f->outward)
		flow_lost(f, p, EMSGSIZE);
	return true;
}

void pmtu_input(struct weir_link *link, const struct packet *p)
{
	bool lowered = p->quoted == IPPROTO_TCP ? lower_conn(link, p)
						: lower_flow(link, p);

	stack_add(link->stack,
		  lowered ? COUNT_PMTU_LOWERED : COUNT_PMTU_IGNORED, 1);
}

/* If there is no smaller size to try, the size was not the cause. */
static void try_smaller(struct conn *c)
{
	struct pmtu *m = &c->pmtu;
	size_t n = sizeof smaller_mtus / sizeof *smaller_mtus - c->node.key.v6;

	for (size_t i = 0; i < n; i++) {
		uint32_t mss = payload_of(c, smaller_mtus[i]);

		if (mss >= c->recovery.mss)
			continue;
		if (!m->before)
			m->before = (uint16_t)c->recovery.mss;
		m->trying = true;
		set_mss(c, mss);
		return;
	}
	if (m->trying) {
		set_mss(c, m->before);
		stack_add(c->stack, COUNT_BLACK_HOLES_UNDONE, 1);
	}
	m->before = 0;
	m->trying = false;
	m->gave_up = true;
}

void pmtu_timeout(struct conn *c)
{
	struct pmtu *m = &c->pmtu;

	if (!c->established || m->gave_up || !c->pcb->snd_wnd ||
	    c->pcb->unacked->len < c->recovery.mss)
		return;
	if (++m->timeouts < BLACK_HOLE_TIMEOUTS)
		return;
	m->timeouts = 0;
	try_smaller(c);
}

void pmtu_progress(struct conn *c)
{
	struct pmtu *m = &c->pmtu;

	m->timeouts = 0;
	m->gave_up = false;
	if (m->trying) {
		m->trying = false;
		stack_add(c->stack, COUNT_BLACK_HOLES, 1);
	} else if (m->before && !m->retried &&
		   now_ms(c) - m->changed_ms >= RETRY_AFTER_MS) {
		set_mss(c, m->before);
		m->before = 0;
		m->retried = true;
	}
}
