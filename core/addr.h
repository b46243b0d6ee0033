/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr.h - text to addresses and prefixes, and sums over them. */
#ifndef WEIR_CORE_ADDR_H
#define WEIR_CORE_ADDR_H

#include <weir/base.h>

/* "1.2.3.4", "1.2.3.4:443", "[::1]:443", "::1", "name:443", "name". A name is
 * checked (RFC 1123 letters and underscores, length) and left pointing into
 * `text`'s copy: the caller hands `name`, 254 bytes, that must live as long as
 * the address. */
bool addr_parse(const char *text, struct weir_addr *, char *name);
bool addr_parse_cidr(const char *text, struct weir_cidr *, bool keep_host_bits);
void addr_mask(struct weir_cidr *); /* clear the host bits */
bool addr_in_cidr(const struct weir_addr *, const struct weir_cidr *);
bool addr_is_loopback(const struct weir_addr *);
/* From and to the kernel's form; kind must be IP4 or IP6. */
socklen_t addr_to_sockaddr(const struct weir_addr *, struct sockaddr_storage *);
bool addr_from_sockaddr(const struct sockaddr *, struct weir_addr *);

#endif
