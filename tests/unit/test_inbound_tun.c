/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbound-tun on a fake host, over a device and a netstack that are none. */
#include <stdlib.h>
#include <weir/fakehost.h>

#include "plugins/inbound-tun/options.h"
#include "tests/suite.h"
#include "tests/unit/tun_world.h"

#define TELL_US 200000 /* a link is down for so long before it is told */
#define ADOPTED_FD 1001

extern const struct weir_plugin WEIR_ENTRY;

static struct tun_conf conf;
static struct fakehost *host;
static struct weir_instance *tun;

static void begin_with(int fd, uint32_t offloads)
{
	struct weir_error e;

	world = (struct world){.read_error = EAGAIN,
			       .buffers = 1000,
			       .packet_bytes = 100,
			       .offloads = offloads};
	conf = (struct tun_conf){.mtu = 1500, .fd = fd, .offload = true};
	host = fakehost_new();
	fakehost_offer(host, "netstack", 1, &stack, NULL);
	tun = fakehost_start(host, WEIR_ENTRY.components[0], "tun", &conf, &e);
	ck_assert_msg(tun, "%s", e.text);
	ck_assert_int_eq(world.attached, 1);
}

static void begin(int fd)
{
	begin_with(fd, WEIR_LINK_CSUM | WEIR_LINK_TSO);
}

static void end(void)
{
	ck_assert(fakehost_stop(tun, 0));
	ck_assert_int_eq(world.closed, 1);
	ck_assert_int_eq(world.attached, 0);
	ck_assert_int_eq(world.lent, world.given);
	fakehost_free(host);
}

static int wake(void)
{
	return fakehost_fire(host, DEVICE_FD, WEIR_READABLE);
}

START_TEST(a_burst_is_one_call_to_the_stack)
{
	begin(-1);
	world.waiting = 10;
	wake();
	ck_assert_int_eq(world.packets, 10);
	ck_assert_int_eq(world.batches, 1);
	ck_assert_uint_eq(fakehost_counter(tun, "packets_in"), 10);
	ck_assert_uint_eq(fakehost_counter(tun, "bytes_in"), 1000);
	end();
}
END_TEST

START_TEST(without_offloads_each_packet_goes_where_the_stack_wants_it)
{
	begin_with(-1, 0);
	world.waiting = 10;
	wake();
	ck_assert_int_eq(world.packets, 10);
	ck_assert_int_eq(world.puts, world.rooms);
	ck_assert_int_eq(world.flushes, 1);
	ck_assert_int_eq(world.lent, 0);
	ck_assert_uint_eq(fakehost_counter(tun, "packets_in"), 10);
	ck_assert_uint_eq(fakehost_counter(tun, "bytes_in"), 1000);
	world.buffers = world.rooms + 3;
	world.waiting = 10;
	wake();
	ck_assert_int_eq(world.packets, 13);
	ck_assert_int_eq(world.flushes, 2);
	ck_assert_int_eq(wake(), 0); /* until there is room again */
	end();
}
END_TEST

START_TEST(packets_longer_than_the_mtu_find_room)
{
	begin_with(-1, 0);
	world.packet_bytes = 9000;
	world.waiting = 3;
	wake();
	ck_assert_int_eq(world.packets, 2);
	ck_assert_uint_eq(fakehost_counter(tun, "dropped_in"), 1);
	ck_assert_uint_eq(fakehost_counter(tun, "bytes_in"), 18000);
	end();
}
END_TEST

START_TEST(a_flood_leaves_the_loop_its_turns)
{
	begin(-1);
	world.waiting = 600;
	wake();
	ck_assert_int_eq(world.packets, 512);
	wake();
	ck_assert_int_eq(world.packets, 600);
	end();
}
END_TEST

START_TEST(all_that_the_queue_holds_is_read_in_a_turn)
{
	begin_with(-1, _i ? WEIR_LINK_CSUM | WEIR_LINK_TSO : 0);
	world.waiting = 500;
	wake();
	ck_assert_int_eq(world.waiting, 0);
	ck_assert_int_eq(world.packets, 500);
	ck_assert_uint_eq(fakehost_counter(tun, "packets_in"), 500);
	ck_assert_uint_eq(fakehost_counter(tun, "bytes_in"), 50000);
	end();
}
END_TEST

START_TEST(long_trains_are_handed_on_while_a_cache_holds_them)
{
	begin(-1);
	world.packet_bytes = 64 << 10;
	world.waiting = 1000;
	wake();
	ck_assert_int_eq(world.packets, 8);
	wake();
	ck_assert_int_eq(world.packets, 16);
	end();
}
END_TEST

