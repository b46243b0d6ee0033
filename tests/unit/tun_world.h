/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tun_world.h - a device and a netstack made of counters. For one test program:
 * it holds functions. */
#ifndef WEIR_TUN_WORLD_H
#define WEIR_TUN_WORLD_H

#include <check.h>
#include <errno.h>

#include "plugins/tun/address.h"
#include "plugins/tun/tun.h"
#include "plugins/tun/upkeep.h"

#define DEVICE_FD 1000 /* nobody opens it */

/* The device, the stack, and what they saw. */
static struct world {
	struct tun_device *device;
	int waiting; /* packets in the device */
	uint32_t packet_bytes, offloads;
	int read_error; /* once none is waiting */
	int write_error;
	int reads, opened, closed, adopted, addressed;
	struct upkeep_conf upkeep;
	int told_gone; /* the upkeep, by who reads and writes */

	int buffers; /* that the stack lends */
	int lent, given, batches, packets;
	int attached, writable, rooms, puts, flushes;
	struct weir_link_conf told;
	const struct weir_link_ops *ops;
	void *link;
	struct weir_buffer buffer;
} world;

bool tun_open(struct tun_device *t, const char *name, unsigned index,
	      bool offload, struct weir_error *e)
{
	(void)index, (void)e;
	*t = (struct tun_device){.fd = DEVICE_FD,
				 .offloads = offload ? world.offloads : 0};
	snprintf(t->name, sizeof t->name, "%s", name);
	world.device = t;
	world.opened++;
	return true;
}

bool tun_adopt(struct tun_device *t, int fd, bool offload, struct weir_error *e)
{
	(void)e;
	*t = (struct tun_device){.fd = fd,
				 .name = "given0",
				 .offloads = offload ? world.offloads : 0};
	world.adopted = fd;
	return true;
}

void tun_close(struct tun_device *t)
{
	world.closed += t->fd >= 0;
	t->fd = -1;
}

int tun_read(struct tun_device *t, uint8_t *at, uint32_t ahead, uint32_t room,
	     struct weir_ingress *p)
{
	(void)t, (void)at, (void)ahead;
	world.reads++;
	if (!world.waiting)
		return world.read_error;
	world.waiting--;
	p->len = world.packet_bytes < room ? world.packet_bytes : room;
	return 0;
}

int tun_write(struct tun_device *t, const struct weir_egress *p)
{
	(void)t, (void)p;
	return world.write_error;
}

bool address_apply(const struct address_plan *plan, size_t *skipped,
		   struct weir_error *e)
{
	(void)plan, (void)e;
	*skipped = 0;
	world.addressed++;
	return true;
}

struct upkeep *upkeep_new(const struct upkeep_conf *c, struct weir_error *e)
{
	(void)e;
	world.upkeep = *c;
	return (struct upkeep *)&world;
}

void upkeep_gone(struct upkeep *u)
{
	ck_assert_ptr_eq(u, &world);
	world.told_gone++;
}

void upkeep_free(struct upkeep *u)
{
	(void)u;
}

static struct weir_link *attach(void *self, const struct weir_link_conf *conf,
				const struct weir_link_ops *ops, void *link,
				struct weir_error *e)
{
	(void)self, (void)e;
	world.attached++;
	world.told = *conf;
	world.ops = ops;
	world.link = link;
	return (struct weir_link *)&world;
}

static void detach(struct weir_link *link)
{
	(void)link;
	world.attached--;
}

static struct weir_buffer *buffer_get(void *self)
{
	(void)self;
	if (world.lent >= world.buffers)
		return NULL;
	world.lent++;
	return &world.buffer;
}

static void buffer_put(void *self, struct weir_buffer *b)
{
	(void)self, (void)b;
	world.lent--;
}

static void input(struct weir_link *link, const struct weir_ingress *v, int n)
{
	(void)link, (void)v;
	world.batches++;
	world.packets += n;
	world.given += n;
}

static void writable(struct weir_link *link)
{
	(void)link;
	world.writable++;
}

static uint8_t *room(struct weir_link *link, uint32_t bytes)
{
	static uint8_t there[65536];

	(void)link;
	ck_assert_uint_lt(bytes, sizeof there);
	if (world.rooms >= world.buffers)
		return NULL;
	world.rooms++;
	return there;
}

static void put(struct weir_link *link, uint32_t len, unsigned flags)
{
	(void)link, (void)flags;
	world.puts++;
	world.packets += len > 0;
}

static void flush(struct weir_link *link)
{
	(void)link;
	world.flushes++;
}

static const struct weir_netstack_ops stack = {
	.size = sizeof stack,
	.attach = attach,
	.detach = detach,
	.buffer_get = buffer_get,
	.buffer_put = buffer_put,
	.input = input,
	.writable = writable,
	.room = room,
	.put = put,
	.flush = flush,
};

#endif
