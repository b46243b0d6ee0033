/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's data: what is sealed, what is believed, what is dropped. */
#include "tests/unit/wgbed.h"

#include "device.h"

#define MESSAGES_MOST (UINT64_MAX - (1u << 13)) /* of a key: 2^64 - 2^13 - 1 */

START_TEST(packets_are_padded_to_16_but_never_past_the_mtu)
{
	static const struct {
		uint32_t packet, padded;
	} cases[] = {{20, 32},	   {32, 32},	 {33, 48},    {1408, 1408},
		     {1409, 1420}, {1420, 1420}, {1500, 1500}};
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bed_send(&b, 0, 1, cases[i].packet);
		ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->len,
				  cases[i].padded + WG_OVERHEAD);
	}
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 8);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_uint_eq(b.nodes[1].got[i + 1].len, cases[i].packet);
	bed_fini(&b);
}
END_TEST

/* Where a larger packet has been before. */
START_TEST(padding_is_zeros)
{
	static const uint8_t zeros[15];
	uint8_t plain[48];
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_send(&b, 0, 1, BED_MTU);
	bed_send(&b, 0, 1, 33);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	ck_assert(aead_open(&bed_find(&b, 1, 0)->current->open, plain,
			    s->bytes + MESSAGE_DATA_HEADER_BYTES,
			    s->len - MESSAGE_DATA_HEADER_BYTES, 2));
	ck_assert_mem_eq(plain + 33, zeros, sizeof zeros);
	bed_fini(&b);
}
END_TEST

START_TEST(equal_packets_of_a_turn_go_out_in_one_train)
{
	uint8_t packet[BED_MTU];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_packet(packet, 0, 1, sizeof packet);
	for (int i = 0; i < 10; i++)
		ck_assert(bed_offer(&b, 0, packet, sizeof packet));
	bed_packet(packet, 0, 1, 500); /* a shorter last */
	ck_assert(bed_offer(&b, 0, packet, 500));
	bed_flush(&b);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->train, 11);
	bed_send(&b, 0, 1, 500);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->train, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 13);
	bed_fini(&b);
}
END_TEST

START_TEST(a_train_ends_where_one_call_could_not_send_it)
{
	uint8_t packet[BED_MTU];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (int i = 0; i < 100; i++)
		bed_offer(&b, 0, packet, bed_packet(packet, 0, 1, BED_MTU));
	for (int i = 0; i < 100; i++)
		bed_offer(&b, 0, packet, bed_packet(packet, 0, 1, 40));
	bed_flush(&b);
	for (unsigned i = 0; i < b.sent_count; i++) {
		ck_assert_uint_le(b.sent[i]->train, TRAIN_DATAGRAMS_MAX);
		ck_assert_uint_le(b.sent[i]->train * b.sent[i]->len,
				  WG_DATAGRAM_MAX);
	}
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 201);
	bed_fini(&b);
}
END_TEST

START_TEST(packets_that_wait_for_a_key_follow_it_in_order)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	for (uint32_t i = 0; i < 100; i++)
		bed_send(&b, 0, 1, 100 + i);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 100);
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_uint_eq(b.nodes[1].got[i].len, 100 + i);
	bed_fini(&b);
}
END_TEST

START_TEST(of_more_than_128_that_wait_the_oldest_go)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	for (uint32_t i = 0; i < 130; i++)
		bed_send(&b, 0, 1, 100 + i);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_STAGED), 2);
	ck_assert_uint_eq(bed_info(&b, 0, 1).drops[WG_DROP_STAGED], 2);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 128);
	ck_assert_uint_eq(b.nodes[1].got[0].len, 102);
	ck_assert_uint_eq(b.nodes[0].d->staged_bytes, 0);
	bed_fini(&b);
}
END_TEST

/* A packet that lies, straight into the tunnel of a peer without conscience:
 * the allowed IPs of the sender are not asked, its key is. */
