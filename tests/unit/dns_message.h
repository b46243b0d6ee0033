/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dns_message.h - what a part that asks name servers wrote to a dial, and the
 * answers to it. */
#ifndef TESTS_UNIT_DNS_MESSAGE_H
#define TESTS_UNIT_DNS_MESSAGE_H

#include <weir/fakehost.h>

#define DNS_MESSAGE_MOST 2048u

struct dns_message {
	uint8_t bytes[DNS_MESSAGE_MOST];
	uint32_t len;
};

/* The next question, which is taken off the dial; without the length that it
 * stands behind in a stream. */
struct dns_message dns_asked(struct weir_dial *);

uint8_t dns_type(const struct dns_message *question); /* T_A or T_AAAA */

/* As many addresses as `records`, of the type that was asked for; their last
 * bytes are 0, 1, 2... */
struct dns_message dns_answer(const struct dns_message *question, int rcode,
			      unsigned records);

#endif
