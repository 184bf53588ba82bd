/* SPDX-License-Identifier: ISC */
/*
 * What people type or have in their files: account names, PINs, names of
 * portals, armoured signatures, and ssh_config(5), which comes back byte for
 * byte when the block is taken out again.
 */
#include "fuzz.h"

#include <string.h>

#include "core/account.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/pin.h"
#include "core/ssh_block.h"
#include "core/sshsig.h"
#include "core/transact.h"

static void
account(const char *s, size_t n)
{
	struct mk_account one, two;
	struct mk_buf url;

	if (!mk_account_parse(s, n, &one))
		return;
	FUZZ_HOLDS(strlen(one.text) == n);
	mk_buf_init(&url, 2048);
	mk_account_url("", &one, &url);
	s = strrchr(url.data, '/') + 1;
	FUZZ_HOLDS(mk_account_from_url(s, strlen(s) - strlen(".json"),
	    &two));
	FUZZ_HOLDS(strcmp(one.text, two.text) == 0);
	mk_buf_release(&url);
}

static void
pin(const char *s, size_t n)
{
	struct mk_pin one, two;
	char text[MK_PIN_TEXT + 1];

	if (!mk_pin_parse(s, n, &one))
		return;
	mk_pin_format(&one, text);
	FUZZ_HOLDS(mk_pin_parse(text, MK_PIN_TEXT, &two));
	FUZZ_HOLDS(memcmp(&one, &two, sizeof(one)) == 0);
}

/* 'name' ends with a NUL. */
static void
portal(const char *name)
{
	struct mk_buf one, two;

	mk_buf_init(&one, 4096);
	mk_buf_init(&two, 4096);
	if (mk_portal_name_parse(name, &one)) {
		FUZZ_HOLDS(mk_portal_name_parse(one.data, &two));
		FUZZ_HOLDS(strcmp(one.data, two.data) == 0);
	}
	mk_buf_cut(&one, 0);
	(void)mk_portal_name(name, &one, NULL);
	mk_buf_release(&one);
	mk_buf_release(&two);
}

static void
block(const struct mk_bytes *old)
{
	static const char *const keys[] = { "~/.ssh/id", NULL };
	struct mk_buf with, without;
	struct mk_bytes text;
	bool changed;

	mk_buf_init(&with, 2 * MK_SSH_CONFIG_MAX);
	mk_buf_init(&without, 2 * MK_SSH_CONFIG_MAX);
	if (mk_ssh_block_clear(old, &without, &changed, NULL) == 0 &&
	    !changed && mk_ssh_block_set(old, keys, &with, &changed,
	    NULL) == 0) {
		text = (struct mk_bytes){ (uint8_t *)with.data, with.len };
		mk_buf_cut(&without, 0);
		FUZZ_HOLDS(mk_ssh_block_clear(&text, &without, &changed,
		    NULL) == 0 && changed);
		FUZZ_HOLDS(without.len == old->len && (old->len == 0 ||
		    memcmp(without.data, old->data, old->len) == 0));
	}
	mk_buf_release(&with);
	mk_buf_release(&without);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mk_bytes bytes = { data, size };
	const struct mk_text text = { (const char *)data, size };
	const uint8_t *blob;
	struct mk_arena a;
	char *s;
	size_t len;

	account((const char *)data, size);
	pin((const char *)data, size);
	block(&bytes);
	mk_arena_init(&a, MK_ARENA_FLOOR);
	s = mk_arena_dup(&a, (const char *)data, size);
	if (s != NULL)
		portal(s);
	if (mk_sshsig_unarmour(&a, &text, &blob, &len, NULL) == 0)
		FUZZ_HOLDS(len <= MK_SSHSIG_MAX);
	mk_arena_release(&a);
	return 0;
}
