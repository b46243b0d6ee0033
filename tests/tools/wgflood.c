/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgflood.c - initiations that lead nowhere, as fast as is asked for.
 *
 * `mac1` knows nothing of the server, `random` knows its public key and signs,
 * `replayed` has overheard one right initiation of client 0. Each is sent from
 * many addresses. What the server says to them is counted by its kind. */
#include "wgload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define SECOND_US 1000000u
#define RATE_MOST 1000000
#define SOURCES 256u
#define BATCH 64u
#define WAIT_MS 1
#define LINGER_MS 300 /* for what is still on its way */

enum kind { FLOOD_MAC1, FLOOD_RANDOM, FLOOD_REPLAYED, FLOOD_KINDS };

struct flood {
	const struct wgload_target *target;
	enum kind kind;
	struct cookie_jar jar;
	struct message_initiation heard;
	uint64_t random, sent, refused, responses, cookies, others;
};

static void overhear(struct flood *f)
{
	uint8_t key[WG_KEY_BYTES];
	struct handshake attempt;
	struct identity me;
	struct remote server = {.usable = false};
	struct timespec wall;

	wgload_private_key(0, key);
	identity_init(&me, key);
	remote_init(&server, &me, f->target->public_key);
	clock_gettime(CLOCK_REALTIME, &wall);
	if (!handshake_initiate(&attempt, &me, &server, &wall, 0,
				&crypto_random_system, &f->heard))
		tool_die("handshake_initiate");
	cookie_sign(&f->jar, &f->heard, sizeof f->heard, tool_now_us());
}

static void make(struct flood *f, struct message_initiation *m)
{
	uint8_t *bytes = (uint8_t *)m;

	if (f->kind == FLOOD_REPLAYED) {
		*m = f->heard;
		return;
	}
	for (size_t at = 0; at < sizeof *m; at += 4) {
		uint32_t word = (uint32_t)random_next(&f->random);

		memcpy(bytes + at, &word, sizeof word);
	}
	m->header = (struct message_header){.type = MESSAGE_INITIATION};
	if (f->kind == FLOOD_RANDOM)
		cookie_sign(&f->jar, m, sizeof *m, tool_now_us());
}

static void read_replies(struct flood *f)
{
	uint8_t room[WGLOAD_ROOM];
	struct message m;
	size_t n;

	while ((n = wgload_receive(f->target, room)) > 0) {
		switch (message_parse(room, n, &m)) {
		case MESSAGE_RESPONSE:
			f->responses++;
			break;
		case MESSAGE_COOKIE_REPLY:
			f->cookies++;
			break;
		default:
			f->others++;
		}
	}
}

static void run(struct flood *f, uint64_t rate, uint64_t seconds)
{
	uint64_t start_us = tool_now_us(), now_us, asked = 0;
	struct message_initiation m;

	while ((now_us = tool_now_us()) < start_us + seconds * SECOND_US) {
		uint64_t due = (now_us - start_us) * rate / SECOND_US;

		for (unsigned i = 0; i < BATCH && asked < due; i++, asked++) {
			make(f, &m);
			if (wgload_send(f->target, asked % SOURCES, &m,
					sizeof m))
				f->sent++;
			else
				f->refused++;
		}
		read_replies(f);
		if (asked >= due)
			wgload_wait(f->target, WAIT_MS);
	}
	wgload_wait(f->target, LINGER_MS);
	read_replies(f);
	printf("{\"sent\": %llu, \"refused\": %llu, \"responses\": %llu, "
	       "\"cookies\": %llu, \"others\": %llu, \"seconds\": %.3f}\n",
	       (unsigned long long)f->sent, (unsigned long long)f->refused,
	       (unsigned long long)f->responses, (unsigned long long)f->cookies,
	       (unsigned long long)f->others,
	       (double)(now_us - start_us) / SECOND_US);
}

int wgload_flood(const struct wgload_target *target, char **words)
{
	static const char *const kinds[FLOOD_KINDS] = {"mac1", "random",
						       "replayed"};
	struct flood f = {.target = target, .random = tool_now_us()};
	unsigned kind = 0;

	while (kind < FLOOD_KINDS && strcmp(words[0], kinds[kind]))
		kind++;
	if (kind == FLOOD_KINDS) {
		fprintf(stderr, "%s: is no kind of flood\n", words[0]);
		return EXIT_FAILURE;
	}
	f.kind = (enum kind)kind;
	cookie_jar_init(&f.jar, target->public_key);
	if (f.kind == FLOOD_REPLAYED)
		overhear(&f);
	run(&f, (uint64_t)tool_number(words[1], 1, RATE_MOST),
	    (uint64_t)tool_number(words[2], 1, WGLOAD_SECONDS_MOST));
	return 0;
}
