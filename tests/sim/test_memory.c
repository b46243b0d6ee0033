/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_memory.c - one budget for the whole stack: thousands of connections that
 * take all they get stay within it, and a small flow among them still moves. */
#include "behave.h"

#include <stdlib.h>

#include "tests/suite.h"

#define BUDGET (16ull << 20)
#define MANY 2000
#define MSS 1000u
#define SMALL 100u
#define FIRST_PORT 1024

static struct peer *crowd;

static void begin_small(void)
{
	struct sim_conf conf = {65535, 65535, BUDGET, 1 << 20};

	sim_start(&conf);
	sim_attach(&tun, NULL);
	crowd = calloc(MANY + 1, sizeof *crowd);
}

static void end(void)
{
	tun_end();
	free(crowd);
}

static struct peer *member(int i, int v6)
{
	crowd[i] = peer_new(v6);
	crowd[i].path.client_port = (uint16_t)(FIRST_PORT + i);
	peer_complete(&crowd[i]);
	return &crowd[i];
}

static void within_budget(void)
{
	ck_assert_uint_le(sim_counter("memory_bytes"), BUDGET);
	ck_assert_uint_le(sim_counter("memory_peak_bytes"), BUDGET);
}

/* The peer sends until nothing more is acknowledged; returns where it is. */
static uint32_t stuff(struct peer *p)
{
	uint32_t at = p->read + 1;

	for (int i = 0; i < 300; i++) {
		struct heard *h;
		uint32_t acked = at;

		say(p, ACK | PSH, at, 1, MSS);
		while ((h = hear(p))->any)
			acked = h->ack;
		if (acked != at + MSS)
			return acked;
		at = acked;
	}
	return at;
}

/* What the stack sends: whose it is, and where its payload lies. */
static int next_heard(uint32_t *seq, uint32_t *len)
{
	struct sim_packet *out = sim_output(&tun);
	const uint8_t *tcp;
	uint32_t at;
	int who;

	if (!out)
		return -1;
	at = out->data[0] >> 4 == 6 ? 40 : 20;
	tcp = out->data + at;
	who = (tcp[2] << 8 | tcp[3]) - FIRST_PORT;
	*seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
	       (uint32_t)tcp[6] << 8 | tcp[7];
	*len = out->len - at - (tcp[12] >> 4) * 4u;
	free(out);
	return who;
}

/* Bytes that come for that one within a second; the others hear nothing. */
static uint32_t answer(const struct peer *p)
{
	uint32_t seq, len, got = 0;
	int who;

	for (int i = 0; i < 100 && !got; i++) {
		while ((who = next_heard(&seq, &len)) >= 0)
			if (who == p - crowd)
				got += len;
		sim_run(10 * SIM_MS);
	}
	return got;
}

/* Requests and answers of a connection that waits for each. */
static void converse(struct peer *p, int times)
{
	uint32_t at = p->read + 1, theirs = p->written + 1;

	for (int i = 0; i < times; i++) {
		say(p, ACK | PSH, at, theirs, SMALL);
		ck_assert_uint_eq(core_read(p), SMALL);
		at += SMALL;
		core_write(p, SMALL);
		ck_assert_uint_eq(answer(p), SMALL);
		theirs += SMALL;
		say(p, ACK, at, theirs, 0);
		sim_flush(&tun);
	}
}

START_TEST(greedy_senders_stay_within_the_budget)
{
	struct peer *small = member(MANY, _i);

	for (int i = 0; i < MANY; i++) {
		stuff(member(i, _i));
		within_budget();
	}
	converse(small, 20);
	ck_assert_uint_gt(sim_counter("memory_bytes"), BUDGET / 4);
	/* And when they are read they go on. */
	for (int i = 0; i < MANY; i++) {
		core_read(&crowd[i]);
		sim_flush(&tun);
	}
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	for (int i = 0; i < MANY; i++) {
		uint32_t before = crowd[i].read;

		stuff(&crowd[i]);
		core_read(&crowd[i]);
		hear_all(&crowd[i]);
		ck_assert_uint_gt(crowd[i].read, before);
	}
	converse(small, 5);
}
END_TEST

