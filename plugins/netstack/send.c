/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.c - bytes on their way to the client.
 *
 * What the core writes, or lets a socket receive into the room it reserved,
 * waits in blocks of the connection; what came by another connection waits
 * where that has it. lwIP is handed references into them, and only for what the
 * windows let go out now: its own queue stays short, and a segment is cut when
 * it is known how large it may be. A block is freed when its last byte was
 * acknowledged, so an idle connection holds none. The connection takes up to
 * two congestion windows and what waits for a gap to be filled, at least 256
 * KB; then it is full. It takes at most 32 MB: a segment that is lost twice
 * holds up what was sent in three round trips. Where memory is short it takes
 * no more than its share of it.
 *
 * A peer may ask for tiny segments, and the core write single bytes, and each
 * segment takes memory of its own: so there are at most 28000 full ones in
 * flight, and those that are not full are few. */
#include "block.h"
#include "buffer.h"
#include "conn.h"
#include "memory.h"

#include "lwip/priv/tcp_priv.h"

#define CHUNK_MOST 65535u
#define LIMIT_LEAST (256u * 1024)
#define LIMIT_MOST (TCP_SND_BUF - 2 * BLOCK_ROOM)
#define KEPT_PACKETS 4u	     /* of a loan, at least */
#define RESERVE_MORE 3	     /* blocks beyond the first */
#define TRAIN_PART 3	     /* of the window: less than that waits for more */
#define QUEUE_PART 4	     /* of a round trip: a queue that is seen */
#define SEGMENTS_MOST 28000u /* full ones in flight */
#define SMALL_SEGMENTS_MOST 64u /* and others */
#define PBUFS_OF_SEGMENT 2u	/* headers, payload */
_Static_assert(SEGMENTS_MOST + SMALL_SEGMENTS_MOST +
			       2 * BLOCK_ROOM / PAYLOAD_LEAST <
		       TCP_SND_QUEUELEN / PBUFS_OF_SEGMENT,
	       "lwIP would refuse to make them");

void send_free(struct conn *c)
{
	while (c->tx)
		block_shift(c);
	c->tx_next = NULL;
	c->tx_bytes = 0;
}

static uint32_t send_limit(const struct conn *c)
{
	const struct recovery *r = &c->recovery;
	uint64_t limit = 2ull * r->cc.cwnd + r->sacked + r->lost;
	uint32_t share = memory_share(c->stack);

	if (limit < LIMIT_LEAST)
		limit = LIMIT_LEAST;
	if (limit > LIMIT_MOST)
		limit = LIMIT_MOST;
	if (limit > SEGMENTS_MOST * (uint64_t)r->mss && r->mss)
		limit = SEGMENTS_MOST * r->mss;
	return limit < share ? (uint32_t)limit : share;
}

/* Bytes of a block that fill whole packets, so that none ends in a stub; and
 * no more than lwIP takes at once, which counts in 16 bits. */
static uint32_t chunk_size(const struct conn *c)
{
	uint32_t mss = c->recovery.mss;

	return mss ? CHUNK_MOST / mss * mss : CHUNK_MOST;
}

/* How much more may be copied to a block: what waits in it then fills whole
 * packets. */
static uint32_t block_left(const struct conn *c, const struct block *b)
{
	uint32_t mss = c->recovery.mss, most = b->size;

	if (b->size == BLOCK_ROOM)
		most = b->sent + chunk_size(c);
	if (most > b->size)
		most = b->sent + (b->size - b->sent) / mss * mss;
	return b->len < most ? most - b->len : 0;
}

/* Room at the end of the queue for up to `want` bytes. */
static struct block *block_with_room(struct conn *c, size_t want)
{
	struct block *b = c->tx_tail;
	uint32_t size = SMALL_ROOM;

	if (b && block_left(c, b))
		return b;
	if (want > SMALL_ROOM && block_admitted(c, 0, BLOCK_ROOM))
		size = BLOCK_ROOM;
	b = block_admitted(c, 0, size) ? block_new(c->stack, size) : NULL;
	if (b)
		block_append(c, b);
	return b;
}

