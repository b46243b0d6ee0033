/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead.c - which library is taken. */
#include "aead.h"

const struct aead_ops *const aead_all[] = {
#ifdef WEIR_AEAD_IPSEC_MB
	&aead_ipsec_mb,
#endif
#ifdef WEIR_AEAD_OPENSSL
	&aead_openssl,
#endif
	&aead_wolfssl,
	NULL,
};

bool aead_works(const struct aead_ops *ops)
{
	static const uint8_t key[WG_KEY_BYTES];
	uint8_t sealed[WG_TAG_BYTES] = {0};
	struct aead a;
	bool ok;

	aead_init(&a, ops, AEAD_SEAL, key);
	ok = aead_seal(&a, sealed, sealed, 0, 0);
	aead_wipe(&a);
	return ok;
}

const struct aead_ops *aead_best(void)
{
	const struct aead_ops *const *each = aead_all;

	while (*each != &aead_wolfssl && !aead_works(*each))
		each++;
	return *each;
}
