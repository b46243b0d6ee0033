/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel_ops.c - what the engine, the sockets and wg ask of a tunnel.
 *
 * Opened packets are written straight into room that the stack lends. The
 * engine has checked their tags, so whatever checksum they carry was already
 * vouched for by the peer: the stack does not add it up again. */
#include "tunnel_ops.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>

#include "endpoint.h"
#include "keytext.h"
#include "network.h"
#include "path.h"

/* ---- the engine */

static uint8_t *engine_room(void *arg, uint32_t bytes)
{
	struct tunnel *t = arg;

	if (t->lent)
		t->stack->put(t->link, 0, 0);
	t->lent = t->stack->room(t->link, bytes);
	return t->lent;
}

static void engine_put(void *arg, struct wg_peer *peer, uint32_t len)
{
	struct tunnel *t = arg;
	const struct tunnel_conf *c = &t->conf;

	(void)peer;
	if (c->admit && !c->admit(c->owner, t->lent, len))
		len = 0;
	t->lent = NULL;
	t->stack->put(t->link, len, WEIR_CSUM_VALID);
}

static struct wg_sent engine_send(void *arg, struct wg_peer *peer,
				  const struct wg_endpoint *to, uint8_t *data,
				  uint32_t len, uint16_t segment, uint8_t tos)
{
	struct tunnel *t = arg;

	t->to_stranger = !peer;
	if (t->udp)
		return wg_udp_send(t->udp, to, data, len, segment, tos);
	if (!t->conf.wire->send(t->conf.wire_self, to, data, len, segment, tos))
		len = 0;
	return (struct wg_sent){len, len};
}

static void engine_flush_later(void *arg)
{
	struct tunnel *t = arg;

	t->conf.host->defer(t->conf.instance, &t->flush);
}

static void engine_wake_at(void *arg, uint64_t at_us)
{
	struct tunnel *t = arg;
	uint64_t now_us = t->conf.host->now_us();

	t->conf.host->timer_set(t->timer, at_us > now_us ? at_us - now_us : 0);
}

/* On a worker's thread. */
static void engine_collect_later(void *arg)
{
	struct tunnel *t = arg;

	eventfd_write(t->done_fd, 1);
}

static void engine_wall(void *arg, struct timespec *now)
{
	(void)arg;
	clock_gettime(CLOCK_REALTIME, now);
}

/* ---- what the log says of a peer */

const char *tunnel_peer_label(const struct wg_peer *p,
			      char text[PEER_LABEL_BYTES])
{
	const struct wg_peer_settings *s = wg_peer_user(p);

	if (s && s->name)
		snprintf(text, PEER_LABEL_BYTES, "%s", s->name);
	else
		key_to_base64(wg_peer_key(p), text);
	return text;
}

WEIR_PRINTF(4, 5)
static void peer_log(struct tunnel *t, enum weir_level level,
		     const struct wg_peer *p, const char *fmt, ...)
{
	char label[PEER_LABEL_BYTES], text[256];
	va_list args;

	if (!t->conf.host->log_on(t->conf.instance, level))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	t->conf.host->log(t->conf.instance, level, "peer %s: %s",
			  tunnel_peer_label(p, label), text);
}

static void log_where(struct tunnel *t, enum weir_level level,
		      const struct wg_peer *p, const char *what)
{
	struct wg_peer_info info;
	char at[WEIR_ADDR_TEXT];

	if (!t->conf.host->log_on(t->conf.instance, level))
		return;
	wg_peer_get(p, &info);
	peer_log(t, level, p, "%s %s", what,
		 weir_addr_text(&info.endpoint.addr, at));
}

/* wg setconf removes every peer and adds those of its file. A peer that weir's
 * configuration has too gets back its name, level and the like: wg knows
 * nothing of them. */
static void peer_recognise(struct tunnel *t, struct wg_peer *p)
{
	struct wg_peer_settings *s;

	if (wg_peer_user(p))
		return;
	s = wg_settings_peer(t->conf.settings, wg_peer_key(p));
	if (s)
		wg_peer_set_user(p, s, s->reserved);
}

