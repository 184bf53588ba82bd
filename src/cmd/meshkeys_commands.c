/* SPDX-License-Identifier: ISC */
/*
 * The commands of meshkeys(8).  Letters of the options that a command takes
 * are those of the table in meshkeys.c.
 */
#include "cmd/meshkeys.h"

const struct meshkeys_command meshkeys_commands[] = {
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
	    "source that decides.\n",
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
