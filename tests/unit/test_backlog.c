/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams in waiting. */
#include "core/backlog.h"
#include "fake.h"

static struct backlog backlog;
static char seen[256];

static void give(void *arg, const struct weir_datagram *d)
{
	size_t used = strlen(seen);

	(void)arg;
	snprintf(seen + used, sizeof seen - used, "%.*s@%s:%u;", (int)d->len,
		 (const char *)d->data,
		 d->peer->kind == WEIR_ADDR_NAME ? d->peer->name : "ip",
		 d->peer->port);
}

static void give_and_put(void *arg, const struct weir_datagram *d)
{
	give(arg, d);
	backlog_put(&backlog, d);
}

static bool put(const char *text, const struct weir_addr *peer)
{
	struct weir_datagram d = {
		.peer = peer, .data = text, .len = (uint32_t)strlen(text)};

	return backlog_put(&backlog, &d);
}

START_TEST(backlog_keeps_copies_in_order)
{
	char text[] = "one", name[] = "a.example";
	struct weir_addr peer = {
		.kind = WEIR_ADDR_NAME, .port = 1, .name = name};

	put(text, &peer);
	memcpy(text, "two", 3);
	peer.port = 2;
	put(text, &peer);
	memset(text, '-', 3);
	memset(name, '-', 3);
	put("", &peer);
	backlog_drain(&backlog, give, NULL);
	ck_assert_str_eq(seen, "one@a.example:1;two@a.example:2;"
			       "@---xample:2;");
	ck_assert_uint_eq(backlog.count, 0);
}
END_TEST

START_TEST(backlog_is_bounded_in_number)
{
	struct weir_addr peer = fake_addr("192.0.2.1:1");

	for (int i = 0; i < BACKLOG_DATAGRAMS; i++)
		ck_assert(put("", &peer));
	ck_assert(!put("", &peer));
	backlog_clear(&backlog);
	ck_assert(put("", &peer));
	backlog_clear(&backlog);
}
END_TEST

START_TEST(backlog_is_bounded_in_bytes)
{
	struct weir_addr peer = fake_addr("192.0.2.1:1");
	static const char data[65507];
	struct weir_datagram d = {
		.peer = &peer, .data = data, .len = sizeof data};

	for (int i = 0; i < 4; i++)
		ck_assert(backlog_put(&backlog, &d));
	ck_assert(!backlog_put(&backlog, &d));
	ck_assert_uint_le(backlog.bytes, BACKLOG_BYTES);
	backlog_clear(&backlog);
	ck_assert_uint_eq(backlog.bytes, 0);
}
END_TEST

START_TEST(backlog_leaves_what_is_put_while_it_drains)
{
	struct weir_addr peer = fake_addr("192.0.2.1:1");

	put("a", &peer);
	backlog_drain(&backlog, give_and_put, NULL);
	ck_assert_str_eq(seen, "a@ip:1;");
	ck_assert_uint_eq(backlog.count, 1);
	backlog_clear(&backlog);
}
END_TEST

FAKE_MAIN("backlog", backlog_keeps_copies_in_order,
	  backlog_is_bounded_in_number, backlog_is_bounded_in_bytes,
	  backlog_leaves_what_is_put_while_it_drains)