static void engine_event(void *arg, struct wg_peer *p, enum wg_event event)
{
	struct tunnel *t = arg;

	switch (event) {
	case WG_EVENT_START:
		endpoint_wanted(t->endpoints, p, false);
		break;
	case WG_EVENT_RETRY:
		peer_log(t, WEIR_DEBUG, p, "no answer, trying again");
		endpoint_wanted(t->endpoints, p, true);
		break;
	case WG_EVENT_GAVE_UP:
		++*t->silences;
		peer_log(t, WEIR_WARN, p,
			 "silent: no handshake in 90 s; new traffic tries "
			 "again");
		break;
	case WG_EVENT_HANDSHAKE:
		++*t->handshakes;
		log_where(t, WEIR_INFO, p, "handshake with");
		break;
	case WG_EVENT_ENDPOINT:
		log_where(t, WEIR_INFO, p, "is now at");
		break;
	case WG_EVENT_ADDED:
		peer_recognise(t, p);
		break;
	case WG_EVENT_REMOVED:
		endpoint_forget(t->endpoints, p);
		break;
	}
}

/* Only sessions that came in have a holder. What we opened goes where it is
 * routed, on to another peer if that has got the address. */
static void engine_passed_on(void *arg)
{
	struct tunnel *t = arg;

	if (t->link && WEIR_HAS(t->stack, recheck) && t->stack->recheck)
		t->stack->recheck(t->link);
}

const struct wg_ops tunnel_engine_ops = {
	.room = engine_room,
	.put = engine_put,
	.send = engine_send,
	.flush_later = engine_flush_later,
	.wake_at = engine_wake_at,
	.collect_later = engine_collect_later,
	.wall = engine_wall,
	.event = engine_event,
	.passed_on = engine_passed_on,
};

const char *tunnel_drop_counter(int drop)
{
	static const char *const names[WG_DROPS] = {
		[WG_DROP_MALFORMED] = "dropped_malformed",
		[WG_DROP_RESERVED] = "dropped_reserved",
		[WG_DROP_MAC1] = "dropped_mac1",
		[WG_DROP_QUEUE] = "dropped_queue",
		[WG_DROP_COOKIE] = "dropped_cookie",
		[WG_DROP_RATE] = "dropped_rate",
		[WG_DROP_HANDSHAKE] = "dropped_handshake",
		[WG_DROP_REPLAYED] = "dropped_replayed",
		[WG_DROP_EARLY] = "dropped_early",
		[WG_DROP_INDEX] = "dropped_index",
		[WG_DROP_KEY_OLD] = "dropped_key_old",
		[WG_DROP_AUTH] = "dropped_auth",
		[WG_DROP_WINDOW] = "dropped_window",
		[WG_DROP_INNER] = "dropped_inner",
		[WG_DROP_SOURCE] = "dropped_source",
		[WG_DROP_ECN] = "dropped_ecn",
		[WG_DROP_NO_ROOM] = "dropped_no_room",
		[WG_DROP_PACKET] = "dropped_packet",
		[WG_DROP_NO_PEER] = "dropped_no_peer",
		[WG_DROP_STAGED] = "dropped_staged",
		[WG_DROP_GAVE_UP] = "dropped_gave_up",
		[WG_DROP_NO_ENDPOINT] = "dropped_no_endpoint",
		[WG_DROP_FULL] = "dropped_full",
	};

	return names[drop];
}

/* ---- the sockets */

static void udp_receive(void *arg, const struct wg_datagrams *v, int n)
{
	tunnel_receive(arg, v, n);
}

static bool udp_may_receive(void *arg)
{
	const struct tunnel *t = arg;

	return wg_may_receive(t->device);
}

static void udp_writable(void *arg)
{
	struct tunnel *t = arg;

	tunnel_writable(t);
}

/* Does a new socket mend it? One that is gone (EBADF), or is bound to a device
 * (ENODEV, ENXIO, ENETDOWN) or an address (EADDRNOTAVAIL) that came back as
 * another. Not what one peer's address alone may bring about, as EINVAL and
 * ENETUNREACH: all the others would pay for it. */
static bool needs_new_socket(int err)
{
	return err == EBADF || err == ENODEV || err == ENXIO ||
	       err == ENETDOWN || err == EADDRNOTAVAIL;
}

static void udp_failed(void *arg, const struct wg_endpoint *to, int err)
{
	struct tunnel *t = arg;
	char text[WEIR_ADDR_TEXT];

	if (t->conf.host->log_on(t->conf.instance, WEIR_DEBUG))
		t->conf.host->log(
			t->conf.instance, WEIR_DEBUG, "cannot send to %s: %s",
			weir_addr_text(&to->addr, text), strerror(err));
	/* A stranger's address is no reason: anyone can have a cookie reply
	 * sent anywhere. */
	if (!t->to_stranger && needs_new_socket(err))
		network_trouble(t->network);
}

const struct wg_udp_ops tunnel_udp_ops = {
	.receive = udp_receive,
	.may_receive = udp_may_receive,
	.writable = udp_writable,
	.failed = udp_failed,
};

