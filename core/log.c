/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log.
 *
 * Theory of operation: one line a write(2) to standard error, with a time
 * stamp, or with a priority where journald reads: JOURNAL_STREAM names its
 * socket, and is inherited also by who writes elsewhere. A line is dropped and
 * counted rather than waited for: when the pipe is full, and when more than
 * LINES_BURST came in a second from one level. The count is told as soon as a
 * line passes again. The log is the process's, so its state is the one global
 * of the core. */
#include "log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

#define LINE_BYTES 1024
#define LINES_BURST 2000 /* a level, a second */

static struct {
	enum weir_level level;
	const struct config_log_tag *tags;
	size_t tag_count;
	struct {
		time_t second;
		unsigned lines;
	} rate[WEIR_DEBUG + 1];
	uint64_t dropped;
} logger = {.level = WEIR_INFO};

void log_configure(enum weir_level level, const struct weir_list *tags)
{
	logger.level = level;
	logger.tags = tags ? tags->items : NULL;
	logger.tag_count = tags ? tags->count : 0;
}

enum weir_level log_level_of(const char *tag)
{
	for (size_t i = 0; i < logger.tag_count; i++)
		if (strcmp(logger.tags[i].tag, tag) == 0)
			return logger.tags[i].level;
	return logger.level;
}

static bool within_rate(enum weir_level level, time_t now)
{
	if (logger.rate[level].second != now) {
		logger.rate[level].second = now;
		logger.rate[level].lines = 0;
	}
	return logger.rate[level].lines++ < LINES_BURST;
}

static bool put(const char *line, size_t len)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&fd, 1, 0) == 1 && write(STDERR_FILENO, line, len) >= 0;
}

static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

static size_t put_head(char *line, enum weir_level level, time_t now)
{
	static const char *const words[] = {"error", "warn", "info", "debug"};
	static const int priority[] = {3, 4, 6, 7}; /* syslog(3) */
	static int journal = -1;
	struct tm tm;
	size_t len;

	if (journal < 0)
		journal = is_journal();
	if (journal)
		return (size_t)snprintf(line, LINE_BYTES, "<%d>",
					priority[level]);
	localtime_r(&now, &tm);
	len = strftime(line, LINE_BYTES, "%Y-%m-%dT%H:%M:%S%z ", &tm);
	return len + (size_t)snprintf(line + len, LINE_BYTES - len, "%-5s ",
				      words[level]);
}

static void tell_dropped(time_t now)
{
	char line[LINE_BYTES];
	size_t len = put_head(line, WEIR_WARN, now);

	len += (size_t)snprintf(line + len, LINE_BYTES - len,
				"log: %llu lines dropped\n",
				(unsigned long long)logger.dropped);
	if (put(line, len))
		logger.dropped = 0;
}

void log_vline(enum weir_level level, const char *tag, const char *fmt,
	       va_list args)
{
	struct timespec now;
	char line[LINE_BYTES];
	size_t len;

	if (level > log_level_of(tag))
		return;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (!within_rate(level, now.tv_sec)) {
		logger.dropped++;
		return;
	}
	if (logger.dropped)
		tell_dropped(now.tv_sec);
	len = put_head(line, level, now.tv_sec);
	len += (size_t)snprintf(line + len, sizeof line - len, "%s: ", tag);
	if (len < sizeof line)
		len += (size_t)vsnprintf(line + len, sizeof line - len, fmt,
					 args);
	if (len > sizeof line - 1)
		len = sizeof line - 1;
	utf8_blot(line, len);
	line[len++] = '\n';
	if (!put(line, len))
		logger.dropped++;
}

void log_line(enum weir_level level, const char *tag, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vline(level, tag, fmt, args);
	va_end(args);
}
