/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_footprint.c - what the stack's memory a connection is while it is
 * silent, whatever it did before: all that the heap has more for it, but for
 * what this test keeps itself. And that what it takes while it sends is what
 * the stack counts. */
#include "behave.h"

#include <malloc.h>
#include <stdlib.h>

#include "tests/suite.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

#if SANITIZED
size_t __sanitizer_get_current_allocated_bytes(void); /* not in each header */
#define HEADER 0u /* the sanitizer's own are not counted */
#else
#define HEADER 8u /* of malloc's, before each piece */
#endif

#define WARM 500
#define MANY 2000
#define MSS 1000u
#define FIRST_PORT 1024
#define MSS_LEAST 88u
#define FLIGHT (200u * 1024)
#define CUBIC_MOST 800u
#define BBR_MOST 940u /* its model is larger */

static uint64_t heap_bytes(void)
{
#if SANITIZED
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

/* Some bytes in both directions, the first ones late, the last ones lost for a
 * while: all that a connection may need memory for was there. */
static void live(struct peer *p)
{
	const uint32_t edges[] = {1 + MSS, 1 + 4 * MSS};

	say(p, ACK | PSH, 1 + MSS, 1, MSS);
	say(p, ACK | PSH, 1, 1, MSS);
	ck_assert_uint_eq(core_read(p), 2 * MSS);
	core_write(p, 4 * MSS);
	sim_run(10 * SIM_MS);
	say_sack(p, p->read + 1, 1, 1, edges);
	sim_run(10 * SIM_MS);
	say(p, ACK, p->read + 1, 1 + 4 * MSS, 0);
	sim_flush(&tun);
}

/* Returns what the test itself keeps of them. */
static uint64_t open_and_live(int first, int n, int v6)
{
	uint64_t own = 0;

	for (int i = first; i < first + n; i++) {
		struct peer p = peer_new(v6);

		p.path.client_port = (uint16_t)(FIRST_PORT + i);
		p.mss = MSS;
		peer_complete(&p);
		live(&p);
		own += malloc_usable_size(p.end) + HEADER;
	}
	sim_run(10000 * SIM_MS); /* what is kept for reuse goes back */
	sim_flush(&tun);
	return own;
}

static uint64_t idle_connection_bytes(int v6)
{
	uint64_t before, own, taken;

	open_and_live(0, WARM, v6);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	before = heap_bytes();
	own = open_and_live(WARM, MANY, v6);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	ck_assert_uint_eq(sim_counter("connections"), WARM + MANY);
	taken = (heap_bytes() - before - own) / MANY;
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		printf("%d bytes an idle connection\n", (int)taken);
	return taken;
}

static void begin(int congestion)
{
	sim_congestion = congestion;
	tun_begin();
}

START_TEST(idle_connection_takes_at_most_800_bytes_of_the_stack)
{
	begin(SIM_CUBIC);
	ck_assert_uint_le(idle_connection_bytes(_i), CUBIC_MOST);
	tun_end();
}
END_TEST

START_TEST(idle_connection_of_bbr_takes_its_model_more)
{
	begin(SIM_BBR);
	ck_assert_uint_le(idle_connection_bytes(_i), BBR_MOST);
	tun_end();
}
END_TEST

/* The segments are as small as a peer can ask for. */
START_TEST(what_a_flight_takes_is_counted)
{
	uint32_t heard = 0, acked = 0;
	uint64_t before, taken;
	struct peer p;

	begin(SIM_CUBIC);
	p = peer_new(_i);
	p.mss = MSS_LEAST;
	peer_complete(&p);
	before = heap_bytes();
	while (heard - acked < FLIGHT) {
		for (; acked + MSS_LEAST <= heard; acked += MSS_LEAST)
			say(&p, ACK, 1, 1 + acked + MSS_LEAST, 0);
		core_fill(&p);
		sim_run(SIM_MS);
		heard += hear_all(&p);
	}
	taken = heap_bytes() - before;
	ck_assert_uint_gt(taken, 3 * FLIGHT); /* mostly not payload */
	ck_assert_uint_le(taken, sim_counter("memory_bytes") * 21 / 20);
	tun_end();
}
END_TEST

SUITE("footprint", t)
{
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
		t, idle_connection_takes_at_most_800_bytes_of_the_stack, 0, 2);
	tcase_add_loop_test(t, idle_connection_of_bbr_takes_its_model_more, 0,
			    2);
	tcase_add_loop_test(t, what_a_flight_takes_is_counted, 0, 2);
}
