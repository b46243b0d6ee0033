/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workers could break: order, and what is under way as something ends. As
 * all of the device's tests these run without them and with (wgbed.h). */
#include "tests/unit/wgbed.h"

#include "cut.h"
#include "device.h"

#include <sched.h>

#define PACKETS 200u

/* Packets that say their number; the end of the turn is the caller's. */
static void offer_numbered(struct bed *b, int from, int target, unsigned first,
			   unsigned n)
{
	uint8_t packet[BED_MTU];

	bed_packet(packet, from, target, sizeof packet);
	for (unsigned i = first; i < first + n; i++) {
		memcpy(packet + 20, &i, sizeof i);
		ck_assert(bed_offer(b, from, packet, sizeof packet));
	}
}

static unsigned number_of(const struct got *g)
{
	unsigned number;

	memcpy(&number, g->bytes + 20, sizeof number);
	return number;
}

/* After the first packet, which made the session. */
static void check_in_order(const struct node *n, unsigned count)
{
	ck_assert_uint_eq(n->got_count, 1 + count);
	for (unsigned i = 0; i < count; i++)
		ck_assert_uint_eq(number_of(&n->got[1 + i]), i);
}

START_TEST(packets_keep_their_order)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned i = 0; i < 10; i++) {
		/* Long runs and single ones: those are not handed over. */
		offer_numbered(&b, 0, 1, i * PACKETS, PACKETS - 1);
		bed_flush(&b);
		offer_numbered(&b, 0, 1, (i + 1) * PACKETS - 1, 1);
	}
	bed_run(&b, 1);
	check_in_order(&b.nodes[1], 10 * PACKETS);
	bed_fini(&b);
}
END_TEST

START_TEST(a_forged_packet_in_a_run_is_the_only_one_lost)
{
	struct bed b;
	struct flight *f;

	bed_init(&b);
	bed_session(&b, 0, 1);
	offer_numbered(&b, 0, 1, 0, 20);
	bed_flush(&b);
	f = b.flights;
	ck_assert_uint_eq(f->len, 20u * f->segment);
	f->bytes[7 * f->segment + 100] ^= 1;
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + 19);
	ck_assert_uint_eq(number_of(&b.nodes[1].got[7]), 6);
	ck_assert_uint_eq(number_of(&b.nodes[1].got[8]), 8);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_AUTH), 1);
	ck_assert_uint_eq(bed_info(&b, 1, 0).drops[WG_DROP_AUTH], 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_run_that_came_twice_is_believed_once)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	offer_numbered(&b, 0, 1, 0, 20);
	bed_flush(&b);
	bed_reach(&b);
	bed_run(&b, 1);
	check_in_order(&b.nodes[1], 20);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_WINDOW), 20);
	bed_fini(&b);
}
END_TEST

/* One peer goes while its packets are being sealed and opened: those are lost,
 * and nobody else's. */
START_TEST(a_peer_may_go_while_its_packets_are_with_a_worker)
{
	struct bed b;
	struct wg_peer_set gone = {.flags = WG_PEER_REMOVE};
	struct wg_set set = {.peers = &gone, .peer_count = 1};
	struct weir_error e;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_session(&b, 0, 2);
	memcpy(gone.public_key, b.nodes[1].public_key, WG_KEY_BYTES);
	offer_numbered(&b, 0, 1, 0, PACKETS);
	offer_numbered(&b, 0, 2, 0, PACKETS);
	b.nodes[0].flush_wanted = false;
	wg_flush(b.nodes[0].d, b.now_us); /* all are handed over */
	ck_assert(wg_set(b.nodes[0].d, &set, b.now_us, &e));
	bed_run(&b, 1);
	ck_assert_uint_le(b.nodes[1].got_count, 1 + PACKETS);
	check_in_order(&b.nodes[2], PACKETS);
	bed_fini(&b);
}
END_TEST

START_TEST(what_comes_under_a_key_that_ends_meanwhile_is_dropped)
{
	struct bed b;
	unsigned before;

	bed_init(&b);
	bed_session(&b, 0, 1);
	offer_numbered(&b, 0, 1, 0, 40);
	bed_flush(&b);
	bed_land(&b);
	before = b.nodes[1].got_count;
	keypair_clear_all(bed_find(&b, 1, 0));
	bed_flush(&b);
	ck_assert_uint_eq(b.nodes[1].got_count, before);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_INDEX), 41 - before);
	bed_fini(&b);
}
END_TEST

/* The socket is not read while the workers are behind, so nothing is lost. */
START_TEST(the_socket_waits_for_workers_that_are_behind)
{
	struct bed b;
	struct node *to = &b.nodes[1];
	unsigned sent = 0;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned i = 0; i < 20; i++, sent += 300) {
		offer_numbered(&b, 0, 1, sent, 300);
		bed_flush(&b);
	}
	while (b.flights) {
		while (!wg_may_receive(to->d)) {
			sched_yield();
			wg_collect(to->d, b.now_us);
		}
		bed_land(&b);
	}
	bed_run(&b, 1);
	check_in_order(to, sent);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_NO_ROOM), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(more_than_they_can_hold_is_dropped_and_counted)
{
	struct bed b;
	unsigned sent = 0, lost;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned i = 0; i < 20; i++, sent += 300) {
		offer_numbered(&b, 0, 1, sent, 300);
		bed_flush(&b);
	}
	while (b.flights) { /* whether there is room or not */
		bed_land(&b);
	}
	bed_run(&b, 1);
	lost = (unsigned)bed_drops(&b, 1, WG_DROP_NO_ROOM);
	ck_assert_uint_eq(b.nodes[1].got_count + lost, 1 + sent);
	bed_fini(&b);
}
END_TEST

