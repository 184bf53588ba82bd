/* SPDX-License-Identifier: ISC */
/* The file of the PINs that were made here. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/meshman.h"
#include "make_set.h"
#include "tree.h"
#include "unit/unit.h"

#define A	"ABCDEFGHIJKLMNOPQRSTUVWXY"
#define B	"A2B3C4D5E6F7GAHBICJDKELFM"
#define T	"2026-03-01T12:00:00Z"
#define HEAD	"mesh-pins 1\n"

static struct meshman m;
static struct meshman_pins pins;

static void
setup(void)
{
	ck_assert_int_ne(sodium_init(), -1);
	tree_setup();
	memset(&m, 0, sizeof(m));
	ck_assert_int_eq(mk_home_open(tree_path("/state"), true, &m.home,
	    &m.why), 0);
	ck_assert_int_eq(mk_home_lock(&m.home, &m.why), 0);
}

static void
teardown(void)
{
	mk_home_close(&m.home);
	tree_teardown();
}

static void
write_text(const char *text, size_t len)
{
	ck_assert_int_eq(mk_home_write(&m.home, "pins", text, len, &m.why),
	    0);
}

START_TEST(none_yet)
{
	ck_assert_int_eq(meshman_pins_read(&m, &pins), 0);
	ck_assert_uint_eq(pins.n, 0);
	meshman_pins_release(&pins);
	write_text(HEAD, strlen(HEAD));
	ck_assert_int_eq(meshman_pins_read(&m, &pins), 0);
	ck_assert_uint_eq(pins.n, 0);
	meshman_pins_release(&pins);
}
END_TEST

START_TEST(there_and_back)
{
	struct meshman_pin_use uses[3] = { { .made = MADE_NOW },
	    { .made = MADE_NOW + 1, .used = true, .device = made_udf(7) },
	    { .made = MADE_NOW + 2, .used = true, .spoilt = true,
	    .device = made_udf(8) } };
	const struct meshman_pins out = { uses, 3 };
	struct stat st;
	size_t i;

	for (i = 0; i < 3; i++)
		(void)strcpy(uses[i].pin.letters, i % 2 == 0 ? A : B);
	ck_assert_int_eq(meshman_pins_write(&m, &out), 0);
	ck_assert_int_eq(fstatat(m.home.fd, "pins", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(meshman_pins_read(&m, &pins), 0);
	ck_assert_uint_eq(pins.n, 3);
	for (i = 0; i < 3; i++) {
		ck_assert_str_eq(pins.list[i].pin.letters,
		    uses[i].pin.letters);
		ck_assert_int_eq(pins.list[i].made, uses[i].made);
		ck_assert(pins.list[i].used == uses[i].used);
		ck_assert(pins.list[i].spoilt == uses[i].spoilt);
		ck_assert_int_eq(mk_udf_cmp(&pins.list[i].device,
		    &uses[i].device), 0);
	}
	meshman_pins_release(&pins);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	struct meshman_pin_use *uses = calloc(MESHMAN_PINS_MAX + 1,
	    sizeof(*uses));
	struct meshman_pins out = { uses, MESHMAN_PINS_MAX };
	size_t i;

	ck_assert_ptr_nonnull(uses);
	for (i = 0; i <= MESHMAN_PINS_MAX; i++) {
		uses[i] = (struct meshman_pin_use){ .made = MADE_NOW,
		    .used = true, .spoilt = true, .device = made_udf(1) };
		(void)strcpy(uses[i].pin.letters, A);
	}
	ck_assert_int_eq(meshman_pins_write(&m, &out), 0);
	ck_assert_int_eq(meshman_pins_read(&m, &pins), 0);
	ck_assert_uint_eq(pins.n, MESHMAN_PINS_MAX);
	meshman_pins_release(&pins);
	out.n++;
	ck_assert_int_eq(meshman_pins_write(&m, &out), MK_E_BUG);
	free(uses);
}
END_TEST

/* A PIN that is not known as used could serve another device. */
START_TEST(damaged)
{
	static const char good[] = HEAD A " " T " - -\n";
	static const char *const bad[] = {
		"", "mesh-pins 2\n", "mesh-pins 1", HEAD "\n",
		HEAD A " " T " - -",
		HEAD A " " T " -\n",
		HEAD A " " T " - - \n",
		HEAD A " " T " - - -\n",
		HEAD A "  " T " - -\n",
		HEAD A " " T " - spoiled\n",
		HEAD A " " T " x -\n",
		HEAD A " 1772366400 - -\n",
		HEAD "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY " T " - -\n",
		HEAD "ABCDEFGHIJKLMNOPQRSTUVWX1 " T " - -\n",
		HEAD A " " T " - -\n\n"
	};
	char cut[sizeof(good)];
	size_t i;

	write_text(good, strlen(good));
	ck_assert_int_eq(meshman_pins_read(&m, &pins), 0);
	meshman_pins_release(&pins);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_text(bad[i], strlen(bad[i]));
		ck_assert_int_eq(meshman_pins_read(&m, &pins), MK_E_SYSTEM);
		ck_assert_ptr_nonnull(strstr(m.why.detail, "rm "));
	}
	memcpy(cut, good, sizeof(good));
	cut[sizeof(HEAD) + 4] = '\0';
	write_text(cut, strlen(good));
	ck_assert_int_eq(meshman_pins_read(&m, &pins), MK_E_SYSTEM);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("man_pins");
	TCase *tc = tcase_create("pins");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, none_yet);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, as_many_as_there_may_be);
	tcase_add_test(tc, damaged);
	suite_add_tcase(s, tc);
	return s;
}
