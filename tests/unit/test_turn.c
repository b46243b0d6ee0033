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
	uint64_t moves; /* bytes, each time */
};

static int ran;

static void run(struct weir_task *task)
{
	struct job *j = container_of(task, struct job, task);

	j->runs++;
	j->order = ++ran;
	turn_moved(j->turn, j->moves);
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

START_TEST(turn_runs_sessions_that_carry_much_after_others)
{
	struct turn t;
	struct job task = job(&t), bulk = job(&t), session = job(&t);

	turn_init(&t);
	turn_task(&t, &task.task);
	turn_bulk(&t, &bulk.task);
	turn_session(&t, &session.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_lt(session.order, bulk.order);
	ck_assert_int_lt(bulk.order, task.order);
}
END_TEST

START_TEST(turn_that_moved_its_bytes_leaves_the_rest_of_those_that_carry_much)
{
	struct turn t;
	struct job a = job(&t), b = job(&t), c = job(&t), task = job(&t);

	turn_init(&t);
	a.moves = TURN_BYTES - 1;
	b.moves = 1;
	turn_bulk(&t, &a.task);
	turn_bulk(&t, &b.task);
	turn_bulk(&t, &c.task);
	turn_task(&t, &task.task);
	ck_assert(turn_run(&t));
	ck_assert_int_eq(b.runs, 1);
	ck_assert_int_eq(c.runs, 0);
	ck_assert_int_eq(task.runs, 1);

	turn_bulk(&t, &a.task); /* again: behind who has waited */
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(c.runs, 1);
	ck_assert_int_lt(c.order, a.order);
}
END_TEST

START_TEST(turn_serves_all_others_and_one_that_carries_much_whatever_they_move)
{
	struct turn t;
	struct job a = job(&t), b = job(&t), bulk = job(&t);

	turn_init(&t);
	a.moves = b.moves = TURN_BYTES;
	turn_session(&t, &a.task);
	turn_session(&t, &b.task);
	turn_bulk(&t, &bulk.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(b.runs, 1);
	ck_assert_int_eq(bulk.runs, 1);
}
END_TEST

START_TEST(turn_forgets_an_entry_that_carries_much)
{
	struct turn t;
	struct job a = job(&t);

	turn_init(&t);
	turn_bulk(&t, &a.task);
	turn_forget(&t, &a.task);
	ck_assert(!turn_run(&t));
	ck_assert_int_eq(a.runs, 0);
}
END_TEST

/* Two have their round a turn, and the third is the next one's first; all
 * have one before it is known of them. */
START_TEST(turn_lets_sessions_that_carry_much_wait_in_turn)
{
	struct fake *world = fake_pair();
	struct fake_part *out = fake_part(world, "out");
	struct fake_end *ends = calloc(3, sizeof *ends);
	bool waited = false;

	fake_start(world);
	for (int i = 0; i < 3; i++) {
		fake_end_init(&ends[i], FAKE_PEEK | FAKE_WRITE);
		fake_accept(fake_part(world, "in"), &ends[i], "192.0.2.1:80");
		ends[i].endless = fake_opened(out, i)->stream.endless = true;
		fake_open_ready(fake_opened(out, i));
	}
	for (int turn = 0; turn < 6; turn++) {
		uint64_t least = UINT64_MAX, most = 0;

		fake_turn(world);
		for (int i = 0; i < 3; i++) {
			uint64_t rounds = ends[i].written / (TURN_BYTES / 3);

			least = rounds < least ? rounds : least;
			most = rounds > most ? rounds : most;
		}
		ck_assert_uint_ge(least, 1);
		ck_assert_uint_le(most, least + 1);
		waited |= most > least;
	}
	ck_assert(waited);
	fake_stop(world);
	free(ends);
}
END_TEST

static bool is_served_last(struct fake *world, struct fake_end *end)
{
	bool last;

	fake_end_receive(end, "x");
	last = fake_core(world)->turn.bulk.first;
	fake_turn(world);
	return last;
}

START_TEST(turn_serves_who_carried_much_last_until_that_is_long_ago)
{
	struct fake *world = fake_pair();
	struct fake_part *out = fake_part(world, "out");
	struct fake_end client, *far;

	fake_start(world);
	fake_end_init(&client, FAKE_PEEK | FAKE_WRITE);
	fake_accept(fake_part(world, "in"), &client, "192.0.2.1:80");
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	far = &fake_opened(out, 0)->stream;
	ck_assert(!is_served_last(world, far));
	far->endless = client.endless = true;
	fake_end_receive(far, "x");
	fake_turn(world);
	far->endless = client.endless = false;
	for (int quiet = 0; quiet < 16; quiet++)
		ck_assert(is_served_last(world, far));
	ck_assert(!is_served_last(world, far));
	fake_end_fail(&client, ECONNRESET, "reset");
	fake_turn(world);
	fake_stop(world);
}
END_TEST

FAKE_MAIN("turn", turn_runs_sessions_before_tasks,
	  turn_runs_in_the_order_of_queueing, turn_queues_an_entry_once,
	  turn_leaves_a_requeued_entry_for_the_next_turn,
	  turn_forgets_an_entry_while_it_runs_another,
	  turn_takes_more_after_its_last_entry_was_forgotten,
	  turn_runs_sessions_that_carry_much_after_others,
	  turn_that_moved_its_bytes_leaves_the_rest_of_those_that_carry_much,
	  turn_serves_all_others_and_one_that_carries_much_whatever_they_move,
	  turn_forgets_an_entry_that_carries_much,
	  turn_lets_sessions_that_carry_much_wait_in_turn,
	  turn_serves_who_carried_much_last_until_that_is_long_ago)
