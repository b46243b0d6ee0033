/* SPDX-License-Identifier: GPL-2.0-or-later */
/* idle.h - a component for the fake host that does nothing: a test that needs
 * an instance, and plays the rest itself, starts one of it. */
#ifndef TESTS_UNIT_IDLE_H
#define TESTS_UNIT_IDLE_H

#include <weir/plugin.h>

/* What it creates is its own instance. One fake host at a time. */
extern const struct weir_component idle_component;

#endif
