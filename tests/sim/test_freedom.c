/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freedom's streams over real loopback sockets. */
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "freedom_preset.h"
#include "loopback.h"
#include "realhost.h"
#include "tests/suite.h"

/* A connected stream and the far side's socket. */
struct pair {
	struct freedom_conf conf;
	struct weir_instance *host;
	struct weir_end *end;
	int far;
};

static void pair_init_with(struct pair *p, int domain,
			   const struct freedom_conf *conf)
{
	struct weir_addr to;
	int listener = loopback_new(domain, SOCK_STREAM, &to);

	p->conf = *conf;
	p->host = real_new(FREEDOM, &p->conf, NULL);
	p->end = real_open(p->host, &to, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(p->host, p->end->stream));
	p->far = accept(listener, NULL, NULL);
	ck_assert_int_ge(p->far, 0);
	close(listener);
}

/* What was sent over the loopback is there at once, or a moment later. */
static void let_arrive(void)
{
	usleep(10000);
}

static void pair_init(struct pair *p, int domain)
{
	struct freedom_conf conf = conf_preset();

	pair_init_with(p, domain, &conf);
}

static void pair_fini(struct pair *p, int err)
{
	real_end_free(p->end, err);
	if (p->far >= 0)
		close(p->far);
	ck_assert_uint_eq(real_free(p->host), 0);
}

static ssize_t end_write(struct weir_end *e, const void *data, size_t len)
{
	struct iovec v = {(void *)(uintptr_t)data, len};

	return e->stream->write(e->object, &v, 1);
}

static ssize_t end_read(struct weir_end *e, void *room, size_t len)
{
	struct iovec v = {room, len};

	return e->stream->read(e->object, &v, 1);
}

