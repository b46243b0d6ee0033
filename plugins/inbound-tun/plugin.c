/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbound-tun: packets of a TUN device become sessions.
 *
 * Theory of operation: start() makes or adopts the device and attaches it as a
 * link of the netstack. What it receives (receive.c) comes back as sessions
 * through the link's ops and goes on to the core. A device that was deleted is
 * made again under the same link, so its sessions go on; one that was handed in
 * is told once, from a timer, since the news can come in the middle of the
 * netstack's work. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <weir/plugin.h>

#include "receive.h"

#define FD_VARIABLE "WEIR_TUN_FD"
#define DEFAULT_NAME "weir0"
#define TELL_DOWN_US 200000

static void device_forget(struct tun *t)
{
	t->gone = true;
	t->host->watch_free(t->watch);
	t->watch = NULL;
}

void tun_gone(struct tun *t)
{
	if (t->gone)
		return;
	device_forget(t);
	if (t->upkeep)
		upkeep_gone(t->upkeep);
	else
		t->host->timer_set(t->later, 0);
}

static bool tun_watch(struct tun *t)
{
	t->watch = t->host->watch_new(t->instance, t->device.fd,
				      WEIR_READABLE | WEIR_LEVEL_TRIGGERED,
				      tun_ready, t);
	return t->watch;
}

static void tun_later(void *arg)
{
	struct tun *t = arg;
	char why[IFNAMSIZ + 64];

	if (!t->gone) {
		if (!t->watch && !tun_watch(t)) /* for want of memory */
			t->host->timer_set(t->later, t->pause_us);
		t->stack->writable(t->link);
		return;
	}
	if (t->upkeep)
		return;
	snprintf(why, sizeof why, "the interface %s was removed",
		 t->device.name);
	t->host->lost(t->instance, why);
}

static size_t egress_bytes(const struct weir_egress *p)
{
	size_t bytes = 0;

	for (int i = 0; i < p->views; i++)
		bytes += p->view[i].iov_len;
	return bytes;
}

/* A link that is down loses packets, as a wire does; the log says so once. A
 * device that is being removed goes down first: wait a moment to see whether it
 * is. */
static void tell_down(void *arg)
{
	struct tun *t = arg;

	if (t->gone || !t->down)
		return;
	t->down_told = true;
	t->host->log(t->instance, WEIR_WARN,
		     "%s is down: packets to it are dropped", t->device.name);
}

static void note_state(struct tun *t, bool down)
{
	if (t->down == down)
		return;
	t->down = down;
	if (down && !t->down_told) {
		t->host->timer_set(t->telling, TELL_DOWN_US);
	} else if (!down && t->down_told) {
		t->down_told = false;
		t->host->log(t->instance, WEIR_INFO, "%s is up again",
			     t->device.name);
	}
}

static int tun_output(void *link, const struct weir_egress *v, int n)
{
	struct tun *t = link;

	for (int i = 0; i < n; i++) {
		int err = t->gone ? EBADFD : tun_write(&t->device, &v[i]);

		if (err == EAGAIN) {
			t->host->timer_set(t->later, PAUSE_LEAST_US);
			return i;
		}
		if (!err) {
			note_state(t, false);
			++*t->packets_out;
			*t->bytes_out += egress_bytes(&v[i]);
			continue;
		}
		++*t->dropped_out;
		if (err == EBADFD)
			tun_gone(t);
		else if (err == EIO)
			note_state(t, true);
	}
	return n;
}

static struct weir_end *tun_accept_stream(void *link,
					  struct weir_session_info *info,
					  const struct weir_stream_ops *ops,
					  void *s)
{
	struct tun *t = link;

	return t->host->accept_stream(t->instance, info, ops, s);
}

static struct weir_end *tun_accept_flow(void *link,
					struct weir_session_info *info,
					const struct weir_flow_ops *ops,
					void *f)
{
	struct tun *t = link;

	return t->host->accept_flow(t->instance, info, ops, f);
}

static const struct weir_link_ops tun_link_ops = {
	.size = sizeof tun_link_ops,
	.output = tun_output,
	.accept_stream = tun_accept_stream,
	.accept_flow = tun_accept_flow,
};

/* The fd to adopt, -1 where there is none, -2 with an error. The variable
 * serves one inbound. */
static int fd_handed(struct tun *t, struct weir_error *e)
{
	const char *text = getenv(FD_VARIABLE);
	char *end;
	long fd;

	if (t->conf->fd >= 0)
		return (int)t->conf->fd;
	if (!text)
		return -1;
	errno = 0;
	fd = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || fd > INT_MAX) {
		weir_error(e, NULL,
			   FD_VARIABLE "=%s: must be the number of an "
				       "open file",
			   text);
		return -2;
	}
	unsetenv(FD_VARIABLE);
	return (int)fd;
}

static struct address_plan addresses_of(const struct tun *t)
{
	return (struct address_plan){
		.name = t->device.name,
		.mtu_bytes = (uint32_t)t->conf->mtu,
		.addresses = t->conf->address.items,
		.count = t->conf->address.count,
	};
}

static bool device_make(struct tun *t, const char *name, struct weir_error *e)
{
	struct address_plan plan;
	size_t skipped;

	if (!tun_open(&t->device, name, 0, t->conf->offload, e))
		return false;
	plan = addresses_of(t);
	if (!address_apply(&plan, &skipped, e))
		return false;
	if (skipped)
		t->host->log(t->instance, WEIR_WARN,
			     "%s: IPv6 is switched off here; its IPv6 "
			     "addresses were left out",
			     t->device.name);
	return true;
}

