/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses of a name are dialled, and when. */
#include <check.h>
#include <errno.h>

#include "tests/unit/idle.h"
#include "tests/unit/wg_outbound.h"
#include "tests/suite.h"

#define STAGGER_US 250000ull
#define ADDRS 3u
#define ADDRS_MOST 6u

static struct wg_outbound w;
static struct weir_component component;

static void *open_named(void *self, struct weir_end *end,
			const struct weir_addr *target, enum weir_net net)
{
	(void)self;
	return bridge_open(&w.outbound, end, target, net);
}

static void abandon(void *self, void *pending)
{
	(void)self;
	ck_assert(bridge_abandon(&w.outbound, pending));
}

static const struct weir_outbound_ops ops = {
	.size = sizeof ops,
	.open = open_named,
	.abandon = abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP,
};

static const struct weir_addr to = {
	.kind = WEIR_ADDR_NAME, .port = 80, .name = "many.example"};

static void begin_with(const struct weir_list *servers)
{
	component = idle_component;
	component.kind = WEIR_OUTBOUND;
	component.ops = &ops;
	wg_outbound_begin(&w, &component, FORCE_IP, "4", servers);
}

static struct weir_addr addr(uint8_t last)
{
	return (struct weir_addr){
		.kind = WEIR_ADDR_IP4, .port = 80, .ip = {192, 0, 2, last}};
}

/* Sessions can be opened to a name of so many addresses. */
static void begin_named(uint8_t count)
{
	const struct weir_list none = {NULL, 0};
	struct weir_addr addrs[ADDRS_MOST];

	for (uint8_t i = 0; i < count; i++) {
		addrs[i] = addr(i);
		addrs[i].port = 0;
	}
	begin_with(&none);
	fakehost_name(w.host, to.name, 0, addrs, count);
}

static struct weir_end *open_to(const struct weir_addr *target,
				enum weir_net net)
{
	struct weir_end *end = fakehost_open(w.instance, target, net);

	for (int turn = 0; turn < 3; turn++)
		fakehost_turn(w.host);
	return end;
}

/* A session to a name of ADDRS addresses; the first is dialled. */
static struct weir_end *begin(void)
{
	struct weir_end *end;

	begin_named(ADDRS);
	end = open_to(&to, WEIR_NET_TCP);
	ck_assert_int_eq(end->state, FAKEHOST_OPENING);
	return end;
}

static void check_dialled(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct weir_dial *d = fakehost_dialled(w.host, i);

		ck_assert_ptr_nonnull(d);
		ck_assert_str_eq(d->tag, "wg");
		ck_assert_uint_eq(d->target.ip[3], i);
		ck_assert_int_eq(d->target.port, 80);
	}
	ck_assert_ptr_null(fakehost_dialled(w.host, count));
}

static void check_states(const enum fakehost_dial_state *want)
{
	for (unsigned i = 0; i < ADDRS; i++)
		ck_assert_int_eq(fakehost_dialled(w.host, i)->state, want[i]);
}

START_TEST(a_silent_address_holds_the_next_for_the_stagger_only)
{
	struct weir_end *end = begin();

	check_dialled(1);
	fakehost_advance(w.host, STAGGER_US - 1);
	check_dialled(1);
	fakehost_advance(w.host, 1);
	check_dialled(2);
	fakehost_dial_ready(fakehost_dialled(w.host, 1));
	ck_assert_int_eq(end->state, FAKEHOST_READY);
	ck_assert_int_eq(fakehost_dialled(w.host, 0)->state, FAKEHOST_HUNG_UP);
	fakehost_advance(w.host, 100 * STAGGER_US);
	check_dialled(2);
	ck_assert_uint_eq(fakehost_write(end, "hello", 5), 5);
	ck_assert_uint_eq(fakehost_dialled(w.host, 1)->out_len, 5);
	fakehost_dial_push(fakehost_dialled(w.host, 1), "world", 5);
	ck_assert_uint_eq(end->news, WEIR_READABLE);
	fakehost_close(end, 0);
	ck_assert_int_eq(fakehost_dialled(w.host, 1)->state, FAKEHOST_HUNG_UP);
	wg_outbound_end(&w);
}
END_TEST