/* Copy from `from`, at most `room`; returns how much fitted. */
static size_t send_copy(struct conn *c, const uint8_t *from, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct block *b = block_with_room(c, len - done);
		size_t n = len - done;

		if (!b)
			break;
		if (n > block_left(c, b))
			n = block_left(c, b);
		memcpy(b->data + b->len, from + done, n);
		b->len += (uint32_t)n;
		c->tx_bytes += (uint32_t)n;
		if (!c->tx_next)
			c->tx_next = b;
		done += n;
	}
	return done;
}

/* Bytes that make a whole packet of what waits at the end of the queue. */
static uint32_t packet_rest(const struct conn *c)
{
	const struct block *b = c->tx_tail;
	uint32_t over = b ? (b->len - b->sent) % c->recovery.mss : 0;

	return over ? c->recovery.mss - over : 0;
}

/* Would it be sent from where it lies? Of a loan that is mostly air, and of few
 * packets, the copy is the cheaper. */
static bool may_keep(const struct conn *c, size_t len, struct weir_loan *loan)
{
	uint32_t mss = c->recovery.mss;

	return buffer_is_ours(c->stack, loan) && len >= loan->pinned / 2 &&
	       mss && mss <= len / KEPT_PACKETS &&
	       block_admitted(c, 0, loan->pinned);
}

/* Take whole packets as they lie; the ends, which share a packet with what is
 * before and behind them, are copied. */
static size_t send_kept(struct conn *c, uint8_t *from, size_t len,
			struct weir_loan *loan)
{
	uint32_t mss = c->recovery.mss, rest = packet_rest(c);
	size_t done = send_copy(c, from, rest);
	struct block *b = NULL;

	if (done == rest)
		b = block_lent(loan, from + done,
			       (uint32_t)(len - done) / mss * mss);
	if (b) {
		block_append(c, b);
		done += b->len;
	}
	return done + send_copy(c, from + done, len - done);
}

static size_t send_view(struct conn *c, uint8_t *from, size_t len,
			struct weir_loan *loan)
{
	if (may_keep(c, len, loan))
		return send_kept(c, from, len, loan);
	return send_copy(c, from, len);
}

ssize_t send_write(struct conn *c, const struct iovec *v,
		   struct weir_loan *const *loan, int n)
{
	uint32_t limit = send_limit(c);
	size_t total = 0;

	for (int i = 0; i < n && !c->full; i++) {
		size_t room = limit > c->tx_bytes ? limit - c->tx_bytes : 0;
		size_t len = v[i].iov_len < room ? v[i].iov_len : room;
		size_t taken =
			send_view(c, v[i].iov_base, len, loan ? loan[i] : NULL);

		total += taken;
		c->full = taken < v[i].iov_len;
	}
	if (c->pcb)
		send_pump(c);
	return (ssize_t)total;
}

/* The reserved blocks are the stack's: commit is the very next call, and a
 * connection that gets nothing holds nothing. They wait at the head of the
 * list of free blocks. There is one more than were filled last. */
int send_reserve(struct conn *c, struct iovec *room, int max)
{
	uint32_t limit = send_limit(c), size = chunk_size(c);
	struct block *blocks[1 + RESERVE_MORE];
	int n = 0;

	if (c->tx_bytes >= limit) {
		c->full = true;
		return 0;
	}
	if (!block_admitted(c, 0, BLOCK_ROOM)) {
		size = block_admitted(c, 0, SMALL_ROOM) ? SMALL_ROOM : 0;
		max = !!size; /* it will be copied */
	}
	if (max > 1 + c->tx_more)
		max = 1 + c->tx_more;
	for (; n < max; n++) {
		if (n && (c->tx_bytes + (uint32_t)n * size >= limit ||
			  !block_admitted(c, (uint32_t)n, BLOCK_ROOM)))
			break;
		blocks[n] = block_new(c->stack, BLOCK_ROOM);
		if (!blocks[n])
			break;
		room[n].iov_base = blocks[n]->data;
		room[n].iov_len = size;
	}
	c->full = !n;
	for (int i = n - 1; i >= 0; i--)
		block_keep(c->stack, blocks[i]);
	trim_later(c->stack);
	return n;
}

