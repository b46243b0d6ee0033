/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to name servers behind a tunnel, and answers that are too long for
 * a datagram. */
#include <ares_nameser.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <weir/fakehost.h>

#include "plugins/outbound-wireguard/outbound.h"
#include "tests/unit/idle.h"

#define S_US 1000000ull
#define MESSAGE_MOST 2048u
#define RECORDS 3u
#define FIRST "\x0a\x35\0\x01"	/* 10.53.0.1 */
#define SECOND "\x0a\x35\0\x02" /* 10.53.0.2 */

static struct world {
	struct fakehost *host;
	struct weir_instance *instance;
	struct outbound outbound;
	struct dns *dns;
	struct weir_addr servers[2];
	bool done;
	int err, count;
	struct weir_addr found[RECORDS];
} w;

static void begin(int servers)
{
	struct weir_list list = {w.servers, (size_t)servers};
	struct weir_error e;

	memset(&w, 0, sizeof w);
	for (int i = 0; i < servers; i++) {
		w.servers[i].kind = WEIR_ADDR_IP4;
		memcpy(w.servers[i].ip, i ? SECOND : FIRST, 4);
	}
	w.host = fakehost_new();
	w.instance = fakehost_start(w.host, &idle_component, "wg", NULL, &e);
	ck_assert_ptr_nonnull(w.instance);
	fakehost_let_dial(w.host, true);
	w.outbound.host = fakehost_table(w.host);
	w.outbound.instance = w.instance;
	w.dns = dns_new(&w.outbound, &list);
}

static void end(void)
{
	dns_free(w.dns);
	fakehost_free(w.host);
}

static void answered(void *arg, int err, const struct weir_addr *addrs, int n,
		     uint32_t ttl_s)
{
	(void)arg, (void)ttl_s;
	ck_assert(!w.done);
	w.done = true;
	w.err = err;
	w.count = n;
	for (int i = 0; i < n && i < (int)RECORDS; i++)
		w.found[i] = addrs[i];
}

/* What was asked by the dial `nth` last; the length it stands behind, if it
 * does, is taken off. */
struct message {
	uint8_t bytes[MESSAGE_MOST];
	uint32_t len;
};

static struct message asked(size_t nth)
{
	struct weir_dial *d = fakehost_dialled(w.host, nth);
	size_t skip = d->net == WEIR_NET_TCP ? 2 : 0;
	struct message m = {.len = 0};

	ck_assert_uint_gt(d->out_len, skip + HFIXEDSZ);
	if (skip)
		ck_assert_uint_eq(d->out[0] << 8 | d->out[1],
				  d->out_len - skip);
	m.len = (uint32_t)(d->out_len - skip);
	memcpy(m.bytes, d->out + skip, m.len);
	d->out_len = 0;
	return m;
}

/* Its answer: RECORDS addresses, or none and cut short. */
static struct message answer_to(const struct message *question, bool truncated)
{
	static const uint8_t record[] = {
		0xc0, HFIXEDSZ, 0, T_A, 0, C_IN, 0, 0, 0, 60, 0, 4, 192, 0, 2};
	const uint8_t *type = question->bytes + HFIXEDSZ;
	struct message m = *question;

	while (*type)
		type += *type + 1;
	m.len = (uint32_t)(type + 5 - question->bytes);
	m.bytes[2] |= truncated ? 0x82 : 0x80;
	m.bytes[7] = truncated ? 0 : RECORDS;
	m.bytes[11] = 0; /* what EDNS said */
	for (uint8_t i = 0; !truncated && i < RECORDS; i++) {
		memcpy(m.bytes + m.len, record, sizeof record);
		m.len += sizeof record;
		m.bytes[m.len++] = i;
	}
	return m;
}

static void deliver(int server, const struct message *m)
{
	struct weir_addr from = w.servers[server];

	from.port = 53;
	fakehost_dial_deliver(fakehost_dialled(w.host, 0), &from, m->bytes,
			      m->len);
}

