/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fragments.c - fragments as a client on the link sends and reads them. */
#include "client.h"

#include <assert.h>
#include <stdlib.h>

uint32_t gather(struct sim_link *l, bool v6, uint8_t *to, uint32_t *fragments)
{
	struct sim_packet *p;
	uint32_t end_at = 0, got = 0;

	*fragments = 0;
	while ((p = sim_output(l))) {
		uint32_t at = v6 ? 40 : 20, offset;

		assert(p->len <= 1500);
		if (v6 && p->data[6] == 44) {
			offset = (uint32_t)(p->data[42] << 8 | p->data[43]) &
				 0xfff8u;
			at = 48;
		} else if (v6) {
			offset = 0;
		} else {
			offset = ((uint32_t)(p->data[6] << 8 | p->data[7]) &
				  0x1fffu) *
				 8;
		}
		memcpy(to + offset, p->data + at, p->len - at);
		if (offset + p->len - at > end_at)
			end_at = offset + p->len - at;
		got += p->len - at;
		++*fragments;
		free(p);
	}
	assert(got == end_at);
	return end_at - 8;
}

/* Take from an IPv4 header checksum what a byte of value `protocol` would add
 * (RFC 1624): fix_checksums() spoils the payload of a fragment otherwise. */
static void fix_fragment(uint8_t *piece, uint32_t len)
{
	uint8_t protocol = piece[9];
	uint32_t sum;

	piece[9] = 0;
	fix_checksums(piece, len);
	piece[9] = protocol;
	sum = (~(uint32_t)(piece[10] << 8 | piece[11]) & 0xffff) + protocol;
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	piece[10] = (uint8_t)(sum >> 8);
	piece[11] = (uint8_t)sum;
}

void send_fragment(struct sim_link *l, const uint8_t *whole, uint32_t at,
		   uint32_t size, bool more)
{
	bool v6 = whole[0] >> 4 == 6;
	uint32_t header = v6 ? 40 : 20, head = header;
	uint8_t piece[3000];

	memcpy(piece, whole, header);
	if (v6) {
		head = 48;
		piece[6] = 44;
		memset(piece + 40, 0, 8);
		piece[40] = whole[6];
		piece[42] = (uint8_t)(at >> 8);
		piece[43] = (uint8_t)((at & 0xf8) | more);
		piece[47] = 77;
		piece[4] = (uint8_t)((size + 8) >> 8);
		piece[5] = (uint8_t)(size + 8);
	} else {
		piece[2] = (uint8_t)((size + 20) >> 8);
		piece[3] = (uint8_t)(size + 20);
		piece[5] = 77;
		piece[6] = (uint8_t)(at / 8 >> 8 | (more ? 0x20 : 0));
		piece[7] = (uint8_t)(at / 8);
		fix_fragment(piece, 20);
	}
	memcpy(piece + head, whole + header + at, size);
	sim_input(l, piece, head + size);
}

void send_fragments(struct sim_link *l, const uint8_t *whole, uint32_t len,
		    uint32_t most, bool backwards)
{
	uint32_t total = len - (whole[0] >> 4 == 6 ? 40 : 20);
	uint32_t n = (total + most - 1) / most;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = backwards ? n - 1 - i : i;

		send_fragment(l, whole, k * most,
			      k == n - 1 ? total - k * most : most, k != n - 1);
	}
}
