/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wolf.h - the one place that includes wolfSSL. Its options come first: they
 * decide the size of its structs, and must be those it was built with. */
#ifndef WIREGUARD_WOLF_H
#define WIREGUARD_WOLF_H

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/blake2.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/wc_port.h>

#endif
