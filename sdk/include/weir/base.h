/* SPDX-License-Identifier: MIT */
/* weir/base.h - what every other header stands on: addresses, errors,
 * and the rule by which structs grow.
 *
 * Growing. Every struct that crosses the boundary between core and plugin
 * begins with `size`, set by its maker to sizeof. A reader that knows more
 * fields than the maker filled in asks WEIR_HAS(object, field) first. Fields
 * are only ever appended; see ABI.md. */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define WEIR_MAJOR 1 /* incompatible: part of the entry symbol */
#define WEIR_MINOR 7 /* appended fields: compare with WEIR_HAS */

#define WEIR_HAS(obj, field)                                                   \
	((obj)->size >=                                                        \
	 offsetof(__typeof__(*(obj)), field) + sizeof((obj)->field))

#define WEIR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The networks a session can be of; bits, so that sets can be written. */
enum weir_net {
	WEIR_NET_TCP = 1,
	WEIR_NET_UDP = 2,
	WEIR_NET_ICMP = 4, /* echo requests and their replies */
};

enum weir_addr_kind {
	WEIR_ADDR_NONE = 0, /* absent; also "any" where a filter is meant */
	WEIR_ADDR_IP4,
	WEIR_ADDR_IP6,
	WEIR_ADDR_NAME,
};

/* An endpoint, or a bare address where port is 0. `ip` is in network order
 * (4 bytes used for IP4), `port` in host order. `name` is a host name without
 * a trailing dot and is borrowed like the struct that holds it. */
struct weir_addr {
	uint16_t kind, port;
	union {
		uint8_t ip[16];
		const char *name;
	};
};

/* A prefix; host bits are zero. */
struct weir_cidr {
	struct weir_addr base;
	uint32_t bits;
};

/* An inclusive range of numbers, such as ports. */
struct weir_range {
	uint32_t first, last;
};

/* What a user caused: a sentence without a full stop and, for configuration,
 * the name of the option at fault (static, or NULL). */
struct weir_error {
	char text[200];
	const char *option;
};

/* Beyond every errno: refuse without a word (a blackhole's answer). */
#define WEIR_ESILENT 4095

/* Fill in `e` and return false, so that `return weir_error(...)` reads well. */
WEIR_PRINTF(3, 4)
static inline bool weir_error(struct weir_error *e, const char *option,
			      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
	e->option = option;
	return false;
}

static inline bool weir_addr_equal(const struct weir_addr *a,
				   const struct weir_addr *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	switch (a->kind) {
	case WEIR_ADDR_IP4:
		return memcmp(a->ip, b->ip, 4) == 0;
	case WEIR_ADDR_IP6:
		return memcmp(a->ip, b->ip, 16) == 0;
	case WEIR_ADDR_NAME:
		return strcmp(a->name, b->name) == 0;
	default:
		return true;
	}
}

/* [ + name of at most 253 characters or IPv6 + ]:65535 + NUL */
#define WEIR_ADDR_TEXT 264

/* "1.2.3.4:443", "[2001:db8::1]:443", "example.org:443"; the port is left out
 * where it is 0. Returns `text`, which has room for WEIR_ADDR_TEXT. */
static inline const char *weir_addr_text(const struct weir_addr *a, char *text)
{
	char ip[INET6_ADDRSTRLEN] = "-";
	const char *host = ip;
	bool v6 = a->kind == WEIR_ADDR_IP6;

	if (a->kind == WEIR_ADDR_NAME)
		host = a->name;
	else if (a->kind != WEIR_ADDR_NONE)
		inet_ntop(v6 ? AF_INET6 : AF_INET, a->ip, ip, sizeof ip);
	if (!a->port)
		snprintf(text, WEIR_ADDR_TEXT, "%s", host);
	else
		snprintf(text, WEIR_ADDR_TEXT, v6 ? "[%s]:%u" : "%s:%u", host,
			 a->port);
	return text;
}

#endif
