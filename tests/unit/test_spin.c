/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the loop looks for news before it sleeps. */
#include <sched.h>

#include "core/spin.h"
#include "fake.h"

static struct spin turns(uint64_t wait_us, uint64_t work_us)
{
	struct spin s;

	spin_init(&s);
	s.alone = false;
	for (int i = 0; i < 60; i++)
		spin_note(&s, wait_us, work_us);
	return s;
}

START_TEST(questions_and_answers_are_looked_for)
{
	struct spin s = turns(40, 10);

	ck_assert_uint_gt(spin_us(&s), 40);
	ck_assert_uint_le(spin_us(&s), 100);
}
END_TEST

START_TEST(first_news_is_slept_for)
{
	struct spin s;

	spin_init(&s);
	ck_assert_uint_eq(spin_us(&s), 0);
}
END_TEST

START_TEST(news_now_and_then_is_slept_for)
{
	struct spin s = turns(300, 10);

	ck_assert_uint_eq(spin_us(&s), 0);
}
END_TEST

START_TEST(much_at_a_time_is_slept_for)
{
	struct spin s = turns(10, 150);

	ck_assert_uint_eq(spin_us(&s), 0);
}
END_TEST

START_TEST(looking_in_vain_is_given_up)
{
	struct spin s = turns(40, 10);
	int vain = 0;

	for (int i = 0; i < 100; i++) {
		vain += spin_us(&s) > 0;
		spin_note(&s, 150, 10);
	}
	ck_assert_int_lt(vain, 30);
}
END_TEST

START_TEST(a_pause_ends_the_looking)
{
	struct spin s = turns(40, 10);

	spin_note(&s, 10000, 10);
	spin_note(&s, 10000, 10);
	ck_assert_uint_eq(spin_us(&s), 0);
}
END_TEST

START_TEST(one_processor_is_left_to_others)
{
	cpu_set_t all, one;
	struct spin s;
	int cpu = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	spin_init(&s);
	for (int i = 0; i < 60; i++)
		spin_note(&s, 40, 10);
	ck_assert_uint_eq(spin_us(&s), 0);
}
END_TEST

FAKE_MAIN("spin", questions_and_answers_are_looked_for, first_news_is_slept_for,
	  news_now_and_then_is_slept_for, much_at_a_time_is_slept_for,
	  looking_in_vain_is_given_up, a_pause_ends_the_looking,
	  one_processor_is_left_to_others)
