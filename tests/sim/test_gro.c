/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_gro.c - packets that come one by one and leave as trains. What the core
 * can peek at shows the trains: one view is one piece of memory. Tests run over
 * IPv4 and IPv6. */
#include "client.h"

#include <check.h>

#include "tests/suite.h"

#define UNIT 1400u
#define VIEWS 64
#define STREAM_BYTES 400000u
#define SCARCE_BYTES (6u * 65536) /* three slabs */

static struct client one, two;
static struct weir_end *end_one, *end_two;
static uint8_t packet[PACKET_MOST], payload[STREAM_BYTES], got[STREAM_BYTES];

static struct path path_of(int v6, uint16_t port)
{
	return v6 ? path6(port, "2001:db8::1", 80)
		  : path4(port, "203.0.113.1", 80);
}

static void begin_with(int v6, const struct sim_conf *conf)
{
	sim_start(conf);
	sim_attach(&tun, NULL);
	for (uint32_t i = 0; i < STREAM_BYTES; i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	client_init(&one, &tun, path_of(v6, 5001));
	client_init(&two, &tun, path_of(v6, 5002));
	end_one = client_open(&one);
	end_two = client_open(&two);
	sim_flush(&tun);
}

static void begin(void)
{
	begin_with(0, NULL);
}

static void begin6(void)
{
	begin_with(1, NULL);
}

static void flush(void)
{
	sim.ops->flush(tun.link);
}

/* The next `len` bytes of the payload at `at` from a client. */
static void put(struct client *c, uint8_t flags, uint32_t at, uint32_t len)
{
	ck_assert(link_put(&tun, packet,
			   make_tcp(packet, c, flags, payload + at, len)));
	c->seq += len + !!(flags & FIN);
}

/* Read all; returns the views. */
static int take(struct weir_end *e, uint32_t *len, uint32_t *lens)
{
	struct iovec v[VIEWS];
	int n = e->stream->peek(e->self, v, VIEWS);

	*len = 0;
	for (int i = 0; i < n; i++) {
		memcpy(got + *len, v[i].iov_base, v[i].iov_len);
		*len += (uint32_t)v[i].iov_len;
		lens[i] = (uint32_t)v[i].iov_len;
	}
	if (*len)
		e->stream->consume(e->self, *len);
	return n;
}

/* The first bytes of the payload arrived, in trains of these sizes. */
static void expect(struct weir_end *e, const uint32_t *sizes, int n)
{
	uint32_t len, lens[VIEWS];

	ck_assert_int_eq(take(e, &len, lens), n);
	ck_assert_mem_eq(got, payload, len);
	for (int i = 0; i < n; i++)
		ck_assert_uint_eq(lens[i], sizes[i]);
}

#define EXPECT(e, ...)                                                         \
	expect(e, (uint32_t[]){__VA_ARGS__},                                   \
	       (int)(sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)))

START_TEST(a_run_of_segments_is_one_train)
{
	uint32_t len, lens[VIEWS];

	for (uint32_t i = 0; i < 40; i++)
		put(&one, ACK, i * UNIT, UNIT);
	ck_assert_int_eq(take(end_one, &len, lens), 0); /* not yet */
	flush();
	EXPECT(end_one, 40 * UNIT);
}
END_TEST

START_TEST(a_train_is_no_longer_than_a_packet_may_be)
{
	uint32_t len, lens[VIEWS];
	int n;

	for (uint32_t i = 0; i < 100; i++)
		put(&one, ACK, i * UNIT, UNIT);
	flush();
	n = take(end_one, &len, lens);
	ck_assert_int_eq(n, 3);
	ck_assert_uint_eq(len, 100 * UNIT);
	ck_assert_mem_eq(got, payload, len);
	for (int i = 0; i < n; i++)
		ck_assert_uint_le(lens[i], 65535 - 40);
}
END_TEST

START_TEST(a_shorter_segment_ends_the_train)
{
	put(&one, ACK, 0, 1000);
	put(&one, ACK, 1000, 1000);
	put(&one, ACK, 2000, 1);
	put(&one, ACK, 2001, 1000);
	put(&one, ACK, 3001, 1000);
	flush();
	EXPECT(end_one, 2001, 2000);
}
END_TEST

