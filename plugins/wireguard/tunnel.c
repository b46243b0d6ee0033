/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel.c - the life of a tunnel, and its link.
 *
 * Packets out of the stack go to the engine at once, which seals them into
 * trains; the trains leave at the end of the turn, or when they are full. While
 * the wire is full the engine takes nothing, so the link says so to the stack,
 * and tells it when there is room again. */
#include "tunnel.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "endpoint.h"
#include "network.h"
#include "sleep.h"
#include "tunnel_ops.h"
#include "uapi_socket.h"

#define TRIM_US 10000000ull /* a burst's memory is kept for the next one */

static int link_output(void *link, const struct weir_egress *v, int n)
{
	struct tunnel *t = link;
	int taken;

	if (!t->up)
		return 0;
	taken = wg_send(t->device, v, n, t->conf.host->now_us());
	t->behind = t->behind || taken < n;
	return taken;
}

static struct weir_end *link_accept_stream(void *link,
					   struct weir_session_info *info,
					   const struct weir_stream_ops *ops,
					   void *s)
{
	struct tunnel *t = link;

	return t->conf.accept_stream(t->conf.owner, info, ops, s);
}

static struct weir_end *link_accept_flow(void *link,
					 struct weir_session_info *info,
					 const struct weir_flow_ops *ops,
					 void *f)
{
	struct tunnel *t = link;

	return t->conf.accept_flow(t->conf.owner, info, ops, f);
}

/* A peer is its key, whatever becomes of its entry; nobody can make two that
 * begin with the same 64 bits. */
static uint64_t link_holder(void *link, const struct weir_addr *client)
{
	const struct tunnel *t = link;
	const struct wg_peer *p = wg_peer_of(t->device, client);
	uint64_t number = 0;

	if (p)
		memcpy(&number, wg_peer_key(p), sizeof number);
	return number;
}

static const struct weir_link_ops link_ops = {
	.size = sizeof link_ops,
	.output = link_output,
	.accept_stream = link_accept_stream,
	.accept_flow = link_accept_flow,
	.holder = link_holder,
};

static bool link_attach(struct tunnel *t, struct weir_error *e)
{
	const struct tunnel_conf *c = &t->conf;
	struct weir_link_conf conf = {
		.size = sizeof conf,
		.mtu_bytes = c->mtu_bytes,
		.offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO | WEIR_LINK_USO,
		.addresses = c->settings->address.items,
		.address_count = (uint32_t)c->settings->address.count,
		.keepalive = c->keepalive,
		.congestion = c->congestion,
	};

	t->stack = c->stack;
	t->stack_self = c->stack_self;
	if (!t->stack)
		t->stack = c->host->service(c->instance, "netstack", 1,
					    &t->stack_self);
	if (!t->stack || !WEIR_HAS(t->stack, flush))
		return weir_error(e, NULL,
				  "the service netstack/1 is missing or older "
				  "than this plugin");
	t->link = t->stack->attach(t->stack_self, &conf, &link_ops, t, e);
	return t->link;
}

static void flush_run(struct weir_task *task)
{
	struct tunnel *t = (struct tunnel *)((char *)task -
					     offsetof(struct tunnel, flush));

	if (t->up)
		tunnel_writable(t);
}

static void timer_fire(void *arg)
{
	struct tunnel *t = arg;

	wg_expire(t->device, t->conf.host->now_us());
	tunnel_count(t);
}

/* The engine counts for itself; the core reads counters of the host's. */
void tunnel_count(struct tunnel *t)
{
	const uint64_t *drops = wg_drops(t->device);

	for (int i = 0; i < WG_DROPS; i++)
		*t->drops[i] = drops[i];
	*t->sources_full = wg_sources_full(t->device);
}

static void trim_fire(void *arg)
{
	struct tunnel *t = arg;

	t->trimming = false;
	wg_trim(t->device);
	if (t->udp)
		wg_udp_trim(t->udp);
}

/* After activity: some time later, give back the memory that it needed. */
static void trim_later(struct tunnel *t)
{
	if (t->trimming)
		return;
	t->trimming = true;
	t->conf.host->timer_set(t->trim, TRIM_US);
}

void tunnel_writable(struct tunnel *t)
{
	bool room = wg_flush(t->device, t->conf.host->now_us());

	trim_later(t);
	tunnel_count(t);
	if (!room || !t->behind)
		return;
	t->behind = false;
	t->stack->writable(t->link);
}

/* The engine has handed on what it could. */
static void received(struct tunnel *t)
{
	if (t->lent)
		t->stack->put(t->link, 0, 0);
	t->lent = NULL;
	t->stack->flush(t->link);
}

void tunnel_receive(struct tunnel *t, const struct wg_datagrams *v, int n)
{
	wg_receive(t->device, v, n, t->conf.host->now_us());
	received(t);
	trim_later(t);
	tunnel_count(t);
}

/* Workers have sealed or opened something. */
static void done_ready(void *arg, unsigned events)
{
	struct tunnel *t = arg;
	eventfd_t times;

	(void)events;
	eventfd_read(t->done_fd, &times);
	wg_collect(t->device, t->conf.host->now_us());
	if (!t->up)
		return;
	received(t);
	tunnel_writable(t);
	if (t->udp)
		wg_udp_read_on(t->udp);
}