static void say(struct bed *b, const uint8_t *packet, uint32_t len)
{
	struct keypair *k = bed_find(b, 0, 1)->current;
	static uint8_t out[UINT16_MAX];

	message_data_header((struct message_data *)(void *)out, k->remote_index,
			    k->counter);
	ck_assert(aead_seal(&k->seal, out + MESSAGE_DATA_HEADER_BYTES, packet,
			    len, k->counter++));
	bed_receive(b, 1, &b->nodes[0].address, out, len + WG_OVERHEAD, 0);
}

/* UDP over IPv6 takes 20 bytes more than over IPv4; a wire of another kind
 * (`via`) may bring anything. */
START_TEST(a_datagram_longer_than_any_is_dropped_before_it_is_looked_at)
{
	static const uint32_t longer[] = {WG_DATAGRAM_MAX + 1,
					  WG_DATAGRAM_MAX + 20, UINT16_MAX};
	static uint8_t packet[UINT16_MAX];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned i = 0; i < 3; i++) {
		say(&b, packet,
		    bed_packet(packet, 0, 1, longer[i] - WG_OVERHEAD));
		ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_MALFORMED), i + 1);
	}
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	say(&b, packet,
	    bed_packet(packet, 0, 1, WG_DATAGRAM_MAX - WG_OVERHEAD));
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(b.nodes[1].got[1].len, WG_DATAGRAM_MAX - WG_OVERHEAD);
	bed_fini(&b);
}
END_TEST

START_TEST(an_inner_length_that_lies_is_dropped)
{
	uint8_t packet[112];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_packet(packet, 0, 1, 112);
	packet[3] = 113; /* longer than what there is */
	say(&b, packet, 112);
	packet[3] = 19; /* shorter than a header */
	say(&b, packet, 112);
	packet[0] = 0x55; /* IPv5 */
	say(&b, packet, 112);
	packet[0] = 0x60; /* IPv6 of 296 bytes */
	packet[4] = 1;
	say(&b, packet, 112);
	say(&b, packet, 16);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_INNER), 5);
	ck_assert_uint_eq(bed_info(&b, 1, 0).drops[WG_DROP_INNER], 5);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_packet(packet, 0, 1, 100);
	say(&b, packet, 112); /* shorter: the padding goes */
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(b.nodes[1].got[1].len, 100);
	bed_fini(&b);
}
END_TEST

START_TEST(a_source_that_is_not_the_peers_is_dropped)
{
	uint8_t packet[112];
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 1, 2);
	bed_session(&b, 0, 1);
	bed_packet(packet, 2, 1, 112); /* another peer's */
	say(&b, packet, 112);
	bed_packet(packet, 8, 1, 112); /* nobody's */
	say(&b, packet, 112);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_SOURCE), 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_packet_for_nobody_is_dropped)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_send(&b, 0, 9, 100);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_NO_PEER), 1);
	bed_offer(&b, 0, "\x45", 1);
	bed_offer(&b, 0, "0000 is no version of IP, and never was", 40);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_PACKET), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(a_changed_byte_drops_the_packet)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	for (uint32_t at = 8; at < s->len; at++) {
		s->bytes[at] ^= 1;
		bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
		s->bytes[at] ^= 1;
	}
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_AUTH), s->len - 8);
	s->bytes[5] ^= 1;
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_INDEX), 1);
	s->bytes[5] ^= 1;
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_fini(&b);
}
END_TEST

/* The data message of node 0 with this counter; each is sent once. */
static void arrive(struct bed *b, uint64_t counter)
{
	for (unsigned i = 0; i < b->sent_count; i++) {
		struct sent *s = b->sent[i];

		if (s->from != 0 || s->bytes[0] != MESSAGE_DATA ||
		    message_get64(s->bytes + 8) != counter)
			continue;
		bed_receive(b, 1, &b->nodes[0].address, s->bytes, s->len, 0);
		return;
	}
	ck_abort_msg("nobody sent %llu", (unsigned long long)counter);
}

START_TEST(the_window_is_8128_wide)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1); /* counter 0 */
	b.nodes[0].silent = true;
	for (unsigned i = 1; i <= 8200; i++)
		bed_send(&b, 0, 1, 20);
	arrive(&b, 8200);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	arrive(&b, 8200 - 8128);
	ck_assert_uint_eq(b.nodes[1].got_count, 3);
	arrive(&b, 8200 - 8129);
	ck_assert_uint_eq(b.nodes[1].got_count, 3);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_WINDOW), 1);
	arrive(&b, 8200);
	arrive(&b, 8200 - 8128);
	ck_assert_uint_eq(b.nodes[1].got_count, 3);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_WINDOW), 3);
	bed_fini(&b);
}
END_TEST