/* As a stream brings it: behind its length, in pieces of so many bytes. */
static void push(size_t nth, const struct message *m, uint32_t piece)
{
	struct weir_dial *d = fakehost_dialled(w.host, nth);
	uint8_t whole[2 + MESSAGE_MOST] = {(uint8_t)(m->len >> 8),
					   (uint8_t)m->len};

	memcpy(whole + 2, m->bytes, m->len);
	for (uint32_t at = 0; at < m->len + 2; at += piece)
		fakehost_dial_push(d, whole + at,
				   at + piece > m->len + 2 ? m->len + 2 - at
							   : piece);
}

static struct dns_question *ask(void)
{
	struct dns_question *q =
		dns_ask(w.dns, "large.example", false, answered, NULL);

	ck_assert_ptr_nonnull(q);
	fakehost_dial_ready(fakehost_dialled(w.host, 0));
	return q;
}

/* A question whose first answer was cut short; the stream is dialled. */
static struct message asked_by_stream(struct dns_question **q)
{
	struct message question, cut;
	struct weir_dial *d;

	*q = ask();
	question = asked(0);
	cut = answer_to(&question, true);
	deliver(0, &cut);
	ck_assert(!w.done);
	d = fakehost_dialled(w.host, 1);
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(d->net, WEIR_NET_TCP);
	ck_assert_str_eq(d->tag, "wg");
	ck_assert_int_eq(d->target.port, 53);
	ck_assert_mem_eq(d->target.ip, FIRST, 4);
	return question;
}

static void check_found(void)
{
	ck_assert(w.done);
	ck_assert_int_eq(w.err, 0);
	ck_assert_int_eq(w.count, RECORDS);
	for (uint8_t i = 0; i < RECORDS; i++)
		ck_assert_uint_eq(w.found[i].ip[3], i);
}

START_TEST(a_whole_answer_needs_no_stream)
{
	struct message question, whole;

	begin(1);
	ask();
	question = asked(0);
	whole = answer_to(&question, false);
	deliver(0, &whole);
	check_found();
	ck_assert_ptr_null(fakehost_dialled(w.host, 1));
	end();
}
END_TEST

/* A and AAAA, whose answers are as long as each other. */
START_TEST(answers_that_come_as_a_train_are_taken)
{
	struct message question, whole;
	struct weir_datagram train = {.peer = &w.servers[0]};
	uint8_t both[2 * MESSAGE_MOST];
	struct dns_question *other;
	struct weir_dial *d;

	begin(1);
	w.servers[0].port = 53;
	other = ask();
	question = asked(0);
	whole = answer_to(&question, false);
	ck_assert_ptr_nonnull(
		dns_ask(w.dns, "large.example", false, answered, NULL));
	question = asked(0);
	memcpy(both, whole.bytes, whole.len);
	both[0] ^= 0xff; /* to nobody's question */
	whole = answer_to(&question, false);
	memcpy(both + whole.len, whole.bytes, whole.len);
	train.data = both;
	train.len = 2 * whole.len;
	train.segment = (uint16_t)whole.len;
	d = fakehost_dialled(w.host, 0);
	d->ops->deliver(d->arg, &train, 1);
	check_found();
	dns_cancel(other);
	end();
}
END_TEST

START_TEST(a_truncated_answer_is_asked_again_over_tcp)
{
	const uint32_t pieces[] = {1, 3, MESSAGE_MOST};

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct message question, again, whole;
		struct dns_question *q;

		begin(2);
		question = asked_by_stream(&q);
		fakehost_dial_ready(fakehost_dialled(w.host, 1));
		again = asked(1);
		ck_assert_uint_eq(again.len, question.len);
		ck_assert_mem_eq(again.bytes, question.bytes, again.len);
		whole = answer_to(&again, false);
		push(1, &whole, pieces[i]);
		check_found();
		ck_assert_int_eq(fakehost_dialled(w.host, 1)->state,
				 FAKEHOST_HUNG_UP);
		ck_assert_uint_eq(fakehost_counter(w.instance, "dns_truncated"),
				  1);
		end();
	}
}
END_TEST

START_TEST(a_slow_stream_is_written_to_as_it_takes)
{
	struct message question, whole;
	struct dns_question *q;
	struct weir_dial *d;

	begin(1);
	question = asked_by_stream(&q);
	d = fakehost_dialled(w.host, 1);
	d->room = 5;
	fakehost_dial_ready(d);
	ck_assert_uint_eq(d->out_len, 5);
	d->room = FAKEHOST_PIPE_BYTES;
	fakehost_dial_writable(d);
	ck_assert_uint_eq(d->out_len, question.len + 2);
	whole = answer_to(&question, false);
	push(1, &whole, MESSAGE_MOST);
	check_found();
	end();
}
END_TEST

