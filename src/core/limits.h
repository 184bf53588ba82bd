/* SPDX-License-Identifier: ISC */
/*
 * Every bound on what others can send stands here.  The numbers of the
 * current form are those of mesh-profile-set(5), "LIMITS".
 */
#ifndef MK_CORE_LIMITS_H
#define MK_CORE_LIMITS_H

#define MK_SET_MAX		(4u << 20)	/* bytes of a profile set */
#define MK_SET_CEILING		(64u << 20)	/* largest max-set */
#define MK_DEVICES_MAX		1024u		/* devices of a profile */
#define MK_DEVICES_CEILING	65536u		/* largest max-devices */
#define MK_ARENA_FACTOR		24u		/* arena bytes per set byte */
#define MK_ARENA_FLOOR		(1u << 20)	/* smallest arena */
#define MK_OUTPUT_MAX		(1u << 20)	/* bytes written to sshd */

#define MK_JSON_DEPTH		16u		/* open brackets */
#define MK_STRING_MAX		1024u		/* bytes after unescaping */
#define MK_STRING_LONG		8192u		/* OpenSSH, HostKeys, Proof */
#define MK_ENTRIES_MAX		64u		/* of GetResponse.Entries */
#define MK_ONLINE_MAX		32u		/* OnlineSignatureKeys */
#define MK_PREVIOUS_MAX		32u		/* digests in Previous */
#define MK_DELETED_MAX		1024u		/* UDFs in Deleted */
#define MK_KEYS_PER_DEVICE	8u		/* SSH keys of one device */
#define MK_HOSTKEYS_MAX		8u
#define MK_HOSTNAMES_MAX	16u
#define MK_HOSTNAME_LEN		255u
#define MK_TEXT_MAX		64u		/* DeviceDescription, comment */
#define MK_RSA_BITS_MIN		2048u
#define MK_RSA_BITS_MAX		16384u

#define MK_CONNECT_MAX		(128u << 10)	/* bytes of a payload */
#define MK_CONNECT_DEVICE_MAX	(16u << 10)	/* and of its DeviceProfile */

#define MK_SEEN_MAX		(64u << 10)	/* bytes of a .seen file */
#define MK_ETAG_MAX		512u		/* of an ETag, quotes too */
#define MK_CONFIG_MAX		(256u << 10)	/* bytes of meshkeys.conf */
#define MK_USERFILE_MAX		(64u << 10)	/* bytes of users/USER */
#define MK_MAP_MAX		(64u << 20)	/* bytes of map, passwd */
#define MK_CHANGES_IDS		2000u		/* of a Changes */
#define MK_CHANGES_STORE	64u		/* characters of a Store */
#define MK_CHANGES_WAIT		60u		/* seconds */
#define MK_CHANGES_MAX		(256u << 10)	/* bytes of an answer */
#define MK_LINE_WORDS		64u		/* words on one line */
#define MK_PROFILES_PER_USER	64u		/* fingerprints of one user */
#define MK_USERNAME_MAX		256u		/* bytes of a user name */
#define MK_OFFERED_MAX		(256u << 10)	/* base64 of an offered key */

#define MK_DAY			86400

#endif
