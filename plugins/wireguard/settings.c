/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - options and files to one description of a device.
 *
 * A configuration names its keys and peers in one place: a wg-quick file
 * (`config`) or the options of the same meaning. The schema's check reads the
 * files as well and tries the result on a device that nobody uses, so that
 * `weir check` finds what `weir run` would refuse. */
#include "settings.h"

#include <stdlib.h>
#include <weir/netstack.h>

#include "keyfile.h"
#include "reserved.h"
#include "uapi_socket.h"
#include "value.h"

#define MS_PER_S 1000

/* ---- what the options say by themselves */

const char *const wg_congestions[] = {[WEIR_CONGESTION_DEFAULT] = "default",
				      [WEIR_CONGESTION_CUBIC] = "cubic",
				      [WEIR_CONGESTION_BBR] = "bbr",
				      NULL};

static const char *given_beside_config(const struct wg_options *o)
{
	if (!key_is_zero(o->private_key))
		return "private_key";
	if (o->private_key_file)
		return "private_key_file";
	if (o->address.count)
		return "address";
	if (o->peers.count)
		return "peers";
	if (o->listen_port)
		return "listen_port";
	return NULL;
}

static bool check_sources(const struct wg_options *o, struct weir_error *e)
{
	const char *twice = given_beside_config(o);

	if (o->config)
		return !twice ||
		       weir_error(e, twice, "stands in the file of `config`");
	if (key_is_zero(o->private_key) && !o->private_key_file)
		return weir_error(e, "private_key",
				  "is missing: give private_key, "
				  "private_key_file or config");
	if (!key_is_zero(o->private_key) && o->private_key_file)
		return weir_error(e, "private_key_file",
				  "give it or private_key, not both");
	if (!o->address.count)
		return weir_error(e, "address",
				  "is missing: the addresses inside the "
				  "tunnel");
	return true;
}

/* ---- from the options to the settings */

static bool peer_convert(struct wg_peer_settings *to,
			 const struct wg_peer_options *from,
			 struct weir_error *e)
{
	to->name = from->name;
	to->level = (uint32_t)from->level;
	memcpy(to->public_key, from->public_key, WG_KEY_BYTES);
	memcpy(to->psk, from->pre_shared_key, WG_KEY_BYTES);
	to->endpoint = from->endpoint;
	to->allowed = from->allowed_ips.items;
	to->allowed_count = (uint32_t)from->allowed_ips.count;
	to->keepalive_s =
		(uint16_t)((from->keepalive_ms + MS_PER_S - 1) / MS_PER_S);
	return reserved_parse(&from->reserved, to->reserved, e);
}

static bool from_options(struct wg_settings *s, const struct wg_options *o,
			 struct weir_error *e)
{
	const struct wg_peer_options *peers = o->peers.items;

	memcpy(s->private_key, o->private_key, WG_KEY_BYTES);
	if (o->private_key_file &&
	    !keyfile_read(o->private_key_file, s->private_key, e))
		return false;
	s->address = o->address;
	s->listen_port = (uint16_t)o->listen_port;
	for (size_t i = 0; i < o->peers.count; i++)
		if (!peer_convert(&s->peers[i], &peers[i], e))
			return false;
	return true;
}

/* ---- from a wg-quick file */

struct quick_told {
	void (*warn)(void *arg, const char *line);
	void *arg;
	struct weir_error *error;
	bool failed;
};

static void quick_tell(void *arg, bool is_error, const char *line)
{
	struct quick_told *told = arg;

	if (is_error && !told->failed)
		weir_error(told->error, "config", "%.*s",
			   (int)sizeof told->error->text - 1, line);
	if (told->warn && (!is_error || told->failed))
		told->warn(told->arg, line);
	told->failed = told->failed || is_error;
}

