/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay.
 *
 * Theory of operation: each direction moves bytes until the reader is empty or
 * the writer full; whichever becomes ready again has its session pumped again.
 * The cheapest pairing of what both ends offer is taken: the reader receives
 * straight into the writer's room, or the writer takes what the reader shows
 * in place, and may send it from there; the other pairings copy once. Not
 * consuming is the back-pressure: what the writer did not take stays with the
 * reader. */
#include "relay.h"

#include <stdlib.h>

#include "util.h"

#define RELAY_VIEWS 64
#define RELAY_HOLD_LEAST 4096u /* a read of none would look like the end */
#define RELAY_ROUND_BYTES (1u << 20) /* a turn, a direction: others wait */

bool relay_can(const struct weir_stream_ops *ops)
{
	bool shows =
		ops->peek || (WEIR_HAS(ops, peek_loans) && ops->peek_loans);
	bool can_read = (ops->read || ops->peek) && (!shows || ops->consume);
	bool can_write =
		(ops->write || ops->reserve) && (!ops->reserve || ops->commit);

	return can_read && can_write && ops->finish && ops->close;
}

static size_t iov_len(const struct iovec *v, int n)
{
	size_t len = 0;

	while (n-- > 0)
		len += v[n].iov_len;
	return len;
}

/* A step moves one batch, counts its bytes and notes the reader's end of
 * stream. True: try again; false: one of the two has to become ready first. */

static bool step_read_reserve(struct relay_end *from, struct relay_end *to)
{
	struct iovec room[RELAY_VIEWS];
	int n = to->ops->reserve(to->s, room, RELAY_VIEWS);
	ssize_t got;

	if (n <= 0)
		return false;
	got = from->ops->read(from->s, room, n);
	to->ops->commit(to->s, got > 0 ? (size_t)got : 0);
	from->eof = got == 0;
	from->bytes += got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* What was shown is done with as far as it was taken. True: there may be more,
 * which a view of no bytes does not promise. */
static bool took(struct relay_end *from, const struct iovec *view, int n,
		 size_t taken)
{
	if (taken)
		from->ops->consume(from->s, taken);
	from->bytes += taken;
	return taken && taken == iov_len(view, n);
}

static bool step_lend(struct relay_end *from, struct relay_end *to)
{
	struct iovec view[RELAY_VIEWS];
	struct weir_loan *loan[RELAY_VIEWS];
	int n = from->ops->peek_loans(from->s, view, loan, RELAY_VIEWS);
	ssize_t taken;

	from->eof = n < 0;
	if (n <= 0)
		return false;
	taken = to->ops->write_loans(to->s, view, loan, n);
	return took(from, view, n, taken > 0 ? (size_t)taken : 0);
}

/* Views of what there is to read; none or less: nothing now, or the end. */
static int look(struct relay_end *from, struct iovec *view)
{
	int n = from->ops->peek(from->s, view, RELAY_VIEWS);

	from->eof = n < 0;
	return n;
}

static bool step_peek(struct relay_end *from, struct relay_end *to)
{
	struct iovec view[RELAY_VIEWS];
	int n = look(from, view);
	ssize_t taken;

	if (n <= 0)
		return false;
	taken = to->ops->write(to->s, view, n);
	return took(from, view, n, taken > 0 ? (size_t)taken : 0);
}

static size_t put_reserve(struct relay_end *to, const struct iovec *view, int n)
{
	struct iovec room[RELAY_VIEWS];
	int rooms = to->ops->reserve(to->s, room, RELAY_VIEWS), r = 0;
	size_t done = 0;

	if (rooms <= 0)
		return 0;
	for (int v = 0; v < n && r < rooms; v++) {
		const char *from = view[v].iov_base;
		size_t left = view[v].iov_len;

		while (left && r < rooms) {
			size_t part =
				left < room[r].iov_len ? left : room[r].iov_len;

			memcpy(room[r].iov_base, from, part);
			room[r].iov_base = (char *)room[r].iov_base + part;
			room[r].iov_len -= part;
			from += part;
			left -= part;
			done += part;
			if (!room[r].iov_len)
				r++;
		}
	}
	to->ops->commit(to->s, done);
	return done;
}

/* Room that was too small does not mean full, as a short write does: only
 * where none is offered will the writer say when there is some. */
static bool step_copy(struct relay_end *from, struct relay_end *to)
{
	struct iovec view[RELAY_VIEWS];
	int n = look(from, view);
	size_t taken;

	if (n <= 0)
		return false;
	taken = put_reserve(to, view, n);
	took(from, view, n, taken);
	return taken > 0;
}

/* Read into the hold where it is empty. */
static bool hold_fill(struct relay_end *from, size_t hold_bytes)
{
	struct relay_hold *h;
	struct iovec room;
	ssize_t n;

	if (!hold_bytes)
		hold_bytes = RELAY_HOLD_LEAST;
	h = malloc(sizeof *h + hold_bytes);
	if (!h)
		return false;
	room = (struct iovec){h->bytes, hold_bytes};
	n = from->ops->read(from->s, &room, 1);
	if (n <= 0) {
		from->eof = n == 0;
		free(h);
		return false;
	}
	h->len = (size_t)n;
	h->off = 0;
	from->bytes += h->len;
	from->hold = h;
	return true;
}

static bool step_hold(struct relay_end *from, struct relay_end *to,
		      size_t hold_bytes)
{
	struct relay_hold *h;
	struct iovec v;
	ssize_t n;

	if (!from->hold && !hold_fill(from, hold_bytes))
		return false;
	h = from->hold;
	v = (struct iovec){h->bytes + h->off, h->len - h->off};
	n = to->ops->write(to->s, &v, 1);
	h->off += n > 0 ? (size_t)n : 0;
	if (h->off < h->len)
		return false;
	free(h);
	from->hold = NULL;
	return true;
}

static bool can_lend(const struct relay_end *from, const struct relay_end *to)
{
	return WEIR_HAS(from->ops, peek_loans) && from->ops->peek_loans &&
	       WEIR_HAS(to->ops, write_loans) && to->ops->write_loans;
}

static bool step(struct relay *r, struct relay_end *from, struct relay_end *to)
{
	if (from->ops->read && to->ops->reserve)
		return step_read_reserve(from, to);
	if (can_lend(from, to))
		return step_lend(from, to);
	if (from->ops->peek && to->ops->write)
		return step_peek(from, to);
	if (from->ops->peek)
		return step_copy(from, to);
	return step_hold(from, to, r->hold_bytes);
}

/* Whether the direction has more to do although neither end will say so. */
static bool pump(struct relay *r, struct relay_end *from, struct relay_end *to)
{
	uint64_t limit = from->bytes + RELAY_ROUND_BYTES;

	while (!from->eof && from->bytes < limit)
		if (!step(r, from, to))
			break;
	if (from->eof && !from->hold && !to->finished) {
		to->finished = true;
		to->ops->finish(to->s);
	}
	return from->bytes >= limit && !from->eof;
}

bool relay_pump(struct relay *r)
{
	bool up = pump(r, &r->end[RELAY_IN], &r->end[RELAY_OUT]);
	bool down = pump(r, &r->end[RELAY_OUT], &r->end[RELAY_IN]);

	return up || down;
}

bool relay_done(const struct relay *r)
{
	return r->end[RELAY_IN].finished && r->end[RELAY_OUT].finished;
}

void relay_fini(struct relay *r)
{
	free(r->end[RELAY_IN].hold);
	free(r->end[RELAY_OUT].hold);
}
