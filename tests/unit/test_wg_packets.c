/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets on their way through the engine: trains cut, checksums completed,
 * ECN carried over, reserved bytes set and taken. */
#include "tests/unit/wgbed.h"

#include "device.h"
#include "sum.h"

#define IP4_BYTES 20u
#define IP6_BYTES 40u
#define TCP_BYTES 20u
#define UDP_BYTES 8u
#define TRAIN_PAYLOAD 5000u
#define TRAIN_SIZE 1000u

/* The folded sum of big-endian words; 0xffff over what carries its own. */
static uint32_t sum16(uint32_t sum, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Is the transport's checksum of this packet right? */
static bool checksum_right(const uint8_t *packet, uint32_t len)
{
	bool v6 = packet[0] >> 4 == 6;
	uint32_t at = v6 ? IP6_BYTES : IP4_BYTES;
	uint32_t sum = len - at + packet[v6 ? 6 : 9];

	sum = v6 ? sum16(sum, packet + 8, 32) : sum16(sum, packet + 12, 8);
	if (!v6 && sum16(0, packet, IP4_BYTES) != 0xffff)
		return false;
	return sum16(sum, packet + at, len - at) == 0xffff;
}

/* A header from node 0 to node 1, lengths for `len` bytes of payload. */
static uint32_t header(uint8_t *h, bool v6, bool udp, uint32_t len)
{
	uint32_t at = v6 ? IP6_BYTES : IP4_BYTES;
	uint32_t transport = udp ? UDP_BYTES : TCP_BYTES;
	uint32_t total = at + transport + len;
	uint8_t protocol = udp ? 17 : 6;

	memset(h, 0, at + transport);
	if (v6) {
		h[0] = 0x60;
		h[4] = (uint8_t)((total - IP6_BYTES) >> 8);
		h[5] = (uint8_t)(total - IP6_BYTES);
		h[6] = protocol;
		h[8] = h[24] = 0xfd;
		h[23] = 1;
		h[39] = 2;
	} else {
		bed_packet(h, 0, 1, IP4_BYTES);
		h[2] = (uint8_t)(total >> 8);
		h[3] = (uint8_t)total;
		h[4] = 0x12; /* identification */
		h[5] = 0xff;
		h[9] = protocol;
	}
	if (!udp) {
		h[at + 7] = 250; /* sequence number */
		h[at + 6] = 255;
		h[at + 12] = 5 << 4;
		h[at + 13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR ACK PSH FIN */
	}
	return at + transport;
}

/* Send a train from node 0 to node 1, in three views. */
static void send_train(struct bed *b, bool v6, bool udp)
{
	static uint8_t payload[TRAIN_PAYLOAD - 100];
	uint8_t h[80];
	uint32_t len = header(h, v6, udp, TRAIN_PAYLOAD - 100);
	struct iovec view[] = {{h, len},
			       {payload, 1777},
			       {payload + 1777, sizeof payload - 1777}};
	struct weir_egress e = {
		.view = view,
		.views = 3,
		.gso = udp  ? WEIR_GSO_UDP
		       : v6 ? WEIR_GSO_TCP6
			    : WEIR_GSO_TCP4,
		.gso_size = TRAIN_SIZE,
		.flags = WEIR_CSUM_PARTIAL,
		.header_len = (uint16_t)len,
		.csum_start = v6 ? IP6_BYTES : IP4_BYTES,
		.csum_offset = udp ? 6 : 16,
	};

	for (uint32_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	ck_assert_int_eq(wg_send(b->nodes[0].d, &e, 1, b->now_us), 1);
	bed_flush(b);
	bed_run(b, 1);
	ck_assert_uint_eq(b->nodes[1].got_count, 1 + 5);
}

/* The pieces' payload is the train's, in order. */
static void check_payload(const struct bed *b, uint32_t header_len)
{
	uint32_t at = 0;

	for (unsigned i = 1; i <= 5; i++) {
		const struct got *g = &b->nodes[1].got[i];

		ck_assert_uint_eq(g->len - header_len,
				  i < 5 ? TRAIN_SIZE : TRAIN_SIZE - 100);
		ck_assert(checksum_right(g->bytes, g->len));
		for (uint32_t k = header_len; k < g->len; k++, at++)
			ck_assert_uint_eq(g->bytes[k],
					  (uint8_t)(at * 7 + at / 251));
	}
}

START_TEST(a_tcp_train_is_cut_into_right_segments)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t ip = v6 ? IP6_BYTES : IP4_BYTES;
		struct bed b;

		bed_init(&b);
		bed_session(&b, 0, 1);
		send_train(&b, v6, false);
		check_payload(&b, ip + TCP_BYTES);
		for (unsigned i = 0; i < 5; i++) {
			const uint8_t *p = b.nodes[1].got[1 + i].bytes;
			const uint8_t *tcp = p + ip;
			uint32_t seq = (uint32_t)tcp[5] << 16 |
				       (uint32_t)tcp[6] << 8 | tcp[7];

			ck_assert_uint_eq(seq, 65530 + i * TRAIN_SIZE);
			ck_assert_uint_eq(tcp[13], 0x10 | (i ? 0 : 0x80) |
							   (i < 4 ? 0 : 0x09));
			if (!v6)
				ck_assert_uint_eq(p[4] << 8 | p[5], 0x12ff + i);
		}
		/* One size: one call. */
		ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->train, 5);
		bed_fini(&b);
	}
}
END_TEST

