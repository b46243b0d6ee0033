/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: values are slices of a text, read in full or refused.
 * What libc must see with a NUL behind it (addresses, never keys) is copied
 * into a room of the longest length that can be right. */
#include "value.h"

#include <net/if.h>

#define PORT_MAX 65535u
#define KEEPALIVE_MAX_S 65535u
#define LABEL_MAX 63u

struct slice slice_trim(struct slice s)
{
	while (s.len && strchr(" \t\r\v\f", s.at[0]) && s.at[0])
		s.at++, s.len--;
	while (s.len && strchr(" \t\r\v\f", s.at[s.len - 1]) && s.at[s.len - 1])
		s.len--;
	return s;
}

struct slice slice_cut(struct slice *rest, char mark)
{
	const char *found = rest->len ? memchr(rest->at, mark, rest->len) : 0;
	struct slice part = *rest;

	if (!found) {
		rest->at += rest->len;
		rest->len = 0;
		return part;
	}
	part.len = (size_t)(found - part.at);
	rest->at += part.len + 1;
	rest->len -= part.len + 1;
	return part;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool slice_is(struct slice s, const char *word)
{
	size_t i;

	for (i = 0; i < s.len && word[i]; i++)
		if (lower(s.at[i]) != lower(word[i]))
			return false;
	return i == s.len && !word[i];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool value_number(struct slice s, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.at[i]))
			return false;
		n = n * 10 + (unsigned)(s.at[i] - '0');
		if (n > max)
			return false;
	}
	*out = (uint32_t)n;
	return s.len > 0;
}

static bool hex_number(struct slice s, uint32_t *out)
{
	uint32_t n = 0;

	if (!s.len || s.len > 2 * sizeof n)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = lower(s.at[i]);

		if (!is_digit(c) && (c < 'a' || c > 'f'))
			return false;
		n = n << 4 | (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*out = n;
	return true;
}

bool value_mark(struct slice s, uint32_t *out)
{
	*out = 0;
	if (slice_is(s, "off"))
		return true;
	if (s.len > 2 && s.at[0] == '0' && lower(s.at[1]) == 'x')
		return hex_number((struct slice){s.at + 2, s.len - 2}, out);
	return value_number(s, UINT32_MAX, out);
}

bool value_keepalive(struct slice s, uint32_t *out)
{
	*out = 0;
	return slice_is(s, "off") || value_number(s, KEEPALIVE_MAX_S, out);
}

static bool parse_ip(struct slice s, struct weir_addr *out)
{
	char text[INET6_ADDRSTRLEN];

	*out = (struct weir_addr){0};
	if (s.len >= sizeof text || memchr(s.at, '\0', s.len))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	if (inet_pton(AF_INET, text, out->ip) == 1)
		out->kind = WEIR_ADDR_IP4;
	else if (inet_pton(AF_INET6, text, out->ip) == 1)
		out->kind = WEIR_ADDR_IP6;
	return out->kind != WEIR_ADDR_NONE;
}

static void clear_host_bits(struct weir_cidr *c, unsigned width)
{
	for (unsigned bit = c->bits; bit < width; bit++)
		c->base.ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

bool value_cidr(struct slice s, bool keep_host_bits, struct weir_cidr *out)
{
	struct slice rest = s, host = slice_cut(&rest, '/');
	bool has_length = host.len < s.len;
	unsigned width;

	*out = (struct weir_cidr){0};
	if (!parse_ip(host, &out->base))
		return false;
	width = out->base.kind == WEIR_ADDR_IP4 ? 32 : 128;
	out->bits = width;
	if (has_length && !value_number(rest, width, &out->bits))
		return false;
	if (!keep_host_bits)
		clear_host_bits(out, width);
	return true;
}

/* One label of a name: letters, digits, and hyphens inside (RFC 1123, 2.1);
 * and underscores, which resolvers take. */
static bool label_ok(struct slice label, bool *numeric)
{
	*numeric = true;
	for (size_t i = 0; i < label.len; i++) {
		if (!is_alnum(label.at[i]) && label.at[i] != '-' &&
		    label.at[i] != '_')
			return false;
		*numeric = *numeric && is_digit(label.at[i]);
	}
	return label.len && label.len <= LABEL_MAX && label.at[0] != '-' &&
	       label.at[label.len - 1] != '-';
}

/* The last label of a name is never a number: 1.2.3.400 is no name. */
static bool parse_name(struct slice s, char *name)
{
	struct slice rest;
	bool numeric = true;

	if (s.len && s.at[s.len - 1] == '.')
		s.len--; /* the root's dot */
	if (!s.len || s.len >= VALUE_NAME_ROOM || s.at[s.len - 1] == '.')
		return false;
	for (rest = s; rest.len;)
		if (!label_ok(slice_cut(&rest, '.'), &numeric))
			return false;
	for (size_t i = 0; i < s.len; i++)
		name[i] = lower(s.at[i]);
	name[s.len] = '\0';
	return !numeric;
}

bool value_host(struct slice s, struct weir_addr *out, char *name)
{
	if (parse_ip(s, out))
		return true;
	if (!name || !parse_name(s, name))
		return false;
	*out = (struct weir_addr){.kind = WEIR_ADDR_NAME};
	out->name = name;
	return true;
}

/* An interface, which must be there, or its number. */
static bool parse_scope(struct slice s, uint32_t *out)
{
	char name[IF_NAMESIZE];

	if (s.len >= sizeof name || memchr(s.at, '\0', s.len))
		return false;
	memcpy(name, s.at, s.len);
	name[s.len] = '\0';
	*out = if_nametoindex(name);
	return *out || value_number(s, UINT32_MAX, out);
}

bool value_endpoint(struct slice s, struct weir_addr *out, uint32_t *scope,
		    char *name)
{
	const char *colon = s.len ? memrchr(s.at, ':', s.len) : NULL;
	struct slice host = s, port, zone;
	uint32_t n;
	bool bracket;

	if (!colon)
		return false;
	host.len = (size_t)(colon - s.at);
	port = (struct slice){colon + 1, s.len - host.len - 1};
	if (!value_number(port, PORT_MAX, &n) || !n)
		return false;
	bracket = host.len > 2 && host.at[0] == '[' &&
		  host.at[host.len - 1] == ']';
	*scope = 0;
	if (bracket) {
		zone = (struct slice){host.at + 1, host.len - 2};
		host = slice_cut(&zone, '%');
		if (host.at[host.len] == '%' && !parse_scope(zone, scope))
			return false;
	}
	if (!value_host(host, out, bracket ? NULL : name) ||
	    bracket != (out->kind == WEIR_ADDR_IP6))
		return false;
	out->port = (uint16_t)n;
	return true;
}

void value_unmap(struct weir_addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->kind != WEIR_ADDR_IP6 || memcmp(a->ip, mapped, sizeof mapped))
		return;
	a->kind = WEIR_ADDR_IP4;
	memmove(a->ip, a->ip + sizeof mapped, 4);
	memset(a->ip + 4, 0, sizeof a->ip - 4);
}
