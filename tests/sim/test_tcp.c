/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tcp.c - what a TCP client on the link sees of the stack, segment by
 * segment. Each test runs over IPv4 and IPv6. */
#include "client.h"

#include <check.h>
#include <errno.h>

#include "tests/suite.h"

static size_t read_all(struct weir_end *e, char *to, size_t room)
{
	struct iovec v[8];
	size_t total = 0;
	int n;

	while ((n = e->stream->peek(e->self, v, 8)) > 0) {
		size_t got = 0;

		for (int i = 0; i < n; i++) {
			ck_assert_uint_le(total + v[i].iov_len, room);
			memcpy(to + total, v[i].iov_base, v[i].iov_len);
			total += v[i].iov_len;
			got += v[i].iov_len;
		}
		e->stream->consume(e->self, got);
	}
	return total;
}

static ssize_t write_text(struct weir_end *e, const char *text)
{
	struct iovec v = {(void *)(uintptr_t)text, strlen(text)};

	return e->stream->write(e->self, &v, 1);
}

START_TEST(bytes_pass_both_ways)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	struct seen *s;
	char text[32] = "";

	ck_assert_uint_eq(read_all(e, text, sizeof text), 0);
	client_send(&c, ACK | PSH, "hello", 5);
	ck_assert_uint_eq(e->events, WEIR_READABLE);
	ck_assert_uint_eq(read_all(e, text, sizeof text), 5);
	ck_assert_str_eq(text, "hello");
	sim_run(ANSWER_US);
	s = client_expect(&c, ACK);
	ck_assert_uint_eq(s->ack, c.seq);

	ck_assert_int_eq(write_text(e, "world"), 5);
	s = client_expect(&c, PSH);
	ck_assert(s->checksum_ok);
	ck_assert_uint_eq(s->payload_len, 5);
	ck_assert_mem_eq(s->payload, "world", 5);
	client_send(&c, ACK, NULL, 0);
}
END_TEST

START_TEST(client_may_finish_first)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	struct iovec v;
	char text[32] = "";

	client_send(&c, ACK | FIN, "last", 4);
	ck_assert_uint_eq(read_all(e, text, sizeof text), 4);
	ck_assert_int_eq(e->stream->peek(e->self, &v, 1), WEIR_PEEK_EOF);
	ck_assert_int_eq(write_text(e, "still"), 5);
	ck_assert_mem_eq(client_expect(&c, PSH)->payload, "still", 5);
	e->stream->finish(e->self);
	ck_assert_int_eq(client_expect(&c, FIN)->flags & FIN, FIN);
	client_send(&c, ACK, NULL, 0);
	ck_assert_int_eq(e->failed, 0);
	sim_close(e, 0);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(core_may_finish_first)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	char text[32] = "";

	ck_assert_int_eq(write_text(e, "bye"), 3);
	e->stream->finish(e->self);
	ck_assert_uint_eq(client_expect(&c, PSH)->payload_len, 3);
	ck_assert(client_expect(&c, FIN)->any || c.ack);
	client_send(&c, ACK, NULL, 0);
	client_send(&c, ACK | PSH, "answer", 6);
	ck_assert_uint_eq(read_all(e, text, sizeof text), 6);
	client_send(&c, ACK | FIN, NULL, 0);
	ck_assert_uint_eq(client_expect(&c, ACK)->any, 1);
	sim_close(e, 0);
	ck_assert_uint_eq(sim_counter("connections"), 1); /* TIME_WAIT */
	sim_run(10000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(orderly_close_sends_what_is_queued)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	static char big[200000];
	struct iovec v = {big, sizeof big};
	uint32_t first = c.ack;
	bool fin = false;

	ck_assert_int_eq(e->stream->write(e->self, &v, 1), sizeof big);
	sim_close(e, 0);
	for (int i = 0; i < 1000 && !fin; i++) {
		struct seen *s = client_expect(&c, FIN);

		if (!s->any) {
			client_send(&c, ACK, NULL, 0);
			sim_run(100 * SIM_MS);
			continue;
		}
		fin = s->flags & FIN;
	}
	ck_assert(fin);
	ck_assert_uint_eq(c.ack - first, sizeof big + 1);
	sim_flush(&tun);
	client_send(&c, ACK | FIN, NULL, 0);
	sim_run(10000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(close_with_an_error_resets)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);

	sim_close(e, ECONNRESET);
	ck_assert_int_eq(look(&tun)->flags & RST, RST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(reset_fails_the_end)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);

	client_send(&c, RST, NULL, 0);
	ck_assert_int_eq(e->failed, ECONNRESET);
	ck_assert_int_eq(write_text(e, "x"), 0);
	sim_close(e, ECONNRESET);
	ck_assert(!look(&tun)->any);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(unread_bytes_close_the_window_and_consuming_reopens_it)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	static char chunk[1400], text[400000];
	struct seen *s;
	uint32_t sent = 0, window = 1;

	for (; window && sent < 300000; sent += sizeof chunk) {
		client_send(&c, ACK, chunk, sizeof chunk);
		while ((s = client_expect(&c, ACK))->any)
			window = s->window;
	}
	ck_assert_uint_eq(window, 0);
	ck_assert_uint_ge(sent, 250000);
	ck_assert_uint_eq(read_all(e, text, sizeof text), 256 * 1024);
	s = client_expect(&c, ACK);
	ck_assert(s->any);
	ck_assert_uint_ge(s->window, 256);
}
END_TEST

