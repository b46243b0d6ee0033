/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TUN's packets, both ways, over a socket that keeps their bounds too. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/tun/tun.h"
#include "plugins/tun/vnet.h"
#include "tests/suite.h"

#define AHEAD 16
#define ROOM 65535
#define HEADER_BYTES 40
#define LONG_BYTES 9000
#define EVENT_ROOM 4 /* too little for an eventfd, which answers EINVAL */
#define KEPT 0xee    /* what lies there stays */

static struct tun_device device;
static int kernel; /* the other end */
static uint8_t packet[ROOM], there[AHEAD + ROOM];

static void setup(void)
{
	int ends[2];

	ck_assert(
		!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends));
	device = (struct tun_device){.fd = ends[0], .vnet = true};
	kernel = ends[1];
	for (size_t i = 0; i < sizeof packet; i++)
		packet[i] = (uint8_t)(i * 7 + i / 256);
	memset(there, KEPT, sizeof there);
}

static void teardown(void)
{
	tun_close(&device);
	close(kernel);
}

/* The kernel has a packet of `len` bytes for us. */
static void arrive(struct virtio_net_hdr h, size_t len)
{
	struct iovec v[] = {{&h, device.vnet ? sizeof h : 0}, {packet, len}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	ck_assert_int_gt(sendmsg(kernel, &m, 0), 0);
}

static void check_read(uint32_t ahead)
{
	struct weir_ingress p = {0};

	arrive((struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_DATA_VALID},
	       LONG_BYTES);
	ck_assert_int_eq(tun_read(&device, there + AHEAD, ahead, ROOM, &p), 0);
	ck_assert_uint_eq(p.len, LONG_BYTES);
	ck_assert_uint_eq(p.flags, WEIR_CSUM_VALID);
	ck_assert_mem_eq(there + AHEAD, packet, LONG_BYTES);
	for (uint32_t i = 0; i < AHEAD - ahead; i++)
		ck_assert_uint_eq(there[i], KEPT);
	ck_assert_int_eq(tun_read(&device, there + AHEAD, ahead, ROOM, &p),
			 EAGAIN);
}

START_TEST(a_packet_lies_where_it_was_wanted)
{
	check_read(AHEAD);
}
END_TEST

START_TEST(nothing_is_written_ahead_of_it_but_where_that_is_allowed)
{
	check_read(0);
	memset(there, KEPT, sizeof there);
	check_read(sizeof(struct virtio_net_hdr));
}
END_TEST

START_TEST(a_device_without_the_header_gives_packets_alone)
{
	struct weir_ingress p = {0};

	device.vnet = false;
	arrive((struct virtio_net_hdr){0}, 100);
	ck_assert_int_eq(tun_read(&device, there + AHEAD, AHEAD, ROOM, &p), 0);
	ck_assert_uint_eq(p.len, 100);
	ck_assert_mem_eq(there + AHEAD, packet, 100);
	ck_assert_uint_eq(there[AHEAD - 1], KEPT);
}
END_TEST

START_TEST(a_header_without_a_packet_is_dropped)
{
	struct weir_ingress p;

	arrive((struct virtio_net_hdr){0}, 0);
	ck_assert_int_eq(tun_read(&device, there + AHEAD, AHEAD, ROOM, &p),
			 EBADMSG);
}
END_TEST

/* `len` bytes in views of headers and two of payload come out as one packet. */
static void check_write(size_t len, uint16_t segment)
{
	size_t body = len - HEADER_BYTES, head = 0;
	struct iovec views[] = {
		{packet, HEADER_BYTES},
		{packet + HEADER_BYTES, body / 3},
		{packet + HEADER_BYTES + body / 3, body - body / 3}};
	struct weir_egress p = {.view = views,
				.views = 3,
				.header_len = HEADER_BYTES,
				.gso = segment ? WEIR_GSO_TCP4 : WEIR_GSO_NONE,
				.gso_size = segment,
				.flags = WEIR_CSUM_PARTIAL,
				.csum_start = 20,
				.csum_offset = 16};
	struct virtio_net_hdr h, expected;

	ck_assert_int_eq(tun_write(&device, &p), 0);
	if (device.vnet) {
		vnet_write(&expected, &p);
		head = sizeof h;
	}
	ck_assert_int_eq(recv(kernel, there, sizeof there, 0),
			 (ssize_t)(head + len));
	if (head)
		ck_assert_mem_eq(there, &expected, head);
	ck_assert_mem_eq(there + head, packet, len);
}

START_TEST(a_packet_leaves_as_its_views_have_it)
{
	for (size_t len = HEADER_BYTES; len < 2100; len += 103)
		check_write(len, 0);
	check_write(LONG_BYTES, 0);
}
END_TEST

START_TEST(a_train_leaves_as_its_views_have_it)
{
	check_write(60000, 1448);
}
END_TEST

START_TEST(a_device_without_the_header_takes_packets_alone)
{
	device.vnet = false;
	check_write(1500, 0);
	check_write(LONG_BYTES, 0);
}
END_TEST

START_TEST(a_packet_that_the_kernel_cannot_describe_is_dropped)
{
	struct tun_device refusing = {.fd = eventfd(1, EFD_NONBLOCK)};
	struct weir_ingress p = {0};

	ck_assert_int_eq(tun_read(&refusing, there, 0, EVENT_ROOM, &p),
			 EBADMSG);
	tun_close(&refusing);
}
END_TEST

/* It may be one of weir's own: the number came from a file or a variable. */
START_TEST(a_file_that_is_no_tun_is_left_open)
{
	struct tun_device refused;
	struct weir_error e;

	ck_assert(!tun_adopt(&refused, kernel, true, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "is not a TUN"));
	tun_close(&refused);
	ck_assert_int_ge(fcntl(kernel, F_GETFD), 0);
}
END_TEST

SUITE("tun", tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_packet_lies_where_it_was_wanted);
	tcase_add_test(
		tc, nothing_is_written_ahead_of_it_but_where_that_is_allowed);
	tcase_add_test(tc, a_device_without_the_header_gives_packets_alone);
	tcase_add_test(tc, a_header_without_a_packet_is_dropped);
	tcase_add_test(tc, a_packet_that_the_kernel_cannot_describe_is_dropped);
	tcase_add_test(tc, a_packet_leaves_as_its_views_have_it);
	tcase_add_test(tc, a_train_leaves_as_its_views_have_it);
	tcase_add_test(tc, a_device_without_the_header_takes_packets_alone);
	tcase_add_test(tc, a_file_that_is_no_tun_is_left_open);
}
