/* SPDX-License-Identifier: ISC */
/*
 * No single flipped bit of a valid set changes what is printed but to
 * nothing, and memory that runs out at any point is a refusal like others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/render.h"
#include "make_set.h"
#include "unit.h"

/* One bit in so many of a large set, to save time. */
#define STRIDE_2017	3

static struct mk_why why;

/* What a demand prints: 0 and the lines, or MK_E_*. */
static int
print(const struct mk_demand *demand, struct mk_buf *out)
{
	const struct mk_verified_view *view;
	struct mk_arena a;
	size_t i;
	int r;

	mk_buf_init(out, MK_OUTPUT_MAX);
	r = made_verify(&a, demand, &view, &why);
	for (i = 0; r == 0 && i < view->n_keys; i++) {
		if (view->keys[i].verdict == MK_KEY_USABLE)
			mk_render_line(&view->keys[i], "", out);
	}
	mk_arena_release(&a);
	return r;
}

static void
flip_bit(const struct mk_demand *demand, uint8_t *set, size_t bit)
{
	struct mk_buf out;
	int r;

	set[bit / 8] ^= (uint8_t)(1 << bit % 8);
	r = print(demand, &out);
	ck_assert_msg(r == MK_E_REFUSED, "bit %zu of byte %zu, now '%c': "
	    "code %d and %zu bytes", bit % 8, bit / 8, set[bit / 8], r,
	    out.len);
	mk_buf_release(&out);
	set[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Flips each bit of a copy of the set, or one in 'stride'. */
static void
flip_all(struct mk_demand demand, size_t stride)
{
	uint8_t *copy = malloc(demand.set_len);
	struct mk_buf out;
	size_t bit;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, demand.set, demand.set_len);
	demand.set = copy;
	r = print(&demand, &out);
	ck_assert_msg(r == 0, "%s: %s", why.stage, why.detail);
	ck_assert_uint_gt(out.len, 0);
	mk_buf_release(&out);
	for (bit = 0; bit < demand.set_len * 8; bit += stride)
		flip_bit(&demand, copy, bit);
	free(copy);
}

START_TEST(flip_current)
{
	struct recipe r = { .n_devices = 3, .n_keys = 1, .openssh = true,
	    .description = "x" };
	struct mk_demand demand;
	struct made made;

	made_set(&r, &made);
	demand = made_demand(&made);
	flip_all(demand, 1);
	made_release(&made);
}
END_TEST

/* The fingerprint asked for: each of its bits counts. */
START_TEST(flip_fingerprint)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1 };
	struct mk_demand demand;
	struct mk_buf out;
	struct made made;
	size_t bit;

	made_set(&r, &made);
	demand = made_demand(&made);
	for (bit = 0; bit < 8 * MK_UDF_BYTES; bit++) {
		demand.udf.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(print(&demand, &out), MK_E_REFUSED);
		mk_buf_release(&out);
		demand.udf.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	made_release(&made);
}
END_TEST

/* A file of the vectors, NUL-ended; NULL if there is none. */
static uint8_t *
read_vector(const char *name, size_t *ret_len)
{
	const char *src = getenv("MK_SRCDIR");
	uint8_t *data = calloc(1, MK_SET_MAX);
	char path[4096];
	FILE *f;

	ck_assert_ptr_nonnull(data);
	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s",
	    src != NULL ? src : ".", name);
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("# no '%s': skipped\n", name);
		free(data);
		return NULL;
	}
	*ret_len = fread(data, 1, MK_SET_MAX - 1, f);
	(void)fclose(f);
	return data;
}

/* A set of 2017, where the vectors have one. */
START_TEST(flip_2017)
{
	struct made none = { .set = { .len = 0 } };
	struct mk_demand demand = made_demand(&none);
	uint8_t *set, *udf;
	size_t len, udf_len;

	set = read_vector("legacy-2017.json", &len);
	udf = read_vector("legacy-2017.udf", &udf_len);
	if (set != NULL && udf != NULL) {
		ck_assert(mk_udf_parse((const char *)udf, MK_UDF_TEXT,
		    &demand.udf));
		demand.set = set;
		demand.set_len = len;
		flip_all(demand, STRIDE_2017);
	}
	free(set);
	free(udf);
}
END_TEST

/*
 * An arena of every size up to the one that is enough, in steps: what is
 * refused is refused for want of memory, and nothing else happens.
 */
START_TEST(arena_runs_out)
{
	struct recipe r = { .n_devices = 2, .n_keys = 2 };
	const struct mk_verified *verified = NULL;
	struct mk_demand demand;
	struct mk_arena a;
	struct made made;
	size_t cap;
	int e = -1;

	made_set(&r, &made);
	demand = made_demand(&made);
	for (cap = 0; e != 0; cap += 24) {
		ck_assert_uint_le(cap, mk_verify_memory(demand.set_len));
		mk_arena_init(&a, cap);
		e = mk_verify(&a, &demand, &verified, &why);
		if (e != 0) {
			ck_assert_int_eq(e, MK_E_REFUSED);
			ck_assert_ptr_null(verified);
			ck_assert_msg(strcmp(why.stage, "limits") == 0,
			    "cap %zu: %s: %s", cap, why.stage, why.detail);
		}
		mk_arena_release(&a);
	}
	ck_assert_ptr_nonnull(verified);
	made_release(&made);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("flip");
	TCase *tc = tcase_create("flip");

	tcase_set_timeout(tc, 900);
	tcase_add_test(tc, flip_current);
	tcase_add_test(tc, flip_fingerprint);
	tcase_add_test(tc, flip_2017);
	tcase_add_test(tc, arena_runs_out);
	suite_add_tcase(s, tc);
	return s;
}
