/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, asked of a server of our own on the loopback. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/resolve.h"
#include "core/util.h"
#include "fake.h"

#define QTYPE_A 1
#define QTYPE_AAAA 28
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define HEADER 12

/* "nx..." does not exist, "fail..." is a failure, "mute..." gets no answer,
 * "four..." has no AAAA; all else is 192.0.2.1 and 2001:db8::1. */
static struct {
	int fd;
	struct weir_addr address;
	pthread_t thread;
	atomic_int queries;
} server;

static struct config_dns_server servers[200];
static struct config config;
static struct loop *loop;
static struct turn turn;
static struct resolver *resolver;
static struct weir_query *owner;
static int unwatched; /* so many sockets to come cannot be watched */

struct loop_watch *__real_loop_watch_new(struct loop_owner *o, int fd,
					 unsigned events,
					 void (*ready)(void *, unsigned),
					 void *arg);
struct loop_watch *__wrap_loop_watch_new(struct loop_owner *o, int fd,
					 unsigned events,
					 void (*ready)(void *, unsigned),
					 void *arg);

struct loop_watch *__wrap_loop_watch_new(struct loop_owner *o, int fd,
					 unsigned events,
					 void (*ready)(void *, unsigned),
					 void *arg)
{
	if (!unwatched)
		return __real_loop_watch_new(o, fd, events, ready, arg);
	unwatched--;
	return NULL;
}

static bool begins(const uint8_t *name, const char *with)
{
	return strncmp((const char *)name + 1, with, strlen(with)) == 0;
}

static size_t put_answer(uint8_t *to, bool v6)
{
	static const uint8_t a[] = {0xc0, HEADER, 0, QTYPE_A, 0,   1, 0, 0,
				    0,	  60,	  0, 4,	      192, 0, 2, 1};
	static const uint8_t aaaa[] = {
		0xc0, HEADER, 0,    QTYPE_AAAA, 0,    1,    0, 0, 0, 60,
		0,    16,     0x20, 0x01,	0x0d, 0xb8, 0, 0, 0, 0,
		0,    0,      0,    0,		0,    0,    0, 1};

	memcpy(to, v6 ? aaaa : a, v6 ? sizeof aaaa : sizeof a);
	return v6 ? sizeof aaaa : sizeof a;
}

static size_t respond(uint8_t *m)
{
	const uint8_t *name = m + HEADER;
	size_t len = HEADER + strlen((const char *)name) + 1 + 4;
	bool v6 = m[len - 3] == QTYPE_AAAA;
	bool none = v6 && begins(name, "four");

	if (begins(name, "mute"))
		return 0;
	m[2] = 0x81; /* a response, recursion desired */
	m[3] = 0x80;
	m[11] = 0; /* no additional records */
	if (begins(name, "nx"))
		m[3] |= RCODE_NXDOMAIN;
	else if (begins(name, "fail"))
		m[3] |= RCODE_SERVFAIL;
	else if (!none) {
		m[7] = 1;
		len += put_answer(m + len, v6);
	}
	return len;
}

static void *serve(void *arg)
{
	uint8_t m[1024];
	struct sockaddr_in from;
	socklen_t size = sizeof from;

	while (recvfrom(server.fd, m, sizeof m / 2, 0, (struct sockaddr *)&from,
			&size) > HEADER) {
		size_t len = respond(m);

		server.queries++;
		if (len)
			sendto(server.fd, m, len, 0, (struct sockaddr *)&from,
			       size);
	}
	return arg;
}

static void setup(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof at;
	struct weir_error e;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server.fd, (struct sockaddr *)&at, sizeof at), 0);
	getsockname(server.fd, (struct sockaddr *)&at, &size);
	pthread_create(&server.thread, NULL, serve, NULL);
	servers[0].address = fake_addr("127.0.0.1:1");
	servers[0].address.port = ntohs(at.sin_port);
	config.dns_servers = (struct weir_list){servers, 1};
	config.dns_cache_entries = 4;
	turn_init(&turn);
	loop = loop_new(NULL, NULL);
	resolver = resolver_new(&config, loop, &turn, &e);
	ck_assert_ptr_nonnull(resolver);
}

static void teardown(void)
{
	resolver_free(resolver);
	loop_free(loop);
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
}

struct asked {
	int answers, err, n;
	struct weir_addr addrs[4];
	struct weir_query *query;
};

static void done(void *arg, int err, const struct weir_addr *addrs, int n)
{
	struct asked *a = arg;

	a->answers++;
	a->err = err;
	a->n = n;
	for (int i = 0; i < n && i < 4; i++)
		a->addrs[i] = addrs[i];
}

