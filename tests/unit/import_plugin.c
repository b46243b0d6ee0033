/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An outbound that imports a format of its own: a line "foreign", then what
 * its option `word` is to be. check_import.sh compiles it. */
#include <weir/plugin.h>

struct conf {
	const char *word;
};

static const struct weir_option options[] = {
	{.name = "word",
	 .help = "a word",
	 .type = WEIR_STRING,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct conf, word),
	 .min = 1,
	 .max = 8},
};
static const struct weir_schema schema =
	WEIR_SCHEMA(struct conf, options, NULL);

static void *create(struct weir_instance *i, const struct weir_host *host,
		    const void *conf, struct weir_error *e)
{
	(void)host, (void)conf, (void)e;
	return i;
}

static bool start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return true;
}

static void end(void *self)
{
	(void)self;
}

static void *open_end(void *self, struct weir_end *end_,
		      const struct weir_addr *target, enum weir_net net)
{
	(void)self, (void)end_, (void)target, (void)net;
	return NULL;
}

static void abandon(void *self, void *pending)
{
	(void)self, (void)pending;
}

static enum weir_verdict import(const struct weir_import *m)
{
	const char *word = m->text + strlen("foreign\n");

	if (strncmp(m->text, "foreign\n", strlen("foreign\n")) != 0)
		return WEIR_NO;
	if (m->exposed)
		m->tell(m->arg, true, m->exposed);
	if (strncmp(word, "bad", 3) == 0)
		m->tell(m->arg, true, "2: bad: is bad");
	m->tell(m->arg, false, "1: odd");
	m->print(m->arg, "# one\n\nword:");
	m->print(m->arg, " \"%.*s\"\n", (int)strcspn(word, "\n"), word);
	return WEIR_YES;
}

static const struct weir_outbound_ops ops = {.size = sizeof ops,
					     .open = open_end,
					     .abandon = abandon,
					     .nets = WEIR_NET_TCP};

static const struct weir_component foreign = {.size = sizeof foreign,
					      .kind = WEIR_OUTBOUND,
					      .type = "foreign",
					      .summary = "imports",
					      .schema = &schema,
					      .ops = &ops,
					      .create = create,
					      .start = start,
					      .stop = end,
					      .destroy = end,
					      .import = import};

WEIR_PLUGIN("outbound-foreign", "1.0", "GPL-2.0-or-later", "", &foreign);
