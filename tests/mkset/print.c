/* SPDX-License-Identifier: ISC */
#include "mkset.h"

#include <stdio.h>
#include <string.h>

#include "core/digest.h"

/* What the administrator wrote into the map. */
static const struct mk_udf *
asked(struct ms_set *set)
{
	const struct ms_key *key = set->other_master ?
	    ms_key_unaliased(set, "master") : ms_key(set, "master");

	return &key->pub.udf;
}

static void
print_udf(const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	puts(text);
}

/* The keys that a host prints for all devices, in order. */
static void
print_keys(struct ms_set *set)
{
	const struct ms_enrolled *e;
	struct mk_sshkey key;

	for (e = set->enrolled; e != NULL && !set->no_ssh; e = e->next) {
		if (e->device->dropped || e->device->host)
			continue;
		key = ms_ssh_key(set, e);
		puts(ms_public_line(set, &key).s);
	}
}

static void
print_devices(struct ms_set *set)
{
	const struct ms_device *d;

	for (d = set->devices; d != NULL; d = d->next) {
		printf("%s ", d->name);
		print_udf(&ms_key(set, d->role)->pub.udf);
	}
}

/* The first key of one device, as a client offers it. */
static void
print_offer(struct ms_set *set, const char *name)
{
	const struct ms_enrolled *e;
	struct mk_sshkey key;

	for (e = set->enrolled; e != NULL; e = e->next) {
		if (strcmp(e->device->name, name) == 0) {
			key = ms_ssh_key(set, e);
			puts(ms_public_line(set, &key).s);
			return;
		}
	}
	ms_die("there is no device '%s'", name);
}

/* udf, keys, devices, offer:NAME */
void
ms_print(struct ms_set *set, const char *what)
{
	if (strcmp(what, "udf") == 0)
		print_udf(asked(set));
	else if (strcmp(what, "keys") == 0)
		print_keys(set);
	else if (strcmp(what, "devices") == 0)
		print_devices(set);
	else if (strncmp(what, "offer:", 6) == 0)
		print_offer(set, what + 6);
	else
		ms_die("nothing to print is called '%s'", what);
}

static void
put_digest(struct mk_buf *b, const void *data, size_t len)
{
	uint8_t digest[MK_SHA512];

	mk_sha512(data, len, digest);
	mk_buf_hex(b, digest, sizeof(digest));
	mk_buf_putc(b, '\n');
}

static void
put_master_key(struct ms_set *set, struct mk_buf *b)
{
	const struct mk_pubkey *key = &ms_key(set, "master")->pub;
	uint8_t spki[MK_ED25519_SPKI];
	struct mk_buf der;

	mk_buf_puts(b, "mesh-seen 1\nkey ");
	mk_buf_init(&der, MS_TEXT_MAX);
	if (set->gen == MK_GEN_2016) {
		mk_rsa_spki(&key->rsa, &der);
	} else if (set->gen == MK_GEN_2017) {
		mk_rsa_pkcs1(&key->rsa, &der);
	} else {
		mk_ed25519_spki(key->ed25519, spki);
		mk_buf_put(&der, spki, sizeof(spki));
	}
	put_digest(b, der.data, der.len);
	mk_buf_release(&der);
}

static void
put_part(struct mk_buf *b, const char *name, int64_t t, struct mk_text text)
{
	char time[MK_TIME_LEN + 1];

	mk_time_format(t, time);
	mk_buf_puts(b, name);
	mk_buf_putc(b, ' ');
	mk_buf_puts(b, time);
	mk_buf_putc(b, ' ');
	put_digest(b, text.s, text.len);
}

/* The memory of a host that has seen this set. */
void
ms_seen_write(struct ms_set *set, const struct ms_result *result)
{
	bool timed = set->gen == MK_GEN_CURRENT;
	char udf[MK_UDF_TEXT + 1];
	struct mk_text text = { "", 0 };
	struct mk_buf b;
	size_t i;

	mk_buf_init(&b, MS_TEXT_MAX);
	put_master_key(set, &b);
	put_part(&b, "master", timed ? set->master_updated : MK_TIME_NONE,
	    result->master);
	put_part(&b, "personal", timed ? set->updated : MK_TIME_NONE,
	    result->personal);
	if (!timed)
		put_part(&b, "ssh", MK_TIME_NONE,
		    set->no_ssh ? text : result->ssh);
	for (i = 0; i < result->n_deleted; i++) {
		mk_udf_format(&result->deleted[i], udf);
		mk_buf_puts(&b, "deleted ");
		mk_buf_puts(&b, udf);
		mk_buf_putc(&b, '\n');
	}
	text = ms_done(set, &b);
	ms_edit_apply(set, "seen", NULL, &text);
	mk_udf_format(asked(set), udf);
	ms_file_write(set->seen[strlen(set->seen) - 1] == '/' ?
	    ms_printf(set, "%s%s.seen", set->seen, udf) : set->seen, text,
	    0644);
}

/* DIR/ is DIR/UDF.json */
void
ms_set_write(struct ms_set *set, struct mk_text text)
{
	const char *path = set->out;
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(asked(set), udf);
	if (path[strlen(path) - 1] == '/')
		path = ms_printf(set, "%s%s.json", path, udf);
	ms_file_write(path, text, 0644);
}
