/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header in front of a TUN's packets, both ways. */
#include <check.h>
#include <string.h>

#include "plugins/tun/vnet.h"
#include "tests/suite.h"

#define PACKET_BYTES 1500

static bool takes(struct virtio_net_hdr h, struct weir_ingress *p)
{
	/* What was there before is nothing of this packet's. */
	memset(p, 0x77, sizeof *p);
	p->len = PACKET_BYTES;
	return vnet_read(&h, p);
}

#define HEADER(...) ((struct virtio_net_hdr){__VA_ARGS__})

START_TEST(a_plain_packet_is_a_plain_packet)
{
	struct weir_ingress p;

	ck_assert(takes(HEADER(0), &p));
	ck_assert_uint_eq(p.gso, WEIR_GSO_NONE);
	ck_assert_uint_eq(p.flags, 0);
	ck_assert(takes(HEADER(.flags = VIRTIO_NET_HDR_F_DATA_VALID), &p));
	ck_assert_uint_eq(p.flags, WEIR_CSUM_VALID);
}
END_TEST

START_TEST(trains_come_with_their_kind_and_size)
{
	static const uint8_t kinds[][2] = {
		{VIRTIO_NET_HDR_GSO_TCPV4, WEIR_GSO_TCP4},
		{VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN,
		 WEIR_GSO_TCP6},
		{5 /* UDP_L4 */, WEIR_GSO_UDP},
	};
	struct weir_ingress p;

	for (size_t i = 0; i < 3; i++) {
		ck_assert(
			takes(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .gso_type = kinds[i][0], .gso_size = 1448,
				     .csum_start = 20, .csum_offset = 16),
			      &p));
		ck_assert_uint_eq(p.gso, kinds[i][1]);
		ck_assert_uint_eq(p.gso_size, 1448);
		ck_assert_uint_eq(p.flags, WEIR_CSUM_PARTIAL);
	}
}
END_TEST

START_TEST(a_header_that_contradicts_its_packet_is_refused)
{
	struct weir_ingress p;

	ck_assert(!takes(HEADER(.gso_type = VIRTIO_NET_HDR_GSO_TCPV4), &p));
	ck_assert(!takes(
		HEADER(.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1000),
		&p));
	ck_assert(!takes(HEADER(.gso_type = 77, .gso_size = 1000), &p));
	ck_assert(!takes(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				.csum_start = 8, .csum_offset = 6),
			 &p));
	ck_assert(!takes(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				.csum_start = PACKET_BYTES - 17,
				.csum_offset = 16),
			 &p));
	ck_assert(takes(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			       .csum_start = PACKET_BYTES - 18,
			       .csum_offset = 16),
			&p));
	ck_assert(!takes(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				.csum_start = 65535, .csum_offset = 65535),
			 &p));
}
END_TEST

START_TEST(a_size_without_a_train_means_nothing)
{
	struct weir_ingress p;

	ck_assert(takes(HEADER(.gso_size = 1448), &p));
	ck_assert_uint_eq(p.gso_size, 0);
}
END_TEST

START_TEST(what_is_written_is_read_as_the_same)
{
	struct weir_egress out = {.gso = WEIR_GSO_TCP6,
				  .gso_size = 1428,
				  .flags = WEIR_CSUM_PARTIAL,
				  .header_len = 60,
				  .csum_start = 40,
				  .csum_offset = 16};
	struct virtio_net_hdr h;
	struct weir_ingress in;

	vnet_write(&h, &out);
	ck_assert_uint_eq(h.hdr_len, 60);
	ck_assert_uint_eq(h.csum_start, 40);
	ck_assert_uint_eq(h.csum_offset, 16);
	ck_assert(takes(h, &in));
	ck_assert_uint_eq(in.gso, WEIR_GSO_TCP6);
	ck_assert_uint_eq(in.gso_size, 1428);
	ck_assert_uint_eq(in.flags, WEIR_CSUM_PARTIAL);

	out = (struct weir_egress){.header_len = 28};
	vnet_write(&h, &out);
	ck_assert_uint_eq(h.flags | h.gso_type | h.gso_size | h.hdr_len, 0);
}
END_TEST

