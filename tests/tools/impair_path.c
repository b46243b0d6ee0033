/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bad network does to the packets of one direction.
 *
 * Theory of operation: a packet's fate is settled when it comes. Loss first,
 * then a flipped bit, then a copy; each then waits its turn on a line of the
 * given rate, which is a virtual clock (when the line will be free) and needs
 * no timer, and gets the time at which it has crossed the line and the delay.
 *
 * Times only grow along the line, and a packet that is held back for
 * reordering is later than its neighbours by a constant. So two rings, each
 * in the order of time, are all the sorting there is: nothing is searched and
 * nothing is allocated for a packet.
 *
 * Every kind of mishap draws from a random sequence of its own, once for each
 * packet: the n-th packet of a seed is lost or not, whatever else is set and
 * whenever it comes. */
#include "impair_path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "random.h"

#define SLOTS 65536 /* packets under way at most; a power of two */
#define SLOT_ALIGN 64
#define SECOND_NS 1000000000ull
#define IPV6_ADDRESSES_AT 8 /* no checksum covers what stands before */
#define IPV4_VERSION_BITS 8 /* version and length: it would be no IPv4 */

enum mishap { LOSS, BURST, DUPLICATE, REORDER, CORRUPT, BIT, JITTER, MISHAPS };

struct item {
	uint64_t due_ns;
	uint32_t slot, len;
};

struct ring {
	struct item *items;
	uint32_t head, tail; /* count up for ever, taken modulo SLOTS */
};

struct impair_path {
	struct impair_settings set;
	struct impair_counters count;
	uint64_t random[MISHAPS];
	bool bursting;
	uint64_t free_ns;  /* when the line has sent what waits for it */
	uint64_t queue_ns; /* how long the line needs for a full queue */
	uint64_t last_ns;  /* due time of the last one in order */
	struct ring in_order, held_back;
	uint8_t *slots;
	size_t slot_bytes;
	uint32_t *free_slots;
	uint32_t free_count;
	uint32_t room; /* the slot that the next packet is read into */
};

static uint64_t draw(struct impair_path *p, enum mishap kind)
{
	return random_next(&p->random[kind]);
}

/* From 0 to just below 1. */
static double draw_share(struct impair_path *p, enum mishap kind)
{
	return (double)(draw(p, kind) >> 11) * 0x1p-53;
}

static uint64_t line_ns(const struct impair_path *p, uint64_t bytes)
{
	double seconds = (double)bytes * 8 / (double)p->set.rate_bits;

	return (uint64_t)(seconds * (double)SECOND_NS + 0.5);
}

static bool path_reserve(struct impair_path *p)
{
	p->slot_bytes =
		(p->set.mtu_bytes + SLOT_ALIGN - 1) & ~(size_t)(SLOT_ALIGN - 1);
	p->slots = mmap(NULL, SLOTS * p->slot_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->slots == MAP_FAILED)
		p->slots = NULL;
	p->free_slots = calloc(SLOTS, sizeof *p->free_slots);
	p->in_order.items = calloc(SLOTS, sizeof *p->in_order.items);
	p->held_back.items = calloc(SLOTS, sizeof *p->held_back.items);
	return p->slots && p->free_slots && p->in_order.items &&
	       p->held_back.items;
}

struct impair_path *impair_path_new(const struct impair_settings *set)
{
	struct impair_path *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->set = *set;
	if (!path_reserve(p)) {
		impair_path_free(p);
		return NULL;
	}
	for (unsigned kind = 0; kind < MISHAPS; kind++)
		p->random[kind] =
			random_scramble(random_scramble(set->seed) + kind);
	if (set->rate_bits)
		p->queue_ns = line_ns(p, set->queue_bytes);
	/* The last one freed is the next one used: few pages are touched. */
	while (p->free_count < SLOTS - 1) {
		p->free_slots[p->free_count] = SLOTS - 1 - p->free_count;
		p->free_count++;
	}
	return p;
}

void impair_path_free(struct impair_path *p)
{
	if (!p)
		return;
	if (p->slots)
		munmap(p->slots, SLOTS * p->slot_bytes);
	free(p->free_slots);
	free(p->in_order.items);
	free(p->held_back.items);
	free(p);
}

static uint8_t *slot_at(const struct impair_path *p, uint32_t slot)
{
	return p->slots + slot * p->slot_bytes;
}

uint8_t *impair_path_room(struct impair_path *p)
{
	return slot_at(p, p->room);
}

static void ring_put(struct ring *r, const struct item *item)
{
	r->items[r->tail++ % SLOTS] = *item;
}

static const struct item *ring_first(const struct ring *r)
{
	return r->head == r->tail ? NULL : &r->items[r->head % SLOTS];
}

static bool is_lost(struct impair_path *p)
{
	bool lost = draw_share(p, LOSS) < p->set.loss;
	double u = draw_share(p, BURST);

	if (p->bursting)
		p->bursting = u >= p->set.burst_out;
	else
		p->bursting = u < p->set.burst_in;
	return lost || p->bursting;
}