START_TEST(bytes_pass_both_ways_and_either_side_can_finish_first)
{
	struct pair p;
	char room[64];

	pair_init(&p, _i ? AF_INET6 : AF_INET);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), -EAGAIN);
	ck_assert_int_eq(end_write(p.end, "hello", 5), 5);
	ck_assert_int_eq(recv(p.far, room, sizeof room, 0), 5);
	ck_assert_int_eq(send(p.far, "answer", 6, 0), 6);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 6);
	ck_assert_int_eq(memcmp(room, "answer", 6), 0);

	p.end->stream->finish(p.end->object);
	ck_assert_int_eq(recv(p.far, room, sizeof room, 0), 0);
	p.end->news = 0;
	ck_assert_int_eq(send(p.far, "late", 4, 0), 4);
	shutdown(p.far, SHUT_WR);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 4);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 0);
	ck_assert_uint_eq(real_counter(p.host, "tcp_sent_bytes"), 5);
	ck_assert_uint_eq(real_counter(p.host, "tcp_received_bytes"), 10);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(bytes_in_pieces_pass_as_in_one)
{
	struct pair p;
	char text[] = "in pieces", room[64], there[3][8] = {"", "", "......."};
	struct iovec out[] = {{text, 2}, {text + 2, 1}, {text + 3, 6}};
	struct iovec in[] = {{there[0], 2}, {there[1], 4}, {there[2], 8}};
	const struct weir_stream_ops *stream;

	pair_init(&p, AF_INET);
	stream = p.end->stream;
	ck_assert_int_eq(stream->write(p.end->object, out, 3), 9);
	ck_assert_int_eq(recv(p.far, room, sizeof room, 0), 9);
	ck_assert_int_eq(memcmp(room, text, 9), 0);
	ck_assert_int_eq(send(p.far, text, 9, 0), 9);
	ck_assert_int_eq(stream->read(p.end->object, in, 3), -EAGAIN);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(stream->read(p.end->object, in, 3), 9);
	ck_assert_str_eq(there[0], "in");
	ck_assert_str_eq(there[1], " pie");
	ck_assert_str_eq(there[2], "ces....");
	ck_assert_int_eq(stream->read(p.end->object, in, 3), -EAGAIN);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(peek_shows_what_read_then_takes)
{
	struct pair p;
	struct iovec view[2];
	char room[64];

	pair_init(&p, AF_INET);
	ck_assert_int_eq(p.end->stream->peek(p.end->object, view, 2), 0);
	send(p.far, "abc", 3, 0);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(p.end->stream->peek(p.end->object, view, 2), 1);
	ck_assert_uint_eq(view[0].iov_len, 3);
	ck_assert_int_eq(p.end->stream->peek(p.end->object, view, 2), 1);
	p.end->news = 0;
	send(p.far, "def", 3, 0);
	shutdown(p.far, SHUT_WR);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	let_arrive();
	ck_assert_int_eq(p.end->stream->peek(p.end->object, view, 2), 1);
	ck_assert_uint_eq(view[0].iov_len, 6);
	ck_assert_int_eq(memcmp(view[0].iov_base, "abcdef", 6), 0);
	p.end->stream->consume(p.end->object, 2);
	ck_assert_int_eq(end_read(p.end, room, 3), 3);
	ck_assert_int_eq(memcmp(room, "cde", 3), 0);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 1);
	ck_assert_ptr_null(((struct stream *)p.end->object)->held);
	ck_assert_int_eq(p.end->stream->peek(p.end->object, view, 2),
			 WEIR_PEEK_EOF);
	ck_assert_ptr_null(((struct stream *)p.end->object)->held);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(a_drained_socket_is_asked_again_only_when_it_has_news)
{
	struct pair p;
	char room[64];

	pair_init(&p, AF_INET);
	send(p.far, "abc", 3, 0);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 3);
	p.end->news = 0;
	send(p.far, "de", 2, 0);
	let_arrive();
	ck_assert_int_eq(end_read(p.end, room, sizeof room), -EAGAIN);
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, 1), 1);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 1);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(the_end_behind_the_last_bytes_is_read_without_another_event)
{
	struct pair p;
	char room[64];

	pair_init(&p, AF_INET);
	send(p.far, "abc", 3, 0);
	shutdown(p.far, SHUT_WR);
	let_arrive();
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 3);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 0);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(a_reset_behind_the_last_bytes_is_read_without_another_event)
{
	struct pair p;
	struct linger reset = {1, 0};
	char room[64];

	pair_init(&p, AF_INET);
	send(p.far, "abc", 3, 0);
	setsockopt(p.far, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(p.far);
	p.far = -1;
	let_arrive();
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, sizeof room), 3);
	ck_assert_int_eq(end_read(p.end, room, sizeof room), -EAGAIN);
	ck_assert(p.end->failed);
	ck_assert_int_eq(p.end->err, ECONNRESET);
	pair_fini(&p, ECONNRESET);
}
END_TEST

START_TEST(an_urgent_byte_and_what_follows_are_read_without_another_event)
{
	struct pair p;
	char room[64];
	ssize_t n, got = 0;

	pair_init(&p, AF_INET);
	send(p.far, "ab", 2, 0);
	send(p.far, "c", 1, MSG_OOB);
	send(p.far, "de", 2, 0);
	let_arrive();
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	while ((n = end_read(p.end, room + got, sizeof room - (size_t)got)) > 0)
		got += n;
	ck_assert_int_eq(got, 5);
	ck_assert_int_eq(memcmp(room, "abcde", 5), 0);
	pair_fini(&p, 0);
}
END_TEST

static int tcp_option(const struct pair *p, int level, int option)
{
	const struct stream *s = p->end->object;
	socklen_t len = sizeof(int);
	int value = -1;

	ck_assert_int_eq(getsockopt(s->fd, level, option, &value, &len), 0);
	return value;
}

