/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate of plugin files: any bytes must be refused or give an identity
 * whose strings end. Seed it with a plugin's .so. */
#include <stdlib.h>

#include "core/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_end(const char *text, size_t size)
{
	if (!memchr(text, '\0', size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weir_identity id;
	struct weir_error e;

	if (!note_parse(data, len, &id, &e)) {
		must_end(e.text, sizeof e.text);
		return 0;
	}
	must_end(id.name, sizeof id.name);
	must_end(id.version, sizeof id.version);
	must_end(id.licence, sizeof id.licence);
	must_end(id.needs, sizeof id.needs);
	return 0;
}