START_TEST(without_a_stream_the_next_server_is_asked)
{
	struct message question, whole;
	struct dns_question *q;

	begin(2);
	asked_by_stream(&q);
	fakehost_dial_fail(fakehost_dialled(w.host, 1), ECONNREFUSED, "no");
	fakehost_advance(w.host, 1);
	question = asked(0);
	whole = answer_to(&question, false);
	deliver(0, &whole); /* who was asked before has no say */
	ck_assert(!w.done);
	deliver(1, &whole);
	check_found();
	end();
}
END_TEST

START_TEST(a_stream_that_ends_early_is_no_answer)
{
	struct message question, whole;
	struct dns_question *q;

	begin(1);
	question = asked_by_stream(&q);
	whole = answer_to(&question, false);
	fakehost_dial_ready(fakehost_dialled(w.host, 1));
	fakehost_dial_push(fakehost_dialled(w.host, 1), "\0\x64half", 6);
	fakehost_dial_push(fakehost_dialled(w.host, 1), "", 0);
	ck_assert(!w.done);
	fakehost_advance(w.host, 1);
	question = asked(0); /* by datagram, once more */
	deliver(0, &whole);
	check_found();
	end();
}
END_TEST

/* What a stream brings must be as good as a datagram. */
START_TEST(lies_of_a_stream_are_not_taken)
{
	for (int lie = 0; lie < 5; lie++) {
		struct message question, m;
		struct dns_question *q;

		begin(1);
		question = asked_by_stream(&q);
		fakehost_dial_ready(fakehost_dialled(w.host, 1));
		m = answer_to(&question, lie == 4);
		if (lie == 0)
			m.bytes[0] ^= 1; /* another's number */
		else if (lie == 1)
			m.bytes[HFIXEDSZ + 1] = 'X'; /* another's name */
		else if (lie == 2)
			m.bytes[2] &= 0x7f; /* a question */
		else if (lie == 3)
			m.len = HFIXEDSZ - 1;
		push(1, &m, MESSAGE_MOST);
		ck_assert(!w.done);
		ck_assert_int_eq(fakehost_dialled(w.host, 1)->state,
				 FAKEHOST_HUNG_UP);
		dns_cancel(q);
		end();
	}
}
END_TEST

START_TEST(a_silent_stream_is_given_up)
{
	struct dns_question *q;

	begin(1);
	asked_by_stream(&q);
	fakehost_dial_ready(fakehost_dialled(w.host, 1));
	asked(1);
	fakehost_advance(w.host, 4 * S_US);
	ck_assert_int_eq(fakehost_dialled(w.host, 1)->state, FAKEHOST_HUNG_UP);
	asked(0);
	fakehost_advance(w.host, 4 * S_US);
	ck_assert(w.done);
	ck_assert_int_eq(w.err, ETIMEDOUT);
	end();
}
END_TEST

START_TEST(who_cancels_a_question_ends_its_stream)
{
	struct dns_question *q;

	begin(1);
	asked_by_stream(&q);
	fakehost_dial_ready(fakehost_dialled(w.host, 1));
	dns_cancel(q);
	ck_assert_int_eq(fakehost_dialled(w.host, 1)->state, FAKEHOST_HUNG_UP);
	fakehost_advance(w.host, 20 * S_US);
	ck_assert(!w.done);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wg-dns");
	TCase *t = tcase_create("dns");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, a_whole_answer_needs_no_stream);
	tcase_add_test(t, answers_that_come_as_a_train_are_taken);
	tcase_add_test(t, a_truncated_answer_is_asked_again_over_tcp);
	tcase_add_test(t, a_slow_stream_is_written_to_as_it_takes);
	tcase_add_test(t, without_a_stream_the_next_server_is_asked);
	tcase_add_test(t, a_stream_that_ends_early_is_no_answer);
	tcase_add_test(t, lies_of_a_stream_are_not_taken);
	tcase_add_test(t, a_silent_stream_is_given_up);
	tcase_add_test(t, who_cancels_a_question_ends_its_stream);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