/* One bit, and one that a checksum covers. */
static void flip_bit(uint8_t *packet, size_t len, uint64_t random)
{
	size_t from = len && packet[0] >> 4 == 6 ? IPV6_ADDRESSES_AT * 8
						 : IPV4_VERSION_BITS;
	size_t bit;

	if (len * 8 <= from)
		return;
	bit = from + (size_t)(random % (len * 8 - from));
	packet[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

/* When the packet has crossed the line; false where the queue is full. A line
 * at rest takes a packet whatever the queue. */
static bool cross_line(struct impair_path *p, size_t len, uint64_t now_ns,
		       uint64_t *crossed_ns)
{
	uint64_t mine_ns;

	*crossed_ns = now_ns;
	if (!p->set.rate_bits)
		return true;
	mine_ns = line_ns(p, len);
	if (p->free_ns <= now_ns)
		p->free_ns = now_ns;
	else if (p->free_ns - now_ns + mine_ns > p->queue_ns)
		return false;
	p->free_ns += mine_ns;
	*crossed_ns = p->free_ns;
	return true;
}

/* Delay give or take jitter, never before the one in front. */
static uint64_t due_in_order(struct impair_path *p, uint64_t crossed_ns,
			     double jitter)
{
	double shift_ns = (jitter * 2 - 1) * (double)p->set.jitter_ns;
	double wait_ns = (double)p->set.delay_ns + shift_ns;
	uint64_t due_ns = crossed_ns + (wait_ns > 0 ? (uint64_t)wait_ns : 0);

	if (due_ns < p->last_ns)
		due_ns = p->last_ns;
	p->last_ns = due_ns;
	return due_ns;
}

/* Put the room's packet on its way and make new room. */
static void send_room(struct impair_path *p, size_t len, uint64_t now_ns,
		      bool hold, double jitter)
{
	struct item item = {.slot = p->room, .len = (uint32_t)len};

	if (!p->free_count || !cross_line(p, len, now_ns, &item.due_ns)) {
		p->count.overflowed++;
		return;
	}
	item.due_ns = due_in_order(p, item.due_ns, jitter);
	if (hold) {
		item.due_ns += p->set.reorder_ns;
		p->count.reordered++;
	}
	ring_put(hold ? &p->held_back : &p->in_order, &item);
	p->count.inside++;
	p->room = p->free_slots[--p->free_count];
}

void impair_path_take(struct impair_path *p, size_t len, uint64_t now_ns)
{
	const uint8_t *first = impair_path_room(p);
	bool lost = is_lost(p);
	bool twice = draw_share(p, DUPLICATE) < p->set.duplicate;
	bool hold = draw_share(p, REORDER) < p->set.reorder;
	bool corrupt = draw_share(p, CORRUPT) < p->set.corrupt;
	uint64_t bit = draw(p, BIT);
	double jitter = draw_share(p, JITTER);

	p->count.received++;
	if (lost) {
		p->count.lost++;
		return;
	}
	if (corrupt) {
		flip_bit(impair_path_room(p), len, bit);
		p->count.corrupted++;
	}
	send_room(p, len, now_ns, hold, jitter);
	if (!twice)
		return;
	p->count.duplicated++;
	if (impair_path_room(p) != first)
		memcpy(impair_path_room(p), first, len);
	send_room(p, len, now_ns, false, jitter);
}

/* The ring whose packet leaves next; NULL when both are empty. */
static struct ring *next_ring(const struct impair_path *p)
{
	const struct item *a = ring_first(&p->in_order);
	const struct item *b = ring_first(&p->held_back);
	const struct ring *r = &p->in_order;

	if (!a && !b)
		return NULL;
	if (!a || (b && b->due_ns < a->due_ns))
		r = &p->held_back;
	return (struct ring *)r;
}

uint64_t impair_path_due_ns(const struct impair_path *p)
{
	const struct ring *r = next_ring(p);

	return r ? ring_first(r)->due_ns : IMPAIR_NEVER;
}

const uint8_t *impair_path_next(const struct impair_path *p, uint64_t now_ns,
				size_t *len)
{
	const struct ring *r = next_ring(p);
	const struct item *item = r ? ring_first(r) : NULL;

	if (!item || item->due_ns > now_ns)
		return NULL;
	*len = item->len;
	return slot_at(p, item->slot);
}

void impair_path_release(struct impair_path *p, bool delivered)
{
	struct ring *r = next_ring(p);
	const struct item *item = ring_first(r);

	if (delivered) {
		p->count.forwarded++;
		p->count.bytes += item->len;
	} else {
		p->count.refused++;
	}
	p->count.inside--;
	p->free_slots[p->free_count++] = item->slot;
	r->head++;
}

const struct impair_counters *impair_path_counters(const struct impair_path *p)
{
	return &p->count;
}
