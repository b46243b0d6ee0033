/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a link may choose for its connections. */
#include "behave.h"

#include <errno.h>
#include <stdlib.h>

#define RTT_US (50 * SIM_MS)
#define FIRST_WINDOW 14600u /* 10 segments */
#define WINDOW (128u * 1024)
#define QUEUED 200000u /* waits and is in flight, together */
#define PART 10000u    /* acknowledged at once */
#define SENT (20 * WINDOW)
/* Of struct weir_link_conf, with what of it was padding. */
#define SIZE_1_0                                                               \
	((offsetof(struct weir_link_conf, unused) + sizeof(void *) - 1) &      \
	 ~(sizeof(void *) - 1))

/* How much of a large write leaves at once: CUBIC sends its first window, BBR
 * spreads it over the round trip that the handshake took. */
static uint32_t first_flight(const struct weir_link_conf *conf, int v6)
{
	struct peer p = peer_new(v6);

	relink(conf);
	peer_syn(&p);
	peer_accept(&p);
	sim_run(RTT_US);
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 100000);
	return hear_all(&p);
}

START_TEST(a_link_chooses_its_congestion_control)
{
	struct weir_link_conf conf = sim_link_conf();
	uint32_t first_window = _i ? FIRST_WINDOW - 200 : FIRST_WINDOW;

	conf.congestion = WEIR_CONGESTION_CUBIC;
	ck_assert_uint_ge(first_flight(&conf, _i), first_window);
	conf.congestion = WEIR_CONGESTION_BBR;
	ck_assert_uint_lt(first_flight(&conf, _i), first_window);
}
END_TEST

static bool paced(const struct weir_link_conf *conf, int v6)
{
	return first_flight(conf, v6) < FIRST_WINDOW - 200;
}

START_TEST(a_link_that_does_not_choose_has_the_services)
{
	struct weir_link_conf conf = sim_link_conf();

	conf.congestion = WEIR_CONGESTION_DEFAULT;
	ck_assert_int_eq(paced(&conf, _i), sim_congestion == SIM_BBR);
}
END_TEST

START_TEST(a_link_of_1_0_has_the_services_whatever_lies_behind_it)
{
	struct weir_link_conf conf = sim_link_conf();

	conf.size = SIZE_1_0;
	conf.unused = conf.congestion = 0xaaaaaaaa;
	ck_assert_int_eq(paced(&conf, _i), sim_congestion == SIM_BBR);
}
END_TEST

START_TEST(an_unknown_congestion_control_is_refused)
{
	struct weir_link_conf conf = sim_link_conf();
	struct weir_error e = {.text = ""};
	static const struct weir_link_ops ops = {.size = sizeof ops};

	conf.congestion = WEIR_CONGESTION_BBR + 1;
	ck_assert_ptr_null(sim.ops->attach(sim.stack, &conf, &ops, NULL, &e));
	ck_assert_str_eq(e.option, "congestion");
}
END_TEST

START_TEST(a_family_without_an_address_is_unreachable)
{
	struct weir_link_conf conf = sim_link_conf();
	struct weir_addr to = {.kind = _i ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			       .port = 443};
	static const enum weir_net nets[] = {WEIR_NET_TCP, WEIR_NET_UDP};

	conf.addresses += !_i; /* the other family's only */
	conf.address_count = 1;
	relink(&conf);
	to.ip[0] = 0x20;
	for (int i = 0; i < 2; i++) {
		struct weir_end *end = calloc(1, sizeof *end);

		end->next = sim.ends;
		sim.ends = end;
		ck_assert_ptr_null(sim.ops->open(tun.link, end, &to, nets[i]));
		ck_assert_int_eq(end->failed, ENETUNREACH);
	}
}
END_TEST

/* The peer acknowledges a part of a train at a time, with more than its window
 * holds waiting to go. Returns the bytes of a train that left meanwhile. */
static uint32_t train_size(struct peer *p)
{
	uint32_t acked = 0, bytes = 0, trains = 0;

	core_write(p, QUEUED);
	while (p->written < SENT) {
		struct heard *h;

		while ((h = hear(p))->any) {
			bytes += h->len;
			trains++;
		}
		if (acked + PART > bytes)
			acked = bytes;
		else
			acked += PART;
		say(p, ACK, 1, 1 + acked, 0);
		core_write(p, QUEUED - (p->written - acked));
	}
	return bytes / trains;
}

START_TEST(a_train_is_not_cut_where_the_window_ends)
{
	struct weir_link_conf conf = sim_link_conf();
	struct peer p = peer_new(_i);

	conf.offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO;
	conf.congestion = WEIR_CONGESTION_CUBIC;
	relink(&conf);
	p.window = WINDOW >> p.scale;
	peer_complete(&p);
	ck_assert_uint_gt(train_size(&p), WINDOW / 5);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_link_chooses_its_congestion_control,
		a_link_that_does_not_choose_has_the_services,
		a_link_of_1_0_has_the_services_whatever_lies_behind_it,
		an_unknown_congestion_control_is_refused,
		a_family_without_an_address_is_unreachable,
		a_train_is_not_cut_where_the_window_ends,
	};

	return BEHAVE_MAIN("behave_link", tests);
}
