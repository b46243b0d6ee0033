/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The upkeep of a device: when it looks, how often it puts things back. The
 * kernel's news come by a socket of the test's own. */
#include <check.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <net/if.h>
#include <weir/fakehost.h>

#include "plugins/tun/netlink.h"
#include "plugins/tun/routing.h"
#include "plugins/tun/upkeep.h"
#include "tests/suite.h"

#define DEVICE "lo" /* one that every machine has */
#define SECOND_US 1000000ull
#define MINUTE_US (60 * SECOND_US)
#define TABLE 0x77

static struct world {
	int kernel;	    /* the other end of the socket for news */
	int there;	    /* looks to come that find all in its place */
	int looks, remakes; /* so far */
	int err;	    /* of putting back; 0: it works */
	bool remakes_fail;
	bool lives; /* the device, though the kernel says it is gone */
	char lost[256];
	bool deaf; /* nobody can be asked */
} world;

static struct fakehost *host;
static struct weir_instance *instance;
static struct upkeep *upkeep;
static struct tun_device device;
static int heard; /* upkeep's end of the socket */

int netlink_listen(const int *groups, size_t count)
{
	int ends[2];

	(void)groups, (void)count;
	ck_assert(
		!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends));
	world.kernel = ends[1];
	heard = ends[0];
	return heard;
}

bool address_mend(const struct address_plan *plan, struct mend *m)
{
	ck_assert_str_eq(plan->name, DEVICE);
	world.looks++;
	if (world.there) {
		world.there--;
		return true;
	}
	if (world.deaf)
		return false;
	m->err = world.err;
	snprintf(world.err ? m->failed : m->done, MEND_BYTES, "the address");
	return true;
}

bool routing_mend(const struct routing_plan *plan, struct mend *m)
{
	(void)m;
	ck_assert_uint_eq(plan->index, if_nametoindex(DEVICE));
	return true;
}

uint32_t routing_table(unsigned index)
{
	ck_assert_uint_eq(index, if_nametoindex(DEVICE));
	return TABLE;
}

bool tun_learn_name(struct tun_device *t)
{
	ck_assert_ptr_eq(t, &device);
	return world.lives;
}

static bool remake(void *arg, struct weir_error *e)
{
	ck_assert_ptr_eq(arg, &world);
	world.remakes++;
	return !world.remakes_fail || weir_error(e, NULL, "no such luck");
}

static void lost(void *arg, const char *why)
{
	ck_assert_ptr_eq(arg, &world);
	snprintf(world.lost, sizeof world.lost, "%s", why);
}

static void *nothing_create(struct weir_instance *i, const struct weir_host *h,
			    const void *conf, struct weir_error *e)
{
	struct upkeep_conf c = *(const struct upkeep_conf *)conf;

	c.instance = i;
	c.host = h;
	upkeep = upkeep_new(&c, e);
	return upkeep;
}

static bool nothing_start(void *self, struct weir_error *e)
{
	(void)e;
	return self;
}

static void nothing_stop(void *self)
{
	upkeep_free(self);
	fakehost_table(host)->stopped(instance);
}

static void nothing_destroy(void *self)
{
	(void)self;
}

static const struct weir_component nothing = {
	.size = sizeof nothing,
	.kind = WEIR_SERVICE,
	.type = "nothing",
	.create = nothing_create,
	.start = nothing_start,
	.stop = nothing_stop,
	.destroy = nothing_destroy,
};

static void begin_as(bool owner_tells)
{
	const struct upkeep_conf conf = {
		.device = &device,
		.routed = true,
		.remake = remake,
		.lost = owner_tells ? lost : NULL,
		.arg = &world,
	};
	struct weir_error e;

	world = (struct world){.there = 0};
	snprintf(device.name, sizeof device.name, DEVICE);
	host = fakehost_new();
	instance = fakehost_start(host, &nothing, "x", &conf, &e);
	ck_assert_msg(instance, "%s", e.text);
	fakehost_advance(host, MINUTE_US);
}

static void begin(void)
{
	begin_as(false);
}

static void end(void)
{
	ck_assert(fakehost_stop(instance, 0));
	close(world.kernel);
	fakehost_free(host);
}

static int times(const char *words)
{
	const char *at = fakehost_log(host);
	int n = 0;

	while ((at = strstr(at, words))) {
		at++;
		n++;
	}
	return n;
}

/* ---- the news */

static char news[1024];

static void *news_of(uint16_t type, size_t size)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(news);

	m->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(m, size);
}

static void queue(void)
{
	const struct nlmsghdr *m = (const void *)news;

	ck_assert_int_eq(send(world.kernel, m, m->nlmsg_len, 0),
			 (ssize_t)m->nlmsg_len);
}

