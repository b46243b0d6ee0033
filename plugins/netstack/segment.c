/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segment.c - what a segment of a known connection must be before lwIP works
 * on it.
 *
 * lwIP takes acknowledgements from any past and future, data beyond the edge of
 * the window, old duplicates, and the options of any SYN. Here stand the checks
 * it lacks: PAWS on all but RST (RFC 7323, 5.3), the range of acceptable
 * acknowledgements (RFC 5961, 5), the right edge, a SYN that comes again or too
 * late (RFC 5961, 4), and a window that closes without anything else being new
 * (a reordered old ACK does the same, but a probe finds that out; other
 * shrinking is ignored, as Linux does).
 *
 * What may be forged is answered with a challenge: an ACK that lets an honest
 * peer prove itself. These are bounded for a connection, 10 in 5 seconds as in
 * RFC 5961, and for the stack; that bound varies by chance from second to
 * second, so that counting challenges tells nobody about other connections. A
 * keepalive's answer counts for its connection only. The same bounds end the
 * talk of two ends that each find the other's ACKs unacceptable. */
#include "segment.h"

#include "port.h"

#include "lwip/priv/tcp_priv.h"

#define CHALLENGE_EVERY_MS 1000u
#define CHALLENGE_BURST_MS 5000u
#define CHALLENGES_A_SECOND 1000u
/* After 24 days a timestamp clock of 1 kHz may have wrapped (RFC 7323, 5.5). */
#define STAMP_VALID_TICKS (24u * 86400 * 1000 / TCP_SLOW_INTERVAL)

bool segment_stamp(const uint8_t *options, uint32_t len, uint32_t *stamp)
{
	const uint8_t *end = options + len, *at = segment_option(options, end);

	for (; at; at = segment_option(at + at[1], end)) {
		if (*at == OPTION_STAMP && at[1] == OPTION_STAMP_LEN) {
			memcpy(stamp, at + 2, sizeof *stamp);
			*stamp = lwip_ntohl(*stamp);
			return true;
		}
	}
	return false;
}

/* One second's worth of challenges for the whole stack. */
static bool stack_may_challenge(struct netstack *s, uint64_t now_us)
{
	if (now_us - s->challenge_us >= SECOND_US) {
		uint32_t chance = 0;

		port_random(&chance, sizeof chance);
		s->challenge_us = now_us;
		s->challenges = CHALLENGES_A_SECOND / 2 +
				chance % (CHALLENGES_A_SECOND / 2);
	}
	if (!s->challenges)
		return false;
	s->challenges--;
	return true;
}

/* A bucket that fills with time: challenge_ms is when it was empty last. */
static bool bucket_take(struct conn *c, bool of_stack)
{
	uint64_t now_us = stack_now_us(c->stack);
	uint32_t now_ms = (uint32_t)(now_us / 1000);
	uint32_t filled_ms = now_ms - c->challenge_ms;

	if (!c->challenged || filled_ms > CHALLENGE_BURST_MS)
		filled_ms = CHALLENGE_BURST_MS;
	if (filled_ms < CHALLENGE_EVERY_MS ||
	    (of_stack && !stack_may_challenge(c->stack, now_us))) {
		stack_add(c->stack, COUNT_CHALLENGES_SPARED, 1);
		return false;
	}
	c->challenged = true;
	c->challenge_ms = now_ms - filled_ms + CHALLENGE_EVERY_MS;
	stack_add(c->stack, COUNT_CHALLENGES, 1);
	return true;
}

static bool may_challenge(struct conn *c)
{
	return bucket_take(c, true);
}

static bool drop(struct conn *c, bool answer)
{
	if (answer) {
		tcp_ack_now(c->pcb);
		tcp_output(c->pcb);
	}
	return false;
}

static bool in_window(const struct tcp_pcb *pcb, uint32_t seq)
{
	return seq == pcb->rcv_nxt || seq - pcb->rcv_nxt < pcb->rcv_wnd;
}

/* PAWS. The clock of a peer that was silent for very long proves nothing. */
static bool stamp_is_old(const struct tcp_pcb *pcb, const struct tcp_hdr *tcp,
			 uint32_t len)
{
	uint32_t stamp;

	return (pcb->flags & TF_TIMESTAMP) &&
	       segment_stamp((const uint8_t *)(tcp + 1), len, &stamp) &&
	       (int32_t)(stamp - pcb->ts_recent) < 0 &&
	       tcp_ticks - pcb->tmr < STAMP_VALID_TICKS;
}

/* SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT */
static bool ack_is_possible(const struct tcp_pcb *pcb, uint32_t ack)
{
	return TCP_SEQ_LEQ(ack, pcb->snd_nxt) &&
	       TCP_SEQ_GEQ(ack, pcb->lastack - pcb->snd_wnd_max);
}

/* Without data, and not where the peer must be by what it has seen of us. One
 * that is a single number behind is a keepalive or a probe, and an honest peer
 * counts on the answer: other connections have no say in it. With the window
 * closed lwIP would answer even those that are where they must be, so for a
 * moment there is a byte of it. */
static bool bare_ack_acceptable(struct conn *c, uint32_t seq)
{
	struct tcp_pcb *pcb = c->pcb;

	if (!in_window(pcb, seq))
		return drop(c, bucket_take(c, seq != pcb->rcv_nxt - 1));
	if (!pcb->rcv_wnd) {
		pcb->rcv_wnd = 1;
		c->window_lent = true;
	}
	return true;
}

/* lwIP cuts what is in order at the edge of the window, but not all that is
 * kept for later. What came before may come again with news in its ACK; but
 * nothing of what lies beyond all windows is believed. */
static bool data_acceptable(struct conn *c, uint32_t seq, uint32_t len)
{
	const struct tcp_pcb *pcb = c->pcb;
	uint32_t ahead = seq - pcb->rcv_nxt;
	uint32_t behind = pcb->rcv_nxt - (seq + len);

	if (!ahead || !len)
		return true;
	if ((int32_t)ahead < 0)
		return (int32_t)behind <= (int32_t)c->rx_window ||
		       drop(c, may_challenge(c));
	if (ahead >= pcb->rcv_wnd)
		return drop(c, may_challenge(c));
	return pcb->rcv_wnd - ahead >= len || drop(c, true);
}

/* On a connection that has answered one. lwIP would read the options of what
 * may be another SYN than the one it answered, and take up what they offer. */
static bool answer_syn(struct conn *c, uint32_t seq)
{
	struct tcp_pcb *pcb = c->pcb;

	if (pcb->state != SYN_RCVD || seq != pcb->rcv_nxt - 1)
		return drop(c, may_challenge(c));
	tcp_rexmit(pcb);
	return false;
}

static void note_closed_window(struct tcp_pcb *pcb, const struct tcp_hdr *tcp)
{
	if (!tcp->wnd && tcp->seqno == pcb->snd_wl1 &&
	    tcp->ackno == pcb->snd_wl2)
		pcb->snd_wnd = 0;
}

/* Bytes that came before are named by the next ACK (DSACK); also where the copy
 * came first and PAWS drops the original. */
static void note_repeated(struct conn *c, uint32_t seq, uint32_t payload)
{
	uint32_t end = c->pcb->rcv_nxt;

	if (TCP_SEQ_LT(seq + payload, end))
		end = seq + payload;
	if (TCP_SEQ_LT(seq, end))
		reorder_repeated(c, seq, end);
}

void segment_done(struct conn *c)
{
	if (c->window_lent && c->pcb)
		c->pcb->rcv_wnd--;
	c->window_lent = false;
}

bool segment_acceptable(struct conn *c, const struct tcp_hdr *tcp, uint32_t len,
			uint32_t payload)
{
	struct tcp_pcb *pcb = c->pcb;
	u8_t flags = TCPH_FLAGS(tcp);
	uint32_t size = payload + !!(flags & TCP_FIN);

	if (flags & TCP_RST) /* what lwIP does not take for one it challenges */
		return tcp->seqno == pcb->rcv_nxt ||
		       !in_window(pcb, tcp->seqno) || may_challenge(c);
	if (flags & TCP_SYN)
		return answer_syn(c, tcp->seqno);
	if (!(flags & TCP_ACK))
		return false;
	if (stamp_is_old(pcb, tcp, len)) {
		note_repeated(c, tcp->seqno, payload);
		return drop(c, size || may_challenge(c));
	}
	if (pcb->state == SYN_RCVD)
		return data_acceptable(c, tcp->seqno, size);
	if (!ack_is_possible(pcb, tcp->ackno))
		return drop(c, may_challenge(c));
	if (!(size ? data_acceptable(c, tcp->seqno, size)
		   : bare_ack_acceptable(c, tcp->seqno)))
		return false;
	note_repeated(c, tcp->seqno, payload);
	note_closed_window(pcb, tcp);
	c->silences = 0;
	return true;
}