START_TEST(without_buffers_packets_wait_and_the_loop_does_not_spin)
{
	begin(-1);
	world.waiting = 10;
	world.buffers = 4;
	wake();
	ck_assert_int_eq(world.packets, 4);
	ck_assert_int_eq(wake(), 0); /* nobody watches */
	ck_assert_uint_eq(fakehost_next_timer(host), 1000);

	world.buffers = 100;
	fakehost_advance(host, 1000);
	ck_assert_int_eq(wake(), 1);
	ck_assert_int_eq(world.packets, 10);
	end();
}
END_TEST

START_TEST(a_device_that_cannot_be_watched_now_is_tried_again)
{
	begin(-1);
	world.buffers = 0;
	wake();
	world.buffers = 100;
	world.device->fd = -1; /* the host has no memory for a watch */
	fakehost_advance(host, 100000);
	ck_assert_ptr_null(fakehost_lost(tun));
	world.device->fd = DEVICE_FD;
	fakehost_advance(host, 100000);
	world.waiting = 10;
	ck_assert_int_eq(wake(), 1);
	ck_assert_int_eq(world.packets, 10);
	end();
}
END_TEST

START_TEST(a_device_that_was_handed_in_and_removed_is_told_once)
{
	begin(ADOPTED_FD);
	world.read_error = EBADFD;
	fakehost_fire(host, ADOPTED_FD, WEIR_READABLE);
	ck_assert_ptr_null(fakehost_lost(tun)); /* not amid others' work */
	fakehost_advance(host, 0);
	ck_assert_str_eq(fakehost_lost(tun),
			 "the interface given0 was removed");
	ck_assert_int_eq(fakehost_fire(host, ADOPTED_FD, WEIR_READABLE), 0);
	ck_assert_uint_eq(fakehost_next_timer(host), UINT64_MAX);
	end();
}
END_TEST

static void remove_device(bool by_write)
{
	struct weir_egress p[2] = {{.views = 0}};

	world.read_error = world.write_error = EBADFD;
	if (by_write)
		ck_assert_int_eq(world.ops->output(world.link, p, 2), 2);
	else
		wake();
	ck_assert_int_eq(world.told_gone, 1);
	ck_assert_int_eq(wake(), 0);
	fakehost_advance(host, TELL_US);
	ck_assert_ptr_null(fakehost_lost(tun));
	ck_assert_int_eq(world.ops->output(world.link, p, 2), 2);
	ck_assert_uint_eq(fakehost_counter(tun, "dropped_out"),
			  by_write ? 4 : 2);
}

START_TEST(a_removed_device_is_made_again_under_the_same_link)
{
	struct weir_egress p = {.views = 0};
	struct weir_error e;

	begin(-1);
	remove_device(_i);
	ck_assert(world.upkeep.remake(world.upkeep.arg, &e));
	ck_assert_int_eq(world.opened, 2);
	ck_assert_int_eq(world.addressed, 2);
	ck_assert_int_eq(world.closed, 1);
	ck_assert_int_eq(world.attached, 1);
	world.read_error = EAGAIN;
	world.write_error = 0;
	world.waiting = 10;
	fakehost_advance(host, 0);
	ck_assert_int_eq(wake(), 1);
	ck_assert_int_eq(world.packets, 10);
	ck_assert_int_eq(world.ops->output(world.link, &p, 1), 1);
	ck_assert_uint_eq(fakehost_counter(tun, "packets_out"), 1);
	ck_assert_ptr_null(fakehost_lost(tun));
	world.closed--;
	end();
}
END_TEST

START_TEST(a_device_that_comes_back_as_another_is_lost)
{
	struct weir_error e;

	begin(-1);
	remove_device(false);
	world.offloads = 0;
	ck_assert(!world.upkeep.remake(world.upkeep.arg, &e));
	world.upkeep.lost(world.upkeep.arg, e.text);
	ck_assert_str_eq(fakehost_lost(tun), "its offloads are others now");
	ck_assert_uint_eq(fakehost_next_timer(host), UINT64_MAX);
	world.closed--;
	end();
}
END_TEST

START_TEST(a_full_device_is_tried_again)
{
	struct weir_egress p[3] = {{.views = 0}};

	begin(-1);
	world.write_error = EAGAIN;
	ck_assert_int_eq(world.ops->output(world.link, p, 3), 0);
	fakehost_advance(host, 1000);
	ck_assert_int_eq(world.writable, 1);
	end();
}
END_TEST

START_TEST(a_link_that_is_down_drops_and_says_so_once)
{
	struct weir_egress p[3] = {{.views = 0}};
	const char *told;

	begin(-1);
	world.write_error = EIO;
	ck_assert_int_eq(world.ops->output(world.link, p, 3), 3);
	fakehost_advance(host, TELL_US);
	told = strstr(fakehost_log(host), "weir0 is down");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, "weir0 is down"));
	world.write_error = 0;
	ck_assert_int_eq(world.ops->output(world.link, p, 1), 1);
	ck_assert_ptr_nonnull(strstr(fakehost_log(host), "weir0 is up again"));
	end();
}
END_TEST

