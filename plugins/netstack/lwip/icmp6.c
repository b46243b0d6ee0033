/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ipv6/icmp6.c"