START_TEST(lost_segment_is_sent_again)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	struct seen *s;

	write_text(e, "precious");
	look(&tun); /* lost */
	sim_run(2000 * SIM_MS);
	s = look(&tun);
	ck_assert(s->any);
	ck_assert_mem_eq(s->payload, "precious", 8);
	c.ack = s->seq + 8;
	client_send(&c, ACK, NULL, 0);
	sim_flush(&tun);
	sim_run(60000 * SIM_MS);
	ck_assert(!look(&tun)->any);
}
END_TEST

START_TEST(silent_client_is_given_up)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);

	write_text(e, "anyone?");
	sim_run(600000 * SIM_MS);
	ck_assert_int_eq(e->failed, ETIMEDOUT);
	sim_close(e, ETIMEDOUT);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(zero_window_is_probed_until_it_opens)
{
	struct client c = client_of(_i);
	struct weir_end *e;
	struct seen *s;
	int probes = 0;

	c.window = 0;
	e = client_open(&c);
	ck_assert_int_eq(write_text(e, "waiting"), 7);
	for (int i = 0; i < 60; i++) {
		sim_run(1000 * SIM_MS);
		while ((s = look(&tun))->any) {
			ck_assert_uint_le(s->payload_len, 1);
			probes++;
			client_send(&c, ACK, NULL, 0);
		}
	}
	ck_assert_int_ge(probes, 3);
	ck_assert_int_eq(e->failed, 0);
	c.window = 1000;
	client_send(&c, ACK, NULL, 0);
	s = client_expect(&c, PSH);
	ck_assert_uint_eq(s->payload_len, 7);
}
END_TEST

START_TEST(writes_are_bounded_and_room_is_told_of)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	static char big[1 << 20];
	struct iovec v = {big, sizeof big};
	ssize_t taken = e->stream->write(e->self, &v, 1);

	ck_assert_int_lt(taken, sizeof big);
	ck_assert_int_ge(taken, 256 * 1024);
	e->events = 0;
	for (int i = 0; i < 200 && !e->events; i++) {
		while (client_expect(&c, ACK)->any)
			;
		client_send(&c, ACK, NULL, 0);
	}
	ck_assert_uint_eq(e->events, WEIR_WRITABLE);
	ck_assert_int_gt(e->stream->write(e->self, &v, 1), 0);
}
END_TEST

START_TEST(any_segment_size_carries_all_bytes)
{
	static const uint16_t sizes[] = {1,   100,  256,  512,
					 536, 1024, 1460, 9000};
	static char big[200000];
	struct iovec v = {big, sizeof big};

	for (int i = 0; i < (int)sizeof big; i++)
		big[i] = (char)(i * 31 + i / 999);
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		struct client c = client_of(_i);
		struct weir_end *e;
		struct seen *s;
		uint32_t first;

		c.path.client_port = (uint16_t)(50000 + k);
		c.mss = sizes[k];
		e = client_open(&c);
		first = c.ack;
		ck_assert_int_eq(e->stream->write(e->self, &v, 1), sizeof big);
		for (int i = 0; i < 3000 && c.ack - first < sizeof big; i++) {
			while ((s = client_expect(&c, ACK))->any)
				if (s->payload_len)
					ck_assert_mem_eq(s->payload,
							 big + (s->seq - first),
							 s->payload_len);
			client_send(&c, ACK, NULL, 0);
		}
		ck_assert_uint_eq(c.ack - first, sizeof big);
		sim_close(e, ECONNRESET);
		sim_flush(&tun);
	}
}
END_TEST

START_TEST(reserved_room_is_sent_from)
{
	struct client c = client_of(_i);
	struct weir_end *e = client_open(&c);
	struct iovec room[4];
	struct seen *s;

	ck_assert_int_ge(e->stream->reserve(e->self, room, 4), 1);
	ck_assert_uint_ge(room[0].iov_len, 60000);
	memset(room[0].iov_base, 'r', 5000);
	e->stream->commit(e->self, 5000);
	for (uint32_t got = 0; got < 5000; got += s->payload_len) {
		s = client_expect(&c, ACK);
		ck_assert(s->any && s->payload_len);
		ck_assert_int_eq(s->payload[0], 'r');
	}
	ck_assert_int_ge(e->stream->reserve(e->self, room, 4), 1);
	memset(room[0].iov_base, 's', 10);
	e->stream->commit(e->self, 10);
	ck_assert_int_eq(client_expect(&c, ACK)->payload[9], 's');
}
END_TEST

