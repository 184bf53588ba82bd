/* SPDX-License-Identifier: ISC */
/* No table is looked up by a letter: some of the texts are secret. */
#include "core/base32.h"

#define GROUP	5	/* letters between dashes */

int
mk_b32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

static char
letter(unsigned v)
{
	return (char)(v < 26 ? 'A' + v : '2' + v - 26);
}

void
mk_b32_encode(const uint8_t *bits, size_t n, char *out)
{
	size_t i, bit = 0;
	unsigned v;

	for (i = 0; i < n; i++, bit += 5) {
		v = (unsigned)bits[bit / 8] << 8;
		if (bit % 8 > 3)
			v |= bits[bit / 8 + 1];
		out[i] = letter(v >> (11 - bit % 8) & 31);
	}
}

void
mk_b32_group(const char *letters, size_t n, char *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = letters[i];
	}
	*out = '\0';
}

bool
mk_b32_ungroup(const char *s, size_t n, size_t letters, char *out)
{
	bool dashes = n == MK_B32_GROUPED(letters);
	size_t i;
	char c;

	if (n != letters && !dashes)
		return false;
	for (i = 0; i < letters; i++) {
		if (dashes && i > 0 && i % GROUP == 0 && *s++ != '-')
			return false;
		c = *s++;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (mk_b32_value(c) < 0)
			return false;
		out[i] = c;
	}
	return true;
}