static void from_quick(struct wg_settings *s, const struct quick *q)
{
	const struct quick_peer *peers = q->peers.items;

	memcpy(s->private_key, q->private_key, WG_KEY_BYTES);
	s->listen_port = q->listen_port;
	s->mark = q->fwmark;
	s->mtu_bytes = q->mtu_bytes;
	s->address = q->address;
	s->dns = q->dns;
	for (size_t i = 0; i < q->peers.count; i++) {
		struct wg_peer_settings *p = &s->peers[i];

		memcpy(p->public_key, peers[i].public_key, WG_KEY_BYTES);
		memcpy(p->psk, peers[i].preshared_key, WG_KEY_BYTES);
		p->endpoint = peers[i].endpoint;
		p->scope = peers[i].scope;
		p->allowed = peers[i].allowed_ips.items;
		p->allowed_count = (uint32_t)peers[i].allowed_ips.count;
		p->keepalive_s = peers[i].keepalive_s;
	}
}

static bool peers_make(struct wg_settings *s, size_t count,
		       struct weir_error *e)
{
	if (count > WG_PEERS_MAX)
		return weir_error(e, "peers",
				  "%zu are too many; the most is %u", count,
				  WG_PEERS_MAX);
	s->peers = calloc(count + 1, sizeof *s->peers);
	s->peer_count = (uint32_t)count;
	return s->peers || weir_error(e, NULL, "out of memory");
}

static bool settings_fill(struct wg_settings *s, const struct wg_options *o,
			  struct quick_told *told)
{
	struct quick_report report = {quick_tell, told};

	if (!o->config)
		return peers_make(s, o->peers.count, told->error) &&
		       from_options(s, o, told->error);
	weir_error(told->error, "config", "could not be read");
	s->quick = quick_load(o->config, o->strict, &report);
	if (!s->quick || !peers_make(s, s->quick->peers.count, told->error))
		return false;
	from_quick(s, s->quick);
	return s->address.count ||
	       weir_error(told->error, "config",
			  "the file has no Address; weir needs one");
}

static int by_key(const void *a, const void *b)
{
	const struct wg_peer_settings *x = a, *y = b;

	return memcmp(x->public_key, y->public_key, WG_KEY_BYTES);
}

struct wg_peer_settings *wg_settings_peer(const struct wg_settings *s,
					  const uint8_t key[WG_KEY_BYTES])
{
	struct wg_peer_settings wanted;

	memcpy(wanted.public_key, key, WG_KEY_BYTES);
	return bsearch(&wanted, s->peers, s->peer_count, sizeof wanted, by_key);
}

struct wg_settings *wg_settings_new(const struct wg_options *o,
				    void (*warn)(void *arg, const char *line),
				    void *arg, struct weir_error *e)
{
	struct quick_told told = {.warn = warn, .arg = arg, .error = e};
	struct wg_settings *s = calloc(1, sizeof *s);

	if (!s) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	if (!settings_fill(s, o, &told)) {
		wg_settings_free(s);
		return NULL;
	}
	if (o->mtu)
		s->mtu_bytes = (uint32_t)o->mtu;
	qsort(s->peers, s->peer_count, sizeof *s->peers, by_key);
	return s;
}

static void settings_wipe(struct wg_settings *s)
{
	struct quick *q = s->quick;
	struct quick_peer *peers = q ? q->peers.items : NULL;

	explicit_bzero(s->private_key, sizeof s->private_key);
	for (uint32_t i = 0; s->peers && i < s->peer_count; i++)
		explicit_bzero(s->peers[i].psk, WG_KEY_BYTES);
	if (!q)
		return;
	explicit_bzero(q->private_key, sizeof q->private_key);
	for (size_t i = 0; i < q->peers.count; i++)
		explicit_bzero(peers[i].preshared_key, WG_KEY_BYTES);
}

void wg_settings_free(struct wg_settings *s)
{
	if (!s)
		return;
	settings_wipe(s);
	quick_free(s->quick);
	free(s->peers);
	free(s);
}

/* ---- from the settings to a device */

static void peer_describe(struct wg_peer_set *to, struct wg_peer_settings *p,
			  struct wg_allowed *allowed)
{
	static const uint8_t none[WG_RESERVED_BYTES];

