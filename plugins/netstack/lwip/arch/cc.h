/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arch/cc.h - what lwIP asks of compiler and platform. */
#ifndef NETSTACK_ARCH_CC_H
#define NETSTACK_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_ERRNO_STDINCLUDE 1
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS 1
#define LWIP_PLATFORM_DIAG(x)
/* Nothing a packet holds reaches an assertion of lwIP's: the gate and our
 * book-keeping see to that. Should one fail, the state is not to be trusted. */
#define LWIP_PLATFORM_ASSERT(x) lwip_assert_failed(x, __FILE__, __LINE__)
#define LWIP_RAND() lwip_random()

__attribute__((noreturn)) void lwip_assert_failed(const char *what,
						  const char *file, int line);
unsigned lwip_random(void);
uint16_t checksum_lwip(const void *data, int len);

#endif
