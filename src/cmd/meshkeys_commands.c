/* SPDX-License-Identifier: ISC */
/*
 * The commands of meshkeys(8).  Letters of the options that a command takes
 * are those of the table in meshkeys.c.
 */
#include "cmd/meshkeys.h"

const struct meshkeys_command meshkeys_commands[] = {
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