START_TEST(a_newcomer_gets_room_among_the_greedy)
{
	for (int i = 0; i < 500; i++)
		stuff(member(i, _i));
	converse(member(MANY, _i), 20);
	within_budget();
}
END_TEST

/* RFC 9293, 3.8.6.2.2: half the window, or a segment if that is less. */
START_TEST(no_window_is_so_short_that_it_opens_by_less_than_a_segment)
{
	struct peer *p;
	uint32_t read = 0, full;

	for (int i = 0; i < 500; i++)
		stuff(member(i, _i));
	p = member(MANY, _i);
	full = stuff(p) - 1;
	ck_assert_uint_lt(full, 4 * p->mss);
	hear_all(p);
	while (!tun.out && read < full) {
		p->end->stream->consume(p->end->self, 100);
		read += 100;
	}
	ck_assert_uint_ge(read, p->mss - 40u); /* less options, IPv6 header */
	ck_assert_uint_lt(read, p->mss + 100u);
	sim_flush(&tun);
}
END_TEST

START_TEST(what_is_out_of_order_counts)
{
	for (int i = 0; i < MANY; i++) {
		struct peer *p = member(i, _i);

		for (uint32_t k = 0; k < 200; k++)
			say(p, ACK, 2 + k * MSS, 1, MSS);
		hear_all(p);
		within_budget();
	}
	converse(member(MANY, _i), 20);
	for (int i = 0; i < MANY; i++) { /* the hole is filled */
		say(&crowd[i], ACK, 1, 1, 1);
		ck_assert_uint_ge(core_read(&crowd[i]), 1);
		hear_all(&crowd[i]);
	}
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(bytes_one_by_one_count_at_their_true_size)
{
	for (int i = 0; i < 20; i++) {
		struct peer *p = member(i, _i);

		for (uint32_t k = 0; k < 30000; k++) {
			say(p, ACK, 1 + k, 1, 1);
			hear_all(p);
		}
		within_budget();
	}
	converse(member(MANY, _i), 20);
}
END_TEST

/* What the core may write until the stack takes no more. */
static uint32_t write_all(struct peer *p)
{
	static uint8_t block[20000];
	struct iovec v = {block, sizeof block};
	uint32_t total = 0;
	ssize_t n;

	do {
		n = p->end->stream->write(p->end->self, &v, 1);
		total += (uint32_t)n;
	} while (n == (ssize_t)sizeof block);
	sim_flush(&tun);
	return total;
}

/* The same through room of the stack's. */
static uint32_t commit_all(struct peer *p, uint32_t each)
{
	struct iovec v[4];
	uint32_t total = 0;

	while (p->end->stream->reserve(p->end->self, v, 4) > 0) {
		uint32_t n =
			v[0].iov_len < each ? (uint32_t)v[0].iov_len : each;

		memset(v[0].iov_base, 0, n);
		p->end->stream->commit(p->end->self, n);
		total += n;
	}
	sim_flush(&tun);
	return total;
}

START_TEST(greedy_receivers_stay_within_the_budget)
{
	struct peer *small = member(MANY, _i);
	int n = MANY / 4;

	for (int i = 0; i < n; i++) {
		struct peer *p = member(i, _i);
		uint32_t got = i % 3 == 0   ? write_all(p)
			       : i % 3 == 1 ? commit_all(p, 65536)
					    : commit_all(p, 5000);

		ck_assert_uint_gt(got, 0);
		within_budget();
	}
	converse(small, 20);
	for (int i = 0; i < n; i++)
		sim_close(crowd[i].end, 1);
	sim_flush(&tun);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

/* A server that speaks first, to clients that ask for segments of a byte. */
START_TEST(what_is_written_before_the_handshake_ends_counts_as_what_it_is)
{
	for (int i = 0; i < 20; i++) {
		crowd[i] = peer_new(_i);
		crowd[i].path.client_port = (uint16_t)(FIRST_PORT + i);
		crowd[i].mss = 1;
		peer_syn(&crowd[i]);
		peer_accept(&crowd[i]);
		core_write(&crowd[i], SMALL);
	}
	ck_assert_uint_lt(sim_counter("memory_bytes"), 20 * 16384);
}
END_TEST

/* As a socket fills them: all rooms, or of the last only a little. */
static uint32_t commit_rooms(struct peer *p, bool all)
{
	struct iovec v[8];
	int n = p->end->stream->reserve(p->end->self, v, 8);
	uint32_t total = 0;

	for (int i = 0; i < n; i++)
		total += all || i < n - 1 ? (uint32_t)v[i].iov_len : MSS - 1;
	if (total)
		p->end->stream->commit(p->end->self, total);
	return total;
}

/* All that comes for it is acknowledged; returns how much that was. */
static uint32_t take_all(const struct peer *p, uint32_t *at)
{
	uint32_t seq, len, before = *at;
	int who;

	for (int idle = 0; idle < 20; idle++) {
		while ((who = next_heard(&seq, &len)) >= 0) {
			if (who != p - crowd || !len)
				continue;
			*at = seq - p->irs + len;
			idle = 0;
		}
		say((struct peer *)p, ACK, 1, *at, 0);
		sim_run(SIM_MS);
	}
	return *at - before;
}

START_TEST(room_that_was_reserved_is_there_however_little_is_left)
{
	static uint8_t some[20000];
	struct peer *p = member(MANY, _i);
	uint32_t at = 1;

	for (int i = 0; i < MANY / 2; i++) {
		struct iovec v = {some, i % 8 ? 2000 : sizeof some};
		struct weir_end *other = member(i, _i)->end;

		other->stream->write(other->self, &v, 1);
		sim_flush(&tun);
		for (int turn = 0; turn < 3; turn++) {
			uint32_t n = commit_rooms(p, turn < 2);

			ck_assert_uint_eq(take_all(p, &at), n);
		}
	}
}
END_TEST

static bool all_told(int n)
{
	for (int i = 0; i < n; i++)
		if (!(crowd[i].end->events & WEIR_WRITABLE))
			return false;
	return true;
}

START_TEST(whoever_was_full_is_told_of_room)
{
	int n = 400, who;
	uint32_t seq, len;

	for (int i = 0; i < n; i++)
		write_all(member(i, _i));
	for (int i = 0; i < n; i++)
		crowd[i].end->events = 0;
	for (int i = 0; i < 6000 && !all_told(n); i++) {
		sim_run(10 * SIM_MS);
		while ((who = next_heard(&seq, &len)) >= 0)
			say(&crowd[who], ACK, 1, seq + len - crowd[who].irs, 0);
	}
	ck_assert(all_told(n));
}
END_TEST

SUITE("memory", t)
{
	tcase_add_checked_fixture(t, begin_small, end);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, greedy_senders_stay_within_the_budget, 0, 2);
	tcase_add_loop_test(t, a_newcomer_gets_room_among_the_greedy, 0, 2);
	tcase_add_loop_test(
		t, no_window_is_so_short_that_it_opens_by_less_than_a_segment,
		0, 2);
	tcase_add_loop_test(t, what_is_out_of_order_counts, 0, 2);
	tcase_add_loop_test(t, bytes_one_by_one_count_at_their_true_size, 0, 2);
	tcase_add_loop_test(t, greedy_receivers_stay_within_the_budget, 0, 2);
	tcase_add_loop_test(t, whoever_was_full_is_told_of_room, 0, 2);
	tcase_add_loop_test(
		t,
		what_is_written_before_the_handshake_ends_counts_as_what_it_is,
		0, 2);
	tcase_add_loop_test(
		t, room_that_was_reserved_is_there_however_little_is_left, 0,
		2);
}
