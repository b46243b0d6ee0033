/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a channel would ask, and in which order. */
#include "core/channel.h"
#include "fake.h"

static struct config_dns_server servers[3];
static struct config config;

/* Of a channel that nobody asks. */
static ares_channel channel(void)
{
	struct channel_conf conf = {.config = &config};
	struct channel_file file = {0};
	struct weir_error e;
	ares_channel c = channel_new(&conf, &file, &e);

	ck_assert_ptr_nonnull(c);
	return c;
}

static int compare(const struct ares_addr_port_node *a,
		   const struct ares_addr_port_node *b)
{
	return memcmp(&a->addr, &b->addr, a->family == AF_INET ? 4 : 16);
}

START_TEST(channel_asks_the_systems_servers_where_the_list_has_them)
{
	struct ares_addr_port_node *all, *at, *system;
	ares_channel c;

	servers[0].address.kind = WEIR_ADDR_NONE;
	config.dns_servers = (struct weir_list){servers, 1};
	c = channel();
	ck_assert_int_eq(ares_get_servers_ports(c, &system), ARES_SUCCESS);
	ares_destroy(c);
	servers[0].address = fake_addr("192.0.2.1:53");
	servers[1].address.kind = WEIR_ADDR_NONE;
	servers[2].address = fake_addr("[2001:db8::1]:54");
	config.dns_servers.count = 3;
	c = channel();
	ck_assert_int_eq(ares_get_servers_ports(c, &all), ARES_SUCCESS);
	ares_destroy(c);
	ck_assert_int_eq(memcmp(&all->addr, servers[0].address.ip, 4), 0);
	at = all->next;
	for (struct ares_addr_port_node *s = system; s; s = s->next) {
		ck_assert_int_eq(compare(s, at), 0);
		at = at->next;
	}
	ck_assert_int_eq(at->udp_port, 54);
	ck_assert_ptr_null(at->next);
	ares_free_data(all);
	ares_free_data(system);
}
END_TEST

static bool rotates(size_t count)
{
	struct ares_options options;
	ares_channel c;
	int mask;

	config.dns_servers = (struct weir_list){servers, count};
	c = channel();
	ck_assert_int_eq(ares_save_options(c, &options, &mask), ARES_SUCCESS);
	ares_destroy_options(&options);
	ares_destroy(c);
	return mask & ARES_OPT_ROTATE;
}

/* The variable is as good as a line of resolv.conf. */
START_TEST(channel_keeps_the_order_of_the_list_where_the_system_rotates_its_own)
{
	setenv("RES_OPTIONS", "rotate", 1);
	servers[0].address.kind = WEIR_ADDR_NONE;
	servers[1].address = fake_addr("192.0.2.1:53");
	ck_assert(rotates(1));
	ck_assert(!rotates(2));
	servers[0].address = fake_addr("192.0.2.2:53");
	ck_assert(!rotates(1));
	ck_assert(!rotates(2));
	unsetenv("RES_OPTIONS");
}
END_TEST

FAKE_MAIN("channel", channel_asks_the_systems_servers_where_the_list_has_them,
	  channel_keeps_the_order_of_the_list_where_the_system_rotates_its_own)
