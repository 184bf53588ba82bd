/* SPDX-License-Identifier: ISC */
/*
 * Profiles of many people for contrib/bench/portal, one device each, and
 * what they post: lines of CreateAccount requests, or of Publish requests
 * for the next version of the same profiles.  All keys follow from a seed.
 *   crowd [--publish] SEED PORTAL TIME COUNT >REQUESTS 3>FINGERPRINTS
 * TIME is that of the first versions, in seconds since 1970.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/draft.h"
#include "core/ed25519.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "core/transact.h"
#include "core/verify.h"

#define TEXT_MAX	(1u << 20)

struct key {
	uint8_t pk[MK_ED25519_PUBLIC], sk[MK_ED25519_SECRET];
	struct mk_pubkey pub;
};

struct person {
	const char *seed, *portal;
	unsigned long number;
	struct key master, online, device, ssh;
	struct mk_arena arena;
	struct mk_why why;
	int64_t born, now;
};

static void	die(const char *what, const struct mk_why *why)
		    __attribute__((noreturn));

static void
die(const char *what, const struct mk_why *why)
{
	fprintf(stderr, "crowd: %s: %s\n", what,
	    why != NULL ? why->detail : strerror(errno));
	exit(70);
}

static void
make_key(const struct person *p, const char *role, struct key *ret_key)
{
	char name[128];
	uint8_t digest[crypto_hash_sha512_BYTES];

	snprintf(name, sizeof(name), "%s %lu %s", p->seed, p->number, role);
	crypto_hash_sha512(digest, (const uint8_t *)name, strlen(name));
	mk_ed25519_pair(digest, ret_key->pk, ret_key->sk);
	mk_pubkey_from_ed25519(ret_key->pk, &ret_key->pub);
}

static struct mk_signer
signer_of(const struct key *key)
{
	return (struct mk_signer){ .udf = key->pub.udf, .sk = key->sk };
}

static struct mk_envelope
device_of(struct person *p)
{
	struct mk_device d = { .id = p->device.pub.udf,
	    .key = p->device.pub, .name = { "laptop", 6 } };
	struct mk_signer signer = signer_of(&p->device);
	struct mk_unsigned what;
	struct mk_envelope env;
	char id[MK_UDF_TEXT + 1];
	struct mk_buf text;

	mk_buf_init(&text, TEXT_MAX);
	mk_device_write(&d, &text);
	mk_udf_format(&d.id, id);
	what = (struct mk_unsigned){ .id = id, .len = text.len,
	    .payload = (uint8_t *)mk_arena_dup(&p->arena, text.data,
	    text.len) };
	if (what.payload == NULL ||
	    mk_seal(&p->arena, &what, &signer, &env, &p->why) != 0)
		die("device", &p->why);
	mk_buf_release(&text);
	return env;
}

static void
sign(struct person *p, struct mk_draft *draft, int64_t now,
    struct mk_buf *ret_set)
{
	struct mk_signer online = signer_of(&p->online);
	struct mk_draft_signing signing = { .online = &online, .now = now,
	    .expires = MK_TIME_NONE };

	memcpy(signing.random, p->ssh.pk, sizeof(signing.random));
	mk_buf_init(ret_set, TEXT_MAX);
	if (mk_draft_sign(draft, &signing, ret_set, &p->why) != 0)
		die("sign", &p->why);
}

static void
first_version(struct person *p, struct mk_buf *ret_set)
{
	struct mk_signer master = signer_of(&p->master);
	struct mk_draft_birth birth = { .master = &master,
	    .online = p->online.pub, .device = device_of(p),
	    .now = p->born };
	struct mk_ssh_device ssh = { .device = p->device.pub.udf,
	    .mesh_form = true };
	struct mk_draft *draft;
	struct mk_buf blob;

	mk_buf_init(&blob, MK_STRING_LONG);
	mk_sshkey_from_ed25519(p->ssh.pk, &blob);
	if (mk_sshkey_parse((uint8_t *)mk_arena_dup(&p->arena, blob.data,
	    blob.len), blob.len, &ssh.key, &p->why) != 0)
		die("key", &p->why);
	ssh.has_key_udf = true;
	ssh.key_udf = p->ssh.pub.udf;
	if (mk_draft_first(&p->arena, &birth, &draft, &p->why) != 0 ||
	    mk_draft_enrol(draft, &ssh, &p->why) != 0)
		die("draft", &p->why);
	sign(p, draft, p->born, ret_set);
	mk_buf_release(&blob);
}

static void
second_version(struct person *p, const struct mk_bytes *set,
    struct mk_buf *ret_set)
{
	struct mk_demand demand = { .set = set->data, .set_len = set->len,
	    .udf = p->master.pub.udf, .now = p->now, .build_time = 0,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL };
	const struct mk_verified *verified;
	struct mk_draft *draft;

	if (mk_verify(&p->arena, &demand, &verified, &p->why) != 0 ||
	    mk_draft_next(&p->arena, set, mk_verified_view(verified), &draft,
	    &p->why) != 0 ||
	    mk_draft_unenrol(draft, &p->device.pub.udf, &p->why) != 0)
		die("next", &p->why);
	sign(p, draft, p->now, ret_set);
}

static void
put_create(struct person *p, const struct mk_bytes *set, struct mk_buf *out)
{
	struct mk_account account;
	struct mk_signing signing = { .portal = p->portal,
	    .account = &account, .time = p->now,
	    .signer = signer_of(&p->online) };
	char name[64];

	snprintf(name, sizeof(name), "user%lu@example.com", p->number);
	if (!mk_account_parse(name, strlen(name), &account))
		die("account", NULL);
	randombytes_buf(signing.nonce, sizeof(signing.nonce));
	if (mk_create_write(&p->arena, &signing, set, out, &p->why) != 0)
		die("request", &p->why);
}

static void
tell(struct person *p, bool publish)
{
	struct mk_buf set, next = { 0 }, out;
	struct mk_bytes bytes;
	char id[MK_UDF_TEXT + 1];

	mk_buf_init(&out, TEXT_MAX);
	first_version(p, &set);
	bytes = (struct mk_bytes){ (uint8_t *)set.data, set.len };
	if (!publish) {
		put_create(p, &bytes, &out);
	} else {
		second_version(p, &bytes, &next);
		bytes = (struct mk_bytes){ (uint8_t *)next.data, next.len };
		if (mk_publish_write(&p->arena, &bytes, &out, &p->why) != 0)
			die("request", &p->why);
	}
	if (out.failed != 0 || puts(out.data) == EOF)
		die("output", NULL);
	mk_udf_format(&p->master.pub.udf, id);
	if (dprintf(3, "%s\n", id) < 0)
		die("fingerprints", NULL);
	mk_buf_release(&set);
	mk_buf_release(&next);
	mk_buf_release(&out);
}

int
main(int argc, char *argv[])
{
	bool publish = argc > 1 && strcmp(argv[1], "--publish") == 0;
	char **arg = argv + publish;
	unsigned long n;
	struct person p = { 0 };

	if (argc - publish != 5 || sodium_init() == -1) {
		fputs("usage: crowd [--publish] SEED PORTAL TIME COUNT\n",
		    stderr);
		return 64;
	}
	p.seed = arg[1];
	p.portal = arg[2];
	p.now = (int64_t)time(NULL);
	p.born = (int64_t)strtoll(arg[3], NULL, 10);
	n = strtoul(arg[4], NULL, 10);
	for (p.number = 0; p.number < n; p.number++) {
		mk_arena_init(&p.arena, 64u << 20);
		make_key(&p, "master", &p.master);
		make_key(&p, "online", &p.online);
		make_key(&p, "device", &p.device);
		make_key(&p, "ssh", &p.ssh);
		tell(&p, publish);
		mk_arena_release(&p.arena);
	}
	return fflush(stdout) == 0 ? 0 : 70;
}
