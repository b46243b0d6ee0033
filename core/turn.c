/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a turn: three queues, each run as it stood when its time came. An
 * entry may free itself, and may queue itself or others again. */
#include "turn.h"

#include <assert.h>

static void queue_init(struct turn_queue *q)
{
	q->first = NULL;
	q->end = &q->first;
}

static void queue_put(struct turn_queue *q, struct weir_task *t)
{
	if (t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	*q->end = t;
	q->end = &t->next;
}

static bool queue_remove(struct turn_queue *q, struct weir_task *t)
{
	struct weir_task **at = &q->first;

	while (*at && *at != t)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = t->next;
	if (q->end == &t->next)
		q->end = at;
	t->queued = false;
	return true;
}

/* A marker of our own bounds the run to what is queued now, while entries can
 * still be taken out of the list. */
static void queue_run(struct turn *turn, struct turn_queue *q, uint64_t most)
{
	struct weir_task marker = {0};
	struct weir_task *t;

	queue_put(q, &marker);
	while ((t = q->first) != &marker) {
		queue_remove(q, t);
		t->run(t);
		if (turn->moved >= most)
			break;
	}
	queue_remove(q, &marker);
}

void turn_init(struct turn *turn)
{
	queue_init(&turn->sessions);
	queue_init(&turn->bulk);
	queue_init(&turn->tasks);
}

void turn_session(struct turn *turn, struct weir_task *t)
{
	queue_put(&turn->sessions, t);
}

void turn_bulk(struct turn *turn, struct weir_task *t)
{
	queue_put(&turn->bulk, t);
}

void turn_task(struct turn *turn, struct weir_task *t)
{
	queue_put(&turn->tasks, t);
}

void turn_forget(struct turn *turn, struct weir_task *t)
{
	if (t->queued && !queue_remove(&turn->sessions, t) &&
	    !queue_remove(&turn->bulk, t)) {
		bool found = queue_remove(&turn->tasks, t);

		assert(found);
	}
}

void turn_moved(struct turn *turn, uint64_t bytes)
{
	turn->moved += bytes;
}

bool turn_run(struct turn *turn)
{
	turn->moved = 0;
	if (turn->sessions.first)
		queue_run(turn, &turn->sessions, UINT64_MAX);
	if (turn->bulk.first)
		queue_run(turn, &turn->bulk, TURN_BYTES);
	if (turn->tasks.first)
		queue_run(turn, &turn->tasks, UINT64_MAX);
	return turn->sessions.first || turn->bulk.first || turn->tasks.first;
}
