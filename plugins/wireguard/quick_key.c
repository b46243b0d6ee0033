/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a table of the keys that wg-quick and wg know, each
 * with its section, how often it may stand there, who reads its value and what
 * is told where that fails. A key that may be repeated takes a list with
 * commas, and is read an item a call. */
#include <stdlib.h>

#include "quick_reading.h"

#define PORT_MAX 65535u
#define SHOWN_BYTES 60 /* of a value in a report */

/* ---- values ---- */

static bool private_key(struct quick_reading *r, struct slice v)
{
	return key_from_base64(v.at, v.len, r->quick->private_key) &&
	       !key_is_zero(r->quick->private_key);
}

static bool listen_port(struct quick_reading *r, struct slice v)
{
	uint32_t n;

	if (!value_number(v, PORT_MAX, &n))
		return false;
	r->quick->listen_port = (uint16_t)n;
	return true;
}

static bool fwmark(struct quick_reading *r, struct slice v)
{
	return value_mark(v, &r->quick->fwmark);
}

static bool mtu(struct quick_reading *r, struct slice v)
{
	uint32_t n;

	/* 0 is what wg-quick finds best. */
	if (!value_number(v, QUICK_MTU_MAX, &n) || (n && n < QUICK_MTU_MIN))
		return false;
	r->quick->mtu_bytes = n;
	return true;
}

static bool address(struct quick_reading *r, struct slice v)
{
	struct weir_cidr c;

	if (!value_cidr(v, true, &c))
		return false;
	quick_append(r, &r->quick->address, &c, sizeof c);
	return true;
}

/* wg-quick takes what is no address for a domain to search in; with "~" before
 * it, systemd's resolver asks these servers for that domain, "." being all. */
static bool dns(struct quick_reading *r, struct slice v)
{
	char name[VALUE_NAME_ROOM] = ".", *copy;
	struct weir_addr a = {.kind = WEIR_ADDR_NAME};
	bool routed = v.len && v.at[0] == '~';

	if (routed)
		v.at++, v.len--;
	if (!(routed && slice_is(v, ".")) && !value_host(v, &a, name))
		return false;
	if (routed && a.kind != WEIR_ADDR_NAME)
		return false;
	if (a.kind != WEIR_ADDR_NAME) {
		quick_append(r, &r->quick->dns, &a, sizeof a);
		return true;
	}
	copy = strdup(name);
	if (!copy || !quick_append(r, &r->quick->search, &copy, sizeof copy))
		free(copy);
	return true;
}

static bool public_key(struct quick_reading *r, struct slice v)
{
	return key_from_base64(v.at, v.len, r->peer->public_key) &&
	       !key_is_zero(r->peer->public_key);
}

static bool preshared_key(struct quick_reading *r, struct slice v)
{
	return key_from_base64(v.at, v.len, r->peer->preshared_key);
}

static bool endpoint(struct quick_reading *r, struct slice v)
{
	char name[VALUE_NAME_ROOM];
	struct weir_addr *a = &r->peer->endpoint;

	if (value_endpoint(v, a, &r->peer->scope, name) &&
	    a->kind == WEIR_ADDR_NAME)
		a->name = strdup(name);
	if (a->kind != WEIR_ADDR_NAME || a->name)
		return a->port != 0;
	a->kind = WEIR_ADDR_NONE;
	return quick_error(r, r->line, "out of memory");
}

static bool keepalive(struct quick_reading *r, struct slice v)
{
	uint32_t n;

	if (!value_keepalive(v, &n))
		return false;
	r->peer->keepalive_s = (uint16_t)n;
	return true;
}

static bool allowed_ips(struct quick_reading *r, struct slice v)
{
	struct weir_cidr c;

	if (!value_cidr(v, false, &c))
		return false;
	if (r->claims.count == QUICK_PREFIXES_MAX) {
		quick_error(r, r->line,
			    "AllowedIPs: are too many; the most "
			    "is %u",
			    QUICK_PREFIXES_MAX);
		return true;
	}
	quick_append(r, &r->peer->allowed_ips, &c, sizeof c);
	quick_append(
		r, &r->claims,
		&(struct quick_claim){c, r->quick->peers.count - 1, r->line},
		sizeof(struct quick_claim));
	return true;
}

