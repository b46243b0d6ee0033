/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_lent.c - bytes of one connection that another sends from where they lie.
 * Each test runs over IPv4 and IPv6. */
#include "client.h"

#include <check.h>
#include <errno.h>

#include "tests/suite.h"

#define TRAIN 60000u /* bytes; no number of whole packets */
#define VIEWS 8
#define BUDGET (16ull << 20)
#define SLAB 65536u /* half of the budget may be such */
#define MANY 60

static struct client from, to;
static struct weir_end *reader, *writer; /* the core's, of each */
static uint8_t train[TRAIN], came[8 * TRAIN];
static uint32_t first_seq, came_len;

static void begin_with(const struct sim_conf *conf, uint32_t mtu, int v6)
{
	struct weir_link_conf link = sim_link_conf();

	link.mtu_bytes = mtu;
	sim_start(conf);
	sim_attach(&tun, &link);
	from = client_of(v6);
	to = client_of(v6);
	to.path.client_port++;
	to.mss = (uint16_t)(mtu - 40);
	reader = client_open(&from);
	writer = client_open(&to);
	first_seq = to.ack;
	came_len = 0;
	for (uint32_t i = 0; i < TRAIN; i++)
		train[i] = (uint8_t)(i ^ i >> 8);
}

static void send_train(void)
{
	client_send(&from, ACK | PSH, train, TRAIN);
}

/* What the core's relay does; returns how much was taken. *view is the first
 * of what was shown. */
static size_t pass(struct iovec *view)
{
	struct iovec v[VIEWS];
	struct weir_loan *loan[VIEWS];
	int n = reader->stream->peek_loans(reader->self, v, loan, VIEWS);
	ssize_t taken;

	if (!n) { /* there was no memory for it: it will be sent again */
		from.seq -= TRAIN;
		return 0;
	}
	if (view)
		*view = v[0];
	taken = writer->stream->write_loans(writer->self, v, loan, n);
	ck_assert_int_ge(taken, 0);
	if (taken)
		reader->stream->consume(reader->self, (size_t)taken);
	return (size_t)taken;
}

/* Packets that wait; returns how many of those in order were not full. */
static int receive(void)
{
	uint32_t full = to.path.v6 ? 1440 : 1460;
	int small = 0;
	struct seen *s;

	while ((s = look(&tun))->any) {
		if (s->target_port != to.path.client_port ||
		    s->seq != first_seq + came_len)
			continue;
		ck_assert(s->checksum_ok);
		ck_assert_uint_le(came_len + s->payload_len, sizeof came);
		memcpy(came + came_len, s->payload, s->payload_len);
		came_len += s->payload_len;
		small += s->payload_len && s->payload_len != full;
	}
	return small;
}

static int receive_all(uint32_t len)
{
	int small = 0;

	for (int i = 0; i < 1000 && came_len < len; i++) {
		small += receive();
		to.ack = first_seq + came_len;
		client_send(&to, ACK, NULL, 0);
		sim_run(SIM_MS);
	}
	ck_assert_uint_eq(came_len, len);
	return small;
}

START_TEST(bytes_are_sent_from_where_they_came)
{
	struct iovec view;

	begin_with(NULL, 1500, _i);
	send_train();
	ck_assert_uint_eq(pass(&view), TRAIN);
	/* Nobody may do this; it shows whose memory it is. */
	((uint8_t *)view.iov_base)[TRAIN / 2] ^= 0xff;
	train[TRAIN / 2] ^= 0xff;
	receive_all(TRAIN);
	ck_assert_mem_eq(came, train, TRAIN);
	tun_end();
}
END_TEST

START_TEST(lent_bytes_outlive_their_reader)
{
	begin_with(NULL, 1500, _i);
	send_train();
	ck_assert_uint_eq(pass(NULL), TRAIN);
	sim_close(reader, ECONNRESET);
	for (int i = 0; i < 100;
	     i++) { /* whoever reads next gets other memory */
		struct weir_buffer *b = sim.ops->buffer_get(sim.stack);

		memset(b->data, 0xee, b->capacity);
		sim.ops->buffer_put(sim.stack, b);
	}
	sim_flush(&tun); /* all that went out so far is lost */
	ck_assert_uint_gt(sim_counter("memory_bytes"), TRAIN);
	sim_run(1000 * SIM_MS);
	receive_all(TRAIN);
	ck_assert_mem_eq(came, train, TRAIN);
	sim_run(SIM_MS);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	tun_end();
}
END_TEST

START_TEST(packets_are_whole_where_trains_meet)
{
	begin_with(NULL, 1500, _i);
	for (int i = 0; i < 4; i++) {
		send_train();
		ck_assert_uint_eq(pass(NULL), TRAIN);
	}
	ck_assert_int_eq(receive_all(4 * TRAIN), 1);
	for (int i = 0; i < 4; i++)
		ck_assert_mem_eq(came + (size_t)i * TRAIN, train, TRAIN);
	tun_end();
}
END_TEST

START_TEST(a_few_bytes_are_copied)
{
	struct iovec v;
	struct weir_loan *loan;

	begin_with(NULL, 1500, _i);
	client_send(&from, ACK | PSH, "hello", 5);
	sim_flush(&tun);
	ck_assert_int_eq(reader->stream->peek_loans(reader->self, &v, &loan, 1),
			 1);
	ck_assert_ptr_null(loan);
	ck_assert_uint_eq(pass(NULL), 5);
	receive_all(5);
	ck_assert_mem_eq(came, "hello", 5);
	tun_end();
}
END_TEST

/* The link reads on, however much waits for those who acknowledge nothing. */
START_TEST(slabs_are_left_to_read_into)
{
	static const struct sim_conf conf = {65535, 65535, BUDGET, 1 << 20};
	struct weir_buffer *b[BUDGET / SLAB / 2 / 4];
	size_t n = sizeof b / sizeof *b;

	begin_with(&conf, 9000, _i);
	send_train();
	for (int i = 0; i < MANY; i++) {
		while (pass(NULL))
			send_train();
		to.path.client_port++;
		to.seq = to.ack = 0;
		sim_flush(&tun);
		writer = client_open(&to);
	}
	ck_assert_uint_le(sim_counter("memory_peak_bytes"), BUDGET);
	for (size_t i = 0; i < n; i++) {
		b[i] = sim.ops->buffer_get(sim.stack);
		ck_assert_ptr_nonnull(b[i]);
	}
	for (size_t i = 0; i < n; i++)
		sim.ops->buffer_put(sim.stack, b[i]);
	tun_end();
}
END_TEST

SUITE("lent", t)
{
	tcase_add_loop_test(t, bytes_are_sent_from_where_they_came, 0, 2);
	tcase_add_loop_test(t, lent_bytes_outlive_their_reader, 0, 2);
	tcase_add_loop_test(t, packets_are_whole_where_trains_meet, 0, 2);
	tcase_add_loop_test(t, a_few_bytes_are_copied, 0, 2);
	tcase_add_loop_test(t, slabs_are_left_to_read_into, 0, 2);
}
