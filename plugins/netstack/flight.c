/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flight.c - thousands of segments, and no walk over them for an ACK.
 *
 * lwIP keeps what is in flight as a list. A peer that says what it has may
 * speak of any place in it, and of another one each time, so each place has to
 * be found at once. Neighbours in the list form groups of up to 32, and the
 * groups an array: one is found by halving, and within it a few steps remain. A
 * group knows how many of its segments are open and how many wait to be sent
 * again, so what looks for these passes over the others as a whole.
 *
 * Open segments are linked once more, in the order of sending, through the
 * notes in their headers. The one that was sent first is late first: whoever
 * looks for what is late by now stops at the first that is not. What waits to
 * go again stays where it is in that order, as it may turn out to be on its way
 * after all; what goes out again is the newest.
 *
 * The array lies in one piece. What was acknowledged leaves room in front, and
 * once that is half of it the rest moves down; so either costs a step a
 * segment. */
#include "flight.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_SEGMENTS 32u
#define GROUPS_FIRST 4u

static bool make_room(struct recovery *r)
{
	struct flight *f = r->flight;
	uint32_t room = f ? 2 * f->room : GROUPS_FIRST;

	if (f && f->begin >= f->room / 2) {
		f->end -= f->begin;
		memmove(f->group, flight_first(f), f->end * sizeof f->group[0]);
		f->begin = 0;
		return true;
	}
	f = realloc(f, sizeof *f + room * sizeof f->group[0]);
	if (!f)
		return false;
	if (!r->flight)
		memset(f, 0, sizeof *f);
	f->room = room;
	r->flight = f;
	return true;
}

bool flight_admits(struct recovery *r)
{
	struct flight *f = r->flight;

	return (f && (f->end < f->room ||
		      flight_end(f)[-1].segments < GROUP_SEGMENTS)) ||
	       make_room(r);
}

static void order_append(struct flight *f, struct tcp_seg *seg)
{
	struct segment_note *note = note_of(seg);

	note->older = f->newest;
	note->newer = NULL;
	if (f->newest)
		note_of(f->newest)->newer = seg;
	else
		f->oldest = seg;
	f->newest = seg;
	if (!f->unjudged)
		f->unjudged = seg;
}

static void order_remove(struct flight *f, struct tcp_seg *seg)
{
	const struct segment_note *note = note_of(seg);

	if (note->older)
		note_of(note->older)->newer = note->newer;
	else
		f->oldest = note->newer;
	if (note->newer)
		note_of(note->newer)->older = note->older;
	else
		f->newest = note->older;
	if (f->unjudged == seg)
		f->unjudged = note->newer;
}

void flight_append(struct recovery *r, struct tcp_seg *seg)
{
	struct flight *f = r->flight;
	struct group *g = flight_end(f) - 1;

	if (f->begin == f->end || g->segments == GROUP_SEGMENTS) {
		g = &f->group[f->end++];
		*g = (struct group){.first = seg, .begin = seg_begin(seg)};
	}
	g->segments++;
	g->open++;
	f->tail = seg;
	if (!f->uncounted)
		f->uncounted = seg;
	order_append(f, seg);
}

void flight_arrived(struct flight *f, struct group *g, struct tcp_seg *seg)
{
	g->open--;
	g->waiting -= seg_waits(seg);
	order_remove(f, seg);
}

void flight_shift(struct recovery *r, struct tcp_seg *seg)
{
	struct flight *f = r->flight;
	struct group *g = flight_first(f);

	if (!(seg->flags & SEGMENT_SACKED))
		flight_arrived(f, g, seg);
	if (f->uncounted == seg)
		f->uncounted = seg->next;
	g->first = seg->next;
	if (--g->segments)
		return;
	if (++f->begin == f->end)
		flight_free(r);
}

void flight_renew(struct flight *f, struct tcp_seg *seg)
{
	order_remove(f, seg);
	order_append(f, seg);
}

void flight_reopen(struct flight *f, struct group *g, struct tcp_seg *seg)
{
	g->open++;
	order_append(f, seg);
}

struct group *flight_group(struct flight *f, uint32_t seq)
{
	uint32_t low = f->begin, high = f->end;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (TCP_SEQ_LEQ(f->group[middle].begin, seq))
			low = middle;
		else
			high = middle;
	}
	return &f->group[low];
}

void flight_free(struct recovery *r)
{
	free(r->flight);
	r->flight = NULL;
}
