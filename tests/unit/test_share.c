/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No client takes all the sessions that there may be. */
#include "fake.h"

#define MOST 16
#define ALONE (MOST * 15 / 16)

static struct fake *world;
static struct fake_part *in;
static struct fake_end ends[MOST + 1];

static void setup(void)
{
	world = fake_pair();
	in = fake_part(world, "in");
	fake_start(world);
	world->config.max_sessions = MOST;
}

static bool opens(struct fake_end *e, const char *source, const char *user)
{
	struct weir_session_info info = {
		.size = sizeof info,
		.net = WEIR_NET_TCP,
		.source = fake_addr(source),
		.target = fake_addr("192.0.2.1:80"),
		.user = user,
	};

	fake_end_init(e, FAKE_PEEK | FAKE_WRITE);
	e->host = in->host;
	e->handle = in->host->accept_stream(in->instance, &info, &e->ops, e);
	return e->handle;
}

START_TEST(a_client_alone_leaves_a_sixteenth_and_the_next_one_gets_in)
{
	char from[32];
	int n = 0;

	setup();
	do
		snprintf(from, sizeof from, "198.18.0.2:%d", 40000 + n);
	while (opens(&ends[n], from, NULL) && ++n < MOST);
	ck_assert_int_eq(n, ALONE);
	ck_assert_uint_eq(fake_core(world)->refused_share, 1);
	ck_assert(opens(&ends[n], "198.18.0.3:40000", NULL));
	ck_assert(!opens(&ends[n + 1], "198.18.0.2:50000", NULL));
	for (int i = 0; i < 3; i++) {
		fake_end_fail(&ends[i], ECONNRESET, "");
		fake_turn(world);
	}
	ck_assert(opens(&ends[0], "198.18.0.2:50000", NULL));
	fake_stop(world);
}
END_TEST

START_TEST(a_user_is_one_client_wherever_it_comes_from)
{
	char from[32];
	int n = 0;

	setup();
	do
		snprintf(from, sizeof from, "[2001:db8::%d]:40000", n + 1);
	while (opens(&ends[n], from, "laptop") && ++n < MOST);
	ck_assert_int_eq(n, ALONE);
	ck_assert(opens(&ends[n], "[2001:db8::1]:40000", "phone"));
	fake_stop(world);
}
END_TEST

FAKE_MAIN("share", a_client_alone_leaves_a_sixteenth_and_the_next_one_gets_in,
	  a_user_is_one_client_wherever_it_comes_from)
