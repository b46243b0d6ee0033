/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recovery.c - which segments arrived and which are lost.
 *
 * lwIP hands every segment to hook_segment before it works on it. An ACK is
 * read here first: SACK blocks mark segments of the unacked list (RFC 6675),
 * send times give round trip times in microseconds, and a segment is lost when
 * one sent later has been delivered and it had its round trip and a quarter
 * (RACK, RFC 8985), or while no reordering was ever seen, when 3 segments
 * above it have arrived. tcp_out.c resends what is marked LOST as far as the
 * congestion window allows. lwIP's own fast retransmit never runs, because its
 * count of duplicate ACKs is kept at zero, nor does its retransmission timer.
 *
 * What was resent may not have been lost. Three things tell: the peer says that
 * it got it twice (RFC 2883), an ACK comes sooner than a round trip after it,
 * or after a timeout answers a timestamp from before it (RFC 3522). Then the
 * congestion control takes its answer back, and the reorder window widens by a
 * quarter of the least round trip where a duplicate was reported, up to a whole
 * one, until 16 episodes have passed without.
 *
 * What is known of a segment lives in spare bits of its flags and in the
 * headroom of its header pbuf, which lwIP leaves alone. */
#include "scoreboard.h"

#include "ack.h"
#include "lwip/hooks.h"
#include "pmtu.h"
#include "segment.h"

#define RTO_MIN_US 200000u
#define RTO_FIRST_US 1000000u
#define DUPLICATE_ACKS 3u
#define WINDOW_QUARTERS_MOST 3 /* beyond the first */
#define CALM_EPISODES 16       /* then the window is narrow again */
#define TRAIN_WASTE_PART 100u

void recovery_init(struct conn *c, uint32_t wire_mss, uint32_t train)
{
	struct recovery *r = &c->recovery;

	r->mss = wire_mss;
	r->rto_us = r->srtt_us ? r->rto_us : RTO_FIRST_US;
	r->recover = r->dsack_round = c->pcb->lastack;
	r->highest_sacked = c->pcb->lastack;
	r->train = r->train_most = train;
	r->train_since = (uint32_t)r->rate.delivered;
	congestion_init(&r->cc,
			c->link->congestion == CHOICE_BBR ? &congestion_bbr
							  : &congestion_cubic,
			wire_mss, c->pcb->snd_nxt, r->srtt_us);
}

uint32_t recovery_pipe(const struct conn *c)
{
	uint32_t flight = c->pcb->snd_nxt - c->pcb->lastack;
	uint32_t out = c->recovery.sacked + c->recovery.lost;

	return flight > out ? flight - out : 0;
}

void recovery_sent(struct conn *c, struct tcp_seg *seg)
{
	struct recovery *r = &c->recovery;
	struct segment_note *note = note_of(seg);

	note->sent_us = stack_now_us(c->stack);
	note->arrived = 0;
	rate_sent(&r->rate, &note->rate, note->sent_us, recovery_pipe(c),
		  seg->len);
	r->cc.sent += seg->len;
	pace_sent(&r->pace, r->cc.pacing_rate, seg->len, note->sent_us);
}

static void rtt_sample(struct recovery *r, uint32_t rtt_us)
{
	uint32_t gap, margin;

	rtt_us += !rtt_us;
	if (!r->srtt_us) {
		r->srtt_us = r->min_rtt_us = rtt_us;
		r->rttvar_us = rtt_us / 2;
	} else {
		gap = r->srtt_us > rtt_us ? r->srtt_us - rtt_us
					  : rtt_us - r->srtt_us;
		r->rttvar_us = (3 * r->rttvar_us + gap) / 4;
		r->srtt_us = (uint32_t)((7ull * r->srtt_us + rtt_us) / 8);
		if (rtt_us < r->min_rtt_us)
			r->min_rtt_us = rtt_us;
	}
	margin = 4 * r->rttvar_us;
	r->rto_us = r->srtt_us + (margin > RTO_MIN_US ? margin : RTO_MIN_US);
}

void recovery_reduced(struct conn *c)
{
	struct recovery *r = &c->recovery;

	r->recover = c->pcb->snd_nxt;
	r->answered = true;
	r->tail_in_doubt = false;
	c->ecn.tell = ecn_is_heeded(c);
}

/* Whether what was resent before was needed may not be known yet. Then the two
 * episodes are taken back together, if all of both was resent in vain. */