START_TEST(detach_fails_every_end)
{
	struct client c = client_of(_i), held = c;
	struct weir_end *e = client_open(&c);

	held.path.client_port = 40001;
	client_send(&held, SYN, NULL, 0);
	sim.ops->detach(tun.link);
	ck_assert_int_eq(e->failed, ENETDOWN);
	ck_assert_int_eq(sim.ends->failed, ENETDOWN);
	ck_assert_int_eq(e->stream->accept(sim.ends->self), ECONNABORTED);
	sim_close(e, ENETDOWN);
	sim_close(sim.ends, ENETDOWN);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(idle_connections_need_no_timer)
{
	struct client c = client_of(_i);

	client_open(&c);
	sim_run(10000 * SIM_MS);
	sim.timer_wakeups = 0;
	sim_run(3600000 * SIM_MS);
	ck_assert_uint_eq(sim.timer_wakeups, 0);
}
END_TEST

START_TEST(trains_go_out_where_the_link_takes_them)
{
	struct weir_link_conf conf = sim_link_conf();
	struct client c;
	struct weir_end *e;
	static char big[60000];
	struct iovec v = {big, sizeof big};
	struct seen *s;
	uint32_t got = 0, largest = 0;

	conf.offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO;
	sim_attach(&tun, &conf);
	c = client_of(_i);
	e = client_open(&c);
	e->stream->write(e->self, &v, 1);
	for (int i = 0; i < 50 && got < sizeof big; i++) {
		while ((s = client_expect(&c, ACK))->any) {
			got += s->payload_len;
			if (s->payload_len > largest)
				largest = s->payload_len;
			if (s->payload_len > 1460)
				ck_assert_uint_eq(s->gso_size,
						  _i ? 1440 : 1460);
		}
		client_send(&c, ACK, NULL, 0);
	}
	ck_assert_uint_eq(got, sizeof big);
	ck_assert_uint_gt(largest, 10000);
}
END_TEST

START_TEST(dead_client_is_found_where_asked_for)
{
	struct weir_link_conf conf = sim_link_conf();
	struct client c;
	struct weir_end *e;
	int probes = 0;

	conf.keepalive = true;
	sim_attach(&tun, &conf);
	c = client_of(_i);
	e = client_open(&c);
	for (int i = 0; i < 600; i++) {
		sim_run(1000 * SIM_MS);
		if (!look(&tun)->any)
			continue;
		probes++;
		client_send(&c, ACK, NULL, 0);
	}
	ck_assert_int_ge(probes, 5);
	ck_assert_int_eq(e->failed, 0);
	sim_run(600000 * SIM_MS);
	ck_assert_int_eq(e->failed, ETIMEDOUT);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, bytes_pass_both_ways, 0, 2);
	tcase_add_loop_test(t, client_may_finish_first, 0, 2);
	tcase_add_loop_test(t, core_may_finish_first, 0, 2);
	tcase_add_loop_test(t, orderly_close_sends_what_is_queued, 0, 2);
	tcase_add_loop_test(t, close_with_an_error_resets, 0, 2);
	tcase_add_loop_test(t, reset_fails_the_end, 0, 2);
	tcase_add_loop_test(
		t, unread_bytes_close_the_window_and_consuming_reopens_it, 0,
		2);
	tcase_add_loop_test(t, lost_segment_is_sent_again, 0, 2);
	tcase_add_loop_test(t, silent_client_is_given_up, 0, 2);
	tcase_add_loop_test(t, zero_window_is_probed_until_it_opens, 0, 2);
	tcase_add_loop_test(t, writes_are_bounded_and_room_is_told_of, 0, 2);
	tcase_add_loop_test(t, any_segment_size_carries_all_bytes, 0, 2);
	tcase_add_loop_test(t, reserved_room_is_sent_from, 0, 2);
	tcase_add_loop_test(t, detach_fails_every_end, 0, 2);
	tcase_add_loop_test(t, idle_connections_need_no_timer, 0, 2);
	tcase_add_loop_test(t, trains_go_out_where_the_link_takes_them, 0, 2);
	tcase_add_loop_test(t, dead_client_is_found_where_asked_for, 0, 2);
}

SUITE("tcp", t)
{
	tcase_add_checked_fixture(t, tun_begin, tun_end);
	tcase_set_timeout(t, 60);
	add_tests(t);
}
