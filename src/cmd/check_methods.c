/* SPDX-License-Identifier: ISC */
/*
 * What sshd asks of a key before it runs the command, and the ways in
 * beside it.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/check_sshd.h"

/* Names of signatures that keys of a type may be used with. */
static const struct {
	enum mk_sshkey_type type;
	const char *algorithms[2];
} signatures[] = {
	{ MK_SSH_ED25519, { "ssh-ed25519" } },
	{ MK_SSH_RSA, { "rsa-sha2-512", "rsa-sha2-256" } },
	{ MK_SSH_ECDSA_256, { "ecdsa-sha2-nistp256" } },
	{ MK_SSH_ECDSA_384, { "ecdsa-sha2-nistp384" } },
	{ MK_SSH_ECDSA_521, { "ecdsa-sha2-nistp521" } },
	{ MK_SSH_SK_ED25519, { "sk-ssh-ed25519@openssh.com" } },
	{ MK_SSH_SK_ECDSA, { "sk-ecdsa-sha2-nistp256@openssh.com",
	    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com" } },
};

#define N_SIGNATURES	(sizeof(signatures) / sizeof(signatures[0]))

/* Whether a list "a,b,c" of patterns has a name. */
static bool
list_has(const char *list, const char *name)
{
	char item[128];
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len >= sizeof(item))
			continue;
		memcpy(item, list, len);
		item[len] = '\0';
		if (fnmatch(item, name, 0) == 0)
			return true;
	}
	return false;
}

/* The first of two keywords that this sshd knows. */
static const char *
either(const struct check *c, const char *now, const char *before)
{
	const char *value = mk_sshd_get(c->settings, now, 0);

	return value != NULL ? value : mk_sshd_get(c->settings, before, 0);
}

static bool
takes_type(const struct check *c, enum mk_sshkey_type type)
{
	const char *list = either(c, "pubkeyacceptedalgorithms",
	    "pubkeyacceptedkeytypes");
	size_t i, k;

	for (i = 0; i < N_SIGNATURES; i++) {
		if (signatures[i].type != type || list == NULL)
			continue;
		for (k = 0; k < 2; k++)
			if (signatures[i].algorithms[k] != NULL &&
			    list_has(list, signatures[i].algorithms[k]))
				return true;
		return false;
	}
	return true;
}

static unsigned long
smallest_rsa(const struct check *c)
{
	const char *value = either(c, "requiredrsasize", "rsaminsize");

	return value == NULL ? 0 : strtoul(value, NULL, 10);
}

int
check_sshd_takes(const struct check *c, enum mk_sshkey_type type,
    size_t rsa_bits, struct mk_why *why)
{
	if (c->settings == NULL || type == MK_SSH_OTHER)
		return MK_OK;
	if (!takes_type(c, type))
		return mk_fail(why, MK_E_REFUSED, "algorithms", "sshd takes "
		    "no signature of %s keys: PubkeyAcceptedAlgorithms has "
		    "none", mk_sshkey_type_name(type));
	if (type == MK_SSH_RSA && rsa_bits < smallest_rsa(c))
		return mk_fail(why, MK_E_REFUSED, "algorithms", "sshd takes "
		    "no RSA key of %zu bits: RequiredRSASize is %lu",
		    rsa_bits, smallest_rsa(c));
	return MK_OK;
}

static void
judge_types(struct check *c, unsigned types)
{
	struct mk_why why;
	bool good = true;
	size_t i;

	for (i = 0; i < N_SIGNATURES; i++)
		if ((types & signatures[i].type) != 0 && check_sshd_takes(c,
		    signatures[i].type, SIZE_MAX, &why) != MK_OK) {
			check_tell(c, CHECK_WARN, "algorithms", NULL,
			    "'key-types' of meshkeys.conf allows '%s', but "
			    "%s", mk_sshkey_type_name(signatures[i].type),
			    why.detail);
			good = false;
		}
	if ((types & MK_SSH_RSA) != 0 && smallest_rsa(c) > 2048) {
		check_tell(c, CHECK_NOTE, "algorithms", NULL, "sshd takes "
		    "no RSA keys below %lu bits: RequiredRSASize",
		    smallest_rsa(c));
		good = false;
	}
	if (good)
		check_tell(c, CHECK_OK, "algorithms", NULL, "sshd takes "
		    "signatures of all types in 'key-types'");
}

void
check_algorithms(struct check *c)
{
	struct mk_config config;
	struct mk_root root;
	struct mk_why why;

	if (c->settings == NULL)
		return;
	if (mk_root_open(NULL, &root, &why) != MK_OK ||
	    mk_config_load(&root, c->m->place.config_file, &config,
	    &why) != MK_OK) {
		check_tell(c, CHECK_SKIPPED, "algorithms", NULL,
		    "not compared with 'key-types': meshkeys.conf cannot be "
		    "used");
		return;
	}
	judge_types(c, config.policy.key_types);
	mk_config_release(&config);
	mk_root_close(&root);
}

/* Whether one of "a,b c,d" has "publickey", and one of them it alone. */
static void
judge_chains(const char *chains, bool *ret_any, bool *ret_alone)
{
	static const char name[] = "publickey";
	size_t len, n;

	*ret_any = *ret_alone = false;
	for (; *chains != '\0'; chains += strspn(chains, " ")) {
		len = strcspn(chains, " ");
		if (len == strlen(name) && strncmp(chains, name, len) == 0)
			*ret_any = *ret_alone = true;
		for (; len > 0; len -= n, chains += n) {
			n = strcspn(chains, ", ");
			if (n == strlen(name) &&
			    strncmp(chains, name, n) == 0)
				*ret_any = true;
			n += chains[n] == ',';
		}
	}
}

static void
judge_methods(struct check *c, const char *chains)
{
	bool any, alone;

	if (strcmp(chains, "any") == 0) {
		check_tell(c, CHECK_OK, "methods", NULL,
		    "a public key is enough for sshd to let a user in");
		return;
	}
	judge_chains(chains, &any, &alone);
	if (!any)
		check_tell(c, CHECK_FAIL, "methods", NULL, "no public key "
		    "lets anybody in: AuthenticationMethods is '%s'", chains);
	else if (!alone)
		check_tell(c, CHECK_NOTE, "methods", NULL, "a public key is "
		    "not enough: AuthenticationMethods is '%s'", chains);
	else
		check_tell(c, CHECK_OK, "methods", NULL, "a public key is "
		    "enough: AuthenticationMethods is '%s'", chains);
}

void
check_methods(struct check *c)
{
	const char *value;

	if (c->settings == NULL)
		return;
	value = mk_sshd_get(c->settings, "pubkeyauthentication", 0);
	if (value != NULL && strcmp(value, "no") == 0) {
		check_tell(c, CHECK_FAIL, "methods", NULL, "no public key "
		    "lets anybody in: PubkeyAuthentication is 'no'");
	} else {
		value = mk_sshd_get(c->settings, "authenticationmethods", 0);
		judge_methods(c, value == NULL ? "any" : value);
	}
	value = mk_sshd_get(c->settings, "authorizedkeysfile", 0);
	if (value != NULL && strcmp(value, "none") == 0)
		check_tell(c, CHECK_NOTE, "authorized-keys-file", NULL,
		    "AuthorizedKeysFile is 'none': no key lets anybody in "
		    "if the command fails");
	else if (value != NULL)
		check_tell(c, CHECK_OK, "authorized-keys-file", NULL,
		    "keys in '%s' are tried %s the command", value,
		    c->sshd.major != 0 && c->sshd.major * 100 +
		    c->sshd.minor < 801 ? "after" : "before");
}