static void begin_recovery(struct conn *c)
{
	struct recovery *r = &c->recovery;

	r->joined = r->in_doubt;
	if (!r->joined) {
		r->resent = 0;
		r->cc.can_undo = false;
	}
	if (!r->marked)
		r->cc.ops->on_loss(&r->cc);
	recovery_reduced(c);
	r->in_recovery = true;
	r->force = true;
	if (r->calm_episodes < CALM_EPISODES)
		r->calm_episodes++;
	else
		r->reorder_quarters = 0;
}

/* The window shrinks as after a loss, but nothing is to be sent again. Where
 * nothing is in flight the episode is over at once. */
static void shrink(struct conn *c, const struct ack *a)
{
	struct recovery *r = &c->recovery;

	if (!r->cc.ops->on_mark)
		return;
	r->cc.ops->on_mark(&r->cc);
	recovery_reduced(c);
	r->marked = a->ack != r->recover;
}

/* A mark asks for what a loss does, once a round trip (RFC 3168, 6.1.2). */
static void take_mark(struct conn *c, const struct ack *a)
{
	if (!c->recovery.answered && ecn_is_heeded(c))
		shrink(c, a);
}

/* The tail was lost if the probe repaired it, and that counts as any loss does
 * (RFC 8985, 7.4.2). It was not if the peer got it twice: then it says so, or
 * at least the same once more. */
static void take_probe_answer(struct conn *c, const struct ack *a)
{
	struct recovery *r = &c->recovery;

	if (!r->tail_in_doubt || TCP_SEQ_LT(a->ack, r->resent_end))
		return;
	if (a->needless || (a->duplicate && !a->sacks)) {
		r->tail_in_doubt = false;
	} else if (a->ack != r->resent_end) {
		r->tail_in_doubt = false;
		shrink(c, a);
	}
}

/* A train that lost a packet is sent again as a whole. Its length is such that
 * this adds a hundredth to what is sent: a hundredth of what lies between two
 * losses, on the average of them, and more once there was none for longer. */
static void fit_train(struct recovery *r, const struct ack *a)
{
	uint32_t gap = (uint32_t)r->rate.delivered - r->train_since;
	uint32_t fit = gap / TRAIN_WASTE_PART;

	if (a->newly_lost) {
		r->train = (r->train + fit) / 2;
		r->train_since = (uint32_t)r->rate.delivered;
	} else if (fit > r->train) {
		r->train = fit;
	}
	if (r->train > r->train_most)
		r->train = r->train_most;
	if (r->train < r->mss)
		r->train = r->mss;
}

/* A congestion control is told what this ACK brought. */
static void report(struct conn *c, const struct ack *a, uint32_t before,
		   bool ends_timeout)
{
	struct recovery *r = &c->recovery;
	uint32_t gone = r->sacked + r->lost;
	uint32_t flight = c->pcb->snd_nxt - a->ack;
	struct ack_sample s = {
		.now_us = a->now_us,
		.acked = a->delivered,
		.arrived = a->arrived,
		.newly_lost = a->newly_lost,
		.prior_in_flight = before,
		.in_flight = flight > gone ? flight - gone : 0,
		.rtt_us = a->rtt_us,
		.srtt_us = r->srtt_us,
		.min_rtt_us = r->min_rtt_us,
		.ack = a->ack,
		.next_seq = c->pcb->snd_nxt,
		.advanced = a->moved,
		.in_recovery = r->in_recovery || r->marked,
		.ends_timeout = ends_timeout,
	};

	rate_sample(&r->rate, &a->probe, r->min_rtt_us, &s);
	r->cc.ops->on_ack(&r->cc, &s);
}

/* A peer without SACK repeats its ACK for each segment beyond a gap: the third
 * says that what follows the ACK is lost, and within an episode so does one
 * that ends at the next gap (RFC 6582). Which segments arrived nobody knows;
 * how many did keeps the pipe right. */
