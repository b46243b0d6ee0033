/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses of a name a tunnel goes to, and in which order. */
#include <ares_nameser.h>
#include <check.h>
#include <errno.h>

#include "tests/unit/dns_message.h"
#include "tests/unit/idle.h"
#include "tests/unit/wg_outbound.h"
#include "tests/no_table.h"
#include "tests/suite.h"

#define NAME_BYTES_MAX 253u
#define FOUND_MOST 8
#define KNOWN_MOST 1024
#define MS_US 1000ull
#define RESOLUTION_US (50 * MS_US)
#define PREFERRED_US (3000 * MS_US)
#define FAILED_TTL_US (10000 * MS_US)
#define NO_SUCH_NAME_TTL_US (5000 * MS_US)
#define TTL_US (60000 * MS_US) /* of dns_answer */
#define TTL_MOST_US (3600000 * MS_US)

static struct world {
	struct wg_outbound o;
	bool done;
	int err;
	char found[FOUND_MOST + 1]; /* '4' or '6' for each address */
	uint8_t last[FOUND_MOST];   /* byte of each */
	uint8_t ttl;		    /* of answers: its first byte */
} w;

static void begin(enum strategy strategy, const char *own)
{
	static const struct weir_addr addrs[] = {
		{.kind = WEIR_ADDR_IP6, .ip = {0x20, 1}},
		{.kind = WEIR_ADDR_IP4, .ip = {192, 0, 2, 1}},
		{.kind = WEIR_ADDR_IP6, .ip = {0x20, 2}},
		{.kind = WEIR_ADDR_IP4, .ip = {192, 0, 2, 2}},
	};
	const struct weir_list none = {NULL, 0};

	memset(&w, 0, sizeof w);
	wg_outbound_begin(&w.o, &idle_component, strategy, own, &none);
	fakehost_name(w.o.host, "both.example", 0, addrs, 4);
	fakehost_name(w.o.host, "four.example", 0, addrs + 1, 1);
	fakehost_name(w.o.host, "six.example", 0, addrs, 1);
	fakehost_name(w.o.host, "late.example", ETIMEDOUT, NULL, 0);
}

static void answered(void *arg, int err, const struct weir_addr *addrs, int n)
{
	(void)arg;
	ck_assert(!w.done);
	w.done = true;
	w.err = err;
	memset(w.found, 0, sizeof w.found);
	for (int i = 0; i < n && i < FOUND_MOST; i++) {
		bool v4 = addrs[i].kind == WEIR_ADDR_IP4;

		w.found[i] = v4 ? '4' : '6';
		w.last[i] = addrs[i].ip[v4 ? 3 : 15];
	}
}

static void ask(const char *name)
{
	w.done = false;
	ck_assert_ptr_nonnull(
		names_lookup(w.o.outbound.names, name, answered, NULL));
	ck_assert(!w.done); /* never inside the call */
}

/* The families of what was found, in their order; "" where nothing was. */
static const char *found(const char *name)
{
	ask(name);
	for (int turn = 0; turn < 3; turn++)
		fakehost_turn(w.o.host);
	ck_assert(w.done);
	return w.found;
}

static const struct wanted {
	enum strategy strategy;
	const char *own, *both, *four, *six;
} wanted[] = {
	{FORCE_IP, "46", "4466", "4", "6"}, {FORCE_IP, "4", "44", "4", ""},
	{FORCE_IP, "6", "66", "", "6"},	    {FORCE_IP4, "46", "44", "4", ""},
	{FORCE_IP4, "6", "", "", ""},	    {FORCE_IP6, "46", "66", "", "6"},
	{FORCE_IP6, "4", "", "", ""},	    {FORCE_IP46, "46", "44", "4", "6"},
	{FORCE_IP46, "4", "44", "4", ""},   {FORCE_IP46, "6", "66", "", "6"},
	{FORCE_IP64, "46", "66", "4", "6"}, {FORCE_IP64, "4", "44", "4", ""},
	{FORCE_IP64, "6", "66", "", "6"},
};

