/* core/philox.h against Random123's published vectors and its own layout. */
#include "tests/cmocka_fmlp.h"

#include "common/core/philox.h"

typedef struct vector {
  uint64_t key, low, high;
  uint32_t word[4];
} vector;

/* kat_vectors of Random123; a counter or key is written word 0 first there. */
static const vector published[] = {
    {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {0x299f31d0a4093822ULL,
     0x85a308d3243f6a88ULL,
     0x0370734413198a2eULL,
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void the_published_vectors_come_out(void **state) {
  (void)state;
  for (size_t v = 0; v < sizeof published / sizeof *published; v++) {
    fmlp_philox_block block = fmlp_philox(published[v].key, published[v].low, published[v].high);
    for (int word = 0; word < 4; word++) assert_int_equal(block.word[word], published[v].word[word]);
  }
}

static void a_draw_is_word_draw_mod_4_of_block_draw_over_4(void **state) {
  (void)state;
  for (uint64_t draw = 0; draw < 40; draw++) {
    uint64_t path = 0x123456789abcdef0ULL + draw;
    uint32_t expected = fmlp_philox(77, draw / 4, path).word[draw % 4];
    assert_int_equal(fmlp_philox_u32(77, path, draw), expected);
  }
  uint64_t far = (1ULL << 40) + 3; /* a draw whose block number needs the second counter word */
  assert_int_equal(fmlp_philox_u32(0, 0, far), fmlp_philox(0, far >> 2, 0).word[3]);
}

static void an_index_covers_its_range_and_nothing_else(void **state) {
  (void)state;
  assert_int_equal(fmlp_philox_index(0, 7), 0);
  assert_int_equal(fmlp_philox_index(UINT32_MAX, 7), 6);
  assert_int_equal(fmlp_philox_index(UINT32_MAX, 1), 0);
  assert_int_equal(fmlp_philox_index(UINT32_MAX, INT64_C(1) << 32), UINT32_MAX);
  assert_int_equal(fmlp_philox_index(UINT32_MAX / 2, 2), 0);
  assert_int_equal(fmlp_philox_index(UINT32_MAX / 2 + 1, 2), 1);
}

static void every_purpose_has_a_key_of_its_own(void **state) {
  (void)state;
  assert_true(fmlp_philox_key(42, FMLP_PHILOX_MONTE_CARLO) == 42);
  for (int a = FMLP_PHILOX_MONTE_CARLO; a <= FMLP_PHILOX_TEST; a++) {
    for (int b = a + 1; b <= FMLP_PHILOX_TEST; b++) {
      assert_true(fmlp_philox_key(42, (fmlp_philox_purpose)a) != fmlp_philox_key(42, (fmlp_philox_purpose)b));
    }
  }
}

static void the_unit_interval_is_open(void **state) {
  (void)state;
  assert_true(fmlp_philox_unit(0) > 0.0);
  assert_true(fmlp_philox_unit(UINT32_MAX) < 1.0);
  assert_true(fmlp_philox_unit(UINT32_MAX / 2) < 0.5 && fmlp_philox_unit(UINT32_MAX / 2 + 1) > 0.5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_vectors_come_out),
      cmocka_unit_test(a_draw_is_word_draw_mod_4_of_block_draw_over_4),
      cmocka_unit_test(an_index_covers_its_range_and_nothing_else),
      cmocka_unit_test(every_purpose_has_a_key_of_its_own),
      cmocka_unit_test(the_unit_interval_is_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