void send_commit(struct conn *c, size_t n)
{
	uint32_t size = chunk_size(c);
	size_t filled = n / size;

	if (n)
		c->tx_more = filled < RESERVE_MORE ? filled & RESERVE_MORE
						   : RESERVE_MORE;
	for (size_t part; n; n -= part) {
		struct block *b = c->stack->free_blocks;
		size_t done = 0;

		part = n < size ? n : size;
		/* A few bytes are copied, so that they hold no big block. Where
		 * there is no memory for the copy they keep it: they were
		 * promised room. */
		if (part <= SMALL_ROOM)
			done = send_copy(c, b->data, part);
		if (done == part)
			break;
		b = block_new(c->stack, BLOCK_ROOM);
		b->len = (uint32_t)(part - done);
		if (done)
			memmove(b->data, b->data + done, b->len);
		block_append(c, b);
	}
	if (c->pcb)
		send_pump(c);
}

void send_acked(struct conn *c, uint32_t len)
{
	c->orphan_at = 0; /* progress: its time begins anew */
	while (len) {
		struct block *b = c->tx;
		uint32_t n = b->len - b->acked;

		if (n > len)
			n = len;
		b->acked += n;
		c->tx_bytes -= n;
		len -= n;
		if (b->acked < b->len)
			break;
		block_shift(c);
	}
}

/* What waits for a gap to be filled makes no room, but it lets more come: with
 * it at hand, half a window is left to send meanwhile. */
void send_wake(struct conn *c)
{
	const struct recovery *r = &c->recovery;
	uint32_t limit, waits = r->sacked + r->lost;

	if (!c->full || c->closed)
		return;
	limit = send_limit(c);
	if (waits > limit)
		waits = limit;
	if (c->tx_bytes >= limit ||
	    c->tx_bytes > waits + (limit - waits) / 4 * 3)
		return;
	c->full = false;
	c->stack->host->notify(c->end, WEIR_WRITABLE);
}

/* Payload of a segment, at most. */
static uint32_t train_size(const struct recovery *r)
{
	uint32_t piece = pace_piece(r->cc.pacing_rate, r->mss);
	uint32_t train = r->train - r->train % r->mss;

	return train < piece ? train : piece;
}

/* Is `n` bytes too little of a train to send, while ACKs are on their way that
 * will open the window further? A train that is cut by the window would be cut
 * at the same place ever after, since its ACK opens just what it took. */
static bool train_waits(const struct conn *c, uint32_t n, uint32_t flight)
{
	const struct recovery *r = &c->recovery;

	return !r->sacked && n < train_size(r) && n < (flight + n) / TRAIN_PART;
}

/* How much of `offered` bytes the windows let go out now. With nothing in
 * flight some always may: into a window that is too small it waits in lwIP,
 * which then probes for a larger one. */
static uint32_t window_for(const struct conn *c, uint32_t offered)
{
	const struct tcp_pcb *pcb = c->pcb;
	const struct recovery *r = &c->recovery;
	uint32_t flight = pcb->snd_lbb - pcb->lastack;
	uint32_t pipe = recovery_pipe(c) + pcb->snd_lbb - pcb->snd_nxt;
	uint32_t window = r->cc.cwnd > pipe ? r->cc.cwnd - pipe : 0;
	uint32_t peer = pcb->snd_wnd > flight ? pcb->snd_wnd - flight : 0;
	uint32_t n;

	if (r->lost || c->pace_at)
		return 0;
	if (peer < window)
		window = peer;
	if (!flight && window < r->mss) {
		window = r->mss;
		if (peer && peer < r->mss && peer >= pcb->snd_wnd_max / 2)
			window = peer;
	}
	if (window >= offered)
		return offered;
	n = window - window % r->mss;
	if (train_waits(c, n, flight))
		return 0;
	return n || flight ? n : window;
}

/* Bytes that come one by one would make a segment each. Beyond some they wait
 * for an ACK, and go together. */