START_TEST(a_key_ends_before_its_counter_does)
{
	struct wg_peer *p;
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 6); /* a new initiation is allowed again */
	p = bed_find(&b, 0, 1);
	b.nodes[0].silent = true;
	p->current->counter = MESSAGES_MOST - 1;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	ck_assert_uint_eq(message_get64(s->bytes + 8), MESSAGES_MOST - 1);
	bed_send(&b, 0, 1, 100);
	ck_assert_ptr_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->bytes, s->bytes);
	ck_assert_uint_eq(p->staged.packets, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	message_put64(s->bytes + 8, MESSAGES_MOST);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_KEY_OLD), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_key_is_renewed_after_so_many_messages)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 6);
	/* The responder too: it is no matter of time. */
	bed_find(&b, 1, 0)->current->counter = (1ull << 60) - 1;
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 1);
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_HANDSHAKE], 2);
	bed_fini(&b);
}
END_TEST

START_TEST(a_reader_without_room_loses_packets_and_nothing_else)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[1].no_room = true;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_NO_ROOM), 1);
	b.nodes[1].no_room = false;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_fini(&b);
}
END_TEST

START_TEST(bytes_are_counted_as_wireguard_go_does)
{
	struct wg_peer_info x, y;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1); /* 148, 92, 112 + 32 */
	x = bed_info(&b, 0, 1);
	y = bed_info(&b, 1, 0);
	ck_assert_uint_eq(x.tx_bytes, 148 + 144);
	ck_assert_uint_eq(x.rx_bytes, 92);
	ck_assert_uint_eq(y.rx_bytes, 148 + 144);
	ck_assert_uint_eq(y.tx_bytes, 92);
	ck_assert_uint_eq(x.tx_packets, 1);
	ck_assert_uint_eq(y.rx_packets, 1);
	bed_run(&b, 11); /* the keepalive */
	x = bed_info(&b, 0, 1);
	ck_assert_uint_eq(x.rx_bytes, 92 + 32);
	ck_assert_int_gt(x.last_handshake.tv_sec, 1600000000);
	bed_fini(&b);
}
END_TEST

START_TEST(a_device_that_is_down_says_nothing)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	wg_down(b.nodes[0].d);
	bed_send(&b, 0, 1, 100);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].got_count, 0);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_DATA), 1);
	wg_up(b.nodes[0].d, b.now_us);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, packets_are_padded_to_16_but_never_past_the_mtu);
	tcase_add_test(t, padding_is_zeros);
	tcase_add_test(t, equal_packets_of_a_turn_go_out_in_one_train);
	tcase_add_test(t, a_train_ends_where_one_call_could_not_send_it);
	tcase_add_test(t, packets_that_wait_for_a_key_follow_it_in_order);
	tcase_add_test(t, of_more_than_128_that_wait_the_oldest_go);
	tcase_add_test(
		t,
		a_datagram_longer_than_any_is_dropped_before_it_is_looked_at);
	tcase_add_test(t, an_inner_length_that_lies_is_dropped);
	tcase_add_test(t, a_source_that_is_not_the_peers_is_dropped);
	tcase_add_test(t, a_packet_for_nobody_is_dropped);
	tcase_add_test(t, a_changed_byte_drops_the_packet);
	tcase_add_test(t, the_window_is_8128_wide);
	tcase_add_test(t, a_key_ends_before_its_counter_does);
	tcase_add_test(t, a_key_is_renewed_after_so_many_messages);
	tcase_add_test(t, a_reader_without_room_loses_packets_and_nothing_else);
	tcase_add_test(t, bytes_are_counted_as_wireguard_go_does);
	tcase_add_test(t, a_device_that_is_down_says_nothing);
}

int main(void)
{
	return bed_main("wg_data", tests);
}
