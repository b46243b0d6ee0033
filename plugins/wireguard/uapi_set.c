/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a table of keys, those of the device and, after
 * public_key, those of a peer. Each only adds to a description of the change,
 * so that a mistake in the last line leaves the first without effect.
 *
 * It is then applied in an order that leaves nothing half done: once the engine
 * has found it right and has the memory, the socket is changed, which can fail
 * for reasons of the system; the engine, which no longer can, comes last. */
#include <errno.h>
#include <stdlib.h>

#include "keytext.h"
#include "uapi_private.h"
#include "value.h"

#define FIRST_ROOM 16u /* of a list that grows */

static struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* ---- memory ---- */

/* Twice the room, the old one wiped; NULL: no memory. */
static void *grown(void *items, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t more = *room ? 2 * *room : FIRST_ROOM;
	void *to = calloc(more, size);

	if (!to)
		return NULL;
	if (count) {
		memcpy(to, items, count * size);
		explicit_bzero(items, count * size);
	}
	free(items);
	*room = more;
	return to;
}

static int add_peer(struct uapi_change *c, const uint8_t key[WG_KEY_BYTES])
{
	struct wg_peer_set *peers = c->peers;

	if (c->set.peer_count == UAPI_ENTRIES_MAX)
		return E2BIG;
	if (c->set.peer_count == c->peer_room) {
		peers = grown(peers, c->set.peer_count, &c->peer_room,
			      sizeof *peers);
		if (!peers)
			return ENOMEM;
		c->peers = peers;
	}
	peers += c->set.peer_count++;
	memcpy(peers->public_key, key, WG_KEY_BYTES);
	return 0;
}

static int add_allowed(struct uapi_change *c, const struct wg_allowed *a)
{
	struct wg_allowed *all = c->allowed;

	if (c->allowed_count == UAPI_PREFIXES_MAX)
		return E2BIG;
	if (c->allowed_count == c->allowed_room) {
		all = grown(all, c->allowed_count, &c->allowed_room,
			    sizeof *all);
		if (!all)
			return ENOMEM;
		c->allowed = all;
	}
	all[c->allowed_count++] = *a;
	return 0;
}

void uapi_change_clear(struct uapi_change *c)
{
	if (c->peers)
		explicit_bzero(c->peers, c->peer_room * sizeof *c->peers);
	free(c->peers);
	free(c->allowed);
	explicit_bzero(c, sizeof *c);
}

/* ---- keys of the device ---- */

static int private_key(struct uapi_change *c, const char *value)
{
	if (!key_from_hex(value, strlen(value), c->set.private_key))
		return EINVAL;
	c->set.flags |= WG_SET_PRIVATE_KEY;
	return 0;
}

static int listen_port(struct uapi_change *c, const char *value)
{
	uint32_t n;

	if (!value_number(slice_of(value), UINT16_MAX, &n))
		return EINVAL;
	c->port = (uint16_t)n;
	c->has_port = true;
	return 0;
}

static int fwmark(struct uapi_change *c, const char *value)
{
	if (!value_number(slice_of(value), UINT32_MAX, &c->mark))
		return EINVAL;
	c->has_mark = true;
	return 0;
}

static int replace_peers(struct uapi_change *c, const char *value)
{
	if (strcmp(value, "true") != 0)
		return EINVAL;
	c->set.flags |= WG_SET_REPLACE_PEERS;
	return 0;
}

static int public_key(struct uapi_change *c, const char *value)
{
	uint8_t key[WG_KEY_BYTES];

	if (!key_from_hex(value, strlen(value), key))
		return EINVAL;
	return add_peer(c, key);
}

/* ---- keys of a peer ---- */

static struct wg_peer_set *last_peer(struct uapi_change *c)
{
	return &c->peers[c->set.peer_count - 1];
}

static int set_flag(struct uapi_change *c, const char *value, uint32_t flag)
{
	if (strcmp(value, "true") != 0)
		return EINVAL;
	last_peer(c)->flags |= flag;
	return 0;
}

static int peer_remove(struct uapi_change *c, const char *value)
{
	return set_flag(c, value, WG_PEER_REMOVE);
}

static int update_only(struct uapi_change *c, const char *value)
{
	return set_flag(c, value, WG_PEER_UPDATE_ONLY);
}

/* Prefixes that this entry named before the line are dropped as well. */
static int replace_allowed(struct uapi_change *c, const char *value)
{
	struct wg_peer_set *p = last_peer(c);
	int err = set_flag(c, value, WG_PEER_REPLACE_ALLOWED);

	if (!err) {
		c->allowed_count -= p->allowed_count;
		p->allowed_count = 0;
	}
	return err;
}