/* How many watches heard it. */
static int tell(void)
{
	queue();
	return fakehost_fire(host, heard, WEIR_READABLE);
}

static int address_goes(unsigned index)
{
	struct ifaddrmsg *a = news_of(RTM_DELADDR, sizeof *a);

	a->ifa_index = index;
	return tell();
}

static int own_address_goes(void)
{
	return address_goes(if_nametoindex(DEVICE));
}

static int table_news(uint16_t type, size_t size, uint16_t attribute,
		      uint32_t table)
{
	news_of(type, size);
	mnl_attr_put_u32((struct nlmsghdr *)news, attribute, table);
	return tell();
}

static int link_is(uint16_t type, unsigned flags)
{
	struct ifinfomsg *i = news_of(type, sizeof *i);

	i->ifi_index = (int)if_nametoindex(DEVICE);
	i->ifi_flags = flags;
	return tell();
}

/* ---- the promises */

START_TEST(a_burst_of_news_is_one_look)
{
	begin();
	own_address_goes();
	table_news(RTM_DELRULE, sizeof(struct fib_rule_hdr), FRA_TABLE, TABLE);
	table_news(RTM_DELROUTE, sizeof(struct rtmsg), RTA_TABLE, TABLE);
	ck_assert_int_eq(world.looks, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.looks, 1);
	ck_assert_int_eq(times("somebody removed the address"), 1);
	end();
}
END_TEST

START_TEST(rules_and_routes_are_missed_by_their_table)
{
	begin();
	table_news(RTM_DELRULE, sizeof(struct fib_rule_hdr), FRA_TABLE, TABLE);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.looks, 1);
	table_news(RTM_DELROUTE, sizeof(struct rtmsg), RTA_TABLE, TABLE);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.looks, 2);
	end();
}
END_TEST

START_TEST(what_is_of_others_is_not_looked_at)
{
	begin();
	address_goes(if_nametoindex(DEVICE) + 1);
	table_news(RTM_DELRULE, sizeof(struct fib_rule_hdr), FRA_TABLE,
		   TABLE + 1);
	table_news(RTM_DELROUTE, sizeof(struct rtmsg), RTA_TABLE, TABLE + 1);
	table_news(RTM_NEWROUTE, sizeof(struct rtmsg), RTA_TABLE, TABLE);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.looks, 0);
	end();
}
END_TEST

START_TEST(whoever_insists_is_let)
{
	begin();
	for (int i = 0; i < 1000 && own_address_goes(); i++)
		fakehost_advance(host, SECOND_US);
	ck_assert_int_eq(world.looks, 6);
	ck_assert_int_eq(times("it was put back\n"), 5);
	ck_assert_int_eq(times("put back for the last time"), 1);
	ck_assert_int_eq(own_address_goes(), 0);
	end();
}
END_TEST

START_TEST(what_is_long_ago_does_not_count)
{
	begin();
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(own_address_goes(), 1);
		fakehost_advance(host, 11 * MINUTE_US);
	}
	ck_assert_int_eq(times("it was put back\n"), 20);
	end();
}
END_TEST

START_TEST(a_look_that_finds_all_there_does_not_count)
{
	begin();
	world.there = 20;
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(own_address_goes(), 1);
		fakehost_advance(host, SECOND_US);
	}
	ck_assert_int_eq(world.looks, 20);
	ck_assert_str_eq(fakehost_log(host), "");
	end();
}
END_TEST

START_TEST(nothing_is_put_back_on_a_link_that_is_down)
{
	begin();
	for (int i = 1; i <= 20; i++) {
		link_is(RTM_NEWLINK, 0);
		own_address_goes();
		fakehost_advance(host, MINUTE_US);
		ck_assert_int_eq(world.looks, i - 1);
		ck_assert_int_eq(times("was taken down"), i);
		link_is(RTM_NEWLINK, IFF_UP);
		fakehost_advance(host, MINUTE_US);
		ck_assert_int_eq(world.looks, i);
		ck_assert_int_eq(times("is up again and got back"), i);
	}
	ck_assert_int_eq(times("somebody removed"), 0);
	end();
}
END_TEST

START_TEST(what_cannot_be_put_back_is_told_once)
{
	begin();
	world.err = EPERM;
	ck_assert_int_eq(own_address_goes(), 1);
	fakehost_advance(host, SECOND_US);
	ck_assert_int_eq(times("cannot be put back: Operation not permitted"),
			 1);
	ck_assert_int_eq(own_address_goes(), 0);
	end();
}
END_TEST