START_TEST(a_device_may_end_while_workers_have_work)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	offer_numbered(&b, 0, 1, 0, 40);
	bed_flush(&b);
	bed_land(&b);
	offer_numbered(&b, 0, 1, 40, PACKETS);
	b.nodes[0].flush_wanted = false;
	wg_flush(b.nodes[0].d, b.now_us);
	wg_down(b.nodes[0].d);
	bed_fini(&b);
}
END_TEST

/* ---- workers that take their time: linked with --wrap=workers_give */

#define HELD_MOST WORK_WAITING_MAX

static struct {
	bool on;
	struct workers *workers;
	struct work *work[HELD_MOST];
	unsigned count;
} held;

void __real_workers_give(struct workers *w, struct work *work);
void __wrap_workers_give(struct workers *w, struct work *work);

void __wrap_workers_give(struct workers *w, struct work *work)
{
	if (!held.on) {
		__real_workers_give(w, work);
		return;
	}
	ck_assert_uint_lt(held.count, HELD_MOST);
	held.workers = w;
	held.work[held.count++] = work;
}

static void let_go(void)
{
	held.on = false;
	for (unsigned i = 0; i < held.count; i++)
		__real_workers_give(held.workers, held.work[i]);
	held.count = 0;
}

/* Runs long enough for a worker, each a train of its own. */
static void stage(struct bed *b, int target)
{
	uint8_t packet[100];

	bed_packet(packet, 0, target, sizeof packet);
	for (unsigned i = 0; i < STAGED_PACKETS_MAX; i++) {
		packet[1] = i / WORK_LEAST % 2 ? ECN_ECT0 : ECN_NONE;
		ck_assert(bed_offer(b, 0, packet, sizeof packet));
	}
}

START_TEST(what_waits_for_a_key_does_not_spin_the_loop_meanwhile)
{
	struct wg_device *d;
	struct bed b;

	bed_init(&b);
	d = b.nodes[0].d;
	for (int target = 1; target <= 2; target++) {
		bed_pair(&b, 0, target);
		stage(&b, target);
	}
	bed_flush(&b);
	while (b.flights) /* initiations, then responses */
		bed_land(&b);
	b.nodes[1].flush_wanted = b.nodes[2].flush_wanted = false;
	wg_flush(b.nodes[1].d, b.now_us);
	wg_flush(b.nodes[2].d, b.now_us);
	while (b.flights)
		bed_land(&b);
	held.on = bed_workers;
	b.nodes[0].flush_wanted = false;
	wg_flush(d, b.now_us); /* sessions; the first trains are given */
	let_go();
	while (wg_collect(d, b.now_us))
		sched_yield();
	held.on = bed_workers;
	b.nodes[0].flush_wanted = false;
	wg_flush(d, b.now_us); /* must return */
	let_go();
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, STAGED_PACKETS_MAX);
	ck_assert_uint_eq(b.nodes[2].got_count, STAGED_PACKETS_MAX);
	bed_fini(&b);
}
END_TEST

START_TEST(a_key_is_wiped_once_its_work_is_done)
{
	static const uint8_t zeros[WG_KEY_BYTES];
	uint8_t bytes[3 * 64] = {0}, plain[sizeof bytes];
	struct work w = {.aead = aead_best(),
			 .direction = AEAD_SEAL,
			 .segment = 64,
			 .len = sizeof bytes - 20, /* a shorter last */
			 .bytes = bytes};

	ck_assert(crypto_init());
	for (uint8_t i = 0; i < 3; i++) {
		message_data_header((struct message_data *)(bytes + i * 64), 7,
				    100 + i);
		memset(bytes + i * 64 + 16, i + 1, 12);
	}
	memcpy(plain, bytes, sizeof plain);
	memset(w.key, 0x5a, sizeof w.key);
	work_do(&w);
	ck_assert(work_is_done(&w) && !w.failed);
	ck_assert_mem_eq(w.key, zeros, sizeof zeros);
	ck_assert_mem_ne(bytes + 16, plain + 16, 12);
	bytes[64 + 20] ^= 1;
	w.direction = AEAD_OPEN;
	memset(w.key, 0x5a, sizeof w.key);
	work_do(&w);
	ck_assert_uint_eq(w.failed, 2);
	ck_assert_mem_eq(bytes + 16, plain + 16, 12);
	ck_assert_mem_eq(bytes + 128 + 16, plain + 128 + 16, 12);
	ck_assert_mem_eq(w.key, zeros, sizeof zeros);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, packets_keep_their_order);
	tcase_add_test(t, a_forged_packet_in_a_run_is_the_only_one_lost);
	tcase_add_test(t, a_run_that_came_twice_is_believed_once);
	tcase_add_test(t, a_peer_may_go_while_its_packets_are_with_a_worker);
	tcase_add_test(t,
		       what_comes_under_a_key_that_ends_meanwhile_is_dropped);
	tcase_add_test(t, the_socket_waits_for_workers_that_are_behind);
	tcase_add_test(t, more_than_they_can_hold_is_dropped_and_counted);
	tcase_add_test(t, a_device_may_end_while_workers_have_work);
	tcase_add_test(t,
		       what_waits_for_a_key_does_not_spin_the_loop_meanwhile);
	tcase_add_test(t, a_key_is_wiped_once_its_work_is_done);
}

int main(void)
{
	return bed_main("wg_workers", tests);
}