START_TEST(an_early_address_may_win_late)
{
	const enum fakehost_dial_state states[] = {
		FAKEHOST_CONNECTED, FAKEHOST_HUNG_UP, FAKEHOST_HUNG_UP};
	struct weir_end *end = begin();

	fakehost_advance(w.host, 2 * STAGGER_US);
	check_dialled(3);
	fakehost_dial_ready(fakehost_dialled(w.host, 0));
	ck_assert_int_eq(end->state, FAKEHOST_READY);
	check_states(states);
	fakehost_dial_fail(fakehost_dialled(w.host, 0), ECONNRESET, "reset");
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	fakehost_close(end, 0);
	wg_outbound_end(&w);
}
END_TEST

START_TEST(an_address_that_fails_is_followed_at_once)
{
	struct weir_end *end = begin();

	fakehost_dial_fail(fakehost_dialled(w.host, 0), EHOSTUNREACH, "no way");
	check_dialled(2);
	fakehost_advance(w.host, STAGGER_US);
	check_dialled(3);
	fakehost_dial_fail(fakehost_dialled(w.host, 2), EHOSTUNREACH, "no way");
	ck_assert_int_eq(end->state, FAKEHOST_OPENING); /* for the second */
	fakehost_dial_fail(fakehost_dialled(w.host, 1), ECONNREFUSED,
			   "refused");
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	ck_assert_int_eq(end->err, ECONNREFUSED);
	ck_assert_str_eq(end->why, "refused");
	ck_assert_uint_eq(w.failures, 1);
	wg_outbound_end(&w);
}
END_TEST

START_TEST(addresses_that_are_all_silent_end_with_the_dial_timeout)
{
	const enum fakehost_dial_state states[] = {
		FAKEHOST_HUNG_UP, FAKEHOST_HUNG_UP, FAKEHOST_HUNG_UP};
	struct weir_end *end = begin();

	fakehost_advance(w.host, w.conf.dial_timeout_ms * 1000 - 1);
	ck_assert_int_eq(end->state, FAKEHOST_OPENING);
	fakehost_advance(w.host, 1);
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	ck_assert_int_eq(end->err, ETIMEDOUT);
	check_dialled(3);
	check_states(states);
	wg_outbound_end(&w);
}
END_TEST

START_TEST(a_name_that_is_not_found_in_time_is_told_as_that)
{
	struct weir_addr server = {.kind = WEIR_ADDR_IP4, .ip = {10}};
	const struct weir_list servers = {&server, 1};
	struct weir_end *end;

	begin_with(&servers);
	w.conf.dial_timeout_ms = 1000;
	end = fakehost_open(w.instance, &to, WEIR_NET_TCP);
	fakehost_advance(w.host, w.conf.dial_timeout_ms * 1000);
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	ck_assert_int_eq(end->err, ETIMEDOUT);
	ck_assert_str_eq(end->why, "name look-up timed out");
	wg_outbound_end(&w);
}
END_TEST

static const struct unfound {
	int err, told;
	const char *why;
} unfound[] = {
	{ENOENT, EHOSTUNREACH, "no such name"},
	{EAGAIN, EHOSTUNREACH, "name look-up failed"},
	{ETIMEDOUT, ETIMEDOUT, "name look-up timed out"},
};

START_TEST(a_name_that_is_not_found_is_told_as_that)
{
	const struct unfound *u = &unfound[_i];
	struct weir_end *end;

	begin_named(0);
	fakehost_name(w.host, to.name, u->err, NULL, 0);
	end = open_to(&to, WEIR_NET_TCP);
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	ck_assert_int_eq(end->err, u->told);
	ck_assert_str_eq(end->why, u->why);
	wg_outbound_end(&w);
}
END_TEST

START_TEST(a_tunnel_that_cannot_be_dialled_fails_the_session)
{
	struct weir_end *end;

	begin_named(ADDRS);
	fakehost_let_dial(w.host, false);
	end = open_to(&to, WEIR_NET_TCP);
	ck_assert_int_eq(end->state, FAKEHOST_FAILED);
	ck_assert_int_eq(end->err, ENOENT);
	ck_assert_str_eq(end->why, "the tunnel cannot be dialled");
	wg_outbound_end(&w);
}
END_TEST

