/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ipv6/ip6.c"
