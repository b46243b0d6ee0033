/* SPDX-License-Identifier: GPL-2.0-or-later */
/* null.h - an outbound that is in order and does nothing, for the hostile
 * plugins to be wrong in one way only. */
#ifndef WEIR_TESTS_BAD_NULL_H
#define WEIR_TESTS_BAD_NULL_H

#include <errno.h>

#include <weir/plugin.h>

struct null_self {
	struct weir_instance *instance;
	const struct weir_host *host;
};

static struct null_self null_self;

__attribute__((unused)) static void *null_open(void *self, struct weir_end *end,
					       const struct weir_addr *target,
					       enum weir_net net)
{
	(void)self, (void)target, (void)net;
	null_self.host->fail(end, ECONNREFUSED, "a null plugin");
	return NULL;
}

__attribute__((unused)) static void null_abandon(void *self, void *pending)
{
	(void)self, (void)pending;
}

__attribute__((unused)) static void *null_create(struct weir_instance *i,
						 const struct weir_host *host,
						 const void *conf,
						 struct weir_error *e)
{
	(void)conf, (void)e;
	null_self.instance = i;
	null_self.host = host;
	return &null_self;
}

__attribute__((unused)) static bool null_start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return true;
}

__attribute__((unused)) static void null_stop(void *self)
{
	(void)self;
	null_self.host->stopped(null_self.instance);
}

__attribute__((unused)) static void null_destroy(void *self)
{
	(void)self;
}

__attribute__((unused)) static const struct weir_outbound_ops null_ops = {
	.size = sizeof null_ops,
	.open = null_open,
	.abandon = null_abandon,
	.nets = WEIR_NET_TCP,
};

/* The fields of a good outbound; what is named again after it replaces. */
#define NULL_OUTBOUND(type_)                                                   \
	.size = sizeof(struct weir_component), .kind = WEIR_OUTBOUND,          \
	.type = type_, .summary = "does nothing", .ops = &null_ops,            \
	.create = null_create, .start = null_start, .stop = null_stop,         \
	.destroy = null_destroy

/* A note and a descriptor that need not agree with each other. */
#define BAD_NOTE(...)                                                          \
	__attribute__((used, section(".note.weir"),                            \
		       aligned(4))) static const struct weir_note bad_note = { \
		__VA_ARGS__}
#define BAD_ENTRY                                                              \
	__attribute__((visibility(                                             \
		"default"))) extern const struct weir_plugin WEIR_ENTRY;       \
	const struct weir_plugin WEIR_ENTRY

#endif
