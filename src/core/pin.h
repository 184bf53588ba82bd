/* SPDX-License-Identifier: ISC */
/*
 * One-time PINs by which a new device and an administration device know
 * each other whatever the portal does (the portal protocol, "Witness"):
 * 125 random bits as 25 letters of base32.
 */
#ifndef MK_CORE_PIN_H
#define MK_CORE_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_PIN_LETTERS	25
#define MK_PIN_RANDOM	16		/* bytes, of which 125 bits count */
#define MK_PIN_TEXT	29		/* as shown: five groups of five */
#define MK_PIN_ID	10		/* letters */
#define MK_WITNESS	64		/* HMAC-SHA-512 */

/* What the HMAC is keyed with.  Secret: the caller wipes it. */
struct mk_pin {
	char letters[MK_PIN_LETTERS + 1];	/* upper case */
};

void	mk_pin_make(const uint8_t random[MK_PIN_RANDOM],
	    struct mk_pin *ret_pin);

/* As people type it: any case, all four dashes or none. */
bool	mk_pin_parse(const char *s, size_t n, struct mk_pin *ret_pin);

/* XXXXX-XXXXX-XXXXX-XXXXX-XXXXX and a NUL. */
void	mk_pin_format(const struct mk_pin *pin, char out[MK_PIN_TEXT + 1]);

/*
 * PinId: which PIN a request was made with, for the device that made the
 * PIN; the first 50 bits of SHA-512("mesh-connect-pin:" || letters).  What
 * is left unknown of the PIN is 75 bits for one day.
 */
void	mk_pin_id(const struct mk_pin *pin, char out[MK_PIN_ID + 1]);
bool	mk_pin_id_good(const char *s, size_t n);

enum mk_witness_of { MK_WITNESS_REQUEST, MK_WITNESS_RESULT };

/*
 * HMAC-SHA-512(letters, "mesh-connect-request:" or "mesh-connect-result:"
 * || SHA-512(payload)).
 */
void	mk_witness_make(const struct mk_pin *pin, enum mk_witness_of what,
	    const uint8_t digest[64], uint8_t out[MK_WITNESS]);

/* Compares in constant time. */
bool	mk_witness_check(const struct mk_pin *pin, enum mk_witness_of what,
	    const uint8_t digest[64], const uint8_t witness[MK_WITNESS]);

#endif
