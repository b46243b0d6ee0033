/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host.h - the core as plugins see it. */
#ifndef WEIR_CORE_HOST_H
#define WEIR_CORE_HOST_H

#include <weir/host.h>

extern const struct weir_host host_table;

#endif