START_TEST(of_many_addresses_the_first_four_are_dialled)
{
	struct weir_end *end;

	begin_named(ADDRS_MOST);
	end = open_to(&to, WEIR_NET_TCP);
	fakehost_advance(w.host, ADDRS_MOST * STAGGER_US);
	check_dialled(4);
	fakehost_abandon(end);
	wg_outbound_end(&w);
}
END_TEST

/* ---- flows */

static struct weir_addr sent_to;

static int note_peer(void *f, const struct weir_datagram *v, int n)
{
	(void)f;
	sent_to = *v->peer;
	return n;
}

static void check_sent(struct weir_end *end, const struct weir_addr *peer,
		       const struct weir_addr *want)
{
	memset(&sent_to, 0, sizeof sent_to);
	ck_assert(fakehost_send(end, peer, "ask", 3));
	ck_assert(weir_addr_equal(&sent_to, want));
}

static void check_heard(struct weir_end *end, const struct weir_addr *from,
			const struct weir_addr *want)
{
	struct weir_dial *d = fakehost_dialled(w.host, 0);

	fakehost_dial_deliver(d, from, "answer", 6);
	ck_assert(
		weir_addr_equal(&end->heard[end->heard_count - 1].peer, want));
	d->ops->unreachable(d->arg, from, ECONNREFUSED);
	ck_assert(weir_addr_equal(&end->unreachable_peer, want));
	ck_assert_int_eq(end->unreachable_err, ECONNREFUSED);
}

START_TEST(a_flow_to_a_name_goes_to_its_address_and_shows_the_name)
{
	static const struct weir_flow_ops inner = {.size = sizeof inner,
						   .send = note_peer};
	const struct weir_addr other = {.kind = WEIR_ADDR_NAME,
					.port = 80,
					.name = "other.example"},
			       nobody = {0}, found = addr(0), third = addr(9);
	struct weir_dial *d;
	struct weir_end *end;

	begin_named(1);
	end = open_to(&to, WEIR_NET_UDP);
	d = fakehost_dialled(w.host, 0);
	ck_assert_int_eq(d->net, WEIR_NET_UDP);
	d->state = FAKEHOST_CONNECTED;
	d->ops->flow_ready(d->arg, &inner, NULL);
	ck_assert_int_eq(end->state, FAKEHOST_READY);
	check_sent(end, &to, &found);
	check_sent(end, &third, &third);
	check_sent(end, &other, &nobody);
	ck_assert_uint_eq(w.unresolved, 1);
	check_heard(end, &found, &to);
	check_heard(end, &third, &third);
	fakehost_dial_fail(d, EHOSTUNREACH, "no way");
	ck_assert_int_eq(end->err, EHOSTUNREACH);
	fakehost_close(end, 0);
	wg_outbound_end(&w);
}
END_TEST

/* ---- giving up */

START_TEST(who_gives_up_hangs_all_of_them_up)
{
	const enum fakehost_dial_state states[] = {
		FAKEHOST_HUNG_UP, FAKEHOST_HUNG_UP, FAKEHOST_HUNG_UP};
	struct weir_end *end = begin(), *later;

	fakehost_advance(w.host, 2 * STAGGER_US);
	later = open_to(&to, WEIR_NET_TCP);
	fakehost_abandon(later);
	fakehost_abandon(end);
	check_states(states);
	ck_assert_ptr_null(w.outbound.bridges);
	wg_outbound_end(&w);
}
END_TEST

SUITE("wg-bridge", t)
{
	tcase_add_test(t, a_silent_address_holds_the_next_for_the_stagger_only);
	tcase_add_test(t, an_early_address_may_win_late);
	tcase_add_test(t, an_address_that_fails_is_followed_at_once);
	tcase_add_test(t,
		       addresses_that_are_all_silent_end_with_the_dial_timeout);
	tcase_add_test(t, a_name_that_is_not_found_in_time_is_told_as_that);
	tcase_add_loop_test(t, a_name_that_is_not_found_is_told_as_that, 0,
			    (int)(sizeof unfound / sizeof unfound[0]));
	tcase_add_test(t, a_tunnel_that_cannot_be_dialled_fails_the_session);
	tcase_add_test(t, of_many_addresses_the_first_four_are_dialled);
	tcase_add_test(t,
		       a_flow_to_a_name_goes_to_its_address_and_shows_the_name);
	tcase_add_test(t, who_gives_up_hangs_all_of_them_up);
}
