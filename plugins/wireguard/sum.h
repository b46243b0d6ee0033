/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sum.h - the Internet checksum (RFC 1071), alone or on the way of a copy. */
#ifndef WIREGUARD_SUM_H
#define WIREGUARD_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Sums are not folded; those of pieces of even length can be added. */
uint64_t sum_add(uint64_t sum, const uint8_t *p, size_t len);
/* Copies `len` bytes, which do not overlap, and adds them. */
uint64_t sum_copy(uint64_t sum, uint8_t *to, const uint8_t *from, size_t len);
/* Complemented, as it lies in memory. */
uint16_t sum_fold(uint64_t sum);

#endif
