/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * The text is cut into lines, comments are taken off, and what is left is a
 * [Section] or a KEY = VALUE (quick_key.c). Reading goes on after an error, so
 * that one run tells all of them. Nothing is copied on the way but into the
 * result, whose memory is wiped wherever it is let go of: lists are grown by
 * hand, since realloc() would leave keys behind.
 *
 * Whatever of the file a report repeats was written by somebody else: control
 * characters are blotted out, so that no terminal obeys them. */
#include "quick.h"

#include <stdarg.h>
#include <stdlib.h>

#include "quick_reading.h"

#define REPORT_LINES_MAX 100u

/* ---- reports ---- */

/* Control characters: below space, DEL, and C1 in its two UTF-8 bytes. */
static void blot(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

WEIR_PRINTF(4, 0)
static void report(struct quick_reading *r, unsigned line, bool is_error,
		   const char *fmt, va_list args)
{
	char text[QUICK_REPORT_BYTES];
	int n;

	if (line)
		n = snprintf(text, sizeof text, "%.300s:%u: ", r->file, line);
	else
		n = snprintf(text, sizeof text, "%.300s: ", r->file);
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, args);
	blot(text);
	r->report->tell(r->report->arg, is_error, text);
}

bool quick_error(struct quick_reading *r, unsigned line, const char *fmt, ...)
{
	va_list args;

	if (r->errors++ >= REPORT_LINES_MAX)
		return false;
	va_start(args, fmt);
	report(r, line, true, fmt, args);
	va_end(args);
	return false;
}

void quick_warning(struct quick_reading *r, unsigned line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(r, line, false, fmt, args);
	va_end(args);
}

static void report_rest(struct quick_reading *r)
{
	char text[QUICK_REPORT_BYTES];

	if (r->errors <= REPORT_LINES_MAX)
		return;
	snprintf(text, sizeof text, "%.300s: %zu more errors", r->file,
		 r->errors - REPORT_LINES_MAX);
	r->report->tell(r->report->arg, true, text);
}

/* ---- memory ---- */

/* Room doubles whenever the count has reached a power of two. */
void *quick_append(struct quick_reading *r, struct weir_list *list,
		   const void *item, size_t size)
{
	size_t count = list->count;
	char *items = list->items;

	if ((count & (count - 1)) == 0) {
		items = malloc((count ? 2 * count : 1) * size);
		if (!items) {
			quick_error(r, r->line, "out of memory");
			return NULL;
		}
		if (count) {
			memcpy(items, list->items, count * size);
			explicit_bzero(list->items, count * size);
		}
		free(list->items);
		list->items = items;
	}
	memcpy(items + count * size, item, size);
	list->count++;
	return items + count * size;
}

void quick_free(struct quick *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->peers.count; i++) {
		struct quick_peer *p = (struct quick_peer *)q->peers.items + i;

		if (p->endpoint.kind == WEIR_ADDR_NAME)
			free((void *)(uintptr_t)p->endpoint.name);
		free(p->allowed_ips.items);
		explicit_bzero(p, sizeof *p);
	}
	for (size_t i = 0; i < q->search.count; i++)
		free(((char **)q->search.items)[i]);
	free(q->address.items);
	free(q->dns.items);
	free(q->search.items);
	free(q->peers.items);
	free(q->ignored.items);
	explicit_bzero(q, sizeof *q);
	free(q);
}

/* ---- lines ---- */

static void new_peer(struct quick_reading *r)
{
	const struct quick_peer peer = {.line = r->line};

	quick_peer_begin(r);
	if (r->quick->peers.count == QUICK_PEERS_MAX) {
		r->section = QUICK_OTHER;
		quick_error(r, r->line,
			    "[Peer]: is one too many; the most is "
			    "%u",
			    QUICK_PEERS_MAX);
		return;
	}
	r->peer = quick_append(r, &r->quick->peers, &peer, sizeof peer);
	r->section = r->peer ? QUICK_PEER : QUICK_OTHER;
}

static void section(struct quick_reading *r, struct slice s)
{
	struct slice name = {s.at + 1, s.len - 2};

	if (r->section == QUICK_PEER)
		quick_peer_end(r);
	if (s.len > 2 && s.at[s.len - 1] == ']')
		name = slice_trim(name);
	else
		name.len = 0;
	r->section = QUICK_OTHER;
	if (slice_is(name, "Interface")) {
		r->section = QUICK_INTERFACE;
		r->has_interface = true;
	} else if (slice_is(name, "Peer")) {
		new_peer(r);
	} else if (s.len > QUICK_SHOWN_BYTES) {
		quick_error(r, r->line, "is neither [Section] nor KEY = VALUE");
	} else {
		quick_error(
			r, r->line,
			"%.*s: is not a section; [Interface] and [Peer] are",
			(int)s.len, s.at);
	}
}

static void one_line(struct quick_reading *r, struct slice line)
{
	struct slice rest, name, text = slice_trim(slice_cut(&line, '#'));

	if (!text.len)
		return;
	if (text.at[0] == '[') {
		section(r, text);
		return;
	}
	rest = text;
	name = slice_cut(&rest, '=');
	/* Its text may be a key that lost its name: it is not repeated. */
	if (!name.len || name.len == text.len)
		quick_error(r, r->line, "is neither [Section] nor KEY = VALUE");
	else
		quick_key(r, slice_trim(name), slice_trim(rest));
}

static void all_lines(struct quick_reading *r, struct slice text)
{
	if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
		text.at += 3, text.len -= 3;
	while (text.len) {
		struct slice line = slice_cut(&text, '\n');

		r->line++;
		if (line.len && memchr(line.at, '\0', line.len)) {
			quick_error(r, r->line,
				    "has a NUL byte; is this a text file?");
			return;
		}
		one_line(r, line);
	}
	if (r->section == QUICK_PEER)
		quick_peer_end(r);
	quick_interface_end(r);
	quick_refuse_shared(r);
}

struct quick *quick_parse(const char *file, const char *text, size_t len,
			  bool strict, const struct quick_report *to)
{
	struct quick_reading r = {.file = file, .strict = strict, .report = to};

	r.quick = calloc(1, sizeof *r.quick);
	if (!r.quick)
		quick_error(&r, 0, "out of memory");
	else if (len > QUICK_FILE_BYTES_MAX)
		quick_error(&r, 0, "is too long; the most is %u bytes",
			    QUICK_FILE_BYTES_MAX);
	else
		all_lines(&r, (struct slice){text, len});
	free(r.claims.items);
	report_rest(&r);
	if (!r.errors)
		return r.quick;
	quick_free(r.quick);
	return NULL;
}

bool quick_looks_like(const char *text, size_t len)
{
	struct slice rest = {text, len};

	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		line = slice_trim(slice_cut(&line, '#'));
		if (slice_is(line, "[Interface]") || slice_is(line, "[Peer]"))
			return true;
	}
	return false;
}
