/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language of wg: any bytes, in parts of any length, must be taken or
 * answered; there is one answer a request, and what a get tells can be set. */
#include <stdlib.h>

#include "plugins/wireguard/uapi.h"
#include "tests/unit/wg_fake.h"

#define ROOM 4096u
#define NOW_US 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint16_t port;
static uint32_t mark;

static void socket_get(void *arg, uint16_t *to_port, uint32_t *to_mark)
{
	(void)arg;
	*to_port = port;
	*to_mark = mark;
}

static int socket_set(void *arg, uint16_t to_port, uint32_t to_mark)
{
	(void)arg;
	port = to_port;
	mark = to_mark;
	return 0;
}

static const struct uapi_ops ops = {.socket_get = socket_get,
				    .socket_set = socket_set};

/* Everything that is to be said; no piece may be larger than its room. */
static size_t fetch(struct uapi *u, char *to, size_t size)
{
	size_t n, used = 0;
	char *room = malloc(ROOM);

	while ((n = uapi_output(u, room, ROOM))) {
		if (n > ROOM)
			abort();
		if (to && used + n < size)
			memcpy(to + used, room, n);
		used += n;
	}
	free(room);
	return used;
}

static void send_all(struct uapi *u, const char *data, size_t len, size_t part)
{
	size_t at = 0;

	while (at < len) {
		size_t n = len - at < part ? len - at : part;
		size_t taken = uapi_input(u, data + at, n, NOW_US);

		if (taken > n || (!taken && !fetch(u, NULL, 0)))
			abort();
		at += taken;
		fetch(u, NULL, 0);
	}
}

/* Told lines that are not for a set begin so. */
static bool is_told_only(const char *line)
{
	return !strncmp(line, "last_", 5) || !strncmp(line, "tx_", 3) ||
	       !strncmp(line, "rx_", 3) || !strncmp(line, "errno=0", 7);
}

static void set_what_was_told(struct uapi *u, char *told)
{
	char *line, *rest = told;
	char answer[32] = "";

	uapi_input(u, "set=1\n", 6, NOW_US);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line || is_told_only(line))
			continue;
		uapi_input(u, line, strlen(line), NOW_US);
		uapi_input(u, "\n", 1, NOW_US);
	}
	uapi_input(u, "\n", 1, NOW_US);
	fetch(u, answer, sizeof answer);
	if (strcmp(answer, "errno=0\n\n") != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char told[1u << 20];
	struct wg_device wg = {.sets = 0};
	const struct uapi_device device = {&wg, &ops, NULL};
	struct uapi *u = uapi_new(&device);
	size_t n;

	port = 0;
	mark = 0;
	if (len) {
		send_all(u, (const char *)data + 1, len - 1, data[0] + 1u);
		uapi_free(u);
		u = uapi_new(&device);
		uapi_input(u, "get=1\n\n", 7, NOW_US);
		n = fetch(u, told, sizeof told);
		if (n < sizeof told) {
			told[n] = '\0';
			set_what_was_told(u, told);
		}
	}
	uapi_free(u);
	wg_fake_clear(&wg);
	return 0;
}
