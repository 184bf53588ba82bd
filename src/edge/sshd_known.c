/* SPDX-License-Identifier: ISC */
/* Other AuthorizedKeysCommands that are known. */
#include <string.h>

#include "edge/sshd.h"

static const struct {
	const char *program, *name;
} known[] = {
	{ "sss_ssh_authorizedkeys", "SSSD (FreeIPA, Active Directory)" },
	{ "userdbctl", "systemd-userdb" },
	{ "opkssh", "opkssh" },
	{ "google_authorized_keys", "Google OS Login" },
	{ "google_authorized_keys_sk", "Google OS Login" },
	{ "eic_run_authorized_keys", "EC2 Instance Connect" },
	{ "kanidm_ssh_authorizedkeys", "kanidm" },
	{ "kanidm_ssh_authorizedkeys_direct", "kanidm" },
	{ "ssh-ldap-helper", "openssh-ldap" },
	{ "ssh-ldap-wrapper", "openssh-ldap" },
	{ "stns-key-wrapper", "STNS" },
	{ "theo-agent", "theo" },
	{ "aad_certhandler", "Microsoft Entra login" },
	{ "gitlab-shell-authorized-keys-check", "GitLab" },
	{ "gitea", "Gitea" },
	{ "forgejo", "Forgejo" },
};

const char *
mk_sshd_command_name(const char *command)
{
	size_t len = strcspn(command, " \t"), i;
	const char *base = command + len;

	while (base > command && base[-1] != '/')
		base--;
	len -= (size_t)(base - command);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].program) == len &&
		    memcmp(known[i].program, base, len) == 0)
			return known[i].name;
	return NULL;
}
