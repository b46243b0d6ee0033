/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.h - a TCP connection: one end of a stream for the core, one pcb of
 * lwIP's, and what we keep of our own between the two.
 *
 * It is made by a SYN (accept.c) or by an outbound (connect.c) and lives until
 * both sides let go: lwIP has freed the pcb, and the core has called close. */
#ifndef NETSTACK_CONN_H
#define NETSTACK_CONN_H

#include "ack.h"
#include "connect.h"
#include "demux.h"
#include "ecn.h"
#include "recovery.h"
#include "reorder.h"
#include "stack.h"

#include "lwip/prot/tcp.h"
#include "lwip/tcp.h"

enum conn_phase {
	CONN_HELD,    /* a SYN waits for the core's word; no pcb */
	CONN_MUTED,   /* refused in silence: repeated SYNs are ignored */
	CONN_OPENING, /* client role: our SYN is out, the core waits */
	CONN_OPEN,    /* a pcb, or what is left of one */
};

/* The packet that began it all: IP and TCP headers. */
struct held_syn {
	struct conn *conn;
	struct held_syn *older, *newer; /* of all half-open ones */
	uint32_t isn_above; /* where it takes the place of an old connection */
	bool reopens;
	bool ecn; /* all of its SYNs ask for it */
	uint16_t len, l4;
	uint8_t bytes[];
};

/* pmtu.c: whether full segments get through. */
struct pmtu {
	uint32_t changed_ms; /* when the wire MSS was changed last */
	uint16_t before;     /* the MSS before a smaller one was tried, or 0 */
	uint8_t timeouts;    /* of full segments, in a row */
	bool trying : 1;     /* nothing has come of the smaller one yet */
	bool gave_up : 1;    /* it was not the size; until something is heard */
	bool retried : 1;    /* the old size was tried once more */
};

/* Of a packet, with options: no peer may ask for less. */
#define WIRE_MSS_LEAST 88u
#define TIMESTAMP_OPTION 12u
#define PAYLOAD_LEAST (WIRE_MSS_LEAST - TIMESTAMP_OPTION)

struct conn {
	struct node node; /* first; in link->conns while `hashed` */
	struct netstack *stack;
	struct weir_link *link; /* NULL: detached */
	struct weir_end *end;
	struct tcp_pcb *pcb;  /* NULL: none yet, or gone */
	struct held_syn *syn; /* while half open */
	uint64_t holder;      /* of its client's address as it began */
	struct wheel_timer timer;
	/* conn_deadline(), 0: not wanted */
	uint32_t retransmit_at, ack_at, slow_at;
	uint32_t orphan_at; /* closed by the core, not yet by TCP */
	uint64_t pace_at;   /* us, 0: now */

	/* receive.c: a chain by `next`; tot_len of its pbufs means nothing */
	struct pbuf *rx, *rx_tail;
	uint32_t rx_held;   /* true size, with what is out of order */
	uint32_t rx_unread; /* payload */
	uint32_t rx_window, rx_consumed, rx_mark, rx_round, rx_rtt_us;
	uint32_t rx_mark_us;	 /* the clock's low half */
	struct reorder *reorder; /* what is ahead of a hole; NULL: nothing */

	/* send.c */
	struct block *tx, *tx_tail;
	struct block *tx_next; /* the first with bytes lwIP has not seen */
	uint32_t tx_bytes;     /* taken from the core, not yet acknowledged */
	uint32_t tx_held;      /* the blocks' true size */

	uint32_t acked_to;     /* what our last ACK said */
	uint32_t challenge_ms; /* segment.c */
	struct pmtu pmtu;
	struct ecn ecn;
	uint8_t error;	     /* errno why the pcb went; 0: in an orderly way */
	uint8_t silences;    /* timeouts since anything was heard */
	uint8_t options_len; /* of each segment; lwIP's mss has it in */
	uint8_t burst_place; /* in stack->burst, from 1; 0: not there */
	bool hashed : 1, half_open : 1, closed : 1, told : 1;
	bool finishing : 1, rx_eof : 1, starved : 1, full : 1;
	bool established : 1, time_wait : 1, window_lent : 1;
	bool challenged : 1, fin_came : 1, outward : 1;
	bool resets : 1;     /* closed by the core: ends in RST, not in FIN */
	uint8_t phase : 3;   /* enum conn_phase */
	uint8_t tx_more : 2; /* send.c: blocks to reserve beyond the first */

	struct recovery recovery; /* last, as its last part is cut */
};