START_TEST(a_udp_train_is_cut_into_right_datagrams)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t ip = v6 ? IP6_BYTES : IP4_BYTES;
		struct bed b;

		bed_init(&b);
		bed_session(&b, 0, 1);
		send_train(&b, v6, true);
		check_payload(&b, ip + UDP_BYTES);
		for (unsigned i = 1; i <= 5; i++) {
			const struct got *g = &b.nodes[1].got[i];

			ck_assert_uint_eq(g->bytes[ip + 4] << 8 |
						  g->bytes[ip + 5],
					  g->len - ip);
		}
		bed_fini(&b);
	}
}
END_TEST

START_TEST(a_train_may_wait_for_a_key_too)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	send_train(&b, false, false);
	check_payload(&b, IP4_BYTES + TCP_BYTES);
	bed_fini(&b);
}
END_TEST

START_TEST(a_train_that_lies_about_itself_is_dropped)
{
	uint8_t h[80] = {0};
	struct iovec view = {h, sizeof h};
	struct weir_egress good = {.view = &view,
				   .views = 1,
				   .gso = WEIR_GSO_TCP4,
				   .gso_size = 10,
				   .flags = WEIR_CSUM_PARTIAL,
				   .header_len = 40,
				   .csum_start = 20,
				   .csum_offset = 16};
	struct weir_egress bad[7];
	struct bed b;

	header(h, false, false, 40);
	for (int i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].gso_size = 0;
	bad[1].flags = 0;
	bad[2].gso = WEIR_GSO_TCP6;
	bad[3].header_len = 80;	 /* no payload */
	bad[4].header_len = 200; /* more than there is */
	bad[5].csum_start = 24;	 /* past its header */
	bad[6].csum_offset = 6;
	bed_init(&b);
	bed_session(&b, 0, 1);
	ck_assert_int_eq(wg_send(b.nodes[0].d, bad, 7, b.now_us), 7);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_PACKET), 7);
	ck_assert_int_eq(wg_send(b.nodes[0].d, &good, 1, b.now_us), 1);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_PACKET), 7);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + 4);
	bed_fini(&b);
}
END_TEST

START_TEST(a_partial_checksum_is_completed)
{
	uint8_t p[IP4_BYTES + UDP_BYTES + 33];
	struct iovec view = {p, sizeof p};
	struct weir_egress e = {.view = &view,
				.views = 1,
				.flags = WEIR_CSUM_PARTIAL,
				.csum_start = IP4_BYTES,
				.csum_offset = 6};
	uint32_t sum;
	struct bed b;

	header(p, false, true, 33);
	memset(p + IP4_BYTES + UDP_BYTES, 0xa5, 33);
	sum = sum16(UDP_BYTES + 33 + 17, p + 12, 8);
	p[IP4_BYTES + 6] = (uint8_t)(sum >> 8);
	p[IP4_BYTES + 7] = (uint8_t)sum;
	sum = ~sum16(0, p, IP4_BYTES);
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	bed_init(&b);
	bed_session(&b, 0, 1);
	ck_assert_int_eq(wg_send(b.nodes[0].d, &e, 1, b.now_us), 1);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert(checksum_right(b.nodes[1].got[1].bytes, sizeof p));
	bed_fini(&b);
}
END_TEST