int tunnel_wire_open(struct tunnel *t)
{
	if (!t->udp)
		return t->conf.wire->open(t->conf.wire_self);
	return wg_udp_open(t->udp, &t->conf.listen, t->port, t->mark);
}

void tunnel_wire_close(struct tunnel *t)
{
	if (t->udp)
		wg_udp_close(t->udp);
	else
		t->conf.wire->close(t->conf.wire_self);
}

/* A session goes on where the way to the peer has stayed what it was; elsewhere
 * only an answer shows that the peer is still reached. Who sleeps is not woken:
 * its own next packet tells the peer. */
static void refresh_peer(struct tunnel *t, struct wg_peer *p, uint64_t now_us)
{
	struct wg_peer_info info;
	bool stays;

	wg_peer_get(p, &info);
	if (info.endpoint.addr.kind == WEIR_ADDR_NONE)
		return;
	stays = info.endpoint.local.kind != WEIR_ADDR_NONE &&
		path_leads(t, &info.endpoint);
	if (!stays)
		wg_peer_clear_source(p);
	if (!wg_peer_is_awake(p, now_us))
		return;
	endpoint_refresh(t->endpoints, p, stays);
	if (stays)
		wg_peer_greet(p, now_us);
	else
		wg_peer_connect(p, true, now_us);
}

static void refresh_peers(struct tunnel *t)
{
	uint64_t now_us = t->conf.host->now_us();
	struct wg_peer *p = NULL;

	while ((p = wg_peer_next(t->device, p)))
		refresh_peer(t, p, now_us);
}

/* 0 or an errno. Who waited for room in a socket that is gone must look at the
 * new one. */
static int sockets_reopen(struct tunnel *t, uint16_t port, uint32_t mark)
{
	int err = wg_udp_open(t->udp, &t->conf.listen, port, mark);

	t->conf.host->defer(t->conf.instance, &t->flush);
	return err;
}

void tunnel_refresh(struct tunnel *t, bool rebind)
{
	int err = 0;

	if (!t->up)
		return;
	/* Opening the sockets may have failed for want of what is there now. */
	if (rebind || (t->udp && !wg_udp_port(t->udp))) {
		uint16_t port = t->udp ? wg_udp_port(t->udp) : 0;

		tunnel_wire_close(t);
		if (t->udp)
			err = sockets_reopen(t, port ? port : t->port, t->mark);
		else
			err = tunnel_wire_open(t);
	}
	if (err)
		t->conf.host->log(t->conf.instance, WEIR_WARN,
				  "cannot open sockets again: %s",
				  strerror(err));
	t->conf.host->log(t->conf.instance, WEIR_DEBUG,
			  "the network has changed");
	refresh_peers(t);
}

bool tunnel_uses_link(const struct tunnel *t, uint32_t interface)
{
	const struct wg_peer *p = NULL;
	struct wg_peer_info info;

	while ((p = wg_peer_next(t->device, p))) {
		wg_peer_get(p, &info);
		if (info.endpoint.scope == interface)
			return true;
	}
	return false;
}

/* ---- wg */

static void uapi_socket_get(void *arg, uint16_t *port, uint32_t *mark)
{
	const struct tunnel *t = arg;

	*port = t->udp && t->up ? wg_udp_port(t->udp) : t->port;
	*mark = t->mark;
}

/* Packets with another mark may leave by another interface than the one a peer
 * was heard on, so forget that one. */
static void sources_clear(struct tunnel *t)
{
	struct wg_peer *p = NULL;

	while ((p = wg_peer_next(t->device, p)))
		wg_peer_clear_source(p);
}

static int uapi_socket_set(void *arg, uint16_t port, uint32_t mark)
{
	struct tunnel *t = arg;
	uint16_t former = t->udp ? wg_udp_port(t->udp) : 0;
	int err = 0;

	if (t->up && t->udp) {
		err = sockets_reopen(t, port, mark);
		if (err)
			sockets_reopen(t, former, t->mark);
	}
	if (err)
		return err;
	if (mark != t->mark)
		sources_clear(t);
	t->port = port;
	t->mark = mark;
	return 0;
}

static void uapi_refused(void *arg, const char *why)
{
	struct tunnel *t = arg;

	t->conf.host->log(t->conf.instance, WEIR_WARN, "wg: refused: %s", why);
}

const struct uapi_ops tunnel_uapi_ops = {
	.socket_get = uapi_socket_get,
	.socket_set = uapi_socket_set,
	.refused = uapi_refused,
};
