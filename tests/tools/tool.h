/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tool.h - what the load generators share: addresses, time, percentiles. */
#ifndef TESTS_TOOLS_TOOL_H
#define TESTS_TOOLS_TOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

_Noreturn void tool_die(const char *what); /* with errno's text */
uint64_t tool_now_us(void);
long tool_number(const char *text, long least, long most);
socklen_t tool_address(const char *host, unsigned port,
		       struct sockaddr_storage *);
void tool_set_port(struct sockaddr_storage *, unsigned port);
int tool_udp_bound(const char *host, unsigned port);
void tool_raise_fd_limit(void);

/* Round-trip times, kept as they come. */
struct tool_times {
	uint32_t *us;
	size_t count, room;
};

void tool_times_add(struct tool_times *, uint64_t us);
uint32_t tool_times_percentile(struct tool_times *, double part); /* sorts */

#endif
