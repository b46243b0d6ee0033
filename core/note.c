/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * A plugin says who it is in an ELF note (WEIR_PLUGIN in weir/plugin.h), so
 * that the core can refuse it before any of its constructors runs. The file is
 * read whole into memory, bounded, and taken as hostile: nothing in it is used
 * as an offset or a length before it was compared with what is really there.
 *
 * Notes are found through the PT_NOTE program headers, not through sections:
 * these survive strip(1), and they are what the kernel and ld.so go by. Which
 * machine is the right one is read off the header of the running program. */
#include "note.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_FILE_BYTES (64u << 20) /* no plugin is larger */
#define NOTE_HEADERS 128	    /* program headers; linkers write ~12 */
#define NOTE_MAJOR_MAX 9999u	    /* of a needed service */

/* The linker's own name for the header of this program. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* `len` bytes of `from` at `offset`; false where they are not all there. */
static bool bytes_cut(struct bytes from, uint64_t offset, uint64_t len,
		      struct bytes *out)
{
	if (offset > from.len || len > from.len - offset)
		return false;
	out->at = from.at + offset;
	out->len = (size_t)len;
	return true;
}

static bool header_check(struct bytes file, ElfW(Ehdr) * h,
			 struct weir_error *e)
{
	const unsigned char *own = __ehdr_start.e_ident;

	if (file.len < SELFMAG || memcmp(file.at, ELFMAG, SELFMAG) != 0)
		return weir_error(e, NULL, "not an ELF file");
	if (file.len < sizeof *h)
		return weir_error(e, NULL, "truncated ELF header");
	memcpy(h, file.at, sizeof *h);
	if (h->e_ident[EI_CLASS] != own[EI_CLASS])
		return weir_error(e, NULL, "wrong ELF class: %u-bit",
				  h->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64);
	if (h->e_ident[EI_DATA] != own[EI_DATA])
		return weir_error(e, NULL, "wrong byte order");
	if (h->e_machine != __ehdr_start.e_machine)
		return weir_error(e, NULL,
				  "built for another machine (ELF machine %u, "
				  "this one is %u)",
				  h->e_machine, __ehdr_start.e_machine);
	if (h->e_type != ET_DYN)
		return weir_error(e, NULL, "not a shared object (ELF type %u)",
				  h->e_type);
	if (h->e_phentsize != sizeof(ElfW(Phdr)) || h->e_phnum > NOTE_HEADERS)
		return weir_error(e, NULL, "malformed ELF program headers");
	return true;
}

/* A field of the identity: ends in the field, printable, and of a charset. */
static bool text_check(const char *field, size_t size, const char *allowed)
{
	size_t len = strnlen(field, size);

	if (len == size)
		return false;
	if (allowed)
		return len > 0 && strspn(field, allowed) == len;
	for (size_t i = 0; i < len; i++) {
		if (field[i] < ' ' || field[i] > '~')
			return false;
	}
	return true;
}

#define NOTE_NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-_"
#define NOTE_VERSION_CHARS NOTE_NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.+~:"

const char *note_need(const char *needs, struct note_need *need)
{
	const char *p = needs + strspn(needs, " ");
	size_t len = strspn(p, NOTE_NAME_CHARS);

	memset(need, 0, sizeof *need);
	if (!*p)
		return p;
	if (len == 0 || len >= sizeof need->name || p[len] != '/')
		return NULL;
	memcpy(need->name, p, len);
	p += len + 1;
	for (; *p >= '0' && *p <= '9'; p++) {
		need->major = need->major * 10 + (unsigned)(*p - '0');
		if (need->major > NOTE_MAJOR_MAX)
			return NULL;
	}
	return need->major && (!*p || *p == ' ') ? p : NULL;
}

static bool needs_check(const char *needs)
{
	struct note_need need;

	do {
		needs = note_need(needs, &need);
	} while (needs && need.name[0]);
	return needs;
}

static bool identity_check(const struct weir_identity *id, struct weir_error *e)
{
	if (!text_check(id->name, sizeof id->name, NOTE_NAME_CHARS))
		return weir_error(e, NULL, "malformed name in its note");
	if (!text_check(id->version, sizeof id->version, NOTE_VERSION_CHARS))
		return weir_error(e, NULL, "malformed version in its note");
	if (!text_check(id->licence, sizeof id->licence, NULL))
		return weir_error(e, NULL, "malformed licence in its note");
	if (!text_check(id->needs, sizeof id->needs, NULL) ||
	    !needs_check(id->needs))
		return weir_error(e, NULL,
				  "malformed needs in its note: "
				  "\"service/major\" is the form");
	return true;
}