/* ---- the table ---- */

enum use {
	ONCE,
	REPEATED, /* and a list */
	WORDS,	  /* the same, with commas or spaces */
	IGNORED,
	COMMAND, /* of a shell */
};

static const struct key {
	const char *name;
	enum quick_section section;
	enum use use;
	bool (*read)(struct quick_reading *, struct slice value);
	const char *rule; /* where read() says no */
	bool secret;	  /* the value is not repeated */
} keys[] = {
#define KEY_RULE "is not a key; write the 44 characters of base64 that "
#define PREFIX_RULE                                                            \
	"is not a prefix; write 10.0.0.0/8, 2001:db8::/32 or an address"
	{"PrivateKey", QUICK_INTERFACE, ONCE, private_key,
	 KEY_RULE "`wg genkey` gives", true},
	{"ListenPort", QUICK_INTERFACE, ONCE, listen_port,
	 "is not a port; write a number from 0 to 65535", false},
	{"FwMark", QUICK_INTERFACE, ONCE, fwmark,
	 "is not a mark; write off, a number, or 0x and hexadecimal digits",
	 false},
	{"Address", QUICK_INTERFACE, WORDS, address,
	 "is not an address; write 10.0.0.2/32 or fd00::2/128", false},
	{"DNS", QUICK_INTERFACE, WORDS, dns,
	 "is neither an address nor a domain", false},
	{"MTU", QUICK_INTERFACE, ONCE, mtu,
	 "is not the MTU of a tunnel; write 576 to 65440 bytes", false},
	{"Table", QUICK_INTERFACE, IGNORED, NULL, NULL, false},
	{"SaveConfig", QUICK_INTERFACE, IGNORED, NULL, NULL, false},
	{"PreUp", QUICK_INTERFACE, COMMAND, NULL, NULL, false},
	{"PostUp", QUICK_INTERFACE, COMMAND, NULL, NULL, false},
	{"PreDown", QUICK_INTERFACE, COMMAND, NULL, NULL, false},
	{"PostDown", QUICK_INTERFACE, COMMAND, NULL, NULL, false},
	{"PublicKey", QUICK_PEER, ONCE, public_key,
	 KEY_RULE "`wg pubkey` gives", false},
	{"PresharedKey", QUICK_PEER, ONCE, preshared_key,
	 KEY_RULE "`wg genpsk` gives", true},
	{"Endpoint", QUICK_PEER, ONCE, endpoint,
	 "is not an endpoint; write name:51820, 192.0.2.1:51820, "
	 "[2001:db8::1]:51820 or, with an interface that is there, "
	 "[fe80::1%eth0]:51820",
	 false},
	{"AllowedIPs", QUICK_PEER, REPEATED, allowed_ips, PREFIX_RULE, false},
	{"PersistentKeepalive", QUICK_PEER, ONCE, keepalive,
	 "is not an interval; write off or seconds to 65535", false},
};

#define KEYS (sizeof keys / sizeof keys[0])
_Static_assert(KEYS <= QUICK_KEYS_MAX, "a line for each key");

/* A key that stands in the wrong line is a secret all the same. */
static bool is_secret(const struct key *k, struct slice v)
{
	uint8_t key[KEY_BYTES];
	bool is_key = key_from_base64(v.at, v.len, key);

	explicit_bzero(key, sizeof key);
	return k->secret || is_key;
}

static void read_value(struct quick_reading *r, const struct key *k,
		       struct slice v)
{
	size_t errors = r->errors;

	if (k->read(r, v) || r->errors > errors)
		return;
	if (!v.len)
		quick_error(r, r->line, "%s: has no value", k->name);
	else if (is_secret(k, v))
		quick_error(r, r->line, "%s: the value %s", k->name, k->rule);
	else
		quick_error(r, r->line, "%s: %.*s%s: %s", k->name,
			    v.len < SHOWN_BYTES ? (int)v.len : SHOWN_BYTES,
			    v.at, v.len > SHOWN_BYTES ? "..." : "", k->rule);
}

