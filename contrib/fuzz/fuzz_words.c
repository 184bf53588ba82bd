/* SPDX-License-Identifier: ISC */
/*
 * Lines of meshkeys.conf, map and users/: the splitter, and each word as
 * all that a word can be.
 */
#include "fuzz.h"

#include <string.h>

#include "core/err.h"
#include "edge/config.h"
#include "edge/identity.h"
#include "edge/policy.h"
#include "edge/words.h"

/* A name that can be encoded comes back as it was. */
static void
try_name(const char *word)
{
	size_t n = strlen(word);
	char *encoded = malloc(3 * n + 1), *decoded = malloc(3 * n + 1);

	FUZZ_HOLDS(encoded != NULL && decoded != NULL);
	mk_name_encode(word, encoded);
	FUZZ_HOLDS(mk_name_decode(encoded, decoded));
	FUZZ_HOLDS(strcmp(word, decoded) == 0);
	(void)mk_name_decode(word, decoded);
	free(encoded);
	free(decoded);
}

static void
try_words(const struct mk_words *words)
{
	struct mk_policy policy;
	int64_t seconds;
	uint64_t number;
	unsigned i;

	for (i = 0; i < words->n; i++) {
		try_name(words->word[i]);
		if (mk_duration_parse(words->word[i], &seconds))
			FUZZ_HOLDS(seconds >= 0);
		if (mk_number_parse(words->word[i], 1000, &number))
			FUZZ_HOLDS(number <= 1000);
	}
	FUZZ_HOLDS(mk_policy_defaults(&policy, NULL) == 0);
	(void)mk_policy_options(&policy, words->word, words->n, NULL);
	mk_policy_release(&policy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_where where = { "fuzz", 0 };
	char *text = malloc(size + 1), *cursor = text, *line;
	struct mk_words words;
	struct mk_why why;
	size_t len;

	FUZZ_HOLDS(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = mk_line_next(&cursor, text + size, &len)) != NULL) {
		where.line++;
		if (mk_line_split(line, len, &where, &words, &why) == 0)
			try_words(&words);
		else
			FUZZ_HOLDS(why.code == MK_E_CONFIG);
	}
	free(text);
	return 0;
}