/* RFC 6040, figure 4: what the packet has after the tunnel, by what it had
 * (row) and what the outer header has (column); -1: dropped. */
static const int ecn_out[4][4] = {
	/* outer: none, ECT(1), ECT(0), CE */
	[0] = {0, 0, 0, -1},
	[1] = {1, 1, 1, 3},
	[2] = {2, 1, 2, 3},
	[3] = {3, 3, 3, 3},
};

static void ecn_case(struct bed *b, bool v6, uint8_t inner, uint8_t outer)
{
	uint8_t p[80];
	uint32_t len = header(p, v6, true, 20), sum;
	unsigned before = b->nodes[1].got_count;
	const struct got *g;

	memset(p + len, 0, 20);
	p[1] = v6 ? (uint8_t)(inner << 4 | 5) : (uint8_t)(0xa0 | inner);
	if (!v6) {
		sum = ~sum16(0, p, IP4_BYTES);
		p[10] = (uint8_t)(sum >> 8);
		p[11] = (uint8_t)sum;
	}
	b->nodes[0].mark = outer ? outer : 4; /* 4: another DSCP, no ECN */
	ck_assert(bed_offer(b, 0, p, len + 20));
	bed_flush(b);
	/* On the way in the outer header takes over what the packet has. */
	ck_assert_uint_eq(bed_last(b, 0, MESSAGE_DATA, 0)->tos, inner);
	bed_run_us(b, 2 * BED_DELAY_US);
	if (ecn_out[inner][outer] < 0) {
		ck_assert_uint_eq(b->nodes[1].got_count, before);
		return;
	}
	ck_assert_uint_eq(b->nodes[1].got_count, before + 1);
	g = &b->nodes[1].got[before];
	ck_assert_uint_eq(v6 ? g->bytes[1] : g->bytes[1] - 0xa0,
			  v6 ? ecn_out[inner][outer] << 4 | 5
			     : ecn_out[inner][outer]);
	if (!v6)
		ck_assert_uint_eq(sum16(0, g->bytes, IP4_BYTES), 0xffff);
}

START_TEST(ecn_passes_the_tunnel_as_rfc_6040_says)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (int v6 = 0; v6 < 2; v6++) {
		for (uint8_t inner = 0; inner < 4; inner++) {
			for (uint8_t outer = 0; outer < 4; outer++)
				ecn_case(&b, v6, inner, outer);
		}
	}
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_ECN), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(packets_of_different_ecn_do_not_share_a_train)
{
	uint8_t p[100];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_packet(p, 0, 1, sizeof p);
	ck_assert(bed_offer(&b, 0, p, sizeof p));
	p[1] = 2;
	ck_assert(bed_offer(&b, 0, p, sizeof p));
	bed_flush(&b);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->train, 1);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->tos, 2);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 1)->tos, 0);
	bed_fini(&b);
}
END_TEST

static struct wg_peer_set reserved_set(const struct weir_addr *at)
{
	return (struct wg_peer_set){.flags =
					    WG_PEER_ENDPOINT | WG_PEER_RESERVED,
				    .endpoint.addr = *at,
				    .reserved = {0xab, 0xcd, 0xef}};
}

START_TEST(reserved_bytes_are_on_every_message_and_its_macs_hold)
{
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, reserved_set(&b.nodes[1].address));
	bed_peer_set(&b, 1, 0, reserved_set(&b.nodes[0].address));
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_run(&b, 11); /* a keepalive too */
	ck_assert_uint_eq(b.sent_count, 4);
	for (unsigned i = 0; i < b.sent_count; i++)
		ck_assert_mem_eq(b.sent[i]->bytes + 1, "\xab\xcd\xef", 3);
	ck_assert_uint_eq(bed_info(&b, 0, 1).reserved[1], 0xcd);
	bed_fini(&b);
}
END_TEST

