/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window of counters. */
#include "wg.h"

#include "replay.h"

#define LIMIT (UINT64_MAX - (1u << 13) - 1) /* REJECT_AFTER_MESSAGES */
#define MODEL 70000u
#define SEEN_MOST (8 * MODEL)

static struct replay r;

static void begin(void)
{
	memset(&r, 0, sizeof r);
}

START_TEST(a_counter_is_taken_once)
{
	begin();
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert(replay_accept(&r, i));
		ck_assert(!replay_accept(&r, i));
	}
	ck_assert(replay_accept(&r, 9));
	ck_assert(replay_accept(&r, 8));
	ck_assert(replay_accept(&r, 7));
	ck_assert(!replay_accept(&r, 7));
	ck_assert(!replay_accept(&r, 8));
	ck_assert(!replay_accept(&r, 9));
	ck_assert(!replay_accept(&r, 0));
}
END_TEST

START_TEST(the_window_is_8128_wide)
{
	ck_assert_uint_eq(REPLAY_WINDOW, 8128);
	for (uint64_t first = 0; first < 130; first++) {
		begin();
		ck_assert(replay_accept(&r, first + 8128));
		ck_assert(replay_accept(&r, first));
		ck_assert(!replay_accept(&r, first));
		begin();
		ck_assert(replay_accept(&r, first + 8129));
		ck_assert(!replay_accept(&r, first));
		ck_assert(replay_accept(&r, first + 1));
	}
}
END_TEST

START_TEST(a_leap_forgets_what_was_before)
{
	begin();
	for (uint64_t i = 0; i < 8192; i++)
		ck_assert(replay_accept(&r, i));
	for (uint64_t at = 8192 * 3; at < 8192 * 400; at += 8192 * 3 + 77) {
		ck_assert(replay_accept(&r, at));
		for (uint64_t back = 1; back <= 8128; back += 9)
			ck_assert(replay_accept(&r, at - back));
		ck_assert(!replay_accept(&r, at - 8129));
	}
}
END_TEST

START_TEST(the_last_counters_of_a_key_are_told_apart)
{
	begin();
	ck_assert(replay_accept(&r, 0));
	ck_assert(replay_accept(&r, LIMIT - 1));
	ck_assert(!replay_accept(&r, LIMIT - 1));
	ck_assert(replay_accept(&r, LIMIT - 2));
	ck_assert(!replay_accept(&r, 0));
	ck_assert(replay_accept(&r, LIMIT - 1 - 8128));
	ck_assert(!replay_accept(&r, LIMIT - 1 - 8129));
}
END_TEST

/* A model that forgets nothing. */
START_TEST(random_orders_agree_with_a_model)
{
	static bool seen[SEEN_MOST];
	uint64_t greatest = 0, random = 88172645463325252ull;

	begin();
	memset(seen, 0, sizeof seen);
	for (unsigned i = 0; i < MODEL; i++) {
		uint64_t at = greatest + 6;
		bool fresh;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		at -= random % (i % 50 == 0 ? 9000 : 12) % (at + 1);
		fresh = !seen[at] && (at > greatest || greatest - at <= 8128);
		ck_assert_int_eq(replay_accept(&r, at), fresh);
		seen[at] |= fresh;
		if (at > greatest)
			greatest = at;
	}
	ck_assert_uint_gt(greatest, 8192 * 4);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_counter_is_taken_once,
		the_window_is_8128_wide,
		a_leap_forgets_what_was_before,
		the_last_counters_of_a_key_are_told_apart,
		random_orders_agree_with_a_model,
	};

	return RUN("wg_replay", tests);
}
