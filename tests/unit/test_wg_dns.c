/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to name servers behind a tunnel, and answers that are too long for
 * a datagram. */
#include <ares_nameser.h>
#include <check.h>
#include <errno.h>

#include "plugins/outbound-wireguard/outbound.h"
#include "tests/unit/dns_message.h"
#include "tests/unit/idle.h"
#include "tests/suite.h"

#define S_US 1000000ull
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

static struct dns_message asked(size_t nth)
{
	return dns_asked(fakehost_dialled(w.host, nth));
}

/* Its answer: RECORDS addresses, or none and cut short. */
static struct dns_message answer_to(const struct dns_message *question,
				    bool truncated)
{
	struct dns_message m =
		dns_answer(question, NOERROR, truncated ? 0 : RECORDS);

	m.bytes[2] |= truncated ? 0x02 : 0;
	return m;
}

static void deliver(int server, const struct dns_message *m)
{
	struct weir_addr from = w.servers[server];

	from.port = 53;
	fakehost_dial_deliver(fakehost_dialled(w.host, 0), &from, m->bytes,
			      m->len);
}

/* As a stream brings it: behind its length, in pieces of so many bytes. One
 * that belongs to nothing follows. */
static void push(size_t nth, const struct dns_message *m, uint32_t piece)
{
	struct weir_dial *d = fakehost_dialled(w.host, nth);
	uint8_t whole[2 + DNS_MESSAGE_MOST + 1] = {(uint8_t)(m->len >> 8),
						   (uint8_t)m->len};
	uint32_t len = 2 + m->len + 1;

	memcpy(whole + 2, m->bytes, m->len);
	for (uint32_t at = 0; at < len; at += piece)
		fakehost_dial_push(d, whole + at,
				   at + piece > len ? len - at : piece);
}

static struct dns_question *put(void)
{
	struct dns_question *q =
		dns_ask(w.dns, "large.example", false, answered, NULL);

	ck_assert_ptr_nonnull(q);
	return q;
}

static struct dns_question *ask(void)
{
	struct dns_question *q = put();

	fakehost_dial_ready(fakehost_dialled(w.host, 0));
	return q;
}

/* A question whose first answer was cut short; the stream is dialled. */
static struct dns_message asked_by_stream(struct dns_question **q)
{
	struct dns_message question, cut;
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
	struct dns_message question, whole;

	begin(1);
	ask();
	question = asked(0);
	whole = answer_to(&question, false);
	deliver(0, &whole);
	check_found();
	ck_assert_uint_eq(fakehost_counter(w.instance, "dns_answered"), 1);
	ck_assert_ptr_null(fakehost_dialled(w.host, 1));
	end();
}
END_TEST

START_TEST(a_tunnel_that_is_not_up_ends_a_question_in_time)
{
	begin(1);
	put();
	fakehost_advance(w.host, 8 * S_US - 1);
	ck_assert(!w.done);
	fakehost_advance(w.host, 1);
	ck_assert(w.done);
	ck_assert_int_eq(w.err, ETIMEDOUT);
	ck_assert_ptr_null(fakehost_dialled(w.host, 1));
	end();
}
END_TEST

START_TEST(what_waits_for_a_tunnel_that_failed_dials_again)
{
	begin(1);
	put();
	for (size_t dial = 0; dial < 2; dial++) {
		fakehost_dial_fail(fakehost_dialled(w.host, dial), EIO, "no");
		fakehost_advance(w.host, 2 * S_US);
	}
	fakehost_dial_ready(fakehost_dialled(w.host, 2));
	asked(2);
	fakehost_advance(w.host, 8 * S_US);
	ck_assert(w.done);
	end();
}
END_TEST

/* A and AAAA, whose answers are as long as each other. */
START_TEST(answers_that_come_as_a_train_are_taken)
{
	struct dns_message question, whole;
	struct weir_datagram train = {.peer = &w.servers[0]};
	uint8_t both[2 * DNS_MESSAGE_MOST];
	struct dns_question *other;
	struct weir_dial *d;

	begin(1);
	w.servers[0].port = 53;
	other = ask();
	question = asked(0);
	whole = answer_to(&question, false);
	put();
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
	const uint32_t pieces[] = {1, 3, 80, DNS_MESSAGE_MOST};

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct dns_message question, again, whole;
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
	struct dns_message question, whole;
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
	whole = asked(1);
	ck_assert_mem_eq(whole.bytes, question.bytes, question.len);
	whole = answer_to(&question, false);
	push(1, &whole, DNS_MESSAGE_MOST);
	check_found();
	end();
}
END_TEST

