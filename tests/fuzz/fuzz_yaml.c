/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate of the configuration: any bytes to config_parse, with components
 * that have options of every type. */
#include "tests/unit/parts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ignore(void *arg, const char *line)
{
	(void)arg;
	if (strpbrk(line, "\n\033"))
		abort(); /* a message is one harmless line */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct registry *registry;
	static const struct config_report report = {ignore, ignore, NULL};
	char *copy;

	if (!registry)
		registry = parts_registry();
	copy = malloc(len ? len : 1); /* reading beyond the end is seen */
	memcpy(copy, data, len);
	config_free(config_parse("/f", copy, len, registry, &report));
	free(copy);
	return 0;
}
