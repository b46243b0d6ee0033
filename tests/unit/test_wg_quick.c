/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg-quick files: those in quick/ are read, those in quick/broken/ say after
 * "# expect: " what must be told of them. */
#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/wireguard/quick.h"
#include "tests/suite.h"
#include "tests/unit/told.h"

static const struct quick_report report = {.tell = tell, .arg = &told};

static struct quick *parse(const char *text)
{
	memset(&told, 0, sizeof told);
	return quick_parse("f", text, strlen(text), false, &report);
}

static const char *in_folder(const char *name)
{
	static char path[4096];
	const char *top = getenv("abs_top_srcdir");

	snprintf(path, sizeof path, "%s/tests/unit/quick/%s", top ? top : ".",
		 name);
	return path;
}

/* All of a file, with a NUL; the caller frees it. */
static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, QUICK_FILE_BYTES_MAX);

	ck_assert_msg(f, "%s", path);
	*len = fread(text, 1, QUICK_FILE_BYTES_MAX - 1, f);
	fclose(f);
	return text;
}

static const struct quick_peer *peer_at(const struct quick *q, size_t i)
{
	ck_assert_uint_lt(i, q->peers.count);
	return (const struct quick_peer *)q->peers.items + i;
}

static void cidr_is(const struct weir_list *list, size_t i, const char *want)
{
	const struct weir_cidr *c = list->items;
	char text[WEIR_ADDR_TEXT], whole[WEIR_ADDR_TEXT + 8];

	ck_assert_uint_lt(i, list->count);
	snprintf(whole, sizeof whole, "%s/%u", weir_addr_text(&c[i].base, text),
		 c[i].bits);
	ck_assert_str_eq(whole, want);
}

static void addr_is(const struct weir_addr *a, const char *want)
{
	char text[WEIR_ADDR_TEXT];

	ck_assert_str_eq(weir_addr_text(a, text), want);
}

/* ---- files as people have them ---- */

static const struct odd {
	const char *file;
	size_t address, dns, search, peers, prefixes, warnings;
} odd[] = {
	{"bom.conf", 2, 1, 0, 1, 2, 0},
	{"commands.conf", 1, 0, 0, 1, 1, 7},
	{"comments.conf", 1, 0, 0, 1, 2, 0},
	{"crlf.conf", 2, 1, 0, 1, 2, 0},
	{"empty-list.conf", 1, 0, 0, 2, 1, 0},
	{"host-bits.conf", 1, 0, 0, 1, 3, 0},
	{"huge-list.conf", 1, 0, 0, 1, 2000, 0},
	{"ipv6-endpoint.conf", 1, 0, 0, 1, 1, 0},
	{"lower-case.conf", 1, 0, 0, 1, 1, 0},
	{"no-newline.conf", 2, 1, 0, 1, 2, 0},
	{"repeated.conf", 4, 2, 2, 2, 4, 0},
	{"server.conf", 2, 0, 0, 2, 3, 0},
	{"tabs.conf", 2, 0, 0, 1, 1, 0},
};
#define ODD ((int)(sizeof odd / sizeof odd[0]))

static struct quick *read_odd(const char *file)
{
	size_t len;
	char *text = slurp(in_folder(file), &len);
	struct quick *q;

	memset(&told, 0, sizeof told);
	q = quick_parse(file, text, len, false, &report);
	ck_assert_msg(q, "%s", told.text);
	free(text);
	return q;
}

START_TEST(odd_files_are_read)
{
	const struct odd *o = &odd[_i];
	struct quick *q = read_odd(o->file);
	size_t prefixes = 0;

	for (size_t i = 0; i < q->peers.count; i++)
		prefixes += peer_at(q, i)->allowed_ips.count;
	ck_assert_uint_eq(q->address.count, o->address);
	ck_assert_uint_eq(q->dns.count, o->dns);
	ck_assert_uint_eq(q->search.count, o->search);
	ck_assert_uint_eq(q->peers.count, o->peers);
	ck_assert_uint_eq(prefixes, o->prefixes);
	ck_assert_uint_eq(told.warnings, o->warnings);
	ck_assert_uint_eq(q->ignored.count, o->warnings);
	quick_free(q);
}
END_TEST

