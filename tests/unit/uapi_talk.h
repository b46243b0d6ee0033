/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uapi_talk.h - a connection to a device that only remembers, and what is said
 * on it. For one test program: it holds functions. */
#ifndef WEIR_UAPI_TALK_H
#define WEIR_UAPI_TALK_H

#include <check.h>
#include <stdlib.h>

#include "plugins/wireguard/uapi.h"
#include "tests/unit/wg_fake.h"

#define ANSWER_BYTES (16u << 20)

static struct world {
	struct wg_device wg;
	uint16_t port;
	uint32_t mark;
	int bind_error;
	unsigned binds, applied, refused;
} world;

static void socket_get(void *arg, uint16_t *port, uint32_t *mark)
{
	ck_assert_ptr_eq(arg, &world);
	*port = world.port;
	*mark = world.mark;
}

static int socket_set(void *arg, uint16_t port, uint32_t mark)
{
	(void)arg;
	world.binds++;
	if (world.bind_error)
		return world.bind_error;
	world.port = port ? port : 40000;
	world.mark = mark;
	return 0;
}

static void applied(void *arg)
{
	(void)arg;
	world.applied++;
}

static void refused(void *arg, const char *why)
{
	(void)arg;
	ck_assert_str_eq(why, "the engine says no");
	world.refused++;
}

static const struct uapi_ops ops = {socket_get, socket_set, applied, refused};
static const struct uapi_device device = {&world.wg, &ops, &world};

static struct uapi *uapi;
static char *answer;
static size_t answer_len;

static void begin(void)
{
	memset(&world, 0, sizeof world);
	uapi = uapi_new(&device);
	answer = malloc(ANSWER_BYTES);
	ck_assert(uapi && answer);
}

static void end(void)
{
	uapi_free(uapi);
	free(answer);
	wg_fake_clear(&world.wg);
}

/* Fetch what there is, `room` bytes a time. */
static void fetch(size_t room)
{
	size_t n;

	while ((n = uapi_output(uapi, answer + answer_len, room))) {
		ck_assert_uint_le(n, room);
		answer_len += n;
		ck_assert_uint_lt(answer_len + room, ANSWER_BYTES);
	}
	answer[answer_len] = '\0';
}

/* Send `text` in parts of `part` bytes; all answers to it. */
static const char *say_in(const char *text, size_t part, size_t room)
{
	size_t len = strlen(text), at = 0;

	answer_len = 0;
	while (at < len) {
		size_t n = len - at < part ? len - at : part;

		at += uapi_input(uapi, text + at, n, 1);
		fetch(room);
	}
	return answer;
}

static const char *say(const char *text)
{
	return say_in(text, SIZE_MAX, 65536);
}

#endif