static void take_duplicates(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *first =
		r->flight ? flight_first(r->flight)->first : NULL;
	uint32_t flight = c->pcb->snd_nxt - a->ack;
	bool lost;

	if (a->moved) {
		uint32_t counted =
			r->sacked < a->delivered ? r->sacked : a->delivered;

		r->sacked -= counted;
		a->arrived = a->delivered - counted;
		r->duplicates = 0;
		lost = r->in_recovery && TCP_SEQ_LT(a->ack, r->recover);
	} else if (!a->duplicate || !first) {
		return;
	} else {
		if (r->sacked + r->lost + 2 * r->mss <= flight)
			a->arrived = r->mss;
		r->sacked += a->arrived;
		r->duplicates += r->duplicates <= DUPLICATE_ACKS;
		lost = r->duplicates == DUPLICATE_ACKS && !r->in_recovery &&
		       !r->after_timeout;
	}
	if (a->ack == c->pcb->snd_nxt)
		r->sacked = 0;
	if (lost && first && !(first->flags & SEGMENT_RESENT) &&
	    !seg_waits(first))
		scoreboard_lose(r, first, a);
}

/* What was taken for an episode of loss was none. */
static void undo(struct recovery *r)
{
	if (!r->cc.can_undo)
		return;
	r->cc.ops->undo(&r->cc);
	scoreboard_find_all(r);
	r->in_recovery = r->after_timeout = r->force = false;
}

/* The timeout came too soon where an ACK of progress answers what was sent
 * before it (RFC 3522). How soon the ACK comes tells nothing here: there may
 * have been one round trip in all to compare it with. */
static bool timeout_was_spurious(const struct recovery *r, const struct ack *a)
{
	return r->after_timeout && a->moved && a->has_echo &&
	       (int32_t)(a->echo - r->resent_stamp) < 0;
}

/* Bytes that came twice were resent in vain: wait longer before the next time,
 * and where that is true of all that was resent, nothing was lost. */
static void take_needless(struct recovery *r, const struct ack *a,
			  uint32_t snd_nxt)
{
	if (!r->resent)
		return; /* it was a probe, or the network doubled it */
	r->resent -= a->needless < r->resent ? a->needless : r->resent;
	if (!r->resent)
		undo(r);
	/* Once a round trip. The last one may be gigabytes behind. */
	if (r->dsack_round - a->ack <= snd_nxt - a->ack)
		return;
	r->reordering = true;
	r->reorder_quarters += r->reorder_quarters < WINDOW_QUARTERS_MOST;
	r->calm_episodes = 0;
	r->dsack_round = snd_nxt;
}

static void take_spurious(struct recovery *r, const struct ack *a,
			  uint32_t snd_nxt)
{
	if (a->too_soon)
		r->reordering = true;
	if ((a->too_soon && r->in_recovery && !r->joined) ||
	    timeout_was_spurious(r, a))
		undo(r);
	if (a->needless)
		take_needless(r, a, snd_nxt);
}

static void take_ack(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_pcb *pcb = c->pcb;
	uint32_t before = recovery_pipe(c);
	bool after_timeout = r->after_timeout;

	if (a->moved)
		pmtu_acked(c);
	scoreboard_take(c, a);
	if (a->rtt_us)
		rtt_sample(r, a->rtt_us);
	if (a->moved || a->sacked) {
		r->backoff = 0;
		r->probe_out = false;
	}
	take_spurious(r, a, pcb->snd_nxt);
	if (TCP_SEQ_GT(a->ack, r->resent_end))
		r->in_doubt = false;
	if (!(pcb->flags & TF_SACK))
		take_duplicates(c, a);
	else if (a->moved || a->sacked)
		scoreboard_mark_lost(r, a);
	if (TCP_SEQ_GEQ(a->ack, r->recover)) {
		r->in_recovery = r->after_timeout = r->marked = false;
		r->answered &= a->ack == r->recover;
	}
	if (a->newly_lost && !r->in_recovery && !r->after_timeout)
		begin_recovery(c);
	take_probe_answer(c, a);
	if (a->marked)
		take_mark(c, a);
	fit_train(r, a);
	report(c, a, before, after_timeout && !r->after_timeout);
}

void recovery_late(struct conn *c)
{
	struct recovery *r = &c->recovery;
	struct ack a = {.ack = c->pcb->lastack,
			.now_us = stack_now_us(c->stack)};
	uint32_t before = recovery_pipe(c);

	scoreboard_mark_lost(r, &a);
	if (!a.newly_lost)
		return;
	if (!r->in_recovery && !r->after_timeout)
		begin_recovery(c);
	fit_train(r, &a);
	report(c, &a, before, false);
	tcp_output(c->pcb);
}

static void read_sacks(const uint8_t *option, struct ack *a)
{
	for (int i = 2; i + 8 <= option[1] && a->sacks < MAX_SACKS;
	     i += 8, a->sacks++) {
		uint32_t edge[2];

		memcpy(edge, option + i, sizeof edge);
		a->left[a->sacks] = lwip_ntohl(edge[0]);
		a->right[a->sacks] = lwip_ntohl(edge[1]);
	}
}

