/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a turn: two queues, each run as it stood when its time came. An
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
static void queue_run(struct turn_queue *q)
{
	struct weir_task marker = {0};
	struct weir_task *t;

	queue_put(q, &marker);
	while ((t = q->first) != &marker) {
		queue_remove(q, t);
		t->run(t);
	}
	queue_remove(q, &marker);
}

void turn_init(struct turn *turn)
{
	queue_init(&turn->sessions);
	queue_init(&turn->tasks);
}

void turn_session(struct turn *turn, struct weir_task *t)
{
	queue_put(&turn->sessions, t);
}

void turn_task(struct turn *turn, struct weir_task *t)
{
	queue_put(&turn->tasks, t);
}

void turn_forget(struct turn *turn, struct weir_task *t)
{
	if (t->queued && !queue_remove(&turn->sessions, t)) {
		bool found = queue_remove(&turn->tasks, t);

		assert(found);
	}
}

bool turn_run(struct turn *turn)
{
	if (turn->sessions.first)
		queue_run(&turn->sessions);
	if (turn->tasks.first)
		queue_run(&turn->tasks);
	return turn->sessions.first || turn->tasks.first;
}
