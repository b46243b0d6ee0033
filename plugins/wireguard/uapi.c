/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * Bytes become lines, lines a request, up to the empty line that ends it. A
 * set only collects (uapi_set.c); it is applied at its empty line. The first
 * mistake in a request is its answer, at once, and the rest of the request is
 * read over. A line longer than any that could be right is such a mistake; it
 * is read over too, so that its length costs nothing.
 *
 * The answer to a get is made in pieces while it is fetched (uapi_get.c).
 * Until an answer is fetched no byte is taken. */
#include <errno.h>
#include <stdlib.h>

#include "uapi_private.h"

enum state {
	IDLE,
	GET,  /* nothing but the empty line may follow */
	SET,  /* lines of a change */
	SKIP, /* answered: up to the empty line */
};

enum answer { NONE, REPORT, ERRNO };

struct uapi {
	const struct uapi_device *device;
	enum state state;
	enum answer answer;
	int err;
	struct uapi_change change;
	struct uapi_report report;
	char line[UAPI_LINE_MAX + 1];
	size_t line_len;
	bool line_lost; /* it was too long: up to its end */
};

struct uapi *uapi_new(const struct uapi_device *device)
{
	struct uapi *u = calloc(1, sizeof *u);

	if (u)
		u->device = device;
	return u;
}

void uapi_free(struct uapi *u)
{
	if (!u)
		return;
	uapi_change_clear(&u->change);
	uapi_report_end(&u->report);
	explicit_bzero(u, sizeof *u);
	free(u);
}

/* ---- requests ---- */

static void answer(struct uapi *u, int err)
{
	u->answer = ERRNO;
	u->err = err;
	uapi_change_clear(&u->change);
}

static void refuse(struct uapi *u, int err)
{
	answer(u, err);
	u->state = SKIP;
}

static void request_end(struct uapi *u, uint64_t now_us)
{
	if (u->state == SET)
		answer(u, uapi_change_apply(&u->change, u->device, now_us));
	else if (u->state == GET && !uapi_report_begin(&u->report, u->device))
		answer(u, ENOMEM);
	else if (u->state == GET)
		u->answer = REPORT;
	u->state = IDLE;
}

static void request_begin(struct uapi *u)
{
	if (strcmp(u->line, "get=1") == 0)
		u->state = GET;
	else if (strcmp(u->line, "set=1") == 0)
		u->state = SET;
	else
		refuse(u, strchr(u->line, '=') ? EINVAL : EPROTO);
}

static void set_line(struct uapi *u)
{
	char *equals = strchr(u->line, '=');
	int err = EPROTO;

	if (equals) {
		*equals = '\0';
		err = uapi_change_line(&u->change, u->line, equals + 1);
	}
	if (err)
		refuse(u, err);
}

static void line_end(struct uapi *u, uint64_t now_us)
{
	size_t len = u->line_len;

	u->line[len] = '\0';
	if (u->line_lost)
		u->line_lost = false; /* was answered when it overflowed */
	else if (!len)
		request_end(u, now_us);
	else if (u->state == SKIP)
		;
	else if (strlen(u->line) != len || u->state == GET)
		refuse(u, EINVAL);
	else if (u->state == SET)
		set_line(u);
	else
		request_begin(u);
	explicit_bzero(u->line, len);
	u->line_len = 0;
}

/* More of a line that has not ended. */
static void line_add(struct uapi *u, const char *data, size_t len)
{
	if (u->line_lost)
		return;
	if (len <= UAPI_LINE_MAX - u->line_len) {
		memcpy(u->line + u->line_len, data, len);
		u->line_len += len;
		return;
	}
	u->line_lost = true;
	explicit_bzero(u->line, u->line_len);
	u->line_len = 0;
	if (u->state != SKIP)
		refuse(u, EINVAL);
}

size_t uapi_input(struct uapi *u, const char *data, size_t len, uint64_t now_us)
{
	size_t taken = 0;

	while (taken < len && u->answer == NONE) {
		const char *from = data + taken;
		const char *end = memchr(from, '\n', len - taken);
		size_t part = end ? (size_t)(end - from) : len - taken;

		line_add(u, from, part);
		taken += part;
		if (end) {
			line_end(u, now_us);
			taken++;
		}
	}
	return taken;
}

/* ---- answers ---- */

static size_t put_errno(struct uapi *u, char *room, size_t size)
{
	int n = snprintf(room, size, "errno=%d\n\n", -u->err);

	u->answer = NONE;
	return (size_t)n;
}

size_t uapi_output(struct uapi *u, char *room, size_t size)
{
	size_t n = 0;

	if (u->answer == REPORT) {
		n = uapi_report_next(&u->report, u->device, room, size);
		if (!u->report.done)
			return n;
		uapi_report_end(&u->report);
		answer(u, 0);
	}
	/* What is left of a full room may be too little. */
	if (u->answer == ERRNO && size - n >= sizeof "errno=-2147483648\n\n")
		n += put_errno(u, room + n, size - n);
	return n;
}
