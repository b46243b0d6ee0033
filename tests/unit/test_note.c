/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note gate, on ELF files made in memory. */
#include <check.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>

#include "core/note.h"
#include "tests/suite.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* The smallest file that is a plugin to the gate. */
struct file {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	struct weir_note note;
};

static struct file file_new(void)
{
	struct file f = {
		.note = {sizeof WEIR_NOTE_OWNER,
			 sizeof(struct weir_identity),
			 WEIR_NOTE_IDENTITY,
			 WEIR_NOTE_OWNER,
			 {WEIR_MAJOR, WEIR_MINOR, "outbound-x", "1.0", "MIT",
			  "netstack/1 other/12"}},
	};

	memcpy(f.header.e_ident, __ehdr_start.e_ident, EI_NIDENT);
	f.header.e_type = ET_DYN;
	f.header.e_machine = __ehdr_start.e_machine;
	f.header.e_phoff = offsetof(struct file, segment);
	f.header.e_phentsize = sizeof(ElfW(Phdr));
	f.header.e_phnum = 1;
	f.segment.p_type = PT_NOTE;
	f.segment.p_offset = offsetof(struct file, note);
	f.segment.p_filesz = sizeof f.note;
	f.segment.p_align = 4;
	return f;
}

/* From memory of exactly that size, so that a sanitizer sees a step beyond. */
static bool parse(const struct file *f, size_t len, struct weir_identity *id,
		  struct weir_error *e)
{
	void *copy = malloc(len ? len : 1);
	bool ok;

	memcpy(copy, f, len);
	ok = note_parse(copy, len, id, e);
	free(copy);
	return ok;
}

static void refused(const struct file *f, const char *why)
{
	struct weir_identity id;
	struct weir_error e;

	ck_assert(!parse(f, sizeof *f, &id, &e));
	ck_assert_msg(strstr(e.text, why), "\"%s\", not \"%s\"", e.text, why);
}

START_TEST(note_reads_the_identity)
{
	struct file f = file_new();
	struct weir_identity id;
	struct weir_error e;

	ck_assert(parse(&f, sizeof f, &id, &e));
	ck_assert_uint_eq(id.major, WEIR_MAJOR);
	ck_assert_str_eq(id.name, "outbound-x");
	ck_assert_str_eq(id.needs, "netstack/1 other/12");
}
END_TEST

START_TEST(note_refuses_every_truncation)
{
	struct file f = file_new();
	struct weir_identity id;
	struct weir_error e;

	for (size_t len = 0; len < f.segment.p_offset + f.segment.p_filesz;
	     len++)
		ck_assert(!parse(&f, len, &id, &e));
}
END_TEST

START_TEST(note_refuses_other_machines)
{
	struct file f = file_new();

	f.header.e_ident[EI_CLASS] ^= 3;
	refused(&f, "wrong ELF class");
	f = file_new();
	f.header.e_ident[EI_DATA] ^= 3;
	refused(&f, "wrong byte order");
	f = file_new();
	f.header.e_machine ^= 1;
	refused(&f, "another machine");
	f = file_new();
	f.header.e_type = ET_EXEC;
	refused(&f, "not a shared object");
}
END_TEST

START_TEST(note_refuses_offsets_beyond_the_file)
{
	struct file f = file_new();

	f.header.e_phoff = (ElfW(Off)) - 8;
	refused(&f, "truncated");
	f = file_new();
	f.header.e_phnum = 100;
	refused(&f, "truncated");
	f = file_new();
	f.header.e_phnum = 65535;
	refused(&f, "malformed");
	f = file_new();
	f.segment.p_offset = (ElfW(Off)) - 16;
	refused(&f, "truncated");
	f = file_new();
	f.note.owner_size = UINT32_MAX;
	refused(&f, "truncated");
	f = file_new();
	f.note.identity_size = UINT32_MAX;
	refused(&f, "truncated");
	f = file_new();
	f.note.identity_size = 8;
	refused(&f, "truncated");
}
END_TEST

START_TEST(note_passes_over_notes_of_others)
{
	struct file f = file_new();

	f.note.owner[0] = 'W';
	refused(&f, "no weir note");
	f = file_new();
	f.note.type = 2;
	refused(&f, "no weir note");
}
END_TEST

START_TEST(note_refuses_strings_that_cannot_be_printed)
{
	struct file f = file_new();

	memset(f.note.identity.name, 'x', sizeof f.note.identity.name);
	refused(&f, "name");
	f = file_new();
	f.note.identity.name[0] = '\0';
	refused(&f, "name");
	f = file_new();
	strcpy(f.note.identity.name, "../x");
	refused(&f, "name");
	f = file_new();
	f.note.identity.version[0] = '\n';
	refused(&f, "version");
	f = file_new();
	f.note.identity.licence[0] = '\033';
	refused(&f, "licence");
}
END_TEST

START_TEST(note_refuses_malformed_needs)
{
	static const char *const bad[] = {"x",	 "x/",	    "/1",
					  "x/0", "x/1,y/1", "x/99999",
					  "X/1", "x/1 y",   "x/1/2"};
	struct weir_identity *id;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct file f = file_new();

		id = &f.note.identity;
		snprintf(id->needs, sizeof id->needs, "%s", bad[i]);
		refused(&f, "needs");
	}
}
END_TEST

START_TEST(note_survives_every_changed_byte)
{
	struct weir_identity id;
	struct weir_error e;

	for (size_t i = 0; i < sizeof(struct file); i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct file f = file_new();

			((uint8_t *)&f)[i] ^= (uint8_t)(1 << bit);
			if (parse(&f, sizeof f, &id, &e))
				ck_assert(memchr(id.name, 0, sizeof id.name));
		}
	}
}
END_TEST

START_TEST(note_says_what_cannot_be_opened)
{
	struct weir_identity id;
	struct weir_error e;

	ck_assert(!note_read("/nonexistent/x.so", &id, &e));
	ck_assert(strstr(e.text, "No such file"));
	ck_assert(!note_read("/", &id, &e));
	ck_assert_str_eq(e.text, "not a regular file");
}
END_TEST

SUITE("note", t)
{
	tcase_add_test(t, note_reads_the_identity);
	tcase_add_test(t, note_refuses_every_truncation);
	tcase_add_test(t, note_refuses_other_machines);
	tcase_add_test(t, note_refuses_offsets_beyond_the_file);
	tcase_add_test(t, note_passes_over_notes_of_others);
	tcase_add_test(t, note_refuses_strings_that_cannot_be_printed);
	tcase_add_test(t, note_refuses_malformed_needs);
	tcase_add_test(t, note_survives_every_changed_byte);
	tcase_add_test(t, note_says_what_cannot_be_opened);
}
