/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core keeps for a configured component. */
#include "core/instance.h"
#include "fake.h"

static struct fake *world;
static struct fake_part *in, *service;

static void setup(const char *needs)
{
	world = fake_pair();
	in = fake_part(world, "in");
	service = fake_add(world, WEIR_SERVICE, "netstack");
	service->component.ops = "the table";
	world->plugin.needs = needs;
	fake_start(world);
}

START_TEST(instance_gets_the_services_that_its_plugin_names)
{
	void *self = NULL;
	const void *ops;

	setup("other/2 netstack/1");
	ops = in->host->service(in->instance, "netstack", 1, &self);
	ck_assert_ptr_eq(ops, service->component.ops);
	ck_assert_ptr_eq(self, service);
	ck_assert_ptr_null(
		in->host->service(in->instance, "netstack", 2, &self));
	ck_assert_ptr_null(in->host->service(in->instance, "other", 2, &self));
	fake_stop(world);
}
END_TEST

START_TEST(instance_gets_the_major_of_a_service_that_it_asks_for)
{
	struct fake_part *second;
	void *self = NULL;

	world = fake_pair();
	in = fake_part(world, "in");
	service = fake_add(world, WEIR_SERVICE, "netstack");
	service->component.ops = "the first table";
	second = fake_add(world, WEIR_SERVICE, "netstack/2");
	second->component.ops = "the second table";
	world->plugin.needs = "netstack/2 netstack/3 netstack/1";
	fake_start(world);
	ck_assert_ptr_eq(in->host->service(in->instance, "netstack", 2, &self),
			 second->component.ops);
	ck_assert_ptr_eq(self, second);
	ck_assert_ptr_eq(in->host->service(in->instance, "netstack", 1, &self),
			 service->component.ops);
	ck_assert_ptr_eq(self, service);
	ck_assert_ptr_null(
		in->host->service(in->instance, "netstack", 3, &self));
	fake_stop(world);
}
END_TEST

START_TEST(instance_gets_no_service_that_its_plugin_does_not_name)
{
	void *self = NULL;

	setup("netstack/11");
	ck_assert_ptr_null(
		in->host->service(in->instance, "netstack", 1, &self));
	fake_stop(world);
	setup(NULL);
	ck_assert_ptr_null(
		in->host->service(in->instance, "netstack", 1, &self));
	fake_stop(world);
}
END_TEST

START_TEST(instance_counters_are_found_by_name)
{
	uint64_t *a, *b;

	setup("");
	a = in->host->counter(in->instance, "a");
	b = in->host->counter(in->instance, "b");
	*a = 5;
	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_eq(in->host->counter(in->instance, "a"), a);
	ck_assert_uint_eq(*b, 0);
	fake_stop(world);
}
END_TEST

START_TEST(instance_is_found_by_kind_and_tag)
{
	struct core *core;

	setup("");
	core = fake_core(world);
	ck_assert_ptr_eq(instance_find(core, WEIR_INBOUND, "in"), in->instance);
	ck_assert_ptr_null(instance_find(core, WEIR_OUTBOUND, "in"));
	ck_assert_ptr_null(instance_find(core, WEIR_INBOUND, "none"));
	ck_assert_str_eq(in->host->tag(in->instance), "in");
	fake_stop(world);
}
END_TEST

START_TEST(instance_logs_at_the_level_of_its_tag)
{
	static struct config_log_tag tags[] = {{"in", WEIR_DEBUG}};

	world = fake_pair();
	world->config.log_tags = (struct weir_list){tags, 1};
	fake_start(world);
	in = fake_part(world, "in");
	ck_assert(in->host->log_on(in->instance, WEIR_DEBUG));
	in = fake_part(world, "out");
	ck_assert(!in->host->log_on(in->instance, WEIR_WARN));
	fake_stop(world);
}
END_TEST

FAKE_MAIN("instance", instance_gets_the_services_that_its_plugin_names,
	  instance_gets_the_major_of_a_service_that_it_asks_for,
	  instance_gets_no_service_that_its_plugin_does_not_name,
	  instance_counters_are_found_by_name,
	  instance_is_found_by_kind_and_tag,
	  instance_logs_at_the_level_of_its_tag)