START_TEST(a_longer_segment_begins_another)
{
	put(&one, ACK, 0, 1000);
	put(&one, ACK, 1000, 1200);
	put(&one, ACK, 2200, 1200);
	flush();
	EXPECT(end_one, 1000, 2400);
}
END_TEST

START_TEST(push_ends_the_train)
{
	put(&one, ACK, 0, 1000);
	put(&one, ACK | PSH, 1000, 1000);
	put(&one, ACK, 2000, 1000);
	flush();
	EXPECT(end_one, 2000, 1000);
}
END_TEST

START_TEST(the_end_of_the_stream_comes_after_the_train)
{
	struct iovec v;

	put(&one, ACK, 0, 1000);
	put(&one, ACK, 1000, 1000);
	put(&one, ACK | FIN, 2000, 100);
	flush();
	EXPECT(end_one, 2000, 100);
	ck_assert_int_eq(end_one->stream->peek(end_one->self, &v, 1),
			 WEIR_PEEK_EOF);
}
END_TEST

START_TEST(what_was_lost_leaves_a_gap_that_is_filled)
{
	uint32_t len, lens[VIEWS], first = one.seq;

	put(&one, ACK, 0, 1000);
	one.seq += 1000;
	put(&one, ACK, 2000, 1000);
	put(&one, ACK, 3000, 1000);
	flush();
	EXPECT(end_one, 1000);
	one.seq = first + 1000;
	put(&one, ACK, 1000, 1000);
	flush();
	take(end_one, &len, lens);
	ck_assert_uint_eq(len, 3000);
	ck_assert_mem_eq(got, payload + 1000, len);
}
END_TEST

START_TEST(a_segment_that_came_twice_is_taken_once)
{
	uint32_t len, lens[VIEWS];

	put(&one, ACK, 0, 1000);
	one.seq -= 1000;
	put(&one, ACK, 0, 1000);
	put(&one, ACK, 1000, 1000);
	flush();
	take(end_one, &len, lens);
	ck_assert_uint_eq(len, 2000);
	ck_assert_mem_eq(got, payload, len);
}
END_TEST

/* A segment with timestamps, or with any other option of that size. */
static void put_stamped(uint8_t kind, uint32_t stamp, uint32_t echo,
			uint32_t at)
{
	uint8_t tcp[32 + 1000] = {0};
	uint32_t len, l4 = one.path.v6 ? 40 : 20;

	make_tcp(packet, &one, ACK, payload + at, 1000);
	memcpy(tcp, packet + l4, 20);
	tcp[12] = 8 << 4;
	memcpy(tcp + 20, (uint8_t[]){1, 1, kind, 10}, 4);
	for (int i = 0; i < 4; i++) {
		tcp[24 + i] = (uint8_t)(stamp >> (24 - 8 * i));
		tcp[28 + i] = (uint8_t)(echo >> (24 - 8 * i));
	}
	memcpy(tcp + 32, payload + at, 1000);
	len = make_ip(packet, &one.path, IPPROTO_TCP, tcp, sizeof tcp);
	ck_assert(link_put(&tun, packet, len));
	one.seq += 1000;
}

START_TEST(rising_timestamps_stay_on_the_train)
{
	put_stamped(8, 0xfffffff0, 7, 0);
	put_stamped(8, 0xfffffff0, 7, 1000);
	put_stamped(8, 0x00000010, 8, 2000); /* wrapped: later */
	put_stamped(8, 0xffffffef, 8, 3000); /* before the first */
	put_stamped(8, 0xffffffef, 7, 4000); /* an older echo */
	flush();
	EXPECT(end_one, 3000, 1000, 1000);
}
END_TEST

START_TEST(other_options_must_be_equal)
{
	put_stamped(99, 1, 1, 0);
	put_stamped(99, 1, 1, 1000);
	put_stamped(99, 2, 1, 2000);
	put(&one, ACK, 3000, 1000);
	flush();
	EXPECT(end_one, 2000, 1000, 1000);
}
END_TEST

START_TEST(the_newest_acknowledgement_counts)
{
	struct iovec v = {payload, 500};

	ck_assert_int_eq(end_one->stream->write(end_one->self, &v, 1), 500);
	put(&one, ACK, 0, 1000);
	one.ack += 500;
	put(&one, ACK, 1000, 1000);
	one.ack -= 500;
	put(&one, ACK, 2000, 1000); /* an older word */
	flush();
	EXPECT(end_one, 2000, 1000);
	sim_run(5000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("retransmits"), 0);
}
END_TEST

