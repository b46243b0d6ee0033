/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ipv4/ip4_addr.c"
