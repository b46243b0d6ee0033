/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a wg-quick file does not say whether it is a server's.
 * One that listens at a port of its own and knows no endpoint of any peer can
 * only be called, so it makes an inbound; every other makes an outbound.
 *
 * Texts are written in double quotes, in which what stands in a wg-quick file
 * (base64, addresses, host names) needs no escape. What has no counterpart
 * becomes a comment. */
#include "import.h"

#include "quick.h"

struct import {
	const struct weir_import *to;
	const struct quick *quick;
	bool server;
};

#define FLOW_ITEMS_MAX 6u /* of a list on one line */

#define PRINT(m, ...) ((m)->to->print((m)->to->arg, __VA_ARGS__))

/* ---- values ---- */

static void print_key(const struct import *m, const char *indent,
		      const char *name, const uint8_t key[KEY_BYTES])
{
	char text[KEY_BASE64 + 1];

	key_to_base64(key, text);
	PRINT(m, "%s%s: \"%s\"\n", indent, name, text);
	explicit_bzero(text, sizeof text);
}

static void addr_text(const void *item, char *text)
{
	weir_addr_text(item, text);
}

static void cidr_text(const void *item, char *text)
{
	const struct weir_cidr *c = item;
	size_t len;

	weir_addr_text(&c->base, text);
	len = strlen(text);
	snprintf(text + len, WEIR_ADDR_TEXT - len, "/%u", c->bits);
}

/* On one line where it is short. */
static void print_list(const struct import *m, const char *indent,
		       const char *name, const struct weir_list *list,
		       size_t size, void (*write)(const void *, char *))
{
	bool flow = list->count <= FLOW_ITEMS_MAX;
	char text[WEIR_ADDR_TEXT];

	PRINT(m, "%s%s:%s", indent, name, flow ? " [" : "\n");
	for (size_t i = 0; i < list->count; i++) {
		write((const char *)list->items + i * size, text);
		if (flow)
			PRINT(m, "%s\"%s\"", i ? ", " : "", text);
		else
			PRINT(m, "%s  - \"%s\"\n", indent, text);
	}
	if (flow)
		PRINT(m, "]\n");
}

/* ---- the parts ---- */

/* A peer of an inbound must have an address to come from. With wg, one that has
 * none can only make handshakes. */
static bool is_usable(const struct import *m, const struct quick_peer *p)
{
	return !m->server || p->allowed_ips.count;
}

static void print_unusable(const struct import *m, const struct quick_peer *p)
{
	char key[KEY_BASE64 + 1];

	key_to_base64(p->public_key, key);
	PRINT(m, "# left out: the peer %s, which has no AllowedIPs\n", key);
}

static void print_ignored(const struct import *m)
{
	const struct quick_ignored *all = m->quick->ignored.items;
	const char *const *search = m->quick->search.items;

	for (size_t i = 0; i < m->quick->ignored.count; i++)
		PRINT(m, "# left out: %s of line %u\n", all[i].key,
		      all[i].line);
	for (size_t i = 0; i < m->quick->search.count; i++)
		PRINT(m, "# left out: the domain %s of DNS\n", search[i]);
	if (m->quick->fwmark)
		PRINT(m, "# left out: FwMark; see sockets.mark of weir\n");
	if (m->server && m->quick->dns.count)
		PRINT(m, "# left out: DNS, the affair of clients\n");
}

static void print_device(const struct import *m)
{
	const struct quick *q = m->quick;

	print_key(m, "", "private_key", q->private_key);
	if (q->address.count)
		print_list(m, "", "address", &q->address,
			   sizeof(struct weir_cidr), cidr_text);
	if (q->listen_port)
		PRINT(m, "listen_port: %u\n", q->listen_port);
	if (q->mtu_bytes)
		PRINT(m, "mtu: %u\n", q->mtu_bytes);
	if (q->dns.count && !m->server)
		print_list(m, "", "dns", &q->dns, sizeof(struct weir_addr),
			   addr_text);
}

static void print_peer(const struct import *m, const struct quick_peer *p,
		       size_t number)
{
	char text[WEIR_ADDR_TEXT];

	PRINT(m, "  - ");
	if (m->server)
		PRINT(m, "name: \"peer%zu\"\n    ", number);
	print_key(m, "", "public_key", p->public_key);
	if (!key_is_zero(p->preshared_key))
		print_key(m, "    ", "pre_shared_key", p->preshared_key);
	if (p->scope)
		PRINT(m, "    # left out: the endpoint, whose interface only "
			 "config can name\n");
	else if (p->endpoint.kind != WEIR_ADDR_NONE)
		PRINT(m, "    endpoint: \"%s\"\n",
		      weir_addr_text(&p->endpoint, text));
	print_list(m, "    ", "allowed_ips", &p->allowed_ips,
		   sizeof(struct weir_cidr), cidr_text);
	if (p->keepalive_s)
		PRINT(m, "    keepalive: %us\n", p->keepalive_s);
}

static void print_all(const struct import *m)
{
	const struct quick_peer *peers = m->quick->peers.items;
	size_t count = m->quick->peers.count, usable = 0;

	print_ignored(m);
	for (size_t i = 0; i < count; i++) {
		if (is_usable(m, &peers[i]))
			usable++;
		else
			print_unusable(m, &peers[i]);
	}
	print_device(m);
	if (usable)
		PRINT(m, "peers:\n");
	for (size_t i = 0; i < count; i++)
		if (is_usable(m, &peers[i]))
			print_peer(m, &peers[i], i + 1);
}

/* ---- the question ---- */

static void tell_nobody(void *arg, bool is_error, const char *line)
{
	(void)arg, (void)is_error, (void)line;
}

static bool is_server(const struct weir_import *to)
{
	static const struct quick_report quiet = {.tell = tell_nobody};
	struct quick *q =
		quick_parse(to->file, to->text, to->len, false, &quiet);
	const struct quick_peer *peers = q ? q->peers.items : NULL;
	bool server = q && q->listen_port;

	for (size_t i = 0; server && i < q->peers.count; i++)
		server = peers[i].endpoint.kind == WEIR_ADDR_NONE;
	quick_free(q);
	return server;
}

/* What wg takes, but a tunnel with ends inside it cannot do without. */
static bool has_address(const struct weir_import *to, const struct quick *q)
{
	char line[QUICK_REPORT_BYTES];

	if (q->address.count)
		return true;
	snprintf(line, sizeof line,
		 "%.300s: [Interface]: has no Address, and weir needs one",
		 to->file);
	to->tell(to->arg, true, line);
	return false;
}

static void refuse_exposed(const struct weir_import *to)
{
	char line[QUICK_REPORT_BYTES];

	snprintf(line, sizeof line, "%.240s: holds keys; %.300s", to->file,
		 to->exposed);
	to->tell(to->arg, true, line);
}

static enum weir_verdict import(const struct weir_import *to, bool server)
{
	const struct quick_report report = {.tell = to->tell, .arg = to->arg};
	struct quick *q;

	if (!quick_looks_like(to->text, to->len) ||
	    (!to->named && is_server(to) != server))
		return WEIR_NO;
	if (to->exposed) {
		refuse_exposed(to);
		return WEIR_YES;
	}
	q = quick_parse(to->file, to->text, to->len, false, &report);
	if (q && has_address(to, q))
		print_all(&(struct import){to, q, server});
	quick_free(q);
	return WEIR_YES;
}

enum weir_verdict import_outbound(const struct weir_import *to)
{
	return import(to, false);
}

enum weir_verdict import_inbound(const struct weir_import *to)
{
	return import(to, true);
}