START_TEST(it_is_looked_again_where_nobody_could_be_asked)
{
	begin();
	world.deaf = true;
	own_address_goes();
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_gt(world.looks, 1);
	ck_assert_str_eq(fakehost_log(host), "");
	world.deaf = false;
	fakehost_advance(host, SECOND_US);
	ck_assert_int_eq(times("it was put back\n"), 1);
	ck_assert_uint_eq(fakehost_next_timer(host), UINT64_MAX);
	end();
}
END_TEST

START_TEST(what_the_kernel_has_no_memory_for_is_put_back_later)
{
	begin();
	world.err = ENOBUFS;
	own_address_goes();
	fakehost_advance(host, SECOND_US);
	ck_assert_str_eq(fakehost_log(host), "");
	world.err = 0;
	fakehost_advance(host, 2 * SECOND_US);
	ck_assert_int_eq(times("it was put back\n"), 1);
	world.err = ENOMEM;
	own_address_goes();
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(times("cannot be put back: Cannot allocate"), 1);
	ck_assert_int_eq(own_address_goes(), 0);
	end();
}
END_TEST

START_TEST(a_device_that_was_removed_is_made_again)
{
	begin();
	for (int i = 1; i <= 6; i++) {
		link_is(RTM_DELLINK, 0);
		upkeep_gone(upkeep); /* who read from it has noticed too */
		fakehost_advance(host, MINUTE_US);
		ck_assert_int_eq(world.remakes, i);
		ck_assert_int_eq(times("it was made again"), i);
	}
	link_is(RTM_DELLINK, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.remakes, 6);
	ck_assert_int_eq(times("is not made again"), 1);
	ck_assert_int_eq(own_address_goes(), 0);
	ck_assert_int_eq(world.looks, 0);
	end();
}
END_TEST

/* It has the index of the old one. */
START_TEST(late_news_of_a_removed_device_are_not_of_the_new_one)
{
	struct ifinfomsg *i;

	begin();
	i = news_of(RTM_DELLINK, sizeof *i);
	i->ifi_index = (int)if_nametoindex(DEVICE);
	queue();
	upkeep_gone(upkeep);
	fakehost_advance(host, MINUTE_US);
	fakehost_fire(host, heard, WEIR_READABLE);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.remakes, 1);
	end();
}
END_TEST

START_TEST(a_device_that_cannot_be_made_again_is_told)
{
	begin();
	world.remakes_fail = true;
	upkeep_gone(upkeep);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(times("is not made again (no such luck)"), 1);
	ck_assert_int_eq(own_address_goes(), 0);
	end();
}
END_TEST

START_TEST(who_tells_of_its_device_itself_is_told)
{
	begin_as(true);
	link_is(RTM_NEWLINK, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_str_eq(fakehost_log(host), "");
	link_is(RTM_DELLINK, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(times("it was made again"), 1);
	world.remakes_fail = true;
	link_is(RTM_DELLINK, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_ptr_nonnull(
		strstr(world.lost, "is not made again (no such luck)"));
	ck_assert_int_eq(times("is not made again"), 0);
	end();
}
END_TEST

/* For the kernel it is gone from here. */
START_TEST(a_device_that_was_moved_to_another_namespace_serves_on)
{
	begin_as(true);
	world.lives = true;
	link_is(RTM_DELLINK, 0);
	fakehost_advance(host, MINUTE_US);
	ck_assert_int_eq(world.remakes, 0);
	ck_assert_str_eq(world.lost, "");
	ck_assert_str_eq(fakehost_log(host), "");
	ck_assert_int_eq(own_address_goes(), 0);
	end();
}
END_TEST

SUITE("upkeep", t)
{
	tcase_add_test(t, a_burst_of_news_is_one_look);
	tcase_add_test(t, rules_and_routes_are_missed_by_their_table);
	tcase_add_test(t, what_is_of_others_is_not_looked_at);
	tcase_add_test(t, whoever_insists_is_let);
	tcase_add_test(t, what_is_long_ago_does_not_count);
	tcase_add_test(t, a_look_that_finds_all_there_does_not_count);
	tcase_add_test(t, nothing_is_put_back_on_a_link_that_is_down);
	tcase_add_test(t, what_cannot_be_put_back_is_told_once);
	tcase_add_test(t, it_is_looked_again_where_nobody_could_be_asked);
	tcase_add_test(t, what_the_kernel_has_no_memory_for_is_put_back_later);
	tcase_add_test(t, a_device_that_was_removed_is_made_again);
	tcase_add_test(t, late_news_of_a_removed_device_are_not_of_the_new_one);
	tcase_add_test(t, a_device_that_cannot_be_made_again_is_told);
	tcase_add_test(t, who_tells_of_its_device_itself_is_told);
	tcase_add_test(t,
		       a_device_that_was_moved_to_another_namespace_serves_on);
}
