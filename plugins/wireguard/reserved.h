/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reserved.h - the three reserved bytes of a message, as users write them. */
#ifndef WIREGUARD_RESERVED_H
#define WIREGUARD_RESERVED_H

#include <weir/option.h>

/* `texts` (const char *): three numbers, or one text of hex or base64. None:
 * zeros. */
bool reserved_parse(const struct weir_list *texts, uint8_t reserved[3],
		    struct weir_error *);

#endif
