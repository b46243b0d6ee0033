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
 * What is known of a segment lives in spare bits of its flags and in the
 * headroom of its header pbuf, which lwIP leaves alone. */
#include "conn.h"
#include "lwip/hooks.h"

#include "lwip/priv/tcp_priv.h"

#define MAX_SACKS 4
#define RTO_MIN_US 200000u
#define RTO_FIRST_US 1000000u
#define DUPLICATE_SEGMENTS 3u
#define QUICK_ACK_SEGMENTS 32u
#define OPTION_SACK 5
#define OPTION_TIMESTAMP 8

/* In the headroom of a segment's header pbuf. */
struct segment_note {
	uint64_t sent_us;
};

struct ack {
	uint32_t ack;
	uint64_t now_us;
	uint32_t rtt_us;    /* of something never resent; 0: none */
	uint32_t delivered; /* bytes */
	int sacks;
	uint32_t left[MAX_SACKS], right[MAX_SACKS];
	bool moved, sacked, spurious;
};

static struct segment_note *note_of(struct tcp_seg *seg)
{
	return (struct segment_note *)(void *)((char *)seg->p +
					       LWIP_MEM_ALIGN_SIZE(
						       sizeof(struct pbuf)));
}

static uint32_t seg_begin(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

static uint32_t seg_end(const struct tcp_seg *seg)
{
	return seg_begin(seg) + TCP_TCPLEN(seg);
}

/* Lost, and not sent again yet. */
static bool seg_waits(const struct tcp_seg *seg)
{
	return (seg->flags & (SEGMENT_LOST | SEGMENT_RESENT)) == SEGMENT_LOST;
}

void recovery_init(struct conn *c, uint32_t wire_mss)
{
	struct recovery *r = &c->recovery;

	r->mss = wire_mss;
	r->rto_us = r->srtt_us ? r->rto_us : RTO_FIRST_US;
	r->recover = c->pcb->lastack;
	r->highest_sacked = c->pcb->lastack;
	congestion_init(&r->cc, wire_mss, c->pcb->snd_nxt);
}

uint32_t recovery_pipe(const struct conn *c)
{
	uint32_t flight = c->pcb->snd_nxt - c->pcb->lastack;
	uint32_t out = c->recovery.sacked + c->recovery.lost;

	return flight > out ? flight - out : 0;
}

void recovery_sent(struct conn *c, struct tcp_seg *seg)
{
	note_of(seg)->sent_us = stack_now_us(c->stack);
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
	congestion_rtt(&r->cc, rtt_us);
}

/* `seg` arrived. A resent one that comes sooner than a round trip can be was
 * not lost at all: the first copy was acknowledged. */
static void seg_delivered(struct recovery *r, struct tcp_seg *seg,
			  struct ack *a)
{
	uint64_t sent_us = note_of(seg)->sent_us;
	uint32_t rtt_us = (uint32_t)(a->now_us - sent_us);

	a->delivered += seg->len;
	if (seg_waits(seg))
		r->lost -= seg->len;
	if (!(seg->flags & SEGMENT_RESENT)) {
		a->rtt_us = rtt_us ? rtt_us : 1;
		if (seg->len && TCP_SEQ_LT(seg_end(seg), r->highest_sacked))
			r->reordering = true;
	} else if (r->min_rtt_us &&
		   rtt_us < r->min_rtt_us - r->min_rtt_us / 8) {
		a->spurious = true;
		return;
	}
	if (sent_us >= r->rack_sent_us) {
		r->rack_sent_us = sent_us;
		r->rack_rtt_us = rtt_us;
	}
}

/* What the cumulative ACK covers; lwIP will free it. Returns what remains. */
static struct tcp_seg *take_acked(struct recovery *r, struct tcp_seg *seg,
				  struct ack *a)
{
	for (; seg && TCP_SEQ_LEQ(seg_end(seg), a->ack); seg = seg->next) {
		if (seg->flags & SEGMENT_SACKED)
			r->sacked -= seg->len;
		else
			seg_delivered(r, seg, a);
	}
	return seg;
}

static bool seg_in_sacks(const struct tcp_seg *seg, const struct ack *a)
{
	for (int i = 0; i < a->sacks; i++)
		if (TCP_SEQ_GT(a->left[i], a->ack) &&
		    TCP_SEQ_GEQ(seg_begin(seg), a->left[i]) &&
		    TCP_SEQ_LEQ(seg_end(seg), a->right[i]))
			return true;
	return false;
}

static void take_sacked(struct recovery *r, struct tcp_seg *seg, struct ack *a,
			uint32_t snd_nxt)
{
	uint32_t highest = a->ack;

	for (int i = 0; i < a->sacks; i++)
		if (TCP_SEQ_GT(a->right[i], highest) &&
		    TCP_SEQ_LEQ(a->right[i], snd_nxt))
			highest = a->right[i];
	for (; seg && TCP_SEQ_LT(seg_begin(seg), highest); seg = seg->next) {
		if ((seg->flags & SEGMENT_SACKED) || !seg_in_sacks(seg, a))
			continue;
		seg_delivered(r, seg, a);
		seg->flags &= (u8_t)~SEGMENT_LOST;
		seg->flags |= SEGMENT_SACKED;
		r->sacked += seg->len;
		a->sacked = true;
		if (TCP_SEQ_GT(seg_end(seg), r->highest_sacked))
			r->highest_sacked = seg_end(seg);
	}
}

static bool seg_lost(const struct recovery *r, struct tcp_seg *seg,
		     uint64_t now_us)
{
	uint64_t sent_us = note_of(seg)->sent_us;

	if (!(seg->flags & SEGMENT_RESENT) && !r->reordering &&
	    r->highest_sacked - seg_end(seg) >= DUPLICATE_SEGMENTS * r->mss)
		return true;
	return sent_us < r->rack_sent_us &&
	       now_us - sent_us > r->rack_rtt_us + r->min_rtt_us / 4;
}

/* Mark what must be lost. True where something new was. */
static bool mark_lost(struct recovery *r, struct tcp_seg *seg, uint64_t now_us)
{
	bool found = false;

	for (; seg && TCP_SEQ_LT(seg_begin(seg), r->highest_sacked);
	     seg = seg->next) {
		if ((seg->flags & SEGMENT_SACKED) || seg_waits(seg) ||
		    !seg_lost(r, seg, now_us))
			continue;
		seg->flags |= SEGMENT_LOST;
		seg->flags &= (u8_t)~SEGMENT_RESENT;
		r->lost += seg->len;
		found = true;
	}
	return found;
}

static void begin_recovery(struct conn *c)
{
	struct recovery *r = &c->recovery;

	congestion_loss(&r->cc);
	r->in_recovery = true;
	r->force = true;
	r->recover = c->pcb->snd_nxt;
}

static void take_ack(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_pcb *pcb = c->pcb;
	uint32_t flight = pcb->snd_nxt - pcb->lastack;
	struct tcp_seg *rest = take_acked(r, pcb->unacked, a);
	bool lost = false;

	if (a->sacks)
		take_sacked(r, rest, a, pcb->snd_nxt);
	if (TCP_SEQ_LT(r->highest_sacked, a->ack))
		r->highest_sacked = a->ack;
	if (a->rtt_us)
		rtt_sample(r, a->rtt_us);
	if (a->moved || a->sacked) {
		r->backoff = 0;
		r->probe_out = false;
	}
	if (a->spurious) {
		r->reordering = true;
		if (r->in_recovery && r->cc.undo_cwnd) {
			congestion_undo(&r->cc);
			r->in_recovery = false;
		}
	}
	if (r->sacked && (a->moved || a->sacked))
		lost = mark_lost(r, rest, a->now_us);
	if (TCP_SEQ_GEQ(a->ack, r->recover))
		r->in_recovery = r->after_timeout = false;
	if (lost && !r->in_recovery && !r->after_timeout)
		begin_recovery(c);
	else if (!r->in_recovery && a->delivered)
		congestion_acked(&r->cc, a->delivered, flight - a->delivered,
				 r->min_rtt_us, a->now_us);
	congestion_round(&r->cc, a->ack, pcb->snd_nxt);
}

/* Read the options: SACK blocks to *a. False: an old duplicate (PAWS). */
static bool read_options(struct tcp_pcb *pcb, const uint8_t *at, int len,
			 struct ack *a, bool payload)
{
	const uint8_t *end = at + len;

	while (at < end && *at != 0) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (*at == OPTION_SACK) {
			for (int i = 2; i + 8 <= at[1] && a->sacks < MAX_SACKS;
			     i += 8, a->sacks++) {
				uint32_t edge[2];

				memcpy(edge, at + i, sizeof edge);
				a->left[a->sacks] = lwip_ntohl(edge[0]);
				a->right[a->sacks] = lwip_ntohl(edge[1]);
			}
		} else if (*at == OPTION_TIMESTAMP && at[1] == 10 && payload &&
			   (pcb->flags & TF_TIMESTAMP)) {
			uint32_t stamp;

			memcpy(&stamp, at + 2, sizeof stamp);
			if ((int32_t)(lwip_ntohl(stamp) - pcb->ts_recent) < 0)
				return false;
		}
		at += at[1];
	}
	return true;
}

