/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: an address is tried as IPv6 (with or without brackets),
 * then as IPv4, then as a host name, and what looks like numbers is never
 * taken for a name: "1.2.3.400" is an error, not a look-up. Ports and prefix
 * lengths are plain decimal without sign or leading zero. */
#include "addr.h"

#define ADDR_PORT_MAX 65535u
#define ADDR_LABEL_MAX 63u
#define ADDR_NAME_MAX 253u

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool number(const char *text, unsigned max, unsigned *out)
{
	unsigned n = 0;

	if (!is_digit(*text) || (*text == '0' && text[1]))
		return false;
	for (; is_digit(*text); text++) {
		n = n * 10 + (unsigned)(*text - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return *text == '\0';
}

static bool parse_ip(const char *text, struct weir_addr *a)
{
	if (inet_pton(AF_INET, text, a->ip) == 1)
		a->kind = WEIR_ADDR_IP4;
	else if (inet_pton(AF_INET6, text, a->ip) == 1)
		a->kind = WEIR_ADDR_IP6;
	else
		return false;
	return true;
}

/* One label of a name; *text moves behind it. */
static bool label(const char **text, bool *numeric)
{
	const char *from = *text, *to = from;

	*numeric = true;
	for (; is_alnum(*to) || *to == '-' || *to == '_'; to++)
		*numeric = *numeric && is_digit(*to);
	*text = to;
	return to > from && (size_t)(to - from) <= ADDR_LABEL_MAX &&
	       *from != '-' && to[-1] != '-';
}

/* RFC 1123, section 2.1, and underscores, which resolvers take; the last label
 * of a name is never a number. */
static bool parse_name(const char *text, struct weir_addr *a, char *name)
{
	const char *p = text;
	bool numeric;
	size_t len, i;

	for (;;) {
		if (!label(&p, &numeric))
			return false;
		if (*p != '.')
			break;
		if (!*++p)
			break; /* the root's dot */
	}
	len = (size_t)(p - text);
	if (len && text[len - 1] == '.')
		len--;
	if (*p || numeric || len > ADDR_NAME_MAX || !name)
		return false;
	for (i = 0; i < len; i++) {
		bool upper = text[i] >= 'A' && text[i] <= 'Z';

		name[i] = (char)(upper ? text[i] | 0x20 : text[i]);
	}
	name[len] = '\0';
	a->kind = WEIR_ADDR_NAME;
	a->name = name;
	return true;
}

/* Split the port off. A bare IPv6 address has many colons and no port. */
static bool split(const char *text, char *host, size_t room, unsigned *port)
{
	const char *colon = strchr(text, ':'), *end = text + strlen(text);
	bool bracket = *text == '[';

	if (bracket) {
		text++;
		end = strchr(text, ']');
		if (!end || !memchr(text, ':', (size_t)(end - text)))
			return false;
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		colon = NULL;
	} else if (colon) {
		end = colon;
	}
	if (colon && (*colon != ':' ||
		      !number(colon + 1, ADDR_PORT_MAX, port) || !*port))
		return false;
	if ((size_t)(end - text) >= room)
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return true;
}

bool addr_parse(const char *text, struct weir_addr *out, char *name)
{
	struct weir_addr a = {0};
	char host[ADDR_NAME_MAX + 2]; /* with the root's dot */
	unsigned port = 0;

	if (!split(text, host, sizeof host, &port))
		return false;
	if (!parse_ip(host, &a) &&
	    (*text == '[' || !parse_name(host, &a, name)))
		return false;
	a.port = (uint16_t)port;
	*out = a;
	return true;
}

static unsigned addr_bits(const struct weir_addr *a)
{
	return a->kind == WEIR_ADDR_IP4 ? 32 : 128;
}

/* Clear what lies beyond `bits`; says whether something was there. */
static bool clear_host_bits(struct weir_addr *a, unsigned bits)
{
	unsigned i, width = addr_bits(a) / 8;
	bool any = false;

	for (i = bits / 8; i < width; i++) {
		uint8_t keep = 0;

		if (i == bits / 8)
			keep = (uint8_t)(0xff00u >> bits % 8);
		any = any || (a->ip[i] & ~keep);
		a->ip[i] &= keep;
	}
	return any;
}

bool addr_parse_cidr(const char *text, struct weir_cidr *out,
		     bool keep_host_bits)
{
	struct weir_cidr c = {0};
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct weir_addr masked;

	if (len >= sizeof host)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!parse_ip(host, &c.base))
		return false;
	c.bits = addr_bits(&c.base);
	if (slash && !number(slash + 1, c.bits, &c.bits))
		return false;
	masked = c.base;
	if (clear_host_bits(&masked, c.bits) && !keep_host_bits)
		return false;
	*out = c;
	return true;
}

void addr_mask(struct weir_cidr *c)
{
	clear_host_bits(&c->base, c->bits);
}

bool addr_in_cidr(const struct weir_addr *a, const struct weir_cidr *c)
{
	unsigned whole = c->bits / 8, rest = c->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (a->kind != c->base.kind || a->kind == WEIR_ADDR_NAME)
		return false;
	if (memcmp(a->ip, c->base.ip, whole) != 0)
		return false;
	return !rest || ((a->ip[whole] ^ c->base.ip[whole]) & mask) == 0;
}

bool addr_is_loopback(const struct weir_addr *a)
{
	return (a->kind == WEIR_ADDR_IP4 && a->ip[0] == IN_LOOPBACKNET) ||
	       (a->kind == WEIR_ADDR_IP6 &&
		memcmp(a->ip, &in6addr_loopback, sizeof a->ip) == 0);
}

socklen_t addr_to_sockaddr(const struct weir_addr *a,
			   struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->kind == WEIR_ADDR_IP4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof *in;
	}
	if (a->kind == WEIR_ADDR_IP6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;

		in->sin6_family = AF_INET6;
		in->sin6_port = htons(a->port);
		memcpy(&in->sin6_addr, a->ip, 16);
		return sizeof *in;
	}
	return 0;
}

bool addr_from_sockaddr(const struct sockaddr *from, struct weir_addr *a)
{
	memset(a, 0, sizeof *a);
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, from, sizeof in);
		a->kind = WEIR_ADDR_IP4;
		a->port = ntohs(in.sin_port);
		memcpy(a->ip, &in.sin_addr, 4);
		return true;
	}
	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, from, sizeof in);
		a->kind = WEIR_ADDR_IP6;
		a->port = ntohs(in.sin6_port);
		memcpy(a->ip, &in.sin6_addr, 16);
		return true;
	}
	return false;
}