START_TEST(the_newest_window_counts)
{
	struct iovec v = {payload, 500};

	one.window = 0;
	put(&one, ACK, 0, 1000);
	one.window = 500;
	put(&one, ACK, 1000, 1000);
	flush();
	EXPECT(end_one, 2000);
	sim_flush(&tun);
	ck_assert_int_eq(end_one->stream->write(end_one->self, &v, 1), 500);
	ck_assert_uint_eq(look(&tun)->payload_len, 500);
}
END_TEST

START_TEST(flows_that_alternate_keep_their_bytes)
{
	for (uint32_t i = 0; i < 20; i++) {
		put(&one, ACK, i * 1000, 1000);
		put(&two, ACK, i * 900, 900);
	}
	flush();
	for (int i = 0; i < 2; i++) {
		uint32_t len, lens[VIEWS];

		take(i ? end_two : end_one, &len, lens);
		ck_assert_uint_eq(len, i ? 18000 : 20000);
		ck_assert_mem_eq(got, payload, len);
	}
}
END_TEST

START_TEST(bare_acknowledgements_of_others_pass_by)
{
	for (uint32_t i = 0; i < 10; i++) {
		put(&one, ACK, i * 1000, 1000);
		put(&two, ACK, 0, 0);
	}
	flush();
	EXPECT(end_one, 10000);
}
END_TEST

START_TEST(its_own_bare_acknowledgement_keeps_its_place)
{
	put(&one, ACK, 0, 1000);
	put(&one, ACK, 0, 0);
	put(&one, ACK, 1000, 1000);
	flush();
	EXPECT(end_one, 1000, 1000);
}
END_TEST

START_TEST(broken_packets_leave_the_train_whole)
{
	uint64_t before = sim_counter("drop_checksum");
	uint8_t *room;
	uint32_t len;

	put(&one, ACK, 0, 1000);
	len = make_tcp(packet, &one, ACK, payload, 1000);
	packet[len - 1] ^= 1;
	ck_assert(link_put(&tun, packet, len));
	ck_assert_uint_eq(sim_counter("drop_checksum"), before + 1);
	put(&one, ACK, 1000, 1000);
	for (uint32_t cut = 1; cut < 60; cut++) {
		len = make_tcp(packet, &one, ACK, payload, 1000);
		ck_assert(link_put(&tun, packet, cut));
	}
	put(&one, ACK, 2000, 1000);
	room = sim.ops->room(tun.link, 1500);
	memset(room, 0xee, 1500);
	sim.ops->put(tun.link, 0, 0); /* it was no packet after all */
	put(&one, ACK, 3000, 1000);
	flush();
	EXPECT(end_one, 4000);
}
END_TEST

START_TEST(a_new_connection_passes_by_a_train)
{
	struct client three;

	put(&one, ACK, 0, 1000);
	client_init(&three, &tun, one.path);
	three.path.client_port = 5003;
	put(&three, SYN, 0, 0);
	put(&one, ACK, 1000, 1000);
	flush();
	ck_assert_uint_eq(sim.ends->info.source.port, 5003);
	EXPECT(end_one, 2000);
}
END_TEST

START_TEST(input_comes_after_what_was_put_before_it)
{
	put(&one, ACK, 0, 1000);
	put(&one, ACK, 1000, 1000);
	client_send(&one, ACK, payload + 2000, 1000);
	EXPECT(end_one, 2000, 1000);
}
END_TEST

START_TEST(too_little_room_ends_the_train)
{
	put(&one, ACK, 0, 1000);
	ck_assert_ptr_nonnull(sim.ops->room(tun.link, 65535));
	sim.ops->put(tun.link, 0, 0);
	put(&one, ACK, 1000, 1000);
	flush();
	EXPECT(end_one, 1000, 1000);
}
END_TEST

START_TEST(a_link_may_go_in_the_middle_of_a_burst)
{
	put(&one, ACK, 0, 1000);
	put(&two, ACK, 0, 1000);
	put(&one, ACK, 1000, 1000);
	sim.ops->detach(tun.link);
	ck_assert_int_ne(end_one->failed, 0);
	ck_assert_uint_eq(sim_counter("held_bytes"), 0);
}
END_TEST