static uint8_t type_written(uint8_t gso, uint8_t tcp_flags)
{
	uint8_t headers[60] = {[40 + 12] = 5 << 4, [40 + 13] = tcp_flags};
	struct iovec view = {headers, sizeof headers};
	struct weir_egress out = {
		.view = &view,
		.views = 1,
		.gso = gso,
		.gso_size = 1428,
		.flags = WEIR_CSUM_PARTIAL,
		.header_len = 60,
		.csum_start = 40,
		.csum_offset = 16,
	};
	struct virtio_net_hdr h;

	vnet_write(&h, &out);
	return h.gso_type;
}

START_TEST(a_train_that_says_cwr_is_said_to)
{
	ck_assert_uint_eq(type_written(WEIR_GSO_TCP6, 0x90),
			  VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN);
	ck_assert_uint_eq(type_written(WEIR_GSO_TCP6, 0x50),
			  VIRTIO_NET_HDR_GSO_TCPV6);
	ck_assert_uint_eq(type_written(WEIR_GSO_NONE, 0x90),
			  VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(type_written(WEIR_GSO_UDP, 0x90), 5 /* UDP_L4 */);
}
END_TEST

/* A packet of `len` bytes, of them `words` times four a TCP header behind an
 * IPv6 one. */
static bool forwards(struct virtio_net_hdr h, uint8_t words, uint32_t len,
		     struct weir_egress *e)
{
	uint8_t packet[200] = {[40 + 12] = (uint8_t)(words << 4)};

	memset(e, 0x77, sizeof *e);
	return vnet_forward(&h, packet, len, e);
}

START_TEST(what_is_passed_on_is_what_came)
{
	struct weir_egress e;

	ck_assert(forwards(HEADER(0), 5, 61, &e));
	ck_assert_uint_eq(e.gso, WEIR_GSO_NONE);
	ck_assert_uint_eq(e.header_len, 0);
	ck_assert_uint_eq(e.flags, 0);
	ck_assert(forwards(HEADER(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				  .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
				  .gso_size = 50, .csum_start = 40,
				  .csum_offset = 16),
			   8, 200, &e));
	ck_assert_uint_eq(e.gso, WEIR_GSO_TCP6);
	ck_assert_uint_eq(e.gso_size, 50);
	ck_assert_uint_eq(e.header_len, 40 + 32);
	ck_assert_uint_eq(e.flags, WEIR_CSUM_PARTIAL);
	ck_assert_uint_eq(e.csum_start, 40);
	ck_assert_uint_eq(e.csum_offset, 16);
	ck_assert(!forwards(HEADER(.gso_type = 77), 5, 61, &e));
}
END_TEST

START_TEST(a_train_that_is_passed_on_has_headers_and_more)
{
	struct virtio_net_hdr tcp = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
				     .gso_size = 1,
				     .csum_start = 40,
				     .csum_offset = 16};
	struct virtio_net_hdr udp = tcp;
	struct weir_egress e;

	ck_assert(forwards(tcp, 15, 101, &e));
	ck_assert(!forwards(tcp, 15, 100, &e));
	ck_assert(!forwards(tcp, 5, 59, &e));
	tcp.flags = 0;
	ck_assert(!forwards(tcp, 15, 101, &e));
	udp.gso_type = 5; /* UDP_L4 */
	udp.csum_offset = 6;
	ck_assert(forwards(udp, 15, 49, &e));
	ck_assert_uint_eq(e.header_len, 48);
	ck_assert(!forwards(udp, 15, 48, &e));
}
END_TEST

SUITE("vnet", t)
{
	tcase_add_test(t, a_plain_packet_is_a_plain_packet);
	tcase_add_test(t, trains_come_with_their_kind_and_size);
	tcase_add_test(t, a_header_that_contradicts_its_packet_is_refused);
	tcase_add_test(t, a_size_without_a_train_means_nothing);
	tcase_add_test(t, what_is_written_is_read_as_the_same);
	tcase_add_test(t, a_train_that_says_cwr_is_said_to);
	tcase_add_test(t, what_is_passed_on_is_what_came);
	tcase_add_test(t, a_train_that_is_passed_on_has_headers_and_more);
}