START_TEST(a_device_that_is_handed_in_is_left_alone)
{
	begin(ADOPTED_FD);
	ck_assert_int_eq(world.adopted, ADOPTED_FD);
	ck_assert_int_eq(world.opened + world.addressed, 0);
	end();
}
END_TEST

START_TEST(the_link_is_told_what_the_options_say)
{
	begin(_i ? ADOPTED_FD : -1);
	ck_assert_uint_eq(world.told.congestion, WEIR_CONGESTION_DEFAULT);
	ck_assert_uint_eq(world.told.mtu_bytes, 1500);
	ck_assert_uint_eq(world.told.offloads, world.offloads);
	ck_assert(fakehost_stop(tun, 0));
	conf.congestion = WEIR_CONGESTION_BBR;
	conf.mtu = 1280;
	conf.offload = false;
	tun = fakehost_start(host, WEIR_ENTRY.components[0], "tun", &conf,
			     NULL);
	ck_assert_uint_eq(world.told.congestion, WEIR_CONGESTION_BBR);
	ck_assert_uint_eq(world.told.mtu_bytes, 1280);
	ck_assert_uint_eq(world.told.offloads, 0);
	world.closed--;
	end();
}
END_TEST

START_TEST(the_variable_serves_one_inbound)
{
	setenv("WEIR_TUN_FD", "1001", 1);
	begin(-1);
	ck_assert_int_eq(world.adopted, ADOPTED_FD);
	ck_assert_ptr_null(getenv("WEIR_TUN_FD"));
	end();
}
END_TEST

START_TEST(a_variable_that_is_no_number_is_an_error)
{
	static const char *const wrong[] = {"",	  "x",	"3x",
					    "-1", " 3", "99999999999"};
	struct weir_error e;

	begin(-1);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		setenv("WEIR_TUN_FD", wrong[i], 1);
		ck_assert_ptr_null(fakehost_start(
			host, WEIR_ENTRY.components[0], "two", &conf, &e));
		ck_assert_ptr_nonnull(strstr(e.text, "WEIR_TUN_FD"));
	}
	unsetenv("WEIR_TUN_FD");
	end();
}
END_TEST

START_TEST(names_are_checked)
{
	static const char *const wrong[] = {"a/b", "a b",   ".",   "..",
					    "a:0", "w%d%d", "w%s", "w%"};
	static const char *const right[] = {"weir0", "w%d", "a-b.1"};
	struct tun_conf c = {.fd = -1};
	struct weir_error e;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		c.name = wrong[i];
		ck_assert_msg(!tun_schema.check(&c, &e), "%s", c.name);
		ck_assert_str_eq(e.option, "name");
	}
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		c.name = right[i];
		ck_assert_msg(tun_schema.check(&c, &e), "%s", c.name);
	}
	c.fd = 3;
	ck_assert(!tun_schema.check(&c, &e));
}
END_TEST

SUITE("inbound-tun", t)
{
	tcase_add_test(t, a_burst_is_one_call_to_the_stack);
	tcase_add_test(
		t, without_offloads_each_packet_goes_where_the_stack_wants_it);
	tcase_add_test(t, packets_longer_than_the_mtu_find_room);
	tcase_add_test(t, a_flood_leaves_the_loop_its_turns);
	tcase_add_loop_test(t, all_that_the_queue_holds_is_read_in_a_turn, 0,
			    2);
	tcase_add_test(t, long_trains_are_handed_on_while_a_cache_holds_them);
	tcase_add_test(t,
		       without_buffers_packets_wait_and_the_loop_does_not_spin);
	tcase_add_test(t, a_device_that_cannot_be_watched_now_is_tried_again);
	tcase_add_test(t, a_device_that_was_handed_in_and_removed_is_told_once);
	tcase_add_loop_test(
		t, a_removed_device_is_made_again_under_the_same_link, 0, 2);
	tcase_add_test(t, a_device_that_comes_back_as_another_is_lost);
	tcase_add_test(t, a_full_device_is_tried_again);
	tcase_add_test(t, a_link_that_is_down_drops_and_says_so_once);
	tcase_add_test(t, a_device_that_is_handed_in_is_left_alone);
	tcase_add_loop_test(t, the_link_is_told_what_the_options_say, 0, 2);
	tcase_add_test(t, the_variable_serves_one_inbound);
	tcase_add_test(t, a_variable_that_is_no_number_is_an_error);
	tcase_add_test(t, names_are_checked);
}
