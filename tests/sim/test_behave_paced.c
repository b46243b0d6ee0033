/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_paced.c - a piece that has its pace to wait for as well as the
 * peer's window. The pace is set from outside: a path that slow takes a
 * congestion control very long to find. Each test runs over IPv4 and IPv6. */
#include "behave.h"

#include "conn.h"

#define MSS 1000u
#define PACE 400			      /* bytes a second */
#define BEFORE_THE_THIRD_TICK (1400 * SIM_MS) /* of lwIP's persist timer */

/* Some windows are 0 when taken for 16 bits, others less than they are. */
static const uint32_t windows[] = {65536, 3 * 65536, 65536 + 256};

static void learn_nothing(struct congestion *cc, const struct ack_sample *s)
{
	(void)s;
	cc->pacing_rate = PACE;
}

static void open_between_probes(struct peer *p, uint32_t window)
{
	static struct congestion_ops steady;
	struct conn *c = p->end->self;
	struct congestion *cc = &c->recovery.cc;

	steady = *cc->ops;
	steady.on_ack = learn_nothing;
	cc->ops = &steady;
	cc->pacing_rate = PACE;
	core_write(p, 5 * MSS);
	ck_assert_uint_eq(hear_all(p), MSS);
	p->window = 0;
	say(p, ACK, 1, 1 + MSS, 0);
	sim_run(BEFORE_THE_THIRD_TICK);
	hear_nothing(p);
	p->window = (uint16_t)(window >> p->scale);
	say(p, ACK, 1, 1 + MSS, 0);
}

START_TEST(window_that_opens_between_probes_leaves_the_pace_as_it_is)
{
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		struct peer p = peer_new(_i);
		uint64_t after_us;
		struct heard *h;

		p.path.client_port += (uint16_t)i;
		p.mss = MSS;
		peer_complete(&p);
		open_between_probes(&p, windows[i]);
		hear_nothing(&p);
		h = hear_within(&p, 5000 * SIM_MS, &after_us);
		ck_assert_uint_eq(h->seq, 1 + MSS);
		ck_assert_uint_eq(h->len, MSS);
		ck_assert_uint_ge(after_us, 500 * SIM_MS);
		say(&p, RST, 1, 0, 0);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		window_that_opens_between_probes_leaves_the_pace_as_it_is,
	};

	return BEHAVE_CUBIC_MAIN("behave_paced", tests);
}
