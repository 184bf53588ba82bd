/* SPDX-License-Identifier: ISC */
/*
 * The words of meshman(1).  Letters of the options that a word takes are
 * those of the table in meshman.c.
 */
#include "cmd/meshman.h"

#define WRITES	(MESHMAN_PROFILE | MESHMAN_LOCK | MESHMAN_NETWORK)

const struct meshman_word meshman_words[] = {
	{ { "personal", "[ACCOUNT] [--name DEVICE]\n"
	    "           [--passphrase | --no-passphrase]",
	    "make a profile, and publish it under an account",
	    "Makes a master key, an online key and a key of this device, and "
	    "a profile of\n"
	    "them; publishes it at the portal of ACCOUNT if there is one.  "
	    "Run again with\n"
	    "ACCOUNT, it publishes a profile that is not published yet.\n"
	    "\n"
	    "  --name DEVICE    what people call this device; default: the "
	    "host's name\n"
	    "  --passphrase     ask for a passphrase for the master key, "
	    "which is the default\n"
	    "  --no-passphrase  leave the master key without one\n"
	    "  --portal URL     instead of that of the account's domain\n"
	    "  --no-qr          no QR code\n",
	    "pnsSjq", 0, 1 }, MESHMAN_LOCK | MESHMAN_NETWORK,
	    meshman_personal },
	{ { "ssh", "[--key FILE | --agent] [--passphrase | --no-passphrase]\n"
	    "       meshman /ssh /host\n"
	    "       meshman /ssh /rekey [--passphrase | --no-passphrase]",
	    "the SSH key of this device",
	    "Makes an SSH key for this device, or takes one that is there, "
	    "and puts it into\n"
	    "the profile; on a device without an online key it asks an "
	    "administration device\n"
	    "to do so.  With /host this device is a host, which has no key "
	    "for logging in;\n"
	    "with /rekey a new key takes the place of the one before, or of "
	    "being a host.\n"
	    "\n"
	    "  --key FILE       take the key whose public half is in FILE\n"
	    "  --agent          take the keys of ssh-agent(1)\n"
	    "  --passphrase     let ssh-keygen(1) ask for one for the new "
	    "key\n"
	    "  --no-passphrase  leave the new key without one\n"
	    "  --yes            do not ask\n",
	    "pkasSjy", 0, 1 }, WRITES, meshman_ssh },
	{ { "pin", "[--count N]",
	    "one-time PINs for connecting devices",
	    "Makes PINs by which new devices and this one know each other "
	    "whatever the portal\n"
	    "does.  Each serves one device, within a day.\n"
	    "\n"
	    "  --count N        how many; default: 1\n"
	    "  --no-qr          no QR code\n",
	    "cjq", 0, 0 }, MESHMAN_PROFILE | MESHMAN_ADMIN | MESHMAN_LOCK,
	    meshman_pin },
	{ { "connect", "ACCOUNT [--name DEVICE]\n"
	    "           [--expect FINGERPRINT | --pin PIN] [/ssh [/host]]",
	    "ask to join a profile with this device",
	    "Files a request of this device at the portal of ACCOUNT, for an "
	    "administration\n"
	    "device to accept.  Compare the fingerprint shown with that of "
	    "the profile.\n"
	    "\n"
	    "  --expect FINGERPRINT  of the profile: nothing is asked\n"
	    "  --pin PIN        made by /pin on an administration device; "
	    "'-' reads it from\n"
	    "                   standard input, out of sight of other "
	    "users\n"
	    "  --name DEVICE    what people call this device\n"
	    "  --key FILE, --agent, --passphrase, --no-passphrase  as with "
	    "/ssh\n"
	    "  --portal URL     instead of that of the account's domain\n"
	    "  --yes            do not ask\n",
	    "pnePkasSjy", 1, 4 }, MESHMAN_LOCK | MESHMAN_NETWORK,
	    meshman_connect },
	{ { "pending", "",
	    "requests that wait for an answer",
	    "Shows the devices that ask to join the profile, and how far "
	    "their requests are\n"
	    "proved.\n",
	    "pj", 0, 0 }, WRITES | MESHMAN_ADMIN, meshman_pending },
	{ { "accept", "DEVICE ... | /all",
	    "accept requests",
	    "Takes devices into the profile.  A whole fingerprint accepts "
	    "a request that came\n"
	    "without a PIN, too; a name or /all only those that are proved "
	    "by a PIN.\n",
	    "pj", 1, 1024 }, WRITES | MESHMAN_ADMIN, meshman_accept },
	{ { "reject", "DEVICE ... | /all",
	    "refuse requests",
	    "Refuses requests of devices; they are told so.\n",
	    "pj", 1, 1024 }, WRITES | MESHMAN_ADMIN, meshman_reject },
	{ { "complete", "[--wait SECONDS]",
	    "take the answer to the request of this device",
	    "Asks the portal for the answer to the request that this device "
	    "has filed.\n"
	    "\n"
	    "  --wait SECONDS   ask until there is one\n",
	    "pwj", 0, 0 }, MESHMAN_LOCK | MESHMAN_NETWORK, meshman_complete },
	{ { "delete", "DEVICE",
	    "take a device out of the profile, for good",
	    "Takes a device and its SSH keys out of the profile.  It can "
	    "never come back.\n"
	    "\n"
	    "  --yes            do not ask\n",
	    "pjy", 1, 1 }, WRITES | MESHMAN_ADMIN, meshman_delete },
	{ { "sync", "",
	    "take the newest version from the portal",
	    "Takes what the portal has, and says what changed.  On an "
	    "administration device a\n"
	    "profile that expires within 30 days is signed anew, and one that "
	    "the portal has\n"
	    "lost is published again.  Exit status 65 if this device does not "
	    "belong to the\n"
	    "profile any more.\n",
	    "pj", 0, 0 }, MESHMAN_LOCK | MESHMAN_NETWORK, meshman_sync },
	{ { "list", "",
	    "the profile, its devices and their SSH keys",
	    "Shows the profile, its devices and their SSH keys.\n",
	    "j", 0, 0 }, MESHMAN_PROFILE, meshman_list },
	{ { "dump", "",
	    "what is signed, as it is signed",
	    "Prints the payloads of the profile set, laid out for reading; "
	    "with --json the\n"
	    "set itself.\n",
	    "j", 0, 0 }, MESHMAN_PROFILE, meshman_dump },
	{ { "device", "",
	    "this device",
	    "Shows what this device is and what it may do.\n",
	    "j", 0, 0 }, MESHMAN_NOTHING, meshman_device },
	{ { "fingerprint", "",
	    "the fingerprint of the profile",
	    "Prints the fingerprint of the profile; on a terminal also as a "
	    "QR code, and what\n"
	    "an administrator of a host does with it.\n"
	    "\n"
	    "  --no-qr          no QR code\n",
	    "jq", 0, 0 }, MESHMAN_PROFILE, meshman_fingerprint },
	{ { "export", "FILE",
	    "the profile set into a file",
	    "Writes the profile set to FILE, or to standard output for '-'.  "
	    "Nothing in it is\n"
	    "secret.\n",
	    "j", 1, 1 }, MESHMAN_PROFILE, meshman_export },
	{ { "import", "FILE [--expect FINGERPRINT]",
	    "take a profile set from a file",
	    "Verifies the profile set in FILE, or on standard input for '-', "
	    "and takes it if\n"
	    "it is newer.  No portal is needed.\n"
	    "\n"
	    "  --expect FINGERPRINT  of the profile, on a device that has "
	    "none yet\n",
	    "ej", 1, 1 }, MESHMAN_LOCK, meshman_import },
};

const size_t meshman_n_words =
    sizeof(meshman_words) / sizeof(meshman_words[0]);