/* Read the options: SACK blocks and the echoed timestamp, to *a. An MSS is for
 * a SYN to tell; lwIP would heed it in any segment, and here it is none. */
static void read_options(uint8_t *options, int len, struct ack *a)
{
	const uint8_t *end = options + len, *at = segment_option(options, end);

	for (; at; at = segment_option(at + at[1], end)) {
		if (*at == OPTION_STAMP && at[1] == OPTION_STAMP_LEN) {
			memcpy(&a->echo, at + 6, sizeof a->echo);
			a->echo = lwip_ntohl(a->echo);
			a->has_echo = true;
		}
		if (*at == OPTION_SACK)
			read_sacks(at, a);
		if (*at == OPTION_MSS)
			memset(options + (at - options), OPTION_NOP, at[1]);
	}
}

/* The ACK of our SYN or SYN-ACK. */
static void take_handshake_ack(struct conn *c, const struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = c->pcb->unacked;

	if (!a->moved)
		return;
	if (seg && !(seg->flags & SEGMENT_REPEATED) && note_of(seg)->sent_us)
		rtt_sample(r, (uint32_t)(a->now_us - note_of(seg)->sent_us));
	c->rx_rtt_us = r->srtt_us;
	r->lost = 0;
	r->backoff = 0;
	c->retransmit_at = 0;
}

static err_t take_answer(struct conn *c, const struct tcp_hdr *tcp)
{
	struct ack a = {.now_us = stack_now_us(c->stack), .moved = true};

	if (!connect_answered(c, tcp))
		return ERR_VAL;
	take_handshake_ack(c, &a);
	return ERR_OK;
}

/* lwIP delays an ACK by segments; with trains it must go by bytes. A sender
 * that has just begun is not kept waiting for that of half a packet. */
static void hurry_ack(struct conn *c, uint32_t payload)
{
	uint32_t mss = c->recovery.mss;

	if (payload >= 2 * mss || (payload >= mss / 2 && ack_is_early(c)))
		tcp_set_flags(c->pcb, TF_ACK_DELAY);
}

err_t hook_segment(struct tcp_pcb *pcb, struct tcp_hdr *tcp, u16_t options_len,
		   u16_t first_len, struct pbuf *p)
{
	struct conn *c;
	struct ack a = {.ack = tcp->ackno};
	u8_t flags = TCPH_FLAGS(tcp);
	uint32_t payload;

	if (pcb->state < SYN_RCVD || pcb->state == TIME_WAIT)
		return pcb->state == SYN_SENT ? take_answer(conn_of(pcb), tcp)
					      : ERR_OK;
	c = conn_of(pcb);
	if (!c || first_len != options_len)
		return ERR_OK;
	payload = c->stack->ahead ? c->stack->ahead : p->tot_len;
	if (!segment_acceptable(c, tcp, options_len, payload)) {
		c->stack->ahead = 0;
		return ERR_VAL;
	}
	hurry_ack(c, p->tot_len);
	if ((flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return ERR_OK;
	read_options((uint8_t *)(tcp + 1), options_len, &a);
	a.has_echo &= !!(pcb->flags & TF_TIMESTAMP);
	if (!(pcb->flags & TF_SACK))
		a.sacks = 0;
	pcb->dupacks = 0;
	if (TCP_SEQ_GT(a.ack, pcb->snd_nxt) || TCP_SEQ_LT(a.ack, pcb->lastack))
		return ERR_OK;
	a.marked = c->stack->ecn_marks && ecn_take(c, tcp->seqno, payload);
	a.now_us = stack_now_us(c->stack);
	a.moved = a.ack != pcb->lastack;
	a.duplicate =
		!a.moved && !payload && !(flags & TCP_FIN) &&
		(tcpwnd_size_t)SND_WND_SCALE(pcb, tcp->wnd) == pcb->snd_wnd;
	if (pcb->state == SYN_RCVD) {
		take_handshake_ack(c, &a);
		return ERR_OK;
	}
	take_ack(c, &a);
	if (a.ack == pcb->snd_nxt) {
		c->retransmit_at = 0;
	} else if (a.moved || a.sacked) {
		c->retransmit_at = 0;
		recovery_arm(c);
	}
	return ERR_OK;
}