START_TEST(scarce_memory_loses_packets_and_nothing_else)
{
	struct sim_conf conf = {100, 100, SCARCE_BYTES, 1 << 20};
	uint32_t len, lens[VIEWS];

	begin_with(_i, &conf);
	for (uint32_t i = 0; i < 60; i++) {
		put(&one, ACK, i * 1000, 1000);
		put(&two, ACK, i * 1000, 1000);
	}
	flush();
	take(end_one, &len, lens);
	ck_assert_uint_gt(len, 0);
	ck_assert_mem_eq(got, payload, len);
	tun_end();
}
END_TEST

/* Whatever comes in whatever order, both clients' bytes arrive. */
START_TEST(any_mixture_arrives_whole)
{
	struct client *c[2] = {&one, &two};
	struct weir_end *e[2] = {end_one, end_two};
	uint32_t sent[2] = {0}, came[2] = {0}, last[2] = {UNIT, UNIT};

	while (sent[0] + sent[1] < STREAM_BYTES) {
		int who = sim_random() < 0.7 ? 0 : 1;
		uint32_t len = last[who];

		if (sim_random() < 0.1)
			len = (uint32_t)(sim_random() * UNIT) + 1;
		if (sim_random() < 0.1)
			last[who] = len;
		if (sent[who] + len > STREAM_BYTES)
			break;
		put(c[who], sim_random() < 0.05 ? ACK | PSH : ACK, sent[who],
		    len);
		sent[who] += len;
		if (sim_random() < 0.05)
			put(c[!who], ACK, 0, 0);
		if (sim_random() < 0.9)
			continue;
		flush();
		for (int i = 0; i < 2; i++) {
			uint32_t lens[VIEWS];

			take(e[i], &len, lens);
			ck_assert_mem_eq(got, payload + came[i], len);
			came[i] += len;
			ck_assert_uint_eq(came[i], sent[i]);
		}
		sim_flush(&tun);
	}
	ck_assert_uint_eq(sim_counter("retransmits"), 0);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(t, a_run_of_segments_is_one_train);
	tcase_add_test(t, a_train_is_no_longer_than_a_packet_may_be);
	tcase_add_test(t, a_shorter_segment_ends_the_train);
	tcase_add_test(t, a_longer_segment_begins_another);
	tcase_add_test(t, push_ends_the_train);
	tcase_add_test(t, the_end_of_the_stream_comes_after_the_train);
	tcase_add_test(t, what_was_lost_leaves_a_gap_that_is_filled);
	tcase_add_test(t, a_segment_that_came_twice_is_taken_once);
	tcase_add_test(t, rising_timestamps_stay_on_the_train);
	tcase_add_test(t, other_options_must_be_equal);
	tcase_add_test(t, the_newest_acknowledgement_counts);
	tcase_add_test(t, the_newest_window_counts);
	tcase_add_test(t, flows_that_alternate_keep_their_bytes);
	tcase_add_test(t, bare_acknowledgements_of_others_pass_by);
	tcase_add_test(t, its_own_bare_acknowledgement_keeps_its_place);
	tcase_add_test(t, broken_packets_leave_the_train_whole);
	tcase_add_test(t, a_new_connection_passes_by_a_train);
	tcase_add_test(t, input_comes_after_what_was_put_before_it);
	tcase_add_test(t, too_little_room_ends_the_train);
	tcase_add_test(t, any_mixture_arrives_whole);
}

int main(void)
{
	Suite *suite = suite_create("gro");
	TCase *t4 = tcase_create("v4"), *t6 = tcase_create("v6");
	TCase *alone = tcase_create("alone"), *gone = tcase_create("gone");

	tcase_add_checked_fixture(t4, begin, tun_end);
	tcase_add_checked_fixture(t6, begin6, tun_end);
	add_tests(t4);
	add_tests(t6);
	tcase_add_loop_test(alone, scarce_memory_loses_packets_and_nothing_else,
			    0, 2);
	tcase_add_checked_fixture(gone, begin, NULL);
	tcase_add_test(gone, a_link_may_go_in_the_middle_of_a_burst);
	suite_add_tcase(suite, t4);
	suite_add_tcase(suite, t6);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, gone);
	return suite_run(suite);
}