START_TEST(each_strategy_takes_its_families_in_its_order)
{
	const struct wanted *want = &wanted[_i];

	begin(want->strategy, want->own);
	ck_assert_str_eq(found("both.example"), want->both);
	ck_assert_str_eq(found("four.example"), want->four);
	ck_assert_str_eq(found("six.example"), want->six);
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(what_cannot_be_found_is_told_and_counted)
{
	begin(FORCE_IP4, "46");
	ck_assert_str_eq(found("nowhere.example"), "");
	ck_assert_int_eq(w.err, ENOENT);
	ck_assert_str_eq(found("six.example"), "");
	ck_assert_int_eq(w.err, ENOENT);
	ck_assert_str_eq(found("late.example"), "");
	ck_assert_int_eq(w.err, ETIMEDOUT);
	ck_assert_uint_eq(w.o.unresolved, 3);
	wg_outbound_end(&w.o);
}
END_TEST

/* Not the name that it begins with. */
START_TEST(a_name_that_is_too_long_is_nobodys)
{
	char name[NAME_BYTES_MAX + 8];
	const struct weir_addr addr = {.kind = WEIR_ADDR_IP4, .ip = {192}};

	begin(FORCE_IP, "46");
	for (size_t len = NAME_BYTES_MAX; len < sizeof name; len++) {
		memset(name, 'a', sizeof name);
		name[len] = '\0';
		fakehost_name(w.o.host, name, 0, &addr, 1);
		ck_assert_str_eq(found(name), len == NAME_BYTES_MAX ? "4" : "");
		ck_assert_int_eq(w.err, len == NAME_BYTES_MAX ? 0 : ENOENT);
	}
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(who_cancels_hears_nothing)
{
	struct lookup *l;

	begin(FORCE_IP, "46");
	for (int i = 0; i < 2; i++) {
		l = names_lookup(w.o.outbound.names, "both.example", answered,
				 NULL);
		ck_assert_ptr_nonnull(l);
		names_cancel(l);
		for (int turn = 0; turn < 3; turn++)
			fakehost_turn(w.o.host);
		ck_assert(!w.done);
	}
	wg_outbound_end(&w.o);
}
END_TEST

/* ---- through the tunnel */

static const struct weir_addr server = {
	.kind = WEIR_ADDR_IP4, .port = 53, .ip = {10, 53, 0, 1}};

/* A look-up of a tunnel with addresses of both families, which has asked. */
static void begin_tunnel(enum strategy strategy)
{
	static struct weir_addr addr;
	const struct weir_list servers = {&addr, 1};

	addr = server;
	memset(&w, 0, sizeof w);
	wg_outbound_begin(&w.o, &idle_component, strategy, "46", &servers);
	ask("name.example");
	fakehost_dial_ready(fakehost_dialled(w.o.host, 0));
}

/* The server is asked for these families just now. It answers those of `some`
 * with an address, and to those of `none` that there is none. */
static void answer(const char *asked, const char *some, const char *none)
{
	struct weir_dial *d = fakehost_dialled(w.o.host, 0);
	struct dns_message question[2];
	char family[2];

	for (size_t i = 0; i < strlen(asked); i++) {
		question[i] = dns_asked(d);
		family[i] = dns_type(&question[i]) == T_AAAA ? '6' : '4';
		ck_assert_ptr_nonnull(strchr(asked, family[i]));
	}
	ck_assert_uint_eq(d->out_len, 0);
	for (size_t i = 0; i < strlen(asked); i++) {
		bool known = strchr(some, family[i]);
		struct dns_message m = dns_answer(
			&question[i], known ? NOERROR : NXDOMAIN, known);

		if (known) /* before the address and its length */
			m.bytes[m.len - (family[i] == '6' ? 16 : 4) - 6] =
				w.ttl;
		if (known || strchr(none, family[i]))
			fakehost_dial_deliver(d, &server, m.bytes, m.len);
	}
}

static void serve(const char *asked, const char *some)
{
	answer(asked, some, "");
	fakehost_turn(w.o.host);
}

static void check_found_after(uint64_t us, const char *families)
{
	if (us) {
		fakehost_advance(w.o.host, us - 1);
		ck_assert(!w.done);
		fakehost_advance(w.o.host, 1);
	}
	ck_assert(w.done);
	ck_assert_int_eq(w.err, 0);
	ck_assert_str_eq(w.found, families);
}

static const struct silent {
	enum strategy strategy;
	const char *answered;
	uint64_t wait_us;
} silent[] = {
	{FORCE_IP, "4", RESOLUTION_US},
	{FORCE_IP, "6", RESOLUTION_US},
	{FORCE_IP46, "4", 0},
	{FORCE_IP64, "6", 0},
	{FORCE_IP46, "6", PREFERRED_US},
	{FORCE_IP64, "4", PREFERRED_US},
};

START_TEST(a_silent_family_is_waited_for_as_long_as_it_is_worth)
{
	const struct silent *s = &silent[_i];

	begin_tunnel(s->strategy);
	serve("46", s->answered);
	check_found_after(s->wait_us, s->answered);
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(a_short_dial_timeout_leaves_time_to_connect)
{
	begin_tunnel(FORCE_IP64);
	w.o.conf.dial_timeout_ms = 1000;
	serve("46", "4");
	check_found_after(250 * MS_US, "4");
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(a_family_that_is_just_later_has_its_place)
{
	begin_tunnel(FORCE_IP64);
	serve("46", "4");
	fakehost_advance(w.o.host, 2000 * MS_US);
	ck_assert(!w.done);
	serve("6", "6"); /* the question was lost, and put once more */
	check_found_after(0, "6");
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(a_silent_family_is_left_alone_for_a_while)
{
	begin_tunnel(FORCE_IP);
	serve("46", "4");
	check_found_after(RESOLUTION_US, "4");
	ck_assert_str_eq(found("name.example"), "4");
	serve("", "");
	fakehost_advance(w.o.host, FAILED_TTL_US);
	ask("name.example");
	serve("6", "6");
	check_found_after(0, "46");
	wg_outbound_end(&w.o);
}
END_TEST

/* Else who comes after an outage would pay for it. */
START_TEST(silence_to_both_families_is_not_remembered)
{
	begin_tunnel(FORCE_IP);
	serve("46", "");
	for (int i = 0; i < 2; i++) {
		fakehost_advance(w.o.host, 2000 * MS_US);
		serve("46", "");
	}
	fakehost_advance(w.o.host, 2000 * MS_US);
	ck_assert(w.done);
	ck_assert_int_eq(w.err, ETIMEDOUT);
	ask("name.example");
	serve("46", "46");
	check_found_after(0, "46");
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(an_answer_that_cannot_be_kept_is_told_all_the_same)
{
	begin_tunnel(FORCE_IP);
	no_table = true;
	serve("46", "46");
	no_table = false;
	check_found_after(0, "46");
	ask("name.example");
	serve("46", "46");
	check_found_after(0, "46");
	wg_outbound_end(&w.o);
}
END_TEST

/* An answer holds for its time to live, an hour at most. */
START_TEST(what_was_answered_is_remembered_as_long_as_it_holds)
{
	const uint64_t holds_us[] = {TTL_US, TTL_MOST_US, TTL_US};

	begin_tunnel(FORCE_IP);
	for (int i = 0; i < 3; i++) {
		w.ttl = i == 1;
		serve("46", "46");
		check_found_after(0, "46");
		ck_assert_int_eq(w.last[0] + w.last[1], 0);
		fakehost_advance(w.o.host, holds_us[i] - 1);
		ck_assert_str_eq(found("Name.EXAMPLE"), "46");
		serve("", "");
		fakehost_advance(w.o.host, 1);
		ask("name.example");
	}
	serve("46", "46");
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(that_a_name_does_not_exist_is_remembered_for_a_moment)
{
	begin_tunnel(FORCE_IP);
	answer("46", "", "46");
	fakehost_advance(w.o.host, NO_SUCH_NAME_TTL_US - 1);
	ck_assert_str_eq(found("name.example"), "");
	ck_assert_int_eq(w.err, ENOENT);
	serve("", "");
	fakehost_advance(w.o.host, 1);
	ask("name.example");
	serve("46", "46");
	check_found_after(0, "46");
	wg_outbound_end(&w.o);
}
END_TEST

/* Who has no address in one family may have one in the other. */
START_TEST(a_silent_family_is_why_nothing_was_found)
{
	begin_tunnel(FORCE_IP);
	answer("46", "", _i ? "4" : "6");
	for (int again = 0; again < 2; again++) {
		fakehost_advance(w.o.host, 2000 * MS_US);
		serve(_i ? "6" : "4", "");
	}
	ck_assert(!w.done);
	fakehost_advance(w.o.host, 2000 * MS_US);
	ck_assert(w.done);
	ck_assert_int_eq(w.err, ETIMEDOUT);
	wg_outbound_end(&w.o);
}
END_TEST

START_TEST(past_a_bound_the_oldest_answer_is_forgotten)
{
	char name[16];

	begin_tunnel(FORCE_IP4);
	serve("4", "4");
	for (unsigned i = 0; i < KNOWN_MOST; i++) {
		snprintf(name, sizeof name, "%u.example", i);
		ask(name);
		serve("4", "4");
	}
	ck_assert_str_eq(found("0.example"), "4");
	serve("", "");
	ask("name.example");
	serve("4", "4");
	wg_outbound_end(&w.o);
}
END_TEST

static void cancel_after(const char *name, const char *asked, const char *some)
{
	struct lookup *l =
		names_lookup(w.o.outbound.names, name, answered, NULL);

	answer(asked, some, "");
	names_cancel(l);
	for (int i = 0; i < 3; i++) {
		fakehost_advance(w.o.host, PREFERRED_US);
		serve("", "");
	}
	ck_assert(!w.done);
}

START_TEST(who_cancels_while_it_waits_hears_nothing)
{
	begin_tunnel(FORCE_IP46);
	serve("46", "46");
	check_found_after(0, "4");
	w.done = false;
	cancel_after("silent.example", "46", "");
	cancel_after("six.example", "46", "6");
	cancel_after("four.example", "46", "4"); /* with its answer */
	cancel_after("name.example", "", "");	 /* it is known */
	wg_outbound_end(&w.o);
}
END_TEST

SUITE("wg-names", t)
{
	tcase_add_loop_test(t, each_strategy_takes_its_families_in_its_order, 0,
			    (int)(sizeof wanted / sizeof wanted[0]));
	tcase_add_test(t, what_cannot_be_found_is_told_and_counted);
	tcase_add_test(t, a_name_that_is_too_long_is_nobodys);
	tcase_add_test(t, who_cancels_hears_nothing);
	tcase_add_loop_test(
		t, a_silent_family_is_waited_for_as_long_as_it_is_worth, 0,
		(int)(sizeof silent / sizeof silent[0]));
	tcase_add_test(t, a_short_dial_timeout_leaves_time_to_connect);
	tcase_add_test(t, a_family_that_is_just_later_has_its_place);
	tcase_add_test(t, a_silent_family_is_left_alone_for_a_while);
	tcase_add_test(t, silence_to_both_families_is_not_remembered);
	tcase_add_test(t, an_answer_that_cannot_be_kept_is_told_all_the_same);
	tcase_add_test(t, what_was_answered_is_remembered_as_long_as_it_holds);
	tcase_add_test(t,
		       that_a_name_does_not_exist_is_remembered_for_a_moment);
	tcase_add_loop_test(t, a_silent_family_is_why_nothing_was_found, 0, 2);
	tcase_add_test(t, past_a_bound_the_oldest_answer_is_forgotten);
	tcase_add_test(t, who_cancels_while_it_waits_hears_nothing);
}