static void ask(struct asked *a, const char *name, unsigned families)
{
	memset(a, 0, sizeof *a);
	a->query = resolver_ask(resolver, &owner, name, families, done, a);
	ck_assert_int_eq(a->answers, 0);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void turn_once(unsigned ms)
{
	struct loop_owner o;

	loop_owner_init(&o, loop);
	loop_timer_set(loop_timer_new(&o, stop, NULL), ms * UINT64_C(1000));
	loop_run(loop);
	loop_owner_sweep(&o);
	turn_run(&turn);
}

static void await(struct asked *a)
{
	for (int i = 0; i < 1000 && !a->answers; i++)
		turn_once(5);
	ck_assert_int_eq(a->answers, 1);
}

START_TEST(resolve_answers_with_the_families_that_were_asked)
{
	struct weir_addr four = fake_addr("192.0.2.1");
	struct weir_addr six = fake_addr("2001:db8::1");
	struct asked a;

	setup();
	ask(&a, "a.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(a.n, 1);
	ck_assert(weir_addr_equal(&a.addrs[0], &four));
	ask(&a, "a.test", RESOLVE_IP6);
	await(&a);
	ck_assert_int_eq(a.n, 1);
	ck_assert(weir_addr_equal(&a.addrs[0], &six));
	ask(&a, "a.test", RESOLVE_IP4 | RESOLVE_IP6);
	await(&a);
	ck_assert_int_eq(a.n, 2);
	ck_assert_ptr_null(owner);
	teardown();
}
END_TEST

START_TEST(resolve_says_enoent_where_the_family_is_missing)
{
	struct asked a;

	setup();
	ask(&a, "four.test", RESOLVE_IP6);
	await(&a);
	ck_assert_int_eq(a.err, ENOENT);
	ask(&a, "four.test", RESOLVE_IP4 | RESOLVE_IP6);
	await(&a);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(a.n, 1);
	teardown();
}
END_TEST

START_TEST(resolve_caches_answers_whatever_the_case_of_the_name)
{
	struct asked a;

	setup();
	ask(&a, "a.test", RESOLVE_IP4);
	await(&a);
	ask(&a, "A.TesT", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.n, 1);
	ck_assert_int_eq(server.queries, 1);
	teardown();
}
END_TEST

START_TEST(resolve_anew_asks_the_servers_past_the_cache)
{
	struct asked a;

	setup();
	ask(&a, "a.test", RESOLVE_IP4);
	await(&a);
	ask(&a, "a.test", RESOLVE_IP4 | WEIR_RESOLVE_ANEW);
	await(&a);
	ck_assert_int_eq(a.n, 1);
	ck_assert_int_eq(server.queries, 2);
	ask(&a, "a.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(server.queries, 2);
	teardown();
}
END_TEST

START_TEST(resolve_caches_that_a_name_does_not_exist)
{
	struct asked a;
	int queries;

	setup();
	ask(&a, "nx.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.err, ENOENT);
	ck_assert_int_eq(a.n, 0);
	queries = server.queries;
	ask(&a, "nx.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.err, ENOENT);
	ck_assert_int_eq(server.queries, queries);
	teardown();
}
END_TEST

START_TEST(resolve_does_not_cache_a_servers_failure)
{
	struct asked a;
	int queries;

	setup();
	ask(&a, "fail.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.err, EAGAIN);
	queries = server.queries;
	ask(&a, "fail.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_gt(server.queries, queries);
	teardown();
}
END_TEST

START_TEST(resolve_asks_equal_questions_once)
{
	struct asked a[5];

	setup();
	for (int i = 0; i < 5; i++)
		ask(&a[i], "a.test", RESOLVE_IP4);
	for (int i = 0; i < 5; i++)
		await(&a[i]);
	ck_assert_int_eq(server.queries, 1);
	teardown();
}
END_TEST

START_TEST(resolve_answers_nothing_that_was_cancelled)
{
	struct asked waiting, other, cached;

	setup();
	ask(&waiting, "a.test", RESOLVE_IP4);
	ask(&other, "a.test", RESOLVE_IP4);
	resolver_cancel(waiting.query); /* while the server is asked */
	await(&other);
	ck_assert_int_eq(waiting.answers, 0);
	ask(&cached, "a.test", RESOLVE_IP4);
	resolver_cancel(cached.query); /* while the answer is queued */
	turn_once(5);
	ck_assert_int_eq(cached.answers, 0);
	ask(&waiting, "mute.test", RESOLVE_IP4);
	turn_once(5);
	resolver_cancel(waiting.query);
	ck_assert_ptr_null(owner);
	teardown(); /* with the question still on the wire */
}
END_TEST

START_TEST(resolve_never_answers_inside_the_call)
{
	struct asked literal, empty;

	setup();
	ask(&literal, "192.0.2.9", RESOLVE_IP4);
	ask(&empty, "", RESOLVE_IP4);
	await(&literal);
	ck_assert_int_eq(literal.n, 1);
	await(&empty);
	ck_assert_int_ne(empty.err, 0);
	ck_assert_int_eq(server.queries, 0);
	teardown();
}
END_TEST

START_TEST(resolve_refuses_names_that_are_too_long)
{
	char name[300];
	struct asked a;

	setup();
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	ask(&a, name, RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(a.err, ENOENT);
	teardown();
}
END_TEST

START_TEST(resolve_forgets_the_least_recently_asked_past_its_bound)
{
	char name[32];
	struct asked a;

	setup();
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "n%d.test", i);
		ask(&a, name, RESOLVE_IP4);
		await(&a);
		ask(&a, "n0.test", RESOLVE_IP4); /* keeps it in use */
		await(&a);
	}
	ck_assert_int_eq(server.queries, 5);
	ask(&a, "n1.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(server.queries, 6);
	teardown();
}
END_TEST

START_TEST(resolve_remembers_nothing_with_a_cache_of_none)
{
	struct asked a, b;

	setup();
	config.dns_cache_entries = 0;
	for (int i = 1; i <= 3; i++) {
		ask(&a, "a.test", RESOLVE_IP4);
		ask(&b, "a.test", RESOLVE_IP4); /* one question all the same */
		await(&a);
		await(&b);
		ck_assert_int_eq(b.n, 1);
		ck_assert_int_eq(server.queries, i);
	}
	teardown();
}
END_TEST

START_TEST(resolve_refuses_a_new_question_past_the_bound_of_pending_ones)
{
	static struct asked a[4096], more;
	char name[32];

	setup();
	for (int i = 0; i < 4096; i++) {
		snprintf(name, sizeof name, "mute%d.test", i);
		ask(&a[i], name, RESOLVE_IP4);
	}
	ask(&more, "a.test", RESOLVE_IP4);
	await(&more);
	ck_assert_int_eq(more.err, EAGAIN);
	for (int i = 0; i < 4096; i++)
		if (!a[i].answers)
			resolver_cancel(a[i].query);
	ck_assert_ptr_null(owner);
	teardown();
}
END_TEST

START_TEST(resolve_takes_any_number_of_servers)
{
	struct weir_error e;

	setup();
	resolver_free(resolver);
	for (int i = 1; i < 200; i++)
		servers[i].address = fake_addr(
			i % 2 ? "[2001:db8:1111:2222:3333:4444:5555:6666]:53"
			      : "127.0.0.1:1");
	servers[100].address.kind = WEIR_ADDR_NONE;
	config.dns_servers.count = 200;
	resolver = resolver_new(&config, loop, &turn, &e);
	ck_assert_ptr_nonnull(resolver);
	teardown();
}
END_TEST

START_TEST(resolve_hears_a_server_that_could_not_be_watched_at_first)
{
	struct asked a;

	setup();
	unwatched = 1;
	ask(&a, "a.test", RESOLVE_IP4);
	await(&a);
	ck_assert_int_eq(unwatched, 0);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(a.n, 1);
	teardown();
}
END_TEST

FAKE_MAIN("resolve", resolve_takes_any_number_of_servers,
	  resolve_answers_with_the_families_that_were_asked,
	  resolve_hears_a_server_that_could_not_be_watched_at_first,
	  resolve_says_enoent_where_the_family_is_missing,
	  resolve_caches_answers_whatever_the_case_of_the_name,
	  resolve_anew_asks_the_servers_past_the_cache,
	  resolve_caches_that_a_name_does_not_exist,
	  resolve_does_not_cache_a_servers_failure,
	  resolve_asks_equal_questions_once,
	  resolve_answers_nothing_that_was_cancelled,
	  resolve_never_answers_inside_the_call,
	  resolve_refuses_names_that_are_too_long,
	  resolve_forgets_the_least_recently_asked_past_its_bound,
	  resolve_remembers_nothing_with_a_cache_of_none,
	  resolve_refuses_a_new_question_past_the_bound_of_pending_ones)