	to->name = p->name;
	to->flags = WG_PEER_PSK | WG_PEER_KEEPALIVE | WG_PEER_USER;
	to->keepalive_s = p->keepalive_s;
	memcpy(to->public_key, p->public_key, WG_KEY_BYTES);
	memcpy(to->psk, p->psk, WG_KEY_BYTES);
	if (memcmp(p->reserved, none, sizeof none) != 0) {
		to->flags |= WG_PEER_RESERVED;
		memcpy(to->reserved, p->reserved, sizeof to->reserved);
	}
	if (p->endpoint.kind == WEIR_ADDR_IP4 ||
	    p->endpoint.kind == WEIR_ADDR_IP6) {
		to->flags |= WG_PEER_ENDPOINT;
		to->endpoint.addr = p->endpoint;
		to->endpoint.scope = p->scope;
		value_unmap(&to->endpoint.addr);
	}
	for (uint32_t i = 0; i < p->allowed_count; i++)
		allowed[i].prefix = p->allowed[i];
	to->allowed = allowed;
	to->allowed_count = p->allowed_count;
	to->user = p;
}

bool wg_settings_apply(struct wg_settings *s, struct wg_device *d,
		       uint64_t now_us, struct weir_error *e)
{
	struct wg_set set = {.flags = WG_SET_PRIVATE_KEY |
				      WG_SET_REPLACE_PEERS | WG_SET_STRICT,
			     .peer_count = s->peer_count};
	size_t prefixes = 0, at = 0;
	struct wg_allowed *allowed;
	struct wg_peer_set *peers;
	bool ok = false;

	for (uint32_t i = 0; i < s->peer_count; i++)
		prefixes += s->peers[i].allowed_count;
	allowed = calloc(prefixes + 1, sizeof *allowed);
	peers = calloc(s->peer_count + 1, sizeof *peers);
	if (!allowed || !peers) {
		weir_error(e, NULL, "out of memory");
		goto out;
	}
	for (uint32_t i = 0; i < s->peer_count; i++) {
		peer_describe(&peers[i], &s->peers[i], allowed + at);
		at += s->peers[i].allowed_count;
	}
	set.peers = peers;
	memcpy(set.private_key, s->private_key, WG_KEY_BYTES);
	ok = wg_set(d, &set, now_us, e);
out:
	explicit_bzero(&set, sizeof set);
	if (peers)
		explicit_bzero(peers, s->peer_count * sizeof *peers);
	free(peers);
	free(allowed);
	settings_wipe(s);
	return ok;
}

/* Options are read-only but for secrets that were read; see weir/option.h. */
static void wipe(const uint8_t key[WG_KEY_BYTES])
{
	explicit_bzero((void *)(uintptr_t)key, WG_KEY_BYTES);
}

void wg_options_forget(const struct wg_options *o)
{
	const struct wg_peer_options *peers = o->peers.items;

	wipe(o->private_key);
	for (size_t i = 0; i < o->peers.count; i++)
		wipe(peers[i].pre_shared_key);
}

/* ---- a trial without consequences */

static void trial_event(void *arg, struct wg_peer *peer, enum wg_event event)
{
	(void)arg;
	(void)peer;
	(void)event;
}

static void trial_wake(void *arg, uint64_t at_us)
{
	(void)arg;
	(void)at_us;
}

static void trial_ignore(void *arg)
{
	(void)arg;
}

/* The device is never up: nothing else is called. */
static const struct wg_ops trial_ops = {
	.flush_later = trial_ignore,
	.wake_at = trial_wake,
	.event = trial_event,
	.passed_on = trial_ignore,
};

bool wg_options_check(const struct wg_options *o, struct weir_error *e)
{
	struct wg_conf conf = {.ops = &trial_ops, .mtu_bytes = WG_MTU_PRESET};
	struct wg_settings *s;
	struct wg_device *d;
	bool ok;

	if (!check_sources(o, e) ||
	    (o->interface && !uapi_name_check(o->interface, e)))
		return false;
	s = wg_settings_new(o, NULL, NULL, e);
	if (!s)
		return false;
	d = wg_new(&conf);
	ok = d ? wg_settings_apply(s, d, 0, e)
	       : weir_error(e, NULL, "the crypto library does not start");
	if (d)
		wg_free(d);
	wg_settings_free(s);
	return ok;
}
