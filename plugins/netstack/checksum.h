/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checksum.h - the Internet checksum (RFC 1071), summed 32 bytes a step. */
#ifndef NETSTACK_CHECKSUM_H
#define NETSTACK_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Add `len` bytes to a running sum. Every piece but the last must be of even
 * length. Sums of at most 2^32 bytes do not overflow. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);

/* The running sum as 16 bits in network order as they lie in memory, not yet
 * complemented: 0xffff over data that carries its own checksum. */
uint16_t checksum_fold(uint64_t sum);

/* The sum of a pseudo header; addresses of 4 or 16 bytes. */
uint64_t checksum_pseudo(const uint8_t *source, const uint8_t *target, int v6,
			 uint8_t protocol, uint32_t len);

/* lwIP's LWIP_CHKSUM: the folded sum of one piece. */
uint16_t checksum_lwip(const void *data, int len);

#endif
