/* SPDX-License-Identifier: ISC */
/*
 * The commands of meshkeys(8).  Letters of the options that a command takes
 * are those of the table in meshkeys.c.
 */
#include "cmd/meshkeys.h"

const struct meshkeys_command meshkeys_commands[] = {
	{ { "setup", "[--chain | --no-chain] [--way-in USER] [--key FILE]\n"
	    "           [--login USER] [--yes]\n       meshkeys setup "
	    "--confirm",
	    "make sshd ask for Mesh keys, with a way back",
	    "Writes the drop-in for sshd, tries it with a second sshd on the "
	    "loopback, and\n"
	    "makes the running one read it.  Unless --confirm is given from a "
	    "new login\n"
	    "within a minute, all is taken back.\n"
	    "\n"
	    "  --chain        keep the AuthorizedKeysCommand that is there, "
	    "behind ours\n"
	    "  --no-chain     give it up\n"
	    "  --way-in USER  who can log in if the helper fails, or \"console"
	    "\" [root]\n"
	    "  --key FILE     her private key, to prove it; else the agent's "
	    "keys\n"
	    "  --login USER   who logs in for trial [one of the map]\n"
	    "  --confirm      what was set up is to stay\n"
	    "  --yes          it is to stay without that\n",
	    "cNwklCy", 0, 0 }, meshkeys_setup },
	{ { "unsetup", "[--yes]",
	    "take back what setup did",
	    "Puts every file back as it was before setup, byte for byte, and "
	    "makes sshd read\n"
	    "its configuration again.  The map, the cache and the memory stay."
	    "\n"
	    "\n"
	    "  --unconfirmed  only if setup was not confirmed, or cut off\n"
	    "  --yes          also what was changed since, which is saved\n",
	    "yu", 0, 0 }, meshkeys_unsetup },
	{ { "map add", "[--gecos] USER FINGERPRINT|- [OPTION=VALUE ...]",
	    "say which profile a user has",
	    "Shows the profile of that fingerprint, if it is in the cache, and "
	    "adds the line:\n"
	    "to users/USER where there is one, else to the map.  A dash means "
	    "no Mesh keys.\n"
	    "\n"
	    "  --gecos  into the last GECOS field of the passwd file instead\n",
	    "g", 2, 64 }, meshkeys_map_add },
	{ { "map remove", "[--gecos] USER [FINGERPRINT]",
	    "take a user out, or one of her profiles",
	    "Removes the lines of USER, or that of one profile, from users/ "
	    "and the map.\n"
	    "\n"
	    "  --gecos  from the last GECOS field of the passwd file instead\n",
	    "g", 1, 16 }, meshkeys_map_remove },
	{ { "map list", "[USER]",
	    "who is who, and where it is written",
	    "Shows each user with her fingerprints, their options, and the "
	    "source that\n"
	    "decides.\n",
	    "", 0, 1 }, meshkeys_map_list },
	{ { "map check", "[--split]",
	    "find what is wrong in the map and users/",
	    "Reads every line as a login would, and tells those that cannot "
	    "be used, users\n"
	    "who are named twice, and users whom this host does not have.\n"
	    "\n"
	    "  --split  then move the lines of the map to users/, a file "
	    "each\n",
	    "s", 0, 0 }, meshkeys_map_check },
	{ { "keys", "USER",
	    "the lines that sshd would get",
	    "Prints the authorized_keys lines of USER as the helper prints "
	    "them, each behind\n"
	    "the number that sshd counts it by.  With a key offered sshd gets "
	    "the line of\n"
	    "that one.  Exit status that of the helper.\n",
	    "", 1, 1 }, meshkeys_keys },
	{ { "explain", "USER [KEY | KEY-FINGERPRINT]",
	    "why she can log in, or not",
	    "Decides as the helper does, and tells each step and what became "
	    "of each device.\n"
	    "KEY is a public key, TYPE BASE64, or the name of a file with "
	    "one.  A key that is\n"
	    "none of hers now is looked for among those that this host has "
	    "ever seen.  Exit\n"
	    "status 0 if the key, or any key, is printed, 1 if none is, and "
	    "that of the\n"
	    "helper, without its chain, if it refuses.\n",
	    "", 1, 32 }, meshkeys_explain },
	{ { "check", "[USER]",
	    "look at all that stands between sshd and a key",
	    "Looks at sshd's configuration, the helper, the files, the portal "
	    "and the host,\n"
	    "as sshd would, and tells what is wrong with the command that "
	    "mends it.  Exit\n"
	    "status 0 if all is well, 1 for warnings, 2 for failures.\n",
	    "", 0, 1 }, meshkeys_check },
	{ { "status", "[--textfile FILE]",
	    "users, profiles, devices and the age of what is known",
	    "Shows each profile with its version, its devices, when it was "
	    "last confirmed,\n"
	    "and the last refusal.  Exit status 0 if all is well, 1 if a set "
	    "is stale, if a\n"
	    "portal last gave none or one that was refused, or if a line "
	    "cannot be used, 2 if\n"
	    "users cannot log in.\n"
	    "\n"
	    "  --textfile FILE  write the numbers for Prometheus into FILE "
	    "instead\n",
	    "t", 0, 0 }, meshkeys_status },
	{ { "refresh", "[--dry-run] [USER | FINGERPRINT ...]",
	    "ask the portals now",
	    "Runs mesh-refresh(8) for the users and fingerprints, or for all."
	    "\n"
	    "\n"
	    "  --dry-run  write nothing\n",
	    "n", 0, 1000 }, meshkeys_refresh },
	{ { "accept", "[--yes] USER [FILE]",
	    "let in a set that the memory of this host keeps out",
	    "Shows what differs between what this host has seen of a profile "
	    "of USER and\n"
	    "the set in FILE, in the cache, or in the directory that is the "
	    "portal, asks,\n"
	    "and makes that set the newest one seen.  Deleted devices stay "
	    "deleted.\n"
	    "\n"
	    "  --yes  do not ask\n", "y", 1, 2 }, meshkeys_accept },
	{ { "import", "FILE USER",
	    "take a profile set from a file",
	    "Verifies the profile set in FILE, or on standard input for '-', "
	    "and takes it\n"
	    "as if a portal of USER had sent it.\n",
	    "", 2, 2 }, meshkeys_import },
};

const size_t meshkeys_n_commands =
    sizeof(meshkeys_commands) / sizeof(meshkeys_commands[0]);