/* The ACK of our SYN-ACK. */
static void take_handshake_ack(struct conn *c, const struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = c->pcb->unacked;

	if (!a->moved)
		return;
	if (seg && !(seg->flags & SEGMENT_RESENT) && note_of(seg)->sent_us)
		rtt_sample(r, (uint32_t)(a->now_us - note_of(seg)->sent_us));
	c->rx_rtt_us = r->srtt_us ? r->srtt_us : 1000;
	r->lost = 0;
	r->backoff = 0;
	c->retransmit_at = 0;
}

/* lwIP delays an ACK by segments; with trains it must go by bytes. A sender
 * that has just begun is not kept waiting at all. */
static void hurry_ack(struct conn *c, uint32_t payload)
{
	if (payload >= 2 * c->recovery.mss ||
	    (payload && c->rx_consumed < QUICK_ACK_SEGMENTS * c->recovery.mss))
		tcp_set_flags(c->pcb, TF_ACK_DELAY);
}

err_t hook_segment(struct tcp_pcb *pcb, struct tcp_hdr *tcp, u16_t options_len,
		   u16_t first_len, struct pbuf *p)
{
	struct conn *c;
	struct ack a = {.ack = tcp->ackno};
	u8_t flags = TCPH_FLAGS(tcp);

	if (pcb->state < SYN_RCVD || pcb->state == TIME_WAIT)
		return ERR_OK;
	c = conn_of(pcb);
	if (!c || first_len != options_len)
		return ERR_OK;
	if (!(flags & (TCP_RST | TCP_SYN)) &&
	    !read_options(pcb, (const uint8_t *)(tcp + 1), options_len, &a,
			  p->tot_len)) {
		tcp_ack_now(pcb);
		tcp_output(pcb);
		return ERR_VAL;
	}
	hurry_ack(c, p->tot_len);
	if ((flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return ERR_OK;
	pcb->dupacks = 0;
	if (TCP_SEQ_GT(a.ack, pcb->snd_nxt) || TCP_SEQ_LT(a.ack, pcb->lastack))
		return ERR_OK;
	a.now_us = stack_now_us(c->stack);
	a.moved = a.ack != pcb->lastack;
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