START_TEST(values_are_taken_as_wg_takes_them)
{
	struct quick *q = read_odd("host-bits.conf");
	const struct quick_peer *p = peer_at(q, 0);

	cidr_is(&q->address, 0, "10.7.0.2/24");
	cidr_is(&p->allowed_ips, 0, "10.7.0.0/24");
	cidr_is(&p->allowed_ips, 1, "fd07::/64");
	cidr_is(&p->allowed_ips, 2, "10.8.0.1/32");
	addr_is(&p->endpoint, "vpn.example.org:443");
	ck_assert_uint_eq(q->fwmark, 0xca6c);
	ck_assert_uint_eq(q->listen_port, 51821);
	quick_free(q);

	q = read_odd("ipv6-endpoint.conf");
	addr_is(&peer_at(q, 0)->endpoint, "[2001:db8::7]:51820");
	cidr_is(&q->address, 0, "fd07::2/128");
	quick_free(q);

	q = read_odd("lower-case.conf");
	ck_assert_uint_eq(q->mtu_bytes, 1380);
	ck_assert_uint_eq(peer_at(q, 0)->keepalive_s, 0);
	quick_free(q);

	q = read_odd("repeated.conf");
	addr_is((const struct weir_addr *)q->dns.items + 1, "fd07::1");
	ck_assert_str_eq(((char **)q->search.items)[1], "lab.example");
	ck_assert_uint_eq(peer_at(q, 1)->line, 17);
	quick_free(q);
}
END_TEST

START_TEST(lists_and_domains_are_taken_as_wg_quick_takes_them)
{
	struct quick *q = parse("[Interface]\nPrivateKey = " PRIVATE "\n"
				"Address = 10.7.0.2/32  fd07::2 ,10.7.0.3\n"
				"DNS = 10.7.0.1 fd07::1, corp.example\n"
				"DNS = ~lab.example ~.\nMTU = 0\n");

	ck_assert_msg(q, "%s", told.text);
	ck_assert_uint_eq(q->address.count, 3);
	cidr_is(&q->address, 1, "fd07::2/128");
	ck_assert_uint_eq(q->dns.count, 2);
	ck_assert_uint_eq(q->search.count, 3);
	ck_assert_str_eq(((char **)q->search.items)[1], "lab.example");
	ck_assert_str_eq(((char **)q->search.items)[2], ".");
	ck_assert_uint_eq(q->mtu_bytes, 0);
	quick_free(q);
	ck_assert_ptr_null(parse("[Interface]\nPrivateKey = " PRIVATE "\n"
				 "DNS = ., ~, ~10.7.0.1, ~~.\nMTU = 575\n"));
	ck_assert_uint_eq(told.errors, 5);
}
END_TEST

#define PEER                                                                   \
	"[Interface]\nPrivateKey = " PRIVATE "\n[Peer]\nPublicKey = " PUBLIC   \
	"\n"

START_TEST(a_name_may_have_underscores)
{
	struct quick *q = parse(PEER "Endpoint = my_vpn.example.com:51820\n");

	ck_assert_msg(q, "%s", told.text);
	addr_is(&peer_at(q, 0)->endpoint, "my_vpn.example.com:51820");
	quick_free(q);
}
END_TEST

START_TEST(an_endpoint_may_be_next_to_an_interface)
{
	struct quick *q = parse(PEER "Endpoint = [fe80::1%lo]:51820\n");

	ck_assert_msg(q, "%s", told.text);
	addr_is(&peer_at(q, 0)->endpoint, "[fe80::1]:51820");
	ck_assert_uint_eq(peer_at(q, 0)->scope, if_nametoindex("lo"));
	quick_free(q);
	ck_assert_ptr_null(parse(PEER "Endpoint = [fe80::1%none9]:51820\n"));
	ck_assert_ptr_null(parse(PEER "Endpoint = [fe80::1%]:51820\n"));
	ck_assert_ptr_null(parse(PEER "Endpoint = 192.0.2.1%lo:51820\n"));
}
END_TEST