/* A connection's memory: its congestion control's part is the last, and it gets
 * no more of it than that algorithm has. Most of BBR's state is a model that
 * CUBIC has no use for. */
static inline size_t conn_size(const struct weir_link *link)
{
	return offsetof(struct conn, recovery.cc.is) +
	       (link->congestion == CHOICE_BBR ? sizeof(struct bbr)
					       : sizeof(struct cubic));
}

static inline struct conn *conn_of(const struct tcp_pcb *pcb)
{
	return pcb->callback_arg;
}

/* None of a connection's deadlines is more than minutes away, or asks for more
 * than a millisecond: 32 bits of the clock in milliseconds tell it. */
static inline uint32_t conn_deadline(uint64_t at_us)
{
	return clock_ms(at_us);
}

static inline uint64_t conn_deadline_us(uint32_t deadline, uint64_t now_us)
{
	uint64_t now_ms = now_us / 1000;

	return (now_ms + (uint64_t)(int32_t)(deadline - (uint32_t)now_ms)) *
	       1000;
}

static inline bool conn_is_due(uint32_t deadline, uint64_t now_us)
{
	return deadline && (int32_t)(conn_deadline(now_us) - deadline) >= 0;
}

/* conn.c */
struct conn *conn_new(struct weir_link *link, const struct tuple *key);
void conn_adopt(struct conn *c, struct tcp_pcb *pcb); /* c gets its pcb */
/* Payload bytes of a segment that the link takes in packets of `mss`. */
uint32_t conn_train(const struct conn *c, uint32_t mss);
void conn_settle(struct conn *c);  /* after lwIP worked on it; may free it */
void conn_arm(struct conn *c);	   /* set the timer to the next deadline */
void conn_abort(struct conn *c);   /* RST; the pcb is gone */
void conn_release(struct conn *c); /* the core let go: free it or let it end */
void conn_fail(struct conn *c, int err, const char *why);
void conn_cancel(struct conn *c, int err); /* before it had a pcb */
/* Whatever it is doing ends now; with or without a word to the client. */
void conn_drop(struct conn *c, int err, bool say);
void conn_free(struct conn *c);

/* demux.c: between these two lwIP knows of this connection only. */
void lwip_expose(struct conn *c);
void lwip_hide(void);
void lwip_address(ip_addr_t *to, const uint8_t *ip, bool v6);
void lwip_feed(struct weir_link *link, const struct tuple *key, struct pbuf *p);

/* accept.c */
bool accept_init(struct weir_link *link, struct weir_error *e);
void accept_fini(struct weir_link *link);
/* `used`: where the sequence of the connection it takes the place of has got
 * to; NULL: there is none. */
void accept_syn(struct weir_link *link, const struct packet *p,
		const uint32_t *used);
void accept_reset(struct conn *c, uint32_t seq);	   /* RST while held */
void accept_again(struct conn *c, const struct packet *p); /* a SYN */
int accept_complete(struct conn *c);
void accept_refuse(struct conn *c, int err); /* frees it or mutes it */
void accept_done(struct conn *c);	     /* no longer half open */

/* connect.c */
/* May lwIP work on it, as the answer to our SYN? If not, it is answered if it
 * has to be. */
bool connect_answered(struct conn *c, const struct tcp_hdr *tcp);
void connect_ready(struct conn *c);

/* tcp.c */
extern const struct weir_stream_ops tcp_stream_ops;

/* receive.c */
void receive_init(struct conn *c);
void receive_pbuf(struct conn *c, struct pbuf *p); /* NULL: its FIN */
/* The next `len` bytes, linked by `next`. */
void receive_chain(struct conn *c, struct pbuf *first, struct pbuf *last,
		   uint32_t len);
/* loan: of each view, where it is not NULL */
int receive_peek(struct conn *c, struct iovec *view, struct weir_loan **loan,
		 int max);
void receive_consume(struct conn *c, size_t n);
void receive_discard(struct conn *c); /* nobody will read it */
void receive_free(struct conn *c);

/* send.c */
/* loan: of each view, or NULL: of none */
ssize_t send_write(struct conn *c, const struct iovec *v,
		   struct weir_loan *const *loan, int n);
int send_reserve(struct conn *c, struct iovec *room, int max);
void send_commit(struct conn *c, size_t n);
void send_acked(struct conn *c, uint32_t len);
void send_wake(struct conn *c); /* say so if there is room for more */
void send_pump(struct conn *c); /* hand lwIP what may go out now */
void send_free(struct conn *c);

#endif
