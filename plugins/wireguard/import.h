/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import.h - `weir import` of wg-quick files: the `import` of the components
 * outbound wireguard and inbound wireguard. */
#ifndef WIREGUARD_IMPORT_H
#define WIREGUARD_IMPORT_H

#include <weir/plugin.h>

enum weir_verdict import_outbound(const struct weir_import *);
enum weir_verdict import_inbound(const struct weir_import *);

#endif