/* One note of a segment; on return *at is where the next one begins. */
struct note {
	ElfW(Nhdr) header;
	struct bytes owner, body;
};

static bool note_next(struct bytes segment, size_t align, uint64_t *at,
		      struct note *note)
{
	struct bytes header;
	uint64_t body;

	if (!bytes_cut(segment, *at, sizeof note->header, &header))
		return false;
	memcpy(&note->header, header.at, sizeof note->header);
	body = *at + sizeof note->header + note->header.n_namesz;
	body = (body + align - 1) & ~(uint64_t)(align - 1);
	if (!bytes_cut(segment, *at + sizeof note->header,
		       note->header.n_namesz, &note->owner) ||
	    !bytes_cut(segment, body, note->header.n_descsz, &note->body))
		return false;
	*at = (body + note->header.n_descsz + align - 1) &
	      ~(uint64_t)(align - 1);
	return true;
}

static bool note_is_identity(const struct note *note)
{
	return note->header.n_type == WEIR_NOTE_IDENTITY &&
	       note->owner.len == sizeof WEIR_NOTE_OWNER &&
	       memcmp(note->owner.at, WEIR_NOTE_OWNER,
		      sizeof WEIR_NOTE_OWNER) == 0;
}

/* Look through one PT_NOTE segment; *found counts identities. */
static bool segment_scan(struct bytes segment, size_t align,
			 struct weir_identity *id, int *found,
			 struct weir_error *e)
{
	struct note note;

	for (uint64_t at = 0; at < segment.len;) {
		if (!note_next(segment, align, &at, &note))
			return weir_error(e, NULL, "truncated ELF note");
		if (!note_is_identity(&note))
			continue;
		/* Longer is a newer minor's; what we know comes first. */
		if (note.body.len < sizeof *id)
			return weir_error(e, NULL,
					  "truncated weir note: %zu "
					  "bytes, not %zu",
					  note.body.len, sizeof *id);
		memcpy(id, note.body.at, sizeof *id);
		if (++*found > 1)
			return weir_error(e, NULL, "more than one weir note");
	}
	return true;
}

bool note_parse(const void *data, size_t len, struct weir_identity *id,
		struct weir_error *e)
{
	struct bytes file = {data, len}, table, segment;
	ElfW(Ehdr) h = {0};
	int found = 0;

	if (!header_check(file, &h, e))
		return false;
	if (!bytes_cut(file, h.e_phoff, (uint64_t)h.e_phnum * h.e_phentsize,
		       &table))
		return weir_error(e, NULL, "truncated ELF program headers");
	for (size_t i = 0; i < h.e_phnum; i++) {
		ElfW(Phdr) p;

		memcpy(&p, table.at + i * sizeof p, sizeof p);
		/* Segments that are not read here, too: a missing one would be
		 * a SIGBUS in ld.so. */
		if (!bytes_cut(file, p.p_offset, p.p_filesz, &segment))
			return weir_error(e, NULL, "truncated ELF segment");
		if (p.p_type == PT_NOTE &&
		    !segment_scan(segment, p.p_align == 8 ? 8 : 4, id, &found,
				  e))
			return false;
	}
	if (!found)
		return weir_error(e, NULL, "not a weir plugin: no weir note");
	return identity_check(id, e);
}

/* All of the file, or as much as there is if it shrinks meanwhile. */
static ssize_t read_whole(int fd, uint8_t *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(fd, data + have, size - have, (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

bool note_read_fd(int fd, struct weir_identity *id, struct weir_error *e)
{
	uint8_t *data = NULL;
	struct stat st;
	ssize_t len;
	bool ok;

	if (fstat(fd, &st) < 0)
		return weir_error(e, NULL, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return weir_error(e, NULL, "not a regular file");
	if (st.st_size > (off_t)NOTE_FILE_BYTES)
		return weir_error(e, NULL, "too large for a plugin");
	data = malloc((size_t)st.st_size + 1);
	len = data ? read_whole(fd, data, (size_t)st.st_size) : -1;
	if (len < 0)
		ok = weir_error(e, NULL, "cannot read it: %s", strerror(errno));
	else
		ok = note_parse(data, (size_t)len, id, e);
	free(data);
	return ok;
}

bool note_read(const char *path, struct weir_identity *id, struct weir_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return weir_error(e, NULL, "cannot open it: %s",
				  strerror(errno));
	ok = note_read_fd(fd, id, e);
	close(fd);
	return ok;
}