int tunnel_up(struct tunnel *t)
{
	int err;

	if (t->up)
		return 0;
	err = tunnel_wire_open(t);
	if (err)
		return err;
	t->up = true;
	wg_up(t->device, t->conf.host->now_us());
	network_watch(t->network);
	t->sleep = sleep_watch_new(t);
	return 0;
}

/* A port that we may not have is EACCES. */
const char *tunnel_up_error(const struct tunnel *t, int err)
{
	return err == EPERM && t->mark ? "FwMark takes CAP_NET_ADMIN"
				       : strerror(err);
}

static bool tunnel_listen(struct tunnel *t, struct weir_error *e)
{
	struct uapi_socket_conf conf = {
		.host = t->conf.host,
		.instance = t->conf.instance,
		.folder = UAPI_FOLDER,
		.name = t->conf.interface,
		.device = {t->device, &tunnel_uapi_ops, t},
	};

	if (!conf.name)
		return true;
	t->uapi = uapi_socket_open(&conf, e);
	return t->uapi;
}

bool tunnel_start(struct tunnel *t, struct weir_error *e)
{
	if (link_attach(t, e) && tunnel_listen(t, e))
		return true;
	tunnel_stop(t);
	return false;
}

void tunnel_stop(struct tunnel *t)
{
	uapi_socket_close(t->uapi);
	t->uapi = NULL;
	network_unwatch(t->network);
	sleep_watch_free(t->sleep);
	t->sleep = NULL;
	endpoints_forget(t->endpoints);
	if (t->link)
		t->stack->detach(t->link);
	t->link = NULL;
	if (t->up) {
		wg_flush(t->device, t->conf.host->now_us());
		wg_down(t->device);
		t->up = false;
		tunnel_wire_close(t);
	}
}

static bool workers_hear(struct tunnel *t, struct weir_error *e)
{
	if (!t->conf.workers)
		return true;
	t->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->done_fd >= 0)
		t->done = t->conf.host->watch_new(t->conf.instance, t->done_fd,
						  WEIR_READABLE, done_ready, t);
	return t->done || weir_error(e, "workers", "%s", strerror(errno));
}

static void library_tell(const struct tunnel *t)
{
	bool replaced;
	const char *name = wg_aead(t->device, &replaced);

	if (replaced)
		t->conf.host->log(t->conf.instance, WEIR_WARN,
				  "none of the faster libraries may do "
				  "ChaCha20-Poly1305 here; %s does",
				  name);
	else
		t->conf.host->log(t->conf.instance, WEIR_DEBUG,
				  "ChaCha20-Poly1305 by %s", name);
}

static bool device_make(struct tunnel *t, struct weir_error *e)
{
	struct wg_conf conf = {.ops = &tunnel_engine_ops,
			       .arg = t,
			       .mtu_bytes = t->conf.mtu_bytes,
			       .workers = t->conf.workers};

	t->device = wg_new(&conf);
	if (t->device) {
		library_tell(t);
		return true;
	}
	if (errno == EAGAIN)
		return weir_error(e, "workers",
				  "%u more threads cannot be started",
				  t->conf.workers);
	return weir_error(e, NULL,
			  errno == ENOMEM
				  ? "out of memory"
				  : "the crypto library does not start");
}

static bool parts_make(struct tunnel *t, struct weir_error *e)
{
	const struct weir_host *host = t->conf.host;

	t->timer = host->timer_new(t->conf.instance, timer_fire, t);
	t->trim = host->timer_new(t->conf.instance, trim_fire, t);
	t->endpoints = endpoints_new(t);
	t->network = network_new(t);
	if (!t->conf.wire)
		t->udp = wg_udp_new(t->conf.instance, host, &tunnel_udp_ops, t);
	if (!t->timer || !t->trim || !t->endpoints || !t->network ||
	    (!t->udp && !t->conf.wire))
		return weir_error(e, NULL, "out of memory");
	return workers_hear(t, e) && device_make(t, e);
}

bool tunnel_init(struct tunnel *t, const struct tunnel_conf *conf,
		 struct weir_error *e)
{
	const struct weir_host *host = conf->host;

	memset(t, 0, sizeof *t);
	t->conf = *conf;
	t->flush.run = flush_run;
	t->done_fd = -1;
	t->port = conf->settings->listen_port;
	t->mark = conf->settings->mark;
	for (int i = 0; i < WG_DROPS; i++)
		t->drops[i] =
			host->counter(conf->instance, tunnel_drop_counter(i));
	t->handshakes = host->counter(conf->instance, "handshakes");
	t->sources_full =
		host->counter(conf->instance, "handshake_sources_full");
	t->silences = host->counter(conf->instance, "silences");
	if (parts_make(t, e) &&
	    wg_settings_apply(conf->settings, t->device, host->now_us(), e))
		return true;
	tunnel_fini(t);
	return false;
}

void tunnel_fini(struct tunnel *t)
{
	if (t->device)
		wg_free(t->device);
	if (t->done)
		t->conf.host->watch_free(t->done);
	if (t->done_fd >= 0)
		close(t->done_fd);
	wg_udp_free(t->udp);
	network_free(t->network);
	endpoints_free(t->endpoints);
	if (t->timer)
		t->conf.host->timer_free(t->timer);
	if (t->trim)
		t->conf.host->timer_free(t->trim);
	wg_settings_free(t->conf.settings);
}