static int preshared_key(struct uapi_change *c, const char *value)
{
	struct wg_peer_set *p = last_peer(c);

	if (!key_from_hex(value, strlen(value), p->psk))
		return EINVAL;
	p->flags |= WG_PEER_PSK;
	return 0;
}

static int endpoint(struct uapi_change *c, const char *value)
{
	struct wg_peer_set *p = last_peer(c);
	struct wg_endpoint e = {.scope = 0};

	if (!value_endpoint(slice_of(value), &e.addr, &e.scope, NULL))
		return EINVAL;
	value_unmap(&e.addr);
	p->endpoint = e;
	p->flags |= WG_PEER_ENDPOINT;
	return 0;
}

static int keepalive(struct uapi_change *c, const char *value)
{
	struct wg_peer_set *p = last_peer(c);
	uint32_t n;

	if (!value_number(slice_of(value), UINT16_MAX, &n))
		return EINVAL;
	p->keepalive_s = (uint16_t)n;
	p->flags |= WG_PEER_KEEPALIVE;
	return 0;
}

static int allowed_ip(struct uapi_change *c, const char *value)
{
	struct wg_allowed a = {.remove = *value == '-'};
	int err;

	value += a.remove;
	if (!strchr(value, '/') ||
	    !value_cidr(slice_of(value), false, &a.prefix))
		return EINVAL;
	err = add_allowed(c, &a);
	if (!err)
		last_peer(c)->allowed_count++;
	return err;
}

static int protocol_version(struct uapi_change *c, const char *value)
{
	(void)c;
	return strcmp(value, "1") == 0 ? 0 : EINVAL;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	bool of_peer; /* may stand after public_key only, the others before */
	int (*read)(struct uapi_change *, const char *value);
} keys[] = {
	/* The most frequent first. */
	{"allowed_ip", true, allowed_ip},
	{"preshared_key", true, preshared_key},
	{"endpoint", true, endpoint},
	{"persistent_keepalive_interval", true, keepalive},
	{"replace_allowed_ips", true, replace_allowed},
	{"update_only", true, update_only},
	{"remove", true, peer_remove},
	{"protocol_version", true, protocol_version},
	{"private_key", false, private_key},
	{"listen_port", false, listen_port},
	{"fwmark", false, fwmark},
	{"replace_peers", false, replace_peers},
};

int uapi_change_line(struct uapi_change *c, const char *key, const char *value)
{
	bool in_peer = c->set.peer_count > 0;

	if (strcmp(key, "public_key") == 0)
		return public_key(c, value);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].of_peer == in_peer &&
		    strcmp(keys[i].name, key) == 0)
			return keys[i].read(c, value);
	return EINVAL;
}

/* ---- applying ---- */

static void connect_lists(struct uapi_change *c)
{
	const struct wg_allowed *at = c->allowed;

	c->set.peers = c->peers;
	for (uint32_t i = 0; i < c->set.peer_count; i++) {
		c->peers[i].allowed = at;
		at += c->peers[i].allowed_count;
	}
}

static int refused(const struct uapi_device *d, const struct weir_error *e)
{
	int err = errno;

	if (d->ops->refused)
		d->ops->refused(d->arg, e->text);
	return err;
}

/* Is the socket to be bound anew, and to what? */
static bool rebinds(const struct uapi_change *c, const struct uapi_device *d,
		    uint16_t *port, uint32_t *mark)
{
	bool moves;

	*port = 0;
	*mark = 0;
	d->ops->socket_get(d->arg, port, mark);
	/* Port 0 always asks for a new one, whichever is bound. */
	moves = (c->has_port && (!c->port || c->port != *port)) ||
		(c->has_mark && c->mark != *mark);
	if (c->has_port)
		*port = c->port;
	if (c->has_mark)
		*mark = c->mark;
	return moves;
}

int uapi_change_apply(struct uapi_change *c, const struct uapi_device *d,
		      uint64_t now_us)
{
	struct weir_error e;
	uint16_t port;
	uint32_t mark;
	int err = 0;

	connect_lists(c);
	if (!wg_set_check(d->wg, &c->set, &e))
		return refused(d, &e);
	if (rebinds(c, d, &port, &mark))
		err = d->ops->socket_set(d->arg, port, mark);
	if (err)
		return err;
	if (!wg_set(d->wg, &c->set, now_us, &e))
		return refused(d, &e);
	if (d->ops->applied)
		d->ops->applied(d->arg);
	return 0;
}
