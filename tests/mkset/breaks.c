/* SPDX-License-Identifier: ISC */
/*
 * Named ways in which a set is wrong and no edit of a text could make it so.
 * NAME or NAME=ARGUMENT; most arguments are the level that is broken.
 */
#include "mkset.h"

#include <stdio.h>
#include <string.h>

#include "core/base64.h"

/* "A=B" taken apart, or the end. */
static void
add_pair(struct ms_set *set, struct ms_pair **list, const char *arg)
{
	const char *eq = strchr(arg, '=');

	if (eq == NULL)
		ms_die("'%s' lacks '='", arg);
	ms_pair_add(set, list, ms_printf(set, "%.*s", (int)(eq - arg), arg),
	    eq + 1);
}

static void
break_signer(struct ms_set *set, const char *name, const char *arg)
{
	(void)name;
	add_pair(set, &set->signers, arg);
}

static void
break_hand(struct ms_set *set, const char *name, const char *arg)
{
	(void)name;
	add_pair(set, &set->hands, arg);
}

static void
break_alias(struct ms_set *set, const char *name, const char *arg)
{
	(void)name;
	add_pair(set, &set->aliases, arg);
}

/* What is asked for stays the fingerprint of the right one. */
static void
break_master(struct ms_set *set, const char *name, const char *arg)
{
	break_alias(set, name, arg);
	set->other_master = true;
}

static void
break_tamper(struct ms_set *set, const char *name, const char *arg)
{
	ms_pair_add(set, &set->tampers, arg, name);
}

static void
break_entry(struct ms_set *set, const char *name, const char *arg)
{
	(void)arg;
	set->lost_ssh |= strcmp(name, "lost-ssh") == 0;
	set->twice_ssh |= strcmp(name, "two-ssh") == 0;
	set->twice_personal |= strcmp(name, "two-personal") == 0;
	set->replayed_ssh |= strcmp(name, "replayed-ssh") == 0;
}

static const struct {
	const char *name;
	void (*apply)(struct ms_set *, const char *, const char *);
	const char *arg;	/* NULL: must be given */
	const char *what;
} breaks[] = {
	{ "signer", break_signer, NULL,
	    "LEVEL=ROLE: another key signs, and kid says so" },
	{ "hand", break_hand, NULL,
	    "LEVEL=ROLE: another key signs, kid stays" },
	{ "alias", break_alias, NULL,
	    "ROLE=OTHER: a role has another's key" },
	{ "device-signs-personal", break_signer, "personal=device0",
	    "P is signed by a device that it lists" },
	{ "master-signs-personal", break_signer, "personal=master",
	    "P is signed by the master key" },
	{ "stranger-signs-personal", break_signer, "personal=stranger",
	    "P is signed by a key that is nowhere" },
	{ "wrong-key-personal", break_hand, "personal=stranger",
	    "P names an online key, another key signs" },
	{ "online-signs-master", break_signer, "master=online0",
	    "M is signed by an online key" },
	{ "wrong-key-master", break_hand, "master=stranger",
	    "M names the master key, another key signs" },
	{ "device-signs-ssh", break_signer, "ssh=device0",
	    "S is signed by a device" },
	{ "master-signs-ssh", break_signer, "ssh=master",
	    "S is signed by the master key" },
	{ "stranger-signs-ssh", break_signer, "ssh=stranger",
	    "S is signed by a key that is nowhere" },
	{ "wrong-key-ssh", break_hand, "ssh=stranger",
	    "S names an online key, another key signs" },
	{ "online-signs-device", break_signer, "device:device0=online0",
	    "a DeviceProfile is signed by an online key" },
	{ "other-device-signs", break_signer, "device:device0=device1",
	    "a DeviceProfile is signed by another device" },
	{ "wrong-key-device", break_hand, "device:device0=stranger",
	    "a DeviceProfile names its key, another key signs" },
	{ "other-master", break_master, "master=stranger",
	    "all is right, for another master key" },
	{ "small-order-master", break_alias, "master=point:identity",
	    "the master key is the neutral element" },
	{ "small-order-online", break_alias, "online0=point:identity",
	    "the online key is the neutral element" },
	{ "small-order-device", break_alias, "device0=point:identity",
	    "a device key is the neutral element" },
	{ "small-order-ssh", break_alias, "ssh0=point:order8",
	    "an SSH key has order 8" },
	{ "noncanonical-ssh", break_alias, "ssh0=point:noncanonical",
	    "an SSH key with y >= p" },
	{ "off-curve-ssh", break_alias, "ssh0=point:off-curve",
	    "an SSH key that is no point" },
	{ "signature-bit", break_tamper, "personal", "one bit turned" },
	{ "signature-zero", break_tamper, "personal", "all bytes zero" },
	{ "signature-short", break_tamper, "personal", "63 bytes" },
	{ "signature-long", break_tamper, "personal", "65 bytes" },
	{ "signature-empty", break_tamper, "personal", "no bytes" },
	{ "s-plus-l", break_tamper, "personal", "S + L, the same modulo L" },
	{ "small-order-r", break_tamper, "personal",
	    "R is the neutral element, the equation holds" },
	{ "noncanonical-r", break_tamper, "personal",
	    "the same R with y = p + 1" },
	{ "mixed-order-r", break_tamper, "personal",
	    "the equation holds only with the cofactor" },
	{ "wrong-val", break_tamper, "personal",
	    "val is the digest of another payload" },
	{ "payload-changed", break_tamper, "personal",
	    "the payload grew by a space after signing" },
	{ "no-signature", break_tamper, "personal", "'signatures' is empty" },
	{ "two-signatures", break_tamper, "personal",
	    "the signature stands there twice" },
	{ "trailing-bits", break_tamper, "personal",
	    "unused bits of the signature's base64 are set" },
	{ "lost-ssh", break_entry, "", "the entry of P has no S" },
	{ "two-ssh", break_entry, "", "S stands there twice" },
	{ "two-personal", break_entry, "", "P stands there twice" },
	{ "replayed-ssh", break_entry, "",
	    "S is rightly signed but is not the one of the digest" },
};

