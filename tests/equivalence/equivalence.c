/* Running a case on two backends and comparing bits. */
#include "tests/equivalence/equivalence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backends.h"
#include "common/core/bits.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/progress.h"
#include "cuda/device.h"
#include "tests/simt/runtime.h"

enum { UNTOUCHED = 0xa7 }; /* what every output holds before the operation: nothing of an earlier case */

static const size_t element_bytes[] = {8, 8, 4, 1};

static size_t bytes_of(const equivalence_array *array) {
  return (size_t)array->count * element_bytes[array->element];
}

/* ---- which cases ---- */

static bool is_number(const char *text) {
  return *text && text[strspn(text, "0123456789")] == '\0';
}

bool equivalence_wants(equivalence *all, const char *operation, const char *name) {
  const int64_t number = all->number++;
  const char *asked = all->options.name;
  if (all->options.parts > 0 && number % all->options.parts != all->options.part) return false;
  if (asked && is_number(asked) && strtoll(asked, NULL, 10) != number) return false;
  if (asked && !is_number(asked) && strcmp(asked, name) != 0) return false;
  if (equivalence_is_over(all)) return false;
  if (all->options.list && !all->counting) printf("%s %5" PRId64 "  %s\n", operation, number, name);
  const bool run = !all->options.list && !all->counting;
  all->cases += !run;
  return run;
}

bool equivalence_is_over(const equivalence *all) {
  return all->differing_runs + all->refused >= all->options.most_differences;
}

/* ---- set-ups ---- */

static const int32_t thread_choices[] = {256, 32, 1024, 64, 128, 96, 512};
static const int64_t chunk_choices[] = {0, 1, 7, 2, 64, 3, 13, 5, 1000};
enum {
  THREAD_CHOICES = sizeof thread_choices / sizeof *thread_choices,
  CHUNK_CHOICES = sizeof chunk_choices / sizeof *chunk_choices
};

/* The turn-th set-up. 7 block sizes, 9 chunks and 4 turns of spilling have no common factor: 252 turns meet
 * every combination, 63 every pair of block size and chunk. A chunk so small that the case would take
 * `most_chunks` of them gives way to a larger one: each computes its halo again. */
static equivalence_setup rotated(int64_t turn, int64_t units, equivalence_size size) {
  const int64_t most_chunks = size != EQUIVALENCE_QUICK ? 3000 : units > 4200 ? 12 : 150;
  equivalence_setup setup = {.threads = thread_choices[turn % THREAD_CHOICES],
                             .chunk = chunk_choices[turn % CHUNK_CHOICES],
                             .spill = turn % 4 == 3 ? EQUIVALENCE_ALL : EQUIVALENCE_ON_DEVICE,
                             .seed = (uint64_t)turn + 1};
  while (setup.chunk > 0 && units / setup.chunk > most_chunks) setup.chunk = setup.chunk * 4 + 1;
  return setup;
}

static int64_t *turns_of(equivalence *all, const char *group) {
  int i = 0;
  while (i < EQUIVALENCE_GROUPS - 1 && all->groups[i] && strcmp(all->groups[i], group) != 0) i++;
  all->groups[i] = group;
  return &all->turns[i];
}

static bool is_gpu(const equivalence *all) {
  return strcmp(all->options.backend, "simt") == 0 || strncmp(all->options.backend, "cuda", 4) == 0;
}

/* Opens the other backend for a set-up. simt takes its seed when it is opened; a device that failed is of no
 * more use. */
static fmlp_status prepare(equivalence *all, const equivalence_setup *setup, bool anew, fmlp_error *error) {
  const bool simt = strcmp(all->options.backend, "simt") == 0;
  if (simt && setup->seed != all->opened.seed) anew = true;
  if (anew) fmlp_compute_close(&all->other);
  if (!all->other.device) {
    if (simt) fmlp_simt_configure(&(fmlp_simt_setup){.seed = setup->seed});
    char notice[256];
    FMLP_TRY(fmlp_compute_open(all->options.backend, &all->other, notice, sizeof notice, error));
  }
  all->opened = *setup;
  return FMLP_OK;
}

/* ---- one side ---- */

