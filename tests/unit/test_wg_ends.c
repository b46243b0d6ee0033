/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both WireGuard plugins, as they are installed, on a fake host and over a
 * netstack that only notes what it is told. */
#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <weir/fakehost.h>

#include "plugins/inbound-wireguard/inbound.h"
#include "plugins/outbound-wireguard/outbound.h"
#include "tests/suite.h"

#define PATH_BYTES 4096
#define STRING(name) #name
#define NAME_OF(entry) STRING(entry)

static const char *const plugins[] = {"inbound-wireguard",
				      "outbound-wireguard"};

static struct weir_link_conf told;

static struct weir_link *attach(void *self, const struct weir_link_conf *conf,
				const struct weir_link_ops *ops, void *link,
				struct weir_error *e)
{
	(void)self, (void)ops, (void)link, (void)e;
	told = *conf;
	return (struct weir_link *)&told;
}

static void detach(struct weir_link *link)
{
	(void)link;
}

static const struct weir_netstack_ops stack = {
	.size = sizeof stack,
	.attach = attach,
	.detach = detach,
};

static const struct weir_component *component_of(const char *name)
{
	const char *folder = getenv("PLUGIN_DIR");
	const struct weir_plugin *p;
	char path[PATH_BYTES];
	void *so;

	snprintf(path, sizeof path, "%s/%s.so", folder ? folder : ".libs",
		 name);
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(so, "%s", dlerror());
	p = dlsym(so, NAME_OF(WEIR_ENTRY));
	ck_assert_ptr_nonnull(p);
	return p->components[0];
}

static struct weir_link_conf told_with(const struct weir_component *c,
				       int congestion)
{
	struct weir_cidr own = {
		.base = {.kind = WEIR_ADDR_IP4, .ip = {10, 7, 0, 1}},
		.bits = 32};
	struct wg_options wg = {.private_key = {8},
				.address = {&own, 1},
				.congestion = congestion};
	struct inbound_conf in = {.wg = wg, .listen.kind = WEIR_ADDR_IP4};
	struct outbound_conf out = {.wg = wg};
	const void *conf = c->kind == WEIR_INBOUND ? (void *)&in : &out;
	struct fakehost *host = fakehost_new();
	struct weir_instance *wire;
	struct weir_error e;

	fakehost_offer(host, "netstack", 1, &stack, NULL);
	wire = fakehost_start(host, c, "wg", conf, &e);
	ck_assert_msg(wire, "%s", e.text);
	ck_assert(fakehost_stop(wire, 0));
	fakehost_free(host);
	return told;
}

START_TEST(the_stack_is_told_which_congestion_control_was_chosen)
{
	const struct weir_component *c = component_of(plugins[_i]);

	for (int i = WEIR_CONGESTION_DEFAULT; i <= WEIR_CONGESTION_BBR; i++)
		ck_assert_int_eq(told_with(c, i).congestion, i);
}
END_TEST

SUITE("wg_ends", t)
{
	tcase_add_loop_test(
		t, the_stack_is_told_which_congestion_control_was_chosen, 0, 2);
}
