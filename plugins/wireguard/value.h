/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value.h - addresses, prefixes and numbers as text, in wg-quick files and in
 * the UAPI language. */
#ifndef WIREGUARD_VALUE_H
#define WIREGUARD_VALUE_H

#include <weir/base.h>

/* A piece of the file, without a NUL behind it. */
struct slice {
	const char *at;
	size_t len;
};

#define VALUE_NAME_ROOM 254u /* a host name and its NUL */

struct slice slice_trim(struct slice);
/* The part up to the first `mark`, which is taken off the front of *rest along
 * with the mark. */
struct slice slice_cut(struct slice *rest, char mark);
/* Letters in either case. */
bool slice_is(struct slice, const char *word);

/* Decimal digits, at most `max`. */
bool value_number(struct slice, uint32_t max, uint32_t *out);
/* off, decimal or 0x and hex. */
bool value_mark(struct slice, uint32_t *out);
/* off or seconds. */
bool value_keepalive(struct slice, uint32_t *out);
/* With a length, or one address. */
bool value_cidr(struct slice, bool keep_host_bits, struct weir_cidr *out);
/* An address or, where `name` has room for one, a host name; no port. */
bool value_host(struct slice, struct weir_addr *out, char *name);
/* HOST:PORT, [IPv6]:PORT, [IPv6%INTERFACE]:PORT; *scope: 0 for none. */
bool value_endpoint(struct slice, struct weir_addr *out, uint32_t *scope,
		    char *name);
/* An IPv4 address mapped into IPv6 (::ffff:0:0/96) becomes that address: a
 * socket of either family sends to its own only. */
void value_unmap(struct weir_addr *);

#endif
