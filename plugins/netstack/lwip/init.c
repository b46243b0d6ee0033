/* SPDX-License-Identifier: GPL-2.0-or-later */
/* It holds that SACK blocks can only come from a queue of lwIP's own. Ours come
 * from reorder.c; nothing else in there asks. */
#include "lwip/opt.h"
#undef TCP_QUEUE_OOSEQ
#define TCP_QUEUE_OOSEQ 1
#include "core/init.c"
