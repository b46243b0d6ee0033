/* SPDX-License-Identifier: GPL-2.0-or-later */
/* retransmit.c - when no ACK comes.
 *
 * One deadline stands in for two. While all goes well it is a probe: two round
 * trips after the last progress the newest segment is sent again, so that its
 * ACK tells what is missing (RFC 8985, 7). After that, or in recovery, it is
 * the timeout of RFC 6298 with a floor of 200 ms: all that is in flight counts
 * as lost, the window shrinks to one segment, and the wait doubles each time
 * until the client is given up. A peer that has reported the first of them by
 * SACK and yet does not acknowledge it has thrown it away: its SACK blocks
 * count no more. */
#include "pmtu.h"
#include "port.h"
#include "scoreboard.h"

#include <errno.h>

#define RTO_MAX_US 60000000ull
#define GIVE_UP_TIMEOUTS 10u
#define GIVE_UP_SYNS 5u
#define PROBE_EXTRA_US 5000u
#define DELAYED_ACK_US 40000u

/* How long until a probe makes sense; 0: it is for the timeout to come. What is
 * sent meanwhile puts it off, but not beyond the timeout of the oldest (RFC
 * 8985, 7.2). */
static uint64_t probe_after_us(const struct conn *c, uint64_t now_us)
{
	const struct recovery *r = &c->recovery;
	const struct tcp_seg *oldest =
		r->flight ? flight_first(r->flight)->first : NULL;
	uint64_t after = 2ull * r->srtt_us + PROBE_EXTRA_US;
	uint32_t waited;

	if (c->pcb->state < ESTABLISHED || r->in_recovery || r->after_timeout ||
	    r->probe_out || !r->srtt_us || r->sacked || !oldest)
		return 0;
	if (!oldest->next)
		after += DELAYED_ACK_US;
	if (after >= r->rto_us)
		return 0;
	waited = (uint32_t)(now_us - note_of(oldest)->sent_us);
	if (waited >= r->rto_us)
		return 1;
	return after < r->rto_us - waited ? after : r->rto_us - waited;
}

void recovery_arm(struct conn *c)
{
	struct recovery *r = &c->recovery;
	uint64_t now_us = stack_now_us(c->stack);
	uint64_t after = probe_after_us(c, now_us);

	if (c->retransmit_at && !r->timer_is_probe)
		return;
	r->timer_is_probe = after;
	if (!after) {
		after = (uint64_t)r->rto_us << r->backoff;
		if (after > RTO_MAX_US)
			after = RTO_MAX_US;
	}
	c->retransmit_at = conn_deadline(now_us + after);
}

static void probe_tail(struct conn *c)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = r->flight->tail;

	r->probe_out = true;
	r->in_doubt = false; /* what comes twice now is the probe */
	r->resent = 0;
	if (seg->flags & (SEGMENT_LOST | SEGMENT_SACKED) ||
	    !tcp_resend(c->pcb, seg))
		return;
	scoreboard_resent(r, seg);
	r->resent_end = c->pcb->snd_nxt;
	r->tail_in_doubt = true;
}

static void timeout(struct conn *c)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *first = c->pcb->unacked;
	bool again = r->in_recovery || r->after_timeout || r->marked;

	r->cc.can_undo &= again;
	r->cc.ops->on_timeout(&r->cc, again);
	recovery_reduced(c);
	if (!r->after_timeout)
		r->resent_stamp = port_stamp_now();
	r->in_recovery = r->marked = false;
	r->after_timeout = true;
	r->in_doubt = false;
	r->resent = 0;
	r->reorder_at_us = 0;
	r->train = r->mss;
	r->train_since = (uint32_t)r->rate.delivered;
	if (!(c->pcb->flags & TF_SACK))
		r->sacked = r->duplicates = 0;
	if (first->flags & SEGMENT_SACKED)
		scoreboard_forget_sacks(c);
	scoreboard_lose_all(r);
	if (!first->len) { /* SYN or FIN alone: no bytes to count */
		if (tcp_resend(c->pcb, first))
			scoreboard_resent(r, first);
	} else {
		r->force = true;
		tcp_output(c->pcb);
	}
}

/* A peer that answers and has closed its window is not gone: what is sent again
 * is a probe of the window (RFC 9293, 3.8.6.1). */
static bool is_gone(const struct conn *c, unsigned most)
{
	return c->pcb->snd_wnd || c->silences >= most;
}

void recovery_timeout(struct conn *c)
{
	struct recovery *r = &c->recovery;
	unsigned most =
		c->pcb->state < ESTABLISHED ? GIVE_UP_SYNS : GIVE_UP_TIMEOUTS;

	c->retransmit_at = 0;
	if (!c->pcb->unacked)
		return;
	c->silences += c->silences < UINT8_MAX;
	if (r->timer_is_probe) {
		probe_tail(c);
	} else if (r->backoff >= most && is_gone(c, most)) {
		c->error = ETIMEDOUT;
		conn_abort(c);
		return;
	} else {
		r->backoff += r->backoff < most;
		pmtu_timeout(c);
		timeout(c);
	}
	c->retransmit_at = 0;
	recovery_arm(c);
}
