/* SPDX-License-Identifier: ISC */
/*
 * The offered key, which anybody on the network chooses: "SHA256:..." on
 * one line, or a type on the first and base64 on the second.
 */
#include "fuzz.h"

#include <string.h>

#include "cmd/akc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct akc_args args = { .user = "alice" };
	char *text = malloc(size + 1), *second;
	struct akc_offer offer;

	FUZZ_HOLDS(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	second = strchr(text, '\n');
	if (second != NULL) {
		*second = '\0';
		args.type = text;
		args.key = second + 1;
	} else {
		args.fingerprint = text;
	}
	FUZZ_HOLDS(akc_offer_read(&args, &offer, NULL) == 0);
	FUZZ_HOLDS(offer.given);
	FUZZ_HOLDS(strlen(offer.fingerprint) < sizeof(offer.fingerprint));
	akc_offer_release(&offer);
	free(text);
	return 0;
}