static void read_words(struct quick_reading *r, const struct key *k,
		       struct slice v)
{
	while (v.len) {
		struct slice word = slice_trim(slice_cut(&v, ' '));

		if (word.len)
			read_value(r, k, word);
	}
}

/* wg takes an empty list. */
static void read_list(struct quick_reading *r, const struct key *k,
		      struct slice v)
{
	while (v.len) {
		struct slice item = slice_trim(slice_cut(&v, ','));

		if (k->use == WORDS)
			read_words(r, k, item);
		else if (item.len)
			read_value(r, k, item);
	}
}

static void ignore(struct quick_reading *r, const struct key *k)
{
	const struct quick_ignored item = {k->name, r->line};

	if (k->use == COMMAND && r->strict) {
		quick_error(r, r->line,
			    "%s: weir never executes commands of a file; take "
			    "the line out",
			    k->name);
		return;
	}
	quick_warning(r, r->line, "%s: %s", k->name,
		      k->use == COMMAND
			      ? "weir never executes commands of a file"
			      : "means nothing to weir; ignored");
	quick_append(r, &r->quick->ignored, &item, sizeof item);
}

static const char *section_name(enum quick_section s)
{
	return s == QUICK_INTERFACE ? "[Interface]" : "[Peer]";
}

static void unknown(struct quick_reading *r, struct slice name,
		    const struct key *elsewhere, bool has_value)
{
	int len = (int)name.len;

	/* A secret that lost its name, or the end of one that was cut, ends in
	 * '='. */
	if (!elsewhere && (name.len > QUICK_SHOWN_BYTES || !has_value))
		quick_error(r, r->line, "is neither [Section] nor KEY = VALUE");
	else if (r->section == QUICK_NOWHERE)
		quick_error(r, r->line,
			    "%.*s: stands before any section; write "
			    "[Interface] above it",
			    len, name.at);
	else if (elsewhere)
		quick_error(r, r->line, "%s: belongs into %s, not %s",
			    elsewhere->name, section_name(elsewhere->section),
			    section_name(r->section));
	else
		quick_error(r, r->line, "%.*s: is not a key of %s", len,
			    name.at, section_name(r->section));
}

void quick_key(struct quick_reading *r, struct slice name, struct slice value)
{
	const struct key *k = NULL;
	unsigned *line;

	if (r->section == QUICK_OTHER)
		return; /* its section was told of */
	for (size_t i = 0; i < KEYS && !k; i++)
		if (slice_is(name, keys[i].name))
			k = &keys[i];
	if (!k || k->section != r->section) {
		unknown(r, name, k, value.len);
		return;
	}
	line = &r->given[k - keys];
	if (k->use == ONCE && *line)
		quick_error(r, r->line, "%s: stands in line %u already",
			    k->name, *line);
	else if (k->use == ONCE)
		read_value(r, k, value);
	else if (k->use == REPEATED || k->use == WORDS)
		read_list(r, k, value);
	else
		ignore(r, k);
	if (!*line)
		*line = r->line;
}

/* ---- sections ---- */

static unsigned given(const struct quick_reading *r, const char *name)
{
	size_t i = 0;

	while (strcmp(keys[i].name, name) != 0)
		i++;
	return r->given[i];
}

void quick_peer_begin(struct quick_reading *r)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].section == QUICK_PEER)
			r->given[i] = 0;
}

void quick_peer_end(struct quick_reading *r)
{
	if (!given(r, "PublicKey"))
		quick_error(r, r->peer->line, "[Peer]: has no PublicKey");
}

void quick_interface_end(struct quick_reading *r)
{
	if (!r->has_interface)
		quick_error(r, 0, "has no [Interface]");
	else if (!given(r, "PrivateKey"))
		quick_error(r, 0, "[Interface]: has no PrivateKey");
}
