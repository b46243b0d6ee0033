/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a turn. */
#include "fake.h"

#include "core/util.h"

struct job {
	struct weir_task task;
	struct turn *turn;
	struct job *forget; /* take this one back when run */
	bool again;
	int runs, order;
};

static int ran;

static void run(struct weir_task *task)
{
	struct job *j = container_of(task, struct job, task);

	j->runs++;
	j->order = ++ran;
	if (j->again)
		turn_task(j->turn, task);
	if (j->forget)
		turn_forget(j->turn, &j->forget->task);
}

static struct job job(struct turn *turn)
{
	return (struct job){.task.run = run, .turn = turn};
}

START_TEST(turn_runs_sessions_before_tasks)
{
	struct turn t;
	struct job task = job(&t), session = job(&t);

	turn_init(&t);
	turn_task(&t, &task.task);
	turn_session(&t, &session.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_lt(session.order, task.order);
}
END_TEST

START_TEST(turn_runs_in_the_order_of_queueing)
{
	struct turn t;
	struct job a = job(&t), b = job(&t), c = job(&t);

	turn_init(&t);
	turn_task(&t, &a.task);
	turn_task(&t, &b.task);
	turn_task(&t, &c.task);
	turn_run(&t);
	ck_assert_int_lt(a.order, b.order);
	ck_assert_int_lt(b.order, c.order);
}
END_TEST

START_TEST(turn_queues_an_entry_once)
{
	struct turn t;
	struct job a = job(&t);

	turn_init(&t);
	turn_task(&t, &a.task);
	turn_task(&t, &a.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(a.runs, 1);
}
END_TEST

START_TEST(turn_leaves_a_requeued_entry_for_the_next_turn)
{
	struct turn t;
	struct job a = job(&t);

	turn_init(&t);
	a.again = true;
	turn_task(&t, &a.task);
	ck_assert(turn_run(&t));
	ck_assert_int_eq(a.runs, 1);
	a.again = false;
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(a.runs, 2);
}
END_TEST

START_TEST(turn_forgets_an_entry_while_it_runs_another)
{
	struct turn t;
	struct job a = job(&t), b = job(&t), c = job(&t);

	turn_init(&t);
	a.forget = &b;
	turn_task(&t, &a.task);
	turn_task(&t, &b.task);
	turn_task(&t, &c.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(b.runs, 0);
	ck_assert_int_eq(c.runs, 1);
}
END_TEST

START_TEST(turn_takes_more_after_its_last_entry_was_forgotten)
{
	struct turn t;
	struct job a = job(&t), b = job(&t), c = job(&t);

	turn_init(&t);
	turn_session(&t, &a.task);
	turn_session(&t, &b.task);
	turn_forget(&t, &b.task);
	turn_forget(&t, &c.task); /* was never queued: nothing happens */
	turn_session(&t, &c.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(a.runs, 1);
	ck_assert_int_eq(b.runs, 0);
	ck_assert_int_eq(c.runs, 1);
}
END_TEST

FAKE_MAIN("turn", turn_runs_sessions_before_tasks,
	  turn_runs_in_the_order_of_queueing, turn_queues_an_entry_once,
	  turn_leaves_a_requeued_entry_for_the_next_turn,
	  turn_forgets_an_entry_while_it_runs_another,
	  turn_takes_more_after_its_last_entry_was_forgotten)
