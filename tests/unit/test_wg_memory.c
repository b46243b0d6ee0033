/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set while memory is out: for each allocation that it makes, one run in
 * which that and all further ones fail. */
#include "tests/unit/wgbed.h"

#include "device.h"

#include <errno.h>

#define PLENTY UINT32_MAX
#define STATE_BYTES 65536u
#define NEW_PEERS 40u /* the table of keys has to grow */
#define FAILURES_MOST 1000u

static uint32_t allocations_left = PLENTY;

static bool allocation_fails(void)
{
	if (allocations_left == PLENTY)
		return false;
	if (!allocations_left)
		return true;
	allocations_left--;
	return false;
}

/* The linker has every call of the test and the engine come here. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *was, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *was, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return allocation_fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return allocation_fails() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *was, size_t bytes)
{
	return allocation_fails() ? NULL : __real_realloc(was, bytes);
}

/* All that a get would tell. */
struct state {
	uint32_t len;
	uint8_t bytes[STATE_BYTES];
};

static void note(struct state *s, const void *bytes, size_t len)
{
	ck_assert_uint_le(s->len + len, STATE_BYTES);
	memcpy(s->bytes + s->len, bytes, len);
	s->len += (uint32_t)len;
}

static bool note_prefix(void *arg, const struct weir_cidr *prefix)
{
	note(arg, prefix, sizeof *prefix);
	return true;
}

static void state_of(const struct wg_device *d, struct state *s)
{
	struct wg_peer *p = NULL;
	struct wg_peer_info info;
	uint8_t key[2][WG_KEY_BYTES];

	s->len = 0;
	wg_get_keys(d, key[0], key[1]);
	note(s, key, sizeof key);
	while ((p = wg_peer_next(d, p))) {
		wg_peer_get(p, &info);
		note(s, &p, sizeof p);
		note(s, wg_peer_key(p), WG_KEY_BYTES);
		note(s, wg_peer_psk(p), WG_KEY_BYTES);
		note(s, info.reserved, sizeof info.reserved);
		note(s, &info.endpoint.addr, sizeof info.endpoint.addr);
		note(s, &p->current, sizeof p->current);
		wg_peer_allowed(p, NULL, note_prefix, s);
	}
}

/* Node 0 has a session with node 1, and node 2 as a peer. */
static void world_init(struct bed *b)
{
	bed_init(b);
	bed_session(b, 0, 1);
	bed_peer(b, 0, 2);
}

static struct weir_cidr prefix_of(unsigned n, unsigned bits)
{
	return (struct weir_cidr){
		.base = {.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0, (uint8_t)n}},
		.bits = (uint8_t)bits};
}

/* What the sets of this file are made of. */
struct change {
	struct wg_set set;
	struct wg_peer_set peers[NEW_PEERS];
	struct wg_allowed allowed[2 * NEW_PEERS];
};

/* New peers, who also take prefixes of those that are there. */
static void change_init(struct change *c)
{
	memset(c, 0, sizeof *c);
	for (unsigned i = 0; i < NEW_PEERS; i++) {
		struct wg_peer_set *p = &c->peers[i];

		memset(p->public_key, (int)(100 + i), WG_KEY_BYTES);
		memset(p->psk, (int)i, WG_KEY_BYTES);
		p->flags = WG_PEER_PSK | WG_PEER_RESERVED;
		p->reserved[0] = (uint8_t)i;
		c->allowed[2 * i].prefix = prefix_of(i, 32);
		c->allowed[2 * i + 1].prefix = prefix_of(4 * i, 30);
		p->allowed = &c->allowed[2 * i];
		p->allowed_count = 2;
	}
	c->set.peers = c->peers;
	c->set.peer_count = NEW_PEERS;
}

static bool set_with(struct bed *b, const struct change *c, uint32_t left)
{
	struct weir_error e = {.text = ""};
	bool done;
	int err;

	allocations_left = left;
	done = wg_set(b->nodes[0].d, &c->set, b->now_us, &e);
	err = errno;
	allocations_left = PLENTY;
	if (!done) {
		ck_assert_int_eq(err, ENOMEM);
		ck_assert_str_eq(e.text, "out of memory");
	}
	return done;
}

static bool peers_go_on(struct bed *b)
{
	unsigned got = b->nodes[1].got_count;

	bed_send(b, 0, 1, 100);
	bed_run_us(b, SECOND_US / 2);
	return b->nodes[1].got_count == got + 1;
}

/* Each allocation of this set fails once; how many there are. */
static uint32_t try_all(const struct change *c)
{
	struct state before, now;
	uint32_t left = 0;
	struct bed b;
	bool done;

	do {
		world_init(&b);
		state_of(b.nodes[0].d, &before);
		done = set_with(&b, c, left);
		state_of(b.nodes[0].d, &now);
		if (!done) {
			ck_assert_uint_eq(now.len, before.len);
			ck_assert_mem_eq(now.bytes, before.bytes, now.len);
			ck_assert(peers_go_on(&b));
		}
		bed_fini(&b);
		ck_assert_uint_lt(left, FAILURES_MOST);
		left++;
	} while (!done);
	return left - 1;
}