static void **results_alloc(const equivalence_case *c) {
  void **results = calloc((size_t)c->array_count, sizeof *results);
  for (int32_t i = 0; results && i < c->array_count; i++) {
    results[i] = malloc(bytes_of(&c->arrays[i]) + 1);
    if (!results[i]) abort();
    memset(results[i], UNTOUCHED, bytes_of(&c->arrays[i]));
  }
  if (!results) abort();
  return results;
}

static void results_free(const equivalence_case *c, void **results) {
  for (int32_t i = 0; i < c->array_count; i++) free(results[i]);
  free(results);
}

/* The set-up as the buffer of `array` is made. */
static void tune(const fmlp_compute *compute, const equivalence_setup *setup,
                 const equivalence_array *array) {
  const bool spill =
      setup->spill == EQUIVALENCE_ALL || (setup->spill == EQUIVALENCE_INPUTS && !array->output);
  const fmlp_gpu_tuning tuning = {
      .threads = setup->threads, .chunk = setup->chunk, .memory = setup->memory, .spill = spill};
  fmlp_gpu_tune(compute->device, &tuning);
}

/* Every array's contents after the operation, inputs included. `setup` is NULL where there is none. */
static fmlp_status run_side(const equivalence_case *c, const fmlp_compute *compute,
                            const equivalence_setup *setup, fmlp_buffer **buffers, void **results,
                            fmlp_error *error) {
  const fmlp_backend *backend = compute->backend;
  for (int32_t i = 0; i < c->array_count; i++) {
    const equivalence_array *array = &c->arrays[i];
    if (setup) tune(compute, setup, array);
    if (array->host) continue;
    FMLP_TRY(backend->buffer_create(compute->device, bytes_of(array), &buffers[i], error));
    const void *contents = array->contents ? array->contents : results[i];
    FMLP_TRY(backend->upload(compute->device, buffers[i], 0, contents, bytes_of(array), error));
  }
  FMLP_TRY(c->run(c, compute, buffers, results, error));
  FMLP_TRY(backend->sync(compute->device, error));
  for (int32_t i = 0; i < c->array_count; i++) {
    if (c->arrays[i].host) continue;
    FMLP_TRY(backend->download(compute->device, buffers[i], 0, results[i], bytes_of(&c->arrays[i]), error));
  }
  return FMLP_OK;
}

static fmlp_status run_on(const equivalence_case *c, const fmlp_compute *compute,
                          const equivalence_setup *setup, void **results, fmlp_error *error) {
  fmlp_buffer **buffers = calloc((size_t)c->array_count, sizeof *buffers);
  if (!buffers) abort();
  fmlp_status status = run_side(c, compute, setup, buffers, results, error);
  for (int32_t i = 0; i < c->array_count; i++) compute->backend->buffer_free(compute->device, buffers[i]);
  free(buffers);
  return status;
}

/* ---- what is printed ---- */

static void print_value(const equivalence_array *array, const void *values, int64_t i) {
  switch (array->element) {
  case EQUIVALENCE_DOUBLE: {
    const double value = ((const double *)values)[i];
    printf("%a (0x%016" PRIx64 ")", value, fmlp_bits_of(value));
    break;
  }
  case EQUIVALENCE_INT64:
    printf("%" PRId64, ((const int64_t *)values)[i]);
    break;
  case EQUIVALENCE_INT32:
    printf("%" PRId32, ((const int32_t *)values)[i]);
    break;
  default:
    printf("%d", ((const int8_t *)values)[i]);
  }
}

static void print_case(const equivalence *all, const equivalence_case *c, const char *what) {
  fmlp_log_status_line(""); /* the progress, drawn again with the next case */
  const equivalence_setup *s = &all->opened;
  static const char *const sizes[] = {"quick", "normal", "full"};
  static const char *const spilled[] = {"", ", spilled", ", inputs spilled"};
  static const char *const spill_options[] = {"", " --spill", " --spill=inputs"};
  printf("%s: %s: %s (block of %d, chunk %" PRId64 ", memory %" PRId64 "%s, seed %" PRIu64 ")\n", what,
         c->operation, c->name, (int)s->threads, s->chunk, s->memory, spilled[s->spill], s->seed);
  printf("  repeat: %s %s --backend %s --size %s --case '%s'", all->program, c->operation,
         all->options.backend, sizes[all->options.size], c->name);
  if (all->options.rows >= 0) printf(" --rows %" PRId64, all->options.rows);
  if (all->options.window >= 0) {
    if (all->options.operator_name) printf(" --operator %s", all->options.operator_name);
    printf(" --window %" PRId64, all->options.window);
  }
  printf(" --threads %d --chunk %" PRId64 " --memory %" PRId64 " --seed %" PRIu64 "%s\n", (int)s->threads,
         s->chunk, s->memory, s->seed, spill_options[s->spill]);
}

