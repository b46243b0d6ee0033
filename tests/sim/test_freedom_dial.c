/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How freedom connects, over real loopback sockets. */
#include <check.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "freedom_preset.h"
#include "loopback.h"
#include "realhost.h"
#include "tests/suite.h"

#define TRIES 5 /* of what has to be quick: a busy machine holds it up */

static struct weir_addr name_of(const char *name, uint16_t port)
{
	return (struct weir_addr){
		.kind = WEIR_ADDR_NAME, .port = port, .name = name};
}

/* A full listen queue: who connects waits for ever. */
struct tarpit {
	int listener, filler[8];
	struct weir_addr addr;
};

static void tarpit_fill(struct tarpit *t)
{
	union sockaddr_any to;
	socklen_t len = addr_to_sockaddr(&t->addr, &to);

	listen(t->listener, 0);
	for (int i = 0; i < 8; i++) {
		t->filler[i] =
			socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(t->filler[i], &to.sa, len);
	}
}

static void tarpit_init(struct tarpit *t, int domain)
{
	t->listener = loopback_new(domain, SOCK_STREAM, &t->addr);
	tarpit_fill(t);
}

static void tarpit_fini(struct tarpit *t)
{
	close(t->listener);
	for (int i = 0; i < 8; i++)
		close(t->filler[i]);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t refused_after_ms(int domain)
{
	struct freedom_conf conf = conf_preset();
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_addr to = loopback_closed(domain, SOCK_STREAM);
	uint64_t began = now_ms(), took_ms;
	struct weir_end *e = real_open(h, &to, WEIR_NET_TCP);

	ck_assert(REAL_UNTIL(h, e->failed));
	took_ms = now_ms() - began;
	ck_assert_int_eq(e->err, ECONNREFUSED);
	ck_assert_uint_eq(real_counter(h, "tcp_failures"), 1);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
	return took_ms;
}

START_TEST(a_refused_port_is_econnrefused_within_50_ms)
{
	uint64_t took_ms = UINT64_MAX;

	for (int i = 0; i < TRIES && took_ms >= 50; i++)
		took_ms = refused_after_ms(_i ? AF_INET6 : AF_INET);
	ck_assert_uint_lt(took_ms, 50);
}
END_TEST

START_TEST(who_resets_at_once_was_connected_and_is_heard)
{
	struct freedom_conf conf = conf_preset();
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct linger reset = {1, 0};
	struct weir_addr to;
	int listener = loopback_new(AF_INET, SOCK_STREAM, &to), far;
	struct weir_end *e = real_open(h, &to, WEIR_NET_TCP);
	char bytes[8];
	struct iovec room = {bytes, sizeof bytes};

	far = accept(listener, NULL, NULL);
	send(far, "busy", 4, 0);
	setsockopt(far, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(far);
	close(listener);
	ck_assert(REAL_UNTIL(h, e->stream || e->failed));
	ck_assert_ptr_nonnull(e->stream);
	ck_assert_int_eq(e->stream->read(e->object, &room, 1), 4);
	ck_assert_int_eq(e->stream->read(e->object, &room, 1), -EAGAIN);
	ck_assert(e->failed);
	ck_assert_int_eq(e->err, ECONNRESET);
	real_end_free(e, ECONNRESET);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(a_silent_host_is_etimedout_at_the_dial_timeout)
{
	struct freedom_conf conf = conf_preset();
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct tarpit t;
	struct weir_end *e;

	tarpit_init(&t, AF_INET);
	e = real_open(h, &t.addr, WEIR_NET_TCP);
	real_forward(15900);
	real_turn(h);
	ck_assert(!e->failed);
	real_forward(100);
	ck_assert(REAL_UNTIL(h, e->failed));
	ck_assert_int_eq(e->err, ETIMEDOUT);
	real_end_free(e, 0);
	tarpit_fini(&t);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

/* The machine gives no socket of that family: what is the session told? */
static void open_without_socket(int family, int err, int told, const char *why)
{
	struct freedom_conf conf = conf_preset();
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_addr to = loopback_addr(family, 1);
	struct weir_end *e;

	real_refuse(h, family, SOCK_STREAM, err);
	e = real_open(h, &to, WEIR_NET_TCP);
	ck_assert(e->failed);
	ck_assert_int_eq(e->err, told);
	if (why)
		ck_assert_str_eq(e->why, why);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}

START_TEST(a_socket_that_cannot_be_had_fails_with_its_errno)
{
	open_without_socket(AF_INET, EMFILE, EMFILE,
			    "connect: Too many open files");
}
END_TEST

START_TEST(a_family_that_this_machine_lacks_is_unreachable)
{
	open_without_socket(AF_INET6, EAFNOSUPPORT, ENETUNREACH, NULL);
}
END_TEST

/* What a name with both families meets. */
enum shape { BOTH_WORK, V6_REFUSES, V6_HANGS, NO_V6, V6_LATE, V6_NEVER };

/* The port on ::1, as the shape wants it. */
static void v6_side(struct tarpit *t, uint16_t port, enum shape shape)
{
	union sockaddr_any sa;
	socklen_t len;
	int on = 1;

	t->addr = loopback_addr(AF_INET6, port);
	t->listener = socket(AF_INET6, SOCK_STREAM, 0);
	for (int i = 0; i < 8; i++)
		t->filler[i] = -1;
	if (shape == V6_REFUSES)
		return;
	len = addr_to_sockaddr(&t->addr, &sa);
	setsockopt(t->listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	ck_assert_int_eq(bind(t->listener, &sa.sa, len), 0);
	listen(t->listener, 8);
	if (shape == V6_HANGS)
		tarpit_fill(t);
}

/* The family that the connection ends up with. */
static int eyeballs(enum shape shape, uint64_t *took_ms)
{
	struct freedom_conf conf = conf_preset();
	struct real_name names[] = {
		{"host.test", 1, 0, 0, 1, {loopback_addr(AF_INET, 0)}},
		{"host.test", 2, 0, 0, 1, {loopback_addr(AF_INET6, 0)}},
		{0},
	};
	struct weir_addr v4, name;
	int listener = loopback_new(AF_INET, SOCK_STREAM, &v4), domain = 0;
	struct weir_instance *h = real_new(FREEDOM, &conf, names);
	socklen_t len = sizeof domain;
	struct tarpit v6;
	struct weir_end *e;
	uint64_t began;

	v6_side(&v6, v4.port, shape);
	if (shape == NO_V6)
		real_refuse(h, AF_INET6, 0, EAFNOSUPPORT);
	if (shape == V6_LATE)
		names[1].delay_ms = 30;
	if (shape == V6_NEVER)
		names[1].delay_ms = 100000;
	name = name_of("host.test", v4.port);
	began = now_ms();
	e = real_open(h, &name, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(h, e->stream || e->failed));
	*took_ms = now_ms() - began;
	if (e->stream)
		getsockopt(((struct stream *)e->object)->fd, SOL_SOCKET,
			   SO_DOMAIN, &domain, &len);
	real_end_free(e, 0);
	close(listener);
	tarpit_fini(&v6);
	ck_assert_int_le((int)real_free(h), 0);
	return domain;
}

START_TEST(a_name_goes_to_the_family_that_works)
{
	static const struct {
		enum shape shape;
		int domain;
		uint64_t least_ms, most_ms;
	} cases[] = {
		{BOTH_WORK, AF_INET6, 0, 100}, {V6_REFUSES, AF_INET, 0, 100},
		{V6_HANGS, AF_INET, 240, 400}, {NO_V6, AF_INET, 0, 100},
		{V6_LATE, AF_INET6, 25, 100},  {V6_NEVER, AF_INET, 45, 150},
	};
	uint64_t took_ms = UINT64_MAX;

	for (int i = 0; i < TRIES && took_ms >= cases[_i].most_ms; i++) {
		ck_assert_int_eq(eyeballs(cases[_i].shape, &took_ms),
				 cases[_i].domain);
		ck_assert_uint_ge(took_ms, cases[_i].least_ms);
	}
	ck_assert_uint_lt(took_ms, cases[_i].most_ms);
}
END_TEST

START_TEST(a_name_that_does_not_exist_is_a_failure_with_words)
{
	struct freedom_conf conf = conf_preset();
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_addr to = name_of("nowhere.test", 80);
	struct weir_end *e = real_open(h, &to, WEIR_NET_TCP);

	ck_assert(!e->failed);
	ck_assert(REAL_UNTIL(h, e->failed));
	ck_assert_int_eq(e->err, EHOSTUNREACH);
	ck_assert_str_eq(e->why, "no such name");
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(a_name_is_not_looked_up_outside_of_a_tunnel)
{
	struct freedom_conf conf = conf_preset();
	struct real_name names[] = {
		{"host.test", 1, 0, 0, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr to = {
		.kind = WEIR_ADDR_NAME, .port = 1, .name = "host.test"};
	struct weir_instance *h = real_new(FREEDOM, &conf, names);
	struct weir_end *e;

	((struct freedom *)real_self(h))->inside = true;
	e = real_open(h, &to, WEIR_NET_TCP);
	ck_assert(e->failed);
	ck_assert_uint_eq(real_lookups(h), 0);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(an_open_can_be_abandoned_in_every_phase)
{
	struct freedom_conf conf = conf_preset();
	struct real_name names[] = {
		{"hangs.test", 1, 0, 0, 2, {{0}}},
		{"hangs.test", 2, ENOENT, 200, 0, {{0}}},
		{0},
	};
	struct weir_instance *h;
	struct weir_addr name;
	struct weir_end *e;
	struct tarpit t;

	tarpit_init(&t, AF_INET);
	names[0].addr[0] = names[0].addr[1] = t.addr;
	name = name_of("hangs.test", t.addr.port);
	h = real_new(FREEDOM, &conf, names);

	/* Looking up; waiting for the other family; connecting; staggered. */
	for (uint64_t ms = 0; ms <= 600; ms += 30) {
		e = real_open(h, &name, WEIR_NET_TCP);
		for (uint64_t spent = 0; spent < ms; spent += 30) {
			real_forward(30);
			real_turn(h);
		}
		ck_assert(!e->failed && !e->stream);
		real_abandon(h, e);
	}
	e = real_open(h, &t.addr, WEIR_NET_TCP);
	real_abandon(h, e);
	tarpit_fini(&t);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(redirect_replaces_the_host_the_port_or_both)
{
	struct freedom_conf conf = conf_preset();
	struct weir_addr at, asked = loopback_addr(AF_INET, 9);
	int listener = loopback_new(AF_INET, SOCK_STREAM, &at);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;

	asked.ip[0] = 192;
	conf.redirect = at;
	if (_i == 1) { /* the port only */
		asked.ip[0] = 127;
		memset(conf.redirect.ip, 0, 4);
	} else if (_i == 2) { /* the host only */
		conf.redirect.port = 0;
		asked.port = at.port;
	}
	e = real_open(h, &asked, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(h, e->stream));
	real_end_free(e, 0);
	close(listener);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(send_through_is_the_source_the_far_side_sees)
{
	struct freedom_conf conf = conf_preset();
	struct weir_addr source = loopback_addr(AF_INET, 0), at;
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;
	int far, listener = loopback_new(AF_INET, SOCK_STREAM, &at);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;

	source.ip[3] = 77;
	conf.send_through = (struct weir_list){&source, 1};
	e = real_open(h, &at, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(h, e->stream));
	far = accept(listener, (struct sockaddr *)&peer, &len);
	ck_assert_int_eq(memcmp(&peer.sin_addr, source.ip, 4), 0);
	real_end_free(e, 0);
	close(far);
	close(listener);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

SUITE("freedom_dial", t)
{
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, a_refused_port_is_econnrefused_within_50_ms, 0,
			    2);
	tcase_add_test(t, who_resets_at_once_was_connected_and_is_heard);
	tcase_add_test(t, a_silent_host_is_etimedout_at_the_dial_timeout);
	tcase_add_test(t, a_socket_that_cannot_be_had_fails_with_its_errno);
	tcase_add_test(t, a_family_that_this_machine_lacks_is_unreachable);
	tcase_add_loop_test(t, a_name_goes_to_the_family_that_works, 0, 6);
	tcase_add_test(t, a_name_that_does_not_exist_is_a_failure_with_words);
	tcase_add_test(t, a_name_is_not_looked_up_outside_of_a_tunnel);
	tcase_add_test(t, an_open_can_be_abandoned_in_every_phase);
	tcase_add_loop_test(t, redirect_replaces_the_host_the_port_or_both, 0,
			    3);
	tcase_add_test(t, send_through_is_the_source_the_far_side_sees);
}