START_TEST(keys_are_read_whole)
{
	struct quick *q = parse(PEER "PresharedKey = " SECRET "\n");
	char text[KEY_BASE64 + 1];

	ck_assert_msg(q, "%s", told.text);
	key_to_base64(q->private_key, text);
	ck_assert_str_eq(text, PRIVATE);
	key_to_base64(peer_at(q, 0)->public_key, text);
	ck_assert_str_eq(text, PUBLIC);
	key_to_base64(peer_at(q, 0)->preshared_key, text);
	ck_assert_str_eq(text, SECRET);
	quick_free(q);
}
END_TEST

START_TEST(base64_has_one_spelling_a_key)
{
	static const char *const wrong[] = {
		"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBml=",
		"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk",
		"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBm==",
		"yAnz5TF-lXXJte14tji3zlMNq_hd2rYUIgJBgB3fBmk=",
		"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmkk",
		"",
	};
	uint8_t key[KEY_BYTES], again[KEY_BYTES];
	char text[KEY_HEX + 1];

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert(!key_from_base64(wrong[i], strlen(wrong[i]), key));
	/* Every digit there is. */
	for (unsigned v = 0; v < 64; v++) {
		for (size_t i = 0; i < KEY_BYTES; i++)
			key[i] = (uint8_t)(v << 2 | v >> 4);
		key_to_base64(key, text);
		ck_assert(key_from_base64(text, KEY_BASE64, again));
		ck_assert_mem_eq(key, again, KEY_BYTES);
		key_to_hex(key, text);
		for (size_t i = 0; v % 2 && i < KEY_HEX; i++)
			text[i] = (char)toupper(text[i]);
		ck_assert(key_from_hex(text, KEY_HEX, again));
		ck_assert_mem_eq(key, again, KEY_BYTES);
	}
	ck_assert(!key_from_hex(text, KEY_HEX - 1, key));
	text[7] = 'g';
	ck_assert(!key_from_hex(text, KEY_HEX, key));
}
END_TEST

/* ---- mistakes ---- */

static void judge_broken(const char *name)
{
	char file[300], want[1000];
	size_t len, wanted = 0;
	struct quick *q;
	char *text, *at, *end;

	snprintf(file, sizeof file, "broken/%s", name);
	text = slurp(in_folder(file), &len);
	memset(&told, 0, sizeof told);
	q = quick_parse(name, text, len, false, &report);
	ck_assert_msg(!q, "%s", name);
	for (at = text;
	     (at = memmem(at, len - (size_t)(at - text), "# expect: ", 10));
	     at = end) {
		at += 10;
		end = at + strcspn(at, "\n");
		snprintf(want, sizeof want, "%s:%.*s\n", name, (int)(end - at),
			 at);
		ck_assert_msg(strstr(told.text, want), "not told: %stold: %s",
			      want, told.text);
		wanted++;
	}
	ck_assert_msg(wanted && wanted == told.errors, "told: %s", told.text);
	ck_assert_ptr_null(strstr(told.text, PRIVATE));
	free(text);
}

START_TEST(every_mistake_is_told_with_its_line)
{
	DIR *d = opendir(in_folder("broken"));
	struct dirent *entry;
	unsigned files = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		judge_broken(entry->d_name);
		files++;
	}
	closedir(d);
	ck_assert_uint_ge(files, 20);
}
END_TEST

START_TEST(no_secret_is_repeated)
{
	static const char *const texts[] = {
		"[Interface]\nPrivateKey = " PRIVATE "x\n",
		"[Interface]\n" PRIVATE "\n",
		"[Interface]\n[Peer]\nPresharedKey = x" PRIVATE "\n",
		"[PrivateKey = " PRIVATE "\n",
		"[Interface]\rPrivateKey = " PRIVATE "\r", /* one line */
		"[Interface]\nMTU = " PRIVATE "\n",
		"[Interface]\nPrivateKey = yAnz5TF\nUIgJBgB3fBmk=\n", /* cut */
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_ptr_null(parse(texts[i]));
		ck_assert_ptr_null(strstr(told.text, "yAnz5TF"));
		ck_assert_ptr_null(strstr(told.text, "UIgJBgB3"));
	}
}
END_TEST