START_TEST(probes_begin_where_a_connection_lasts)
{
	struct freedom_conf conf = conf_preset();
	struct pair p;

	conf.keepalive_ms = 6500; /* 7 s */
	pair_init_with(&p, AF_INET, &conf);
	ck_assert_int_eq(tcp_option(&p, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert(REAL_UNTIL(p.host,
			     tcp_option(&p, SOL_SOCKET, SO_KEEPALIVE) == 1));
	ck_assert_int_eq(tcp_option(&p, IPPROTO_TCP, TCP_KEEPIDLE), 7);
	ck_assert_int_eq(tcp_option(&p, IPPROTO_TCP, TCP_KEEPINTVL), 7);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(without_keepalive_no_probes_begin)
{
	struct freedom_conf conf = conf_preset();
	struct pair p;

	conf.keepalive_ms = 0;
	pair_init_with(&p, AF_INET, &conf);
	real_forward(5000);
	real_turn(p.host);
	ck_assert_int_eq(tcp_option(&p, SOL_SOCKET, SO_KEEPALIVE), 0);
	pair_fini(&p, 0);
}
END_TEST

static const struct {
	const char *first, *second;
	bool prompt;
} writes[] = {
	{"one", NULL, false},
	{"one", "two", true},
	{NULL, NULL, true}, /* more than a segment */
};

START_TEST(a_second_segment_does_not_wait_for_the_first)
{
	static const char block[2048];
	const char *first = writes[_i].first, *second = writes[_i].second;
	struct pair p;

	pair_init(&p, AF_INET);
	if (first)
		end_write(p.end, first, strlen(first));
	else
		end_write(p.end, block, sizeof block);
	if (second)
		end_write(p.end, second, strlen(second));
	ck_assert_int_eq(tcp_option(&p, IPPROTO_TCP, TCP_NODELAY),
			 writes[_i].prompt);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(a_full_socket_says_writable_once_there_is_room)
{
	struct pair p;
	static char block[1 << 16];
	/* It took a part of what it was given last, or nothing. */
	ssize_t least = _i ? 1 : sizeof block, n, total = 0, got = 0;

	pair_init(&p, AF_INET);
	while ((n = end_write(p.end, block, sizeof block)) >= least)
		total += n;
	total += n;
	real_turn(p.host);
	ck_assert_uint_eq(p.end->news, 0);
	while (got < total && (n = recv(p.far, block, sizeof block, 0)) > 0) {
		got += n;
		real_turn(p.host);
	}
	ck_assert(p.end->news & WEIR_WRITABLE);
	ck_assert_int_eq(got, total);
	pair_fini(&p, 0);
}
END_TEST

START_TEST(a_reset_of_the_far_side_is_econnreset)
{
	struct pair p;
	struct linger reset = {1, 0};
	char room[8];

	pair_init(&p, AF_INET);
	ck_assert_int_eq(end_read(p.end, room, 8), -EAGAIN);
	setsockopt(p.far, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(p.far);
	p.far = -1;
	ck_assert(REAL_UNTIL(p.host, p.end->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(p.end, room, 8), -EAGAIN);
	ck_assert(p.end->failed);
	ck_assert_int_eq(p.end->err, ECONNRESET);
	ck_assert_int_eq(end_write(p.end, "x", 1), 0);
	pair_fini(&p, ECONNRESET);
}
END_TEST

/* As of a server that answers a request before it has read all of it. */
START_TEST(what_came_before_a_reset_is_read_though_a_write_found_it_first)
{
	struct pair p;
	char room[8];

	pair_init(&p, AF_INET);
	ck_assert_int_eq(end_read(p.end, room, 8), -EAGAIN);
	ck_assert_int_eq(end_write(p.end, "unread", 6), 6);
	let_arrive();
	send(p.far, "abc", 3, 0);
	close(p.far);
	p.far = -1;
	let_arrive();
	ck_assert_int_eq(end_write(p.end, "x", 1), 0);
	ck_assert(p.end->failed);
	ck_assert_int_eq(end_read(p.end, room, 8), 3);
	ck_assert_int_eq(end_read(p.end, room, 8), -EAGAIN); /* not the end */
	pair_fini(&p, ECONNRESET);
}
END_TEST

START_TEST(close_with_an_error_resets_and_without_one_does_not)
{
	struct pair p;
	char room[8];
	bool orderly = _i;

	pair_init(&p, AF_INET);
	/* Unread bytes must not turn an orderly close into a reset. */
	send(p.far, "unread", 6, 0);
	ck_assert_int_eq(end_write(p.end, "bye", 3), 3);
	let_arrive();
	real_end_free(p.end, orderly ? 0 : ETIMEDOUT);
	ck_assert_int_eq(recv(p.far, room, 8, 0), 3);
	if (orderly) {
		ck_assert_int_eq(recv(p.far, room, 8, 0), 0);
	} else {
		ck_assert_int_eq(recv(p.far, room, 8, 0), -1);
		ck_assert_int_eq(errno, ECONNRESET);
	}
	close(p.far);
	ck_assert_uint_eq(real_free(p.host), 0);
}
END_TEST

START_TEST(via_passes_everything_through_the_other_outbound)
{
	struct freedom_conf conf = conf_preset();
	struct weir_addr at;
	int far, listener = loopback_new(AF_INET, SOCK_STREAM, &at);
	struct weir_instance *out = real_new(FREEDOM, &conf, NULL);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;
	char room[8];

	real_via(h, out);
	e = real_open(h, &at, WEIR_NET_TCP);
	real_abandon(h, e);
	e = real_open(h, &at, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(h, e->stream));
	far = accept(listener, NULL, NULL);
	ck_assert_int_eq(end_read(e, room, 8), -EAGAIN);
	ck_assert_int_eq(end_write(e, "ping", 4), 4);
	ck_assert_int_eq(recv(far, room, 8, 0), 4);
	send(far, "pong", 4, 0);
	ck_assert(REAL_UNTIL(h, e->news & WEIR_READABLE));
	ck_assert_int_eq(end_read(e, room, 8), 4);
	real_end_free(e, 0);
	close(far);
	close(listener);

	at = loopback_closed(AF_INET, SOCK_STREAM);
	e = real_open(h, &at, WEIR_NET_TCP);
	ck_assert(REAL_UNTIL(h, e->failed));
	ck_assert_int_eq(e->err, ECONNREFUSED);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
	ck_assert_uint_eq(real_free(out), 0);
}
END_TEST

START_TEST(a_via_that_cannot_carry_a_session_is_never_gone_around)
{
	struct freedom_conf conf = conf_preset();
	struct weir_addr at;
	int listener = loopback_new(AF_INET, SOCK_STREAM, &at);
	struct weir_instance *out = real_new(FREEDOM, &conf, NULL);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;

	real_via(h, out);
	real_refuse(h, 0, 0, EHOSTUNREACH);
	e = real_open(h, &at, WEIR_NET_TCP);
	ck_assert(e->failed);
	ck_assert_int_eq(e->err, EHOSTUNREACH);
	real_end_free(e, 0);
	close(listener);
	ck_assert_uint_eq(real_free(h), 0);
	ck_assert_uint_eq(real_free(out), 0);
}
END_TEST

SUITE("freedom", t)
{
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(
		t, bytes_pass_both_ways_and_either_side_can_finish_first, 0, 2);
	tcase_add_test(t, bytes_in_pieces_pass_as_in_one);
	tcase_add_test(t, peek_shows_what_read_then_takes);
	tcase_add_test(t,
		       a_drained_socket_is_asked_again_only_when_it_has_news);
	tcase_add_test(
		t, the_end_behind_the_last_bytes_is_read_without_another_event);
	tcase_add_test(
		t, a_reset_behind_the_last_bytes_is_read_without_another_event);
	tcase_add_test(
		t,
		an_urgent_byte_and_what_follows_are_read_without_another_event);
	tcase_add_test(t, probes_begin_where_a_connection_lasts);
	tcase_add_test(t, without_keepalive_no_probes_begin);
	tcase_add_loop_test(t, a_second_segment_does_not_wait_for_the_first, 0,
			    sizeof writes / sizeof writes[0]);
	tcase_add_loop_test(t, a_full_socket_says_writable_once_there_is_room,
			    0, 2);
	tcase_add_test(t, a_reset_of_the_far_side_is_econnreset);
	tcase_add_test(
		t,
		what_came_before_a_reset_is_read_though_a_write_found_it_first);
	tcase_add_loop_test(
		t, close_with_an_error_resets_and_without_one_does_not, 0, 2);
	tcase_add_test(t, via_passes_everything_through_the_other_outbound);
	tcase_add_test(t,
		       a_via_that_cannot_carry_a_session_is_never_gone_around);
}
