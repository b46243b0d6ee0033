/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names resolve inside as they do outside.
 *
 * Theory of operation: the lines of outside's resolv.conf are kept as they are
 * (search, options), only its name servers, at most the three that libc reads,
 * are renumbered to stand-ins: 198.18.0.2 and so on, of the range that
 * RFC 2544 sets aside, or of fd00:198:18::/64 where there is no IPv4 inside.
 * Each stand-in gets an outbound that redirects to the real server and a rule,
 * so that libc's own fail-over between servers goes on working. */
#include "nameservers.h"

#include "addr.h"
#include "util.h"

#define TAG "exec-dns-"
#define SEPARATORS " \t\r"

/* The address of a "nameserver" line, NULL of any other. `line` is cut. */
static const char *nameserver_of(char *line)
{
	char *rest, *word = strtok_r(line, SEPARATORS, &rest);

	if (!word || strcmp(word, "nameserver") != 0)
		return NULL;
	return strtok_r(NULL, SEPARATORS, &rest);
}

static bool is_used(const struct weir_addr *a, const struct weir_cidr *used,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (weir_addr_equal(&used[i].base, a))
			return true;
	return false;
}

static void choose_inside(struct nameservers *n, const struct weir_cidr *used,
			  size_t count)
{
	struct weir_addr next = {.kind = WEIR_ADDR_IP6,
				 .ip = {0xfd, 0, 1, 0x98, 0, 0x18}};
	struct weir_addr v4 = {.kind = WEIR_ADDR_IP4, .ip = {198, 18, 0, 0}};
	uint8_t *last = &next.ip[15];

	for (size_t i = 0; i < count; i++)
		if (used[i].base.kind == WEIR_ADDR_IP4) {
			next = v4;
			last = &next.ip[3];
			break;
		}
	*last = 2;
	for (size_t i = 0; i < n->count; (*last)++)
		if (!is_used(&next, used, count))
			n->inside[i++] = next;
}

/* 0.0.0.0 and :: mean this machine to libc, and to `redirect` any host. */
static void name_localhost(struct weir_addr *a)
{
	static const uint8_t nowhere[16];
	bool v6 = a->kind == WEIR_ADDR_IP6;

	if (memcmp(a->ip, nowhere, v6 ? 16 : 4) != 0)
		return;
	a->ip[v6 ? 15 : 3] = 1;
	if (!v6)
		a->ip[0] = IN_LOOPBACKNET;
}

/* A scoped address (fe80::1%eth0) cannot be asked through an outbound. */
static void add_outside(struct nameservers *n, const char *text)
{
	struct weir_addr *a = &n->outside[n->count];
	char name[254];

	if (n->count == NAMESERVERS_MAX || !text || !addr_parse(text, a, name))
		return;
	if (a->kind == WEIR_ADDR_NAME || a->port)
		return;
	name_localhost(a);
	a->port = NAMESERVERS_PORT;
	n->count++;
}

void nameservers_init(struct nameservers *n, const char *text,
		      const struct weir_cidr *used, size_t used_count)
{
	char address[WEIR_ADDR_TEXT], *copy = xstrdup(text), *rest = copy;
	char *line;
	size_t len;
	FILE *out;

	memset(n, 0, sizeof *n);
	out = must(open_memstream(&n->text, &len));
	while ((line = strsep(&rest, "\n"))) {
		char *kept = xstrdup(line);
		const char *server = nameserver_of(line);

		add_outside(n, server);
		if (!server && *kept)
			fprintf(out, "%s\n", kept);
		free(kept);
	}
	free(copy);
	if (!n->count)
		add_outside(n, "127.0.0.1");
	choose_inside(n, used, used_count);
	for (size_t i = 0; i < n->count; i++)
		fprintf(out, "nameserver %s\n",
			weir_addr_text(&n->inside[i], address));
	fclose(out);
}

void nameservers_fini(struct nameservers *n)
{
	free(n->text);
	n->text = NULL;
}

char *nameservers_config(const struct nameservers *n)
{
	char address[WEIR_ADDR_TEXT], *text;
	size_t len;
	FILE *out = must(open_memstream(&text, &len));

	fputs("inbounds: [ { type: tun } ]\n" /* a configuration has one */
	      "outbounds:\n",
	      out);
	for (size_t i = 0; i < n->count; i++)
		fprintf(out,
			"  - { tag: " TAG "%zu, type: freedom, "
			"redirect: \"%s\" }\n",
			i + 1, weir_addr_text(&n->outside[i], address));
	fputs("route:\n  rules:\n", out);
	for (size_t i = 0; i < n->count; i++)
		fprintf(out,
			"    - { ip: [\"%s\"], port: [%d], "
			"outbound: " TAG "%zu }\n",
			weir_addr_text(&n->inside[i], address),
			NAMESERVERS_PORT, i + 1);
	fclose(out);
	return text;
}