/* The stack knows the link by what the old device could do. */
static bool device_remake(void *arg, struct weir_error *e)
{
	struct tun *t = arg;
	uint32_t offloads = t->device.offloads;
	char name[IFNAMSIZ];

	device_forget(t);
	memcpy(name, t->device.name, sizeof name);
	tun_close(&t->device);
	if (!device_make(t, name, e) ||
	    (t->device.offloads != offloads &&
	     !weir_error(e, NULL, "its offloads are others now"))) {
		tun_close(&t->device);
		return false;
	}
	t->gone = t->down = t->down_told = false;
	t->host->timer_set(t->later, 0);
	return true;
}

static void device_lost(void *arg, const char *why)
{
	struct tun *t = arg;

	t->host->lost(t->instance, why);
}

static bool upkeep_start(struct tun *t, struct weir_error *e)
{
	const struct upkeep_conf conf = {
		.instance = t->instance,
		.host = t->host,
		.device = &t->device,
		.addresses = addresses_of(t),
		.remake = device_remake,
		.lost = device_lost,
		.arg = t,
	};

	t->upkeep = upkeep_new(&conf, e);
	return t->upkeep;
}

static bool device_get(struct tun *t, struct weir_error *e)
{
	const char *name = t->conf->name ? t->conf->name : DEFAULT_NAME;
	int fd = fd_handed(t, e);

	if (fd == -1)
		return device_make(t, name, e) && upkeep_start(t, e);
	if (fd < 0 || !tun_adopt(&t->device, fd, t->conf->offload, e))
		return false;
	t->host->log(t->instance, WEIR_DEBUG,
		     "%s was handed in as fd %d: its link, addresses and "
		     "routes are left alone",
		     t->device.name, fd);
	return true;
}

/* The device's addresses are the kernel's side of the link, the clients' own:
 * an ICMP error from one of them would be dropped as forged. The stack is given
 * none and speaks as the destination. */
static bool link_attach(struct tun *t, struct weir_error *e)
{
	struct weir_link_conf conf = {
		.size = sizeof conf,
		.mtu_bytes = (uint32_t)t->conf->mtu,
		.offloads = t->device.offloads,
		.congestion = (uint32_t)t->conf->congestion,
	};

	t->stack = t->host->service(t->instance, "netstack", 1, &t->stack_self);
	if (!t->stack)
		return weir_error(e, NULL, "the service netstack/1 is missing");
	t->link = t->stack->attach(t->stack_self, &conf, &tun_link_ops, t, e);
	return t->link;
}

static void tun_release(struct tun *t)
{
	upkeep_free(t->upkeep);
	t->upkeep = NULL;
	t->host->watch_free(t->watch);
	t->host->timer_free(t->later);
	t->host->timer_free(t->telling);
	t->watch = NULL;
	t->later = t->telling = NULL;
	if (t->link)
		t->stack->detach(t->link);
	t->link = NULL;
	if (t->spare)
		t->stack->buffer_put(t->stack_self, t->spare);
	t->spare = NULL;
	tun_close(&t->device);
}

static bool tun_start(void *self, struct weir_error *e)
{
	struct tun *t = self;

	t->later = t->host->timer_new(t->instance, tun_later, t);
	t->telling = t->host->timer_new(t->instance, tell_down, t);
	if (!device_get(t, e) || !link_attach(t, e))
		goto fail;
	if (!tun_watch(t)) {
		weir_error(e, NULL, "cannot watch %s: %s", t->device.name,
			   strerror(errno));
		goto fail;
	}
	t->host->log(t->instance, WEIR_INFO, "%s: MTU %d, offloads:%s%s%s%s",
		     t->device.name, (int)t->conf->mtu,
		     t->device.offloads & WEIR_LINK_CSUM ? " checksum" : "",
		     t->device.offloads & WEIR_LINK_TSO ? " TCP" : "",
		     t->device.offloads & WEIR_LINK_USO ? " UDP" : "",
		     t->device.offloads ? "" : " none");
	return true;
fail:
	tun_release(t);
	return false;
}

static void *tun_create(struct weir_instance *instance,
			const struct weir_host *host, const void *conf,
			struct weir_error *e)
{
	struct tun *t = calloc(1, sizeof *t);

	if (!t) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	t->instance = instance;
	t->host = host;
	t->conf = conf;
	t->device.fd = -1;
	t->pause_us = PAUSE_LEAST_US;
	t->packets_in = host->counter(instance, "packets_in");
	t->bytes_in = host->counter(instance, "bytes_in");
	t->packets_out = host->counter(instance, "packets_out");
	t->bytes_out = host->counter(instance, "bytes_out");
	t->dropped_in = host->counter(instance, "dropped_in");
	t->dropped_out = host->counter(instance, "dropped_out");
	return t;
}

static void tun_stop(void *self)
{
	struct tun *t = self;

	tun_release(t);
	t->host->stopped(t->instance);
}

static void tun_destroy(void *self)
{
	free(self);
}

static const struct weir_component tun_component = {
	.size = sizeof tun_component,
	.kind = WEIR_INBOUND,
	.type = "tun",
	.summary = "Takes the packets of a TUN device",
	.schema = &tun_schema,
	.create = tun_create,
	.start = tun_start,
	.stop = tun_stop,
	.destroy = tun_destroy,
};

WEIR_PLUGIN("inbound-tun", "1.0", "GPL-2.0-or-later", "netstack/1",
	    &tun_component);