START_TEST(reserved_bytes_hold_with_a_cookie)
{
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, reserved_set(&b.nodes[1].address));
	bed_peer_set(&b, 1, 0, reserved_set(&b.nodes[0].address));
	b.nodes[1].d->loaded_until_us = UINT64_MAX;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 7);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY), 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(reserved_bytes_that_nobody_expects_are_dropped)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, reserved_set(&b.nodes[1].address));
	bed_peer(&b, 1, 0);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_RESERVED), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	/* Another peer's option does not help, data neither. */
	bed_session(&b, 2, 1);
	bed_peer_set(&b, 1, 0, reserved_set(&b.nodes[0].address));
	b.nodes[2].silent = true;
	bed_send(&b, 2, 1, 100);
	s = bed_last(&b, 2, MESSAGE_DATA, 0);
	s->bytes[2] = 1;
	bed_receive(&b, 1, &b.nodes[2].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_RESERVED), 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	s = bed_last(&b, 2, MESSAGE_INITIATION, 0);
	s->bytes[1] = 1;
	bed_receive(&b, 1, &b.nodes[2].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_RESERVED), 3);
	bed_fini(&b);
}
END_TEST

START_TEST(reserved_bytes_that_nobody_expects_are_no_answer)
{
	uint8_t cookie[MESSAGE_COOKIE_REPLY_BYTES] = {MESSAGE_COOKIE_REPLY, 1};
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	bed_peer_set(&b, 0, 2, reserved_set(&b.nodes[2].address));
	b.nodes[1].silent = true;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	s = bed_last(&b, 0, MESSAGE_INITIATION, 0);
	memcpy(cookie + 4, s->bytes + 4, 4); /* whom it is for */
	bed_receive(&b, 0, &b.nodes[1].address, cookie, sizeof cookie, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_RESERVED), 1);
	s = bed_last(&b, 1, MESSAGE_RESPONSE, 0);
	s->bytes[3] = 1;
	bed_receive(&b, 0, &b.nodes[1].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_RESERVED), 2);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_copy_is_summed_whatever_its_length_and_place)
{
	uint8_t from[300], to[300];

	for (unsigned i = 0; i < sizeof from; i++)
		from[i] = (uint8_t)(0xff - i * 31);
	for (uint32_t at = 0; at < 40; at++) {
		for (uint32_t len = 0; at + len <= sizeof from; len++) {
			uint32_t sum = sum16(0, from + at, len);
			uint16_t copied, added;

			memset(to, 0xee, sizeof to);
			copied = sum_fold(sum_copy(0, to, from + at, len));
			added = sum_fold(sum_add(0, from + at, len));
			ck_assert_uint_eq(ntohs(copied), 0xffff - sum);
			ck_assert_uint_eq(ntohs(added), 0xffff - sum);
			ck_assert(memcmp(to, from + at, len) == 0);
			if (len < sizeof to)
				ck_assert_uint_eq(to[len], 0xee);
		}
	}
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_copy_is_summed_whatever_its_length_and_place);
	tcase_add_test(t, a_tcp_train_is_cut_into_right_segments);
	tcase_add_test(t, a_udp_train_is_cut_into_right_datagrams);
	tcase_add_test(t, a_train_may_wait_for_a_key_too);
	tcase_add_test(t, a_train_that_lies_about_itself_is_dropped);
	tcase_add_test(t, a_partial_checksum_is_completed);
	tcase_add_test(t, ecn_passes_the_tunnel_as_rfc_6040_says);
	tcase_add_test(t, packets_of_different_ecn_do_not_share_a_train);
	tcase_add_test(t,
		       reserved_bytes_are_on_every_message_and_its_macs_hold);
	tcase_add_test(t, reserved_bytes_hold_with_a_cookie);
	tcase_add_test(t, reserved_bytes_that_nobody_expects_are_dropped);
	tcase_add_test(t, reserved_bytes_that_nobody_expects_are_no_answer);
}

int main(void)
{
	return bed_main("wg_packets", tests);
}