START_TEST(new_peers_are_made_all_or_none)
{
	struct change c;

	change_init(&c);
	/* One each, and a node for each prefix. */
	ck_assert_uint_gt(try_all(&c), 3 * NEW_PEERS);
}
END_TEST

START_TEST(peers_are_replaced_all_or_none)
{
	struct change c;

	change_init(&c);
	c.set.flags = WG_SET_REPLACE_PEERS | WG_SET_PRIVATE_KEY;
	c.set.private_key[0] = 77;
	ck_assert_uint_gt(try_all(&c), 3 * NEW_PEERS);
}
END_TEST

START_TEST(a_peer_is_removed_and_made_again_or_stays)
{
	struct change c;
	struct bed b;

	change_init(&c);
	world_init(&b);
	for (unsigned i = 0; i < 2; i++)
		memcpy(c.peers[i].public_key, b.nodes[1].public_key,
		       WG_KEY_BYTES);
	bed_fini(&b);
	c.peers[0].flags = WG_PEER_REMOVE;
	c.set.peer_count = 2;
	ck_assert_uint_gt(try_all(&c), 2);
}
END_TEST

START_TEST(prefixes_move_all_or_none)
{
	struct change c;
	struct bed b;

	change_init(&c);
	world_init(&b);
	for (unsigned i = 0; i < 4; i++) {
		struct wg_peer_set *p = &c.peers[i];

		memcpy(p->public_key, b.nodes[1 + i % 2].public_key,
		       WG_KEY_BYTES);
		p->flags |= WG_PEER_REPLACE_ALLOWED | WG_PEER_UPDATE_ONLY;
	}
	bed_fini(&b);
	c.set.peer_count = 4;
	ck_assert_uint_gt(try_all(&c), 4);
}
END_TEST

START_TEST(a_file_is_judged_whole_or_not_at_all)
{
	struct change c;

	change_init(&c);
	for (unsigned i = 0; i < NEW_PEERS; i++)
		c.peers[i].allowed_count = 1; /* /30s would be given twice */
	c.set.flags = WG_SET_REPLACE_PEERS | WG_SET_STRICT;
	ck_assert_uint_gt(try_all(&c), 2 * NEW_PEERS);
}
END_TEST

/* As wg syncconf does with a file of which many have gone. */
START_TEST(peers_that_go_need_no_memory)
{
	struct change c;
	struct weir_error e;
	struct bed b;

	change_init(&c);
	world_init(&b);
	for (unsigned i = 0; i < NEW_PEERS; i++)
		c.peers[i].flags = WG_PEER_REMOVE;
	ck_assert(wg_set_check(b.nodes[0].d, &c.set, &e));
	ck_assert_uint_eq(b.nodes[0].d->peers.spares, 0);
	/* One of them comes back, and one that is there stays. */
	c.peers[1].flags = 0;
	memcpy(c.peers[0].public_key, c.peers[1].public_key, WG_KEY_BYTES);
	memcpy(c.peers[2].public_key, b.nodes[1].public_key, WG_KEY_BYTES);
	c.peers[2].flags = 0;
	ck_assert(wg_set_check(b.nodes[0].d, &c.set, &e));
	ck_assert_uint_eq(b.nodes[0].d->peers.spares, 2);
	bed_fini(&b);
}
END_TEST

/* What was reserved for more than came is no longer held. */
START_TEST(no_memory_stays_reserved)
{
	struct change c;
	struct weir_error e;
	struct bed b;

	change_init(&c);
	world_init(&b);
	ck_assert(wg_set_check(b.nodes[0].d, &c.set, &e));
	ck_assert_uint_eq(b.nodes[0].d->peers.spares, NEW_PEERS);
	wg_trim(b.nodes[0].d);
	ck_assert_uint_eq(b.nodes[0].d->peers.spares, 0);
	ck_assert(set_with(&b, &c, PLENTY));
	ck_assert_uint_eq(b.nodes[0].d->peers.spares, 0);
	ck_assert_uint_eq(b.nodes[0].d->allowedips.spares, 0);
	ck_assert_uint_eq(b.nodes[0].d->peers.count, NEW_PEERS + 2);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, new_peers_are_made_all_or_none);
	tcase_add_test(t, peers_are_replaced_all_or_none);
	tcase_add_test(t, a_peer_is_removed_and_made_again_or_stays);
	tcase_add_test(t, prefixes_move_all_or_none);
	tcase_add_test(t, a_file_is_judged_whole_or_not_at_all);
	tcase_add_test(t, peers_that_go_need_no_memory);
	tcase_add_test(t, no_memory_stays_reserved);
}

int main(void)
{
	return bed_main("wg_memory", tests);
}