void
ms_breaks_list(void)
{
	size_t i;

	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		printf("%-24s%s\n", breaks[i].name, breaks[i].what);
}

void
ms_break(struct ms_set *set, const char *arg)
{
	size_t i, n = strcspn(arg, "=");

	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		if (strlen(breaks[i].name) != n ||
		    strncmp(breaks[i].name, arg, n) != 0)
			continue;
		if (arg[n] == '\0' && breaks[i].arg == NULL)
			ms_die("'%s' needs an argument", arg);
		breaks[i].apply(set, breaks[i].name,
		    arg[n] == '=' ? arg + n + 1 : breaks[i].arg);
		return;
	}
	ms_die("there is no break '%s'; see --breaks", arg);
}

static bool
tampers(const struct ms_set *set, const char *level, const char *name)
{
	const struct ms_pair *p;

	for (p = set->tampers; p != NULL; p = p->next) {
		if (strcmp(p->name, level) == 0 &&
		    strcmp(p->value, name) == 0)
			return true;
	}
	return false;
}

void
ms_break_protected(struct ms_set *set, const char *level,
    struct mk_text *text)
{
	const char *val, *wrong;
	struct mk_text old;

	if (!tampers(set, level, "wrong-val"))
		return;
	val = strstr(text->s, "\"val\":");
	if (val == NULL)
		ms_die("no val in '%s'", level);
	old.s = strchr(val + 6, '"') + 1;
	old.len = strcspn(old.s, "\"");
	wrong = ms_expand(set, "@DIGEST(another)@");
	*text = ms_replace(set, *text, old, ms_text(wrong), false);
}

/* The text between 'open' and the last 'close'. */
static struct mk_text
between(struct mk_text text, const char *open, const char *close)
{
	const char *from, *to, *p;

	from = strstr(text.s, open);
	if (from == NULL)
		ms_die("no '%s' in an envelope", open);
	from += strlen(open);
	to = strstr(from, close);
	for (p = to; p != NULL; p = strstr(p + 1, close))
		to = p;
	if (to == NULL)
		ms_die("no '%s' in an envelope", close);
	return (struct mk_text){ from, (size_t)(to - from) };
}

static struct mk_text
with_trailing_bits(struct ms_set *set, struct mk_text text)
{
	struct mk_text sig = between(text, "\"signature\":\"", "\"");
	char *new = ms_printf(set, "@BITS(%.*s)@", (int)sig.len, sig.s);

	return ms_replace(set, text, sig, ms_text(ms_expand(set, new)),
	    false);
}

static struct mk_text
with_payload_changed(struct ms_set *set, struct mk_text text)
{
	const char *from = strstr(text.s, "\"payload\":\"");
	uint8_t *payload = ms_alloc(set, text.len + 1, 1);
	struct mk_text old;
	struct mk_buf b;
	size_t len;

	if (from == NULL)
		ms_die("no payload in an envelope");
	old.s = from + strlen("\"payload\":\"");
	old.len = strcspn(old.s, "\"");
	if (!mk_b64url_decode(old.s, old.len, payload, &len))
		ms_die("a payload is not base64url");
	payload[len] = ' ';
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64url(&b, payload, len + 1);
	return ms_replace(set, text, old, ms_done(set, &b), false);
}

void
ms_break_envelope(struct ms_set *set, const char *level,
    struct mk_text *text)
{
	struct mk_text old;

	if (tampers(set, level, "payload-changed"))
		*text = with_payload_changed(set, *text);
	if (tampers(set, level, "trailing-bits"))
		*text = with_trailing_bits(set, *text);
	if (tampers(set, level, "no-signature")) {
		old = between(*text, "\"signatures\":[", "]");
		*text = ms_replace(set, *text, old, ms_text(""), false);
	}
	if (tampers(set, level, "two-signatures")) {
		old = between(*text, "\"signatures\":[", "]");
		*text = ms_replace(set, *text, old,
		    ms_text(ms_printf(set, "%.*s,%.*s", (int)old.len, old.s,
		    (int)old.len, old.s)), false);
	}
}