/* Prints the first differing element of each array; gives the number of all. */
static int64_t compare(const equivalence *all, const equivalence_case *c, void *const *expected,
                       void *const *got) {
  enum { ARRAYS_PRINTED = 4 };
  int64_t differing = 0;
  int arrays = 0;
  for (int32_t a = 0; a < c->array_count; a++) {
    const equivalence_array *array = &c->arrays[a];
    const size_t size = element_bytes[array->element];
    const char *left = array->output ? expected[a] : array->contents, *right = got[a];
    if (array->count == 0 || memcmp(left, right, bytes_of(array)) == 0) continue;
    int64_t here = 0, first = -1;
    for (int64_t i = 0; i < array->count; i++) {
      if (memcmp(left + (size_t)i * size, right + (size_t)i * size, size) == 0) continue;
      if (here++ == 0) first = i;
    }
    if (differing == 0) print_case(all, c, "DIFFERENT");
    differing += here;
    if (++arrays > ARRAYS_PRINTED) continue;
    printf("  %s%s: %" PRId64 " of %" PRId64 " differ, first at %" PRId64 ": %s ", array->name,
           array->output ? "" : " (an input)", here, array->count, first, all->reference.backend->name);
    print_value(array, left, first);
    printf(", %s ", all->options.backend);
    print_value(array, right, first);
    printf("\n");
  }
  if (arrays > ARRAYS_PRINTED) printf("  ... and in %d more arrays\n", arrays - ARRAYS_PRINTED);
  return differing;
}

static fmlp_status check_setup(equivalence *all, const equivalence_case *c, const equivalence_setup *setup,
                               void *const *expected, fmlp_error *error) {
  FMLP_TRY(prepare(all, setup, false, error));
  void **got = results_alloc(c);
  fmlp_error refusal = {""};
  const fmlp_status status = run_on(c, &all->other, is_gpu(all) ? setup : NULL, got, &refusal);
  all->runs++;
  if (status == FMLP_OK) {
    const int64_t differing = compare(all, c, expected, got);
    all->differing_elements += differing;
    all->differing_runs += differing > 0;
    for (int32_t i = 0; i < c->array_count; i++)
      all->elements += c->arrays[i].output ? c->arrays[i].count : 0;
  } else {
    print_case(all, c, "FAILED");
    printf("  %s\n", refusal.text);
    all->refused++;
  }
  results_free(c, got);
  fflush(stdout);
  return status == FMLP_OK ? FMLP_OK : prepare(all, setup, true, error);
}

fmlp_status equivalence_check(equivalence *all, const equivalence_case *c, int32_t turns, fmlp_error *error) {
  void **expected = results_alloc(c);
  fmlp_status status = run_on(c, &all->reference, NULL, expected, error);
  if (status != FMLP_OK)
    (void)fmlp_fail_prefix(error, status, "%s: %s: the reference", c->operation, c->name);
  if (all->options.fixed) turns = 1;
  int64_t *turn = turns_of(all, c->group);
  for (int32_t i = 0; i < turns && status == FMLP_OK && !equivalence_is_over(all); i++) {
    equivalence_setup setup =
        all->options.fixed ? all->options.setup : rotated((*turn)++, c->units, all->options.size);
    if (c->like && !all->options.fixed) {
      setup.chunk = c->like->chunk;
      setup.spill = c->like->spill;
    }
    status = check_setup(all, c, &setup, expected, error);
  }
  all->cases++;
  fmlp_progress_add(1);
  results_free(c, expected);
  return status;
}