static bool small_waits(const struct conn *c, uint32_t n)
{
	const struct tcp_pcb *pcb = c->pcb;
	uint32_t mss = c->recovery.mss, flight = pcb->snd_lbb - pcb->lastack;

	return n < mss && pcb->snd_queuelen / PBUFS_OF_SEGMENT >=
				  flight / mss + SMALL_SEGMENTS_MOST;
}

static void send_fin(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	if (c->closed ? pcb->flags & TF_RXCLOSED : pcb->flags & TF_FIN)
		return;
	lwip_expose(c);
	if (c->closed) {
		/* Anything less and lwIP would reset for unread bytes. */
		pcb->rcv_wnd = TCP_WND_MAX(pcb);
		tcp_close(pcb);
	} else {
		tcp_shutdown(pcb, 0, 1);
	}
	lwip_hide();
}

/* lwIP makes no segment of more than half of the largest window it has seen, so
 * that two fit. Of a few bytes that leaves none beside the options, and it
 * would make empty ones without end: how much goes out window_for() has
 * decided. */
static err_t write_piece(struct tcp_pcb *pcb, const uint8_t *data, uint32_t n,
			 bool more)
{
	tcpwnd_size_t most = pcb->snd_wnd_max;
	err_t err;

	if (pcb->snd_wnd_max < 2 * WIRE_MSS_LEAST)
		pcb->snd_wnd_max = 2 * WIRE_MSS_LEAST;
	err = tcp_write(pcb, data, (u16_t)n, more ? TCP_WRITE_FLAG_MORE : 0);
	pcb->snd_wnd_max = most;
	return err;
}

/* Hand lwIP one piece of the first waiting block. */
static bool send_piece(struct conn *c)
{
	struct block *b = c->tx_next;
	uint32_t n = b->len - b->sent, chunk = chunk_size(c);
	bool more;

	n = window_for(c, n < chunk ? n : chunk);
	if (!n || small_waits(c, n))
		return false;
	more = b->len - b->sent > n || b->next;
	c->pcb->mss = (u16_t)(train_size(&c->recovery) + c->options_len);
	if (write_piece(c->pcb, b->data + b->sent, n, more) != ERR_OK)
		return false;
	b->sent += n;
	if (b->sent == b->len)
		c->tx_next = b->next;
	tcp_output(c->pcb);
	return !c->pcb->unsent;
}

/* The peer has no room for more, and no queue stands on the way: a flight that
 * ends there does not show how much the path holds. */
static bool peer_is_the_limit(const struct conn *c)
{
	const struct tcp_pcb *pcb = c->pcb;
	const struct recovery *r = &c->recovery;

	return pcb->snd_lbb - pcb->lastack + r->mss > pcb->snd_wnd &&
	       r->srtt_us - r->min_rtt_us < r->min_rtt_us / QUEUE_PART;
}

/* The window is larger than all that we keep for the connection, and most of
 * that is under way: nothing more waits since nothing more was let in. */
static bool buffer_bounds(const struct conn *c)
{
	uint32_t limit = send_limit(c);

	return c->recovery.cc.cwnd > limit && c->tx_bytes > limit / 2;
}

/* More could go, but nothing waits, or at the start the peer has no room: the
 * path is not the limit. */
static void note_idle(struct conn *c)
{
	struct recovery *r = &c->recovery;
	uint32_t pipe = recovery_pipe(c);
	bool waits = c->tx_next || c->pcb->unsent || buffer_bounds(c);

	if (bbr_holds_back(&r->cc) ||
	    (!r->lost && pipe + r->mss <= r->cc.cwnd &&
	     (!waits || (bbr_is_starting(&r->cc) && peer_is_the_limit(c)))))
		rate_limited(&r->rate, pipe);
}

static void pump(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	if (pcb->unsent || c->recovery.lost || c->pace_at)
		tcp_output(pcb);
	if (!pcb->unsent && !(pcb->flags & TF_FIN))
		while (c->tx_next && send_piece(c))
			;
	if (c->finishing && !c->tx_next && !c->resets)
		send_fin(c);
	c->recovery.pace.waits = c->pace_at;
	note_idle(c);
}

void send_pump(struct conn *c)
{
	if (c->established && c->pcb->state != TIME_WAIT)
		pump(c);
	if (c->pcb)
		conn_arm(c);
}