START_TEST(without_a_stream_the_next_server_is_asked)
{
	struct dns_message question, whole;
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
	struct dns_message question, whole;
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
		struct dns_message question, m;
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
		push(1, &m, DNS_MESSAGE_MOST);
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
	fakehost_advance(w.host, 4 * S_US - 1);
	ck_assert_int_eq(fakehost_dialled(w.host, 1)->state,
			 FAKEHOST_CONNECTED);
	fakehost_advance(w.host, 1);
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

/* Nor waited for. */
START_TEST(a_server_that_says_no_is_not_asked_again)
{
	const int words[] = {SERVFAIL, REFUSED};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct dns_message question, m;

		begin(2);
		ask();
		question = asked(0);
		m = dns_answer(&question, words[i], 0);
		deliver(0, &m);
		for (int again = 0; again < 2; again++) {
			fakehost_advance(w.host, again ? 2 * S_US : 1);
			question = asked(0);
			m = answer_to(&question, false);
			deliver(0, &m); /* it is the second's turn */
			ck_assert(!w.done);
		}
		deliver(1, &m);
		check_found();
		end();
	}
}
END_TEST

START_TEST(what_all_servers_say_no_to_is_told_at_once)
{
	struct dns_message question, no;

	begin(2);
	ask();
	for (int i = 0; i < 2; i++) {
		ck_assert(!w.done);
		question = asked(0);
		no = dns_answer(&question, i ? REFUSED : SERVFAIL, 0);
		deliver(i, &no);
		fakehost_advance(w.host, 1);
	}
	ck_assert(w.done);
	ck_assert_int_eq(w.err, EAGAIN);
	ck_assert_uint_eq(fakehost_counter(w.instance, "dns_asked"), 2);
	end();
}
END_TEST

START_TEST(a_server_that_says_no_outweighs_a_silent_one)
{
	struct dns_message question, no;

	begin(2);
	ask();
	question = asked(0);
	no = dns_answer(&question, REFUSED, 0);
	deliver(0, &no);
	fakehost_advance(w.host, 6 * S_US - 1);
	ck_assert(!w.done);
	fakehost_advance(w.host, 1);
	ck_assert(w.done);
	ck_assert_int_eq(w.err, EAGAIN);
	end();
}
END_TEST

START_TEST(a_server_without_edns_is_asked_without)
{
	const int words[] = {FORMERR, NOTIMP};

	for (int i = 0; i < 4; i++) {
		struct dns_message question, m;
		struct dns_question *next;

		begin(i < 2 ? 2 : 1); /* the same is asked */
		ask();
		question = asked(0);
		ck_assert_uint_eq(question.bytes[11], 1);
		m = dns_answer(&question, words[i % 2], 0);
		if (words[i % 2] == FORMERR)
			m.len = HFIXEDSZ; /* as if it were not read */
		deliver(0, &m);
		fakehost_advance(w.host, 1);
		question = asked(0);
		ck_assert_uint_eq(question.bytes[11], 0);
		m = i < 2 ? answer_to(&question, false)
			  : dns_answer(&question, words[i % 2], 0);
		deliver(0, &m);
		fakehost_advance(w.host, 1);
		if (i < 2)
			check_found();
		ck_assert_int_eq(w.err, i < 2 ? 0 : EAGAIN);
		next = put();
		question = asked(0);
		ck_assert_uint_eq(question.bytes[11], i < 2 ? 0 : 1);
		dns_cancel(next);
		end();
	}
}
END_TEST

SUITE("wg-dns", t)
{
	tcase_add_test(t, a_whole_answer_needs_no_stream);
	tcase_add_test(t, a_tunnel_that_is_not_up_ends_a_question_in_time);
	tcase_add_test(t, what_waits_for_a_tunnel_that_failed_dials_again);
	tcase_add_test(t, answers_that_come_as_a_train_are_taken);
	tcase_add_test(t, a_truncated_answer_is_asked_again_over_tcp);
	tcase_add_test(t, a_slow_stream_is_written_to_as_it_takes);
	tcase_add_test(t, without_a_stream_the_next_server_is_asked);
	tcase_add_test(t, a_stream_that_ends_early_is_no_answer);
	tcase_add_test(t, lies_of_a_stream_are_not_taken);
	tcase_add_test(t, a_silent_stream_is_given_up);
	tcase_add_test(t, who_cancels_a_question_ends_its_stream);
	tcase_add_test(t, a_server_that_says_no_is_not_asked_again);
	tcase_add_test(t, what_all_servers_say_no_to_is_told_at_once);
	tcase_add_test(t, a_server_that_says_no_outweighs_a_silent_one);
	tcase_add_test(t, a_server_without_edns_is_asked_without);
}
