/* SPDX-License-Identifier: GPL-2.0-or-later */
/* component.h - whether what a plugin describes can be worked with. */
#ifndef WEIR_CORE_COMPONENT_H
#define WEIR_CORE_COMPONENT_H

#include <weir/plugin.h>

/* The descriptor, its table of functions and its options are complete and
 * agree with each other. Pointers are taken to point somewhere. */
bool component_check(const struct weir_component *, struct weir_error *);

#endif