START_TEST(commands_are_errors_where_it_is_strict)
{
	static const char text[] = "[Interface]\nPrivateKey = " PRIVATE "\n"
				   "Table = off\nPostUp = true\n"
				   "PREDOWN = true\n";

	ck_assert_ptr_null(
		(memset(&told, 0, sizeof told),
		 quick_parse("f", text, sizeof text - 1, true, &report)));
	ck_assert_str_eq(told.text,
			 "f:3: Table: means nothing to weir; ignored\n"
			 "f:4: PostUp: weir never executes commands of a file; "
			 "take the line out\n"
			 "f:5: PreDown: weir never executes commands of a "
			 "file; take the line out\n");
}
END_TEST

START_TEST(a_flood_of_mistakes_is_bounded)
{
	char text[4000];
	size_t at = 0;

	for (int i = 0; i < 1000; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "x=\n");
	ck_assert_ptr_null(parse(text));
	ck_assert_uint_eq(told.errors, 101);
	ck_assert_ptr_nonnull(strstr(told.text, "f: 901 more errors\n"));
}
END_TEST

START_TEST(peers_are_bounded)
{
	const size_t size = 4u << 20;
	char *text = malloc(size);
	size_t at = 0;

	for (unsigned i = 0; i <= QUICK_PEERS_MAX; i++)
		at += (size_t)snprintf(text + at, size - at,
				       "[Peer]\nPublicKey=%06uAAAAAAAAAAAAAAAAA"
				       "AAAAAAAAAAAAAAAAAAAA=\n",
				       i);
	ck_assert_ptr_null(parse(text));
	ck_assert_str_eq(told.text,
			 "f:131073: [Peer]: is one too many; the most is "
			 "65536\nf: has no [Interface]\n");
	free(text);
}
END_TEST

/* ---- files on disk ---- */

static char folder[] = "test_wg_quick-XXXXXX"; /* where it is run */
static char path[64];

static void write_file(const char *text, mode_t mode)
{
	int fd;

	snprintf(path, sizeof path, "%s/f.conf", folder);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static struct quick *load(void)
{
	memset(&told, 0, sizeof told);
	return quick_load(path, false, &report);
}

START_TEST(a_file_that_others_can_read_is_refused)
{
	char want[200];
	struct quick *q;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file("[Interface]\nPrivateKey = " PRIVATE "\n", 0644);
	ck_assert_ptr_null(load());
	snprintf(want, sizeof want,
		 "%s: holds keys, and everybody can read or write it; run: "
		 "chmod o= %s\n",
		 path, path);
	ck_assert_str_eq(told.text, want);

	ck_assert_int_eq(chmod(path, 0640), 0);
	q = load();
	ck_assert_ptr_nonnull(q);
	quick_free(q);
	unlink(path);
	rmdir(folder);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/f.conf", folder);
	ck_assert_ptr_null(load());
	ck_assert_ptr_nonnull(strstr(told.text, "cannot be opened"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(load());
	ck_assert_ptr_nonnull(strstr(told.text, ": is not a file\n"));
	unlink(path);
	write_file("", 0600);
	ck_assert_int_eq(truncate(path, QUICK_FILE_BYTES_MAX + 1), 0);
	ck_assert_ptr_null(load());
	ck_assert_ptr_nonnull(strstr(told.text, ": is too long"));
	unlink(path);
	rmdir(folder);
}
END_TEST

SUITE("wg-quick", t)
{
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, odd_files_are_read, 0, ODD);
	tcase_add_test(t, lists_and_domains_are_taken_as_wg_quick_takes_them);
	tcase_add_test(t, values_are_taken_as_wg_takes_them);
	tcase_add_test(t, a_name_may_have_underscores);
	tcase_add_test(t, an_endpoint_may_be_next_to_an_interface);
	tcase_add_test(t, keys_are_read_whole);
	tcase_add_test(t, base64_has_one_spelling_a_key);
	tcase_add_test(t, every_mistake_is_told_with_its_line);
	tcase_add_test(t, no_secret_is_repeated);
	tcase_add_test(t, commands_are_errors_where_it_is_strict);
	tcase_add_test(t, a_flood_of_mistakes_is_bounded);
	tcase_add_test(t, peers_are_bounded);
	tcase_add_test(t, a_file_that_others_can_read_is_refused);
	tcase_add_test(t, what_is_no_file_is_refused);
}
