/* Goal: each row of the tables of keys is whole, and conf/README.md matches the
 * rows. Run in the project's root. */
#include "config_fixture.h"

#include "config_keys.h"
#include "config_manual.h"
#include "config_read.h"

static unsigned rows;

static void
check_row(const struct config_key *k)
{
	bool has_keys = k->type == CONFIG_MAP ||
			(k->type == CONFIG_LIST && k->form == NULL);

	assert_true(has_keys == (k->keys != NULL));
	assert_true((k->type == CONFIG_CHOICE) == (k->names != NULL));
	if (k->type == CONFIG_FORM)
		assert_non_null(k->form);
	if (k->type == CONFIG_LIST || k->type == CONFIG_NUMBER ||
	    k->type == CONFIG_SIZE)
		assert_true(k->min < k->max);
	if (!has_keys)
		assert_non_null(k->help);
	/* An absent number needs a default. */
	if (k->type <= CONFIG_BOOL)
		assert_non_null(k->otherwise);
	assert_false(k->required && k->otherwise != NULL);
	assert_false(k->opt_in && k->type != CONFIG_MAP);
}

static void
check_table(const struct config_key *keys)
{
	size_t i;

	for (i = 0; keys[i].key != NULL; i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i].key, keys[j].key);
		check_row(&keys[i]);
		rows++;
		if (keys[i].keys != NULL)
			check_table(keys[i].keys);
	}
	assert_in_range(i, 1, CONFIG_KEYS_MAX - 1);
}

static void
test_rows(void **state)
{
	(void)state;
	check_table(config_keys);
	assert_in_range(rows, 70, 1000);
}

/* Reads every table once with only the required keys. */
static void
test_defaults_hold(void **state)
{
	config_load_free(fixture_load(
	    SERVICE "  sticky: { cookie: a }\n  health: { path: / }\n"
		    "  breaker: {}\nadmin: { address: '*:2' }\n"
		    "redis: { spawn: true }\n"
		    "routes: [{ path: /, respond: {} }]\n"));
	(void)state;
}

static void
test_manual(void **state)
{
	char *made = NULL, *kept = NULL;
	size_t made_len, kept_len = 0;
	FILE *f = open_memstream(&made, &made_len);

	(void)state;
	assert_non_null(f);
	config_manual_print(f);
	fclose(f);
	f = fopen("conf/README.md", "r");
	assert_non_null(f);
	assert_true(getdelim(&kept, &kept_len, '\0', f) > 0);
	fclose(f);
	if (strcmp(made, kept) != 0)
		fail_msg("not what the keys say: drover -K >conf/README.md");
	free(made);
	free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_defaults_hold),
	    cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
