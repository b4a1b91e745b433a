/* Why a function of the host is slow. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/advice.h"
#include "prof/views/concurrency.h"
#include "prof/views/report.h"

/* Shares that decide: docs/decisions/profile-advice.md. */
static const double MOST = 0.5, NEAR_LIMIT = 0.6, ALLOCATING = 0.2, ALONE = 1.5;
static const double ALLOCATION_NS = 100; /* what one allocation is taken to cost */

/* All paths of a function. */
typedef struct function_sums {
  int64_t calls, self, bytes, allocations, allocated_bytes, waited, runtime;
  int32_t threads;
  int32_t last_thread; /* nodes come by thread */
} function_sums;

typedef struct function_facts {
  const fmlp_capture *capture;
  const fmlp_capture_site *site;
  const function_sums *sums;
  const fmlp_concurrency *beside;
  int32_t threads; /* that the program computes with, 0 unknown */
} function_facts;

static function_sums *add_up(const fmlp_capture *capture) {
  function_sums *sums = calloc((size_t)capture->site_count + 1, sizeof *sums);
  if (!sums) return NULL;
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    function_sums *to = &sums[node->site];
    to->threads += to->calls == 0 || to->last_thread != node->thread;
    to->last_thread = node->thread;
    to->calls += node->calls;
    to->self += node->self;
    to->bytes += node->bytes;
    to->allocations += node->allocations;
    to->allocated_bytes += node->allocated_bytes;
  }
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    if (call->node < 0) continue;
    function_sums *to = &sums[capture->nodes[call->node].site];
    if (call->kind == FMLP_CALL_WAIT) to->waited += call->end - call->start;
    if (call->kind == FMLP_CALL_RUNTIME) to->runtime += call->end - call->start;
  }
  return sums;
}

/* The number before " thread" in the fact on the machine; 0 when it is not told. */
static int32_t threads_of(const fmlp_profile *profile) {
  const char *machine = fmlp_profile_get(profile, FMLP_FACT_MACHINE);
  const char *word = machine ? strstr(machine, " thread") : NULL;
  if (!word) return 0;
  while (word > machine && word[-1] >= '0' && word[-1] <= '9') word--;
  return (int32_t)strtol(word, NULL, 10);
}

/* ---- reasons, the first that holds; each says what was measured ---- */

static void say(fmlp_advice_item *item, fmlp_advice_reason reason, const char *text) {
  item->reason = reason;
  (void)snprintf(item->measured, sizeof item->measured, "%s", text);
}

static bool waits_for_device(const function_facts *of, fmlp_advice_item *item) {
  const double waits = (double)of->sums->waited / (double)of->sums->self;
  const double calls = (double)of->sums->runtime / (double)of->sums->self;
  char text[FMLP_ADVICE_TEXT];
  if (waits >= MOST) {
    (void)snprintf(text, sizeof text, "%.0f %% of its time it waits for a device: see what that does below",
                   100 * waits);
    say(item, FMLP_ADVICE_WAITING, text);
  } else if (calls >= MOST) {
    (void)snprintf(
        text, sizeof text,
        "%.0f %% of its time are calls of the device's runtime, %.0f %% waiting in them: fewer and "
        "larger ones",
        100 * calls, 100 * waits);
    say(item, FMLP_ADVICE_LAUNCH, text);
  } else {
    return false;
  }
  return true;
}

static bool waits_for_others(const function_facts *of, fmlp_advice_item *item) {
  char text[FMLP_ADVICE_TEXT];
  if (of->beside->on_processor < 0 || of->beside->on_processor >= MOST) return false;
  (void)snprintf(
      text, sizeof text,
      "on a processor for %.0f %% of its time; else it waits for a file, a lock, another thread, or "
      "for a processor that others use",
      100 * of->beside->on_processor);
  say(item, FMLP_ADVICE_WAITING, text);
  return true;
}

/* Bytes a second of wall time, so that threads side by side count together. */
static double rate_of(const function_facts *of, int64_t bytes) {
  return of->beside->wall > 0 ? (double)bytes * 1e9 / (double)of->beside->wall : 0;
}

static bool is_near_bandwidth(const function_facts *of, fmlp_advice_item *item) {
  const double rate = rate_of(of, of->sums->bytes), limit = (double)of->capture->host_bytes_per_second;
  char text[FMLP_ADVICE_TEXT];
  if (limit <= 0 || rate < NEAR_LIMIT * limit) return false;
  (void)snprintf(text, sizeof text,
                 "moves %.1f GB/s of the %.1f GB/s that this memory was measured to reach%s", rate / 1e9,
                 limit / 1e9, rate > limit ? " (in part from caches)" : "");
  say(item, FMLP_ADVICE_BANDWIDTH, text);
  return true;
}

static bool allocates_much(const function_facts *of, fmlp_advice_item *item) {
  const double limit = (double)of->capture->host_bytes_per_second;
  const double calls = ALLOCATION_NS * (double)of->sums->allocations / (double)of->sums->self;
  const double bytes = limit > 0 ? rate_of(of, of->sums->allocated_bytes) / limit : 0;
  char text[FMLP_ADVICE_TEXT];
  if (calls < ALLOCATING && bytes < ALLOCATING) return false;
  (void)snprintf(text, sizeof text,
                 "%" PRId64
                 " allocations of %.1f MB: about %.0f %% of its time at %.0f ns each, %.0f %% of the "
                 "memory's bandwidth to fill them",
                 of->sums->allocations, (double)of->sums->allocated_bytes / 1e6, 100 * calls, ALLOCATION_NS,
                 100 * bytes);
  say(item, FMLP_ADVICE_ALLOCATION, text);
  return true;
}

/* Samples see every thread; spans see those that have one open, and then only more than one is proof: threads
 * that are in spans but do not run lack processors, not work. */
static bool runs_alone(const function_facts *of, fmlp_advice_item *item) {
  char text[FMLP_ADVICE_TEXT];
  if (of->threads < 2 || of->beside->running < 0 || of->beside->running >= ALONE) return false;
  if (of->beside->in_spans >= ALONE) return false;
  (void)snprintf(text, sizeof text, "%.2f of %d threads run while it does", of->beside->running,
                 (int)of->threads);
  say(item, FMLP_ADVICE_SERIAL, text);
  return true;
}

/* None of the above: samples tell whether it works at all, bytes whether it can be the memory. */
static void computes(const function_facts *of, fmlp_advice_item *item) {
  const fmlp_concurrency *beside = of->beside;
  const double limit = (double)of->capture->host_bytes_per_second;
  const bool bytes_known = of->sums->bytes > 0 && limit > 0 && beside->wall > 0;
  char text[FMLP_ADVICE_TEXT], moves[96] = "", threads[96] = "", processor[96] = "";
  if (bytes_known)
    (void)snprintf(moves, sizeof moves,
                   "moves %.2f GB/s of the %.1f GB/s that this memory was measured to reach; ",
                   rate_of(of, of->sums->bytes) / 1e9, limit / 1e9);
  if (beside->in_spans >= ALONE)
    (void)snprintf(threads, sizeof threads, "%.2f threads are in spans while it runs; ", beside->in_spans);
  if (beside->running >= 0)
    (void)snprintf(processor, sizeof processor,
                   "%.2f threads run, it is on a processor for %.0f %% of its time; ", beside->running,
                   100 * beside->on_processor);
  (void)snprintf(text, sizeof text, "%s%s%s", moves, threads, processor);
  if (*text) text[strlen(text) - 2] = '\0'; /* the last "; " */
  if (beside->running < 0)                  /* it may as well wait */
    say(item, FMLP_ADVICE_UNKNOWN, text);
  else
    say(item, bytes_known ? FMLP_ADVICE_COMPUTE : FMLP_ADVICE_PROCESSOR, text);
}

/* ---- what is not known, and the command that would tell ---- */

static void add_unknown(fmlp_advice_item *item, const char *what) {
  const size_t length = strlen(item->unknown);
  (void)snprintf(item->unknown + length, sizeof item->unknown - length, "%s%s", length ? "; " : "", what);
}

static void tell_unknown(const function_facts *of, fmlp_advice_item *item) {
  const fmlp_capture *capture = of->capture;
  const bool decided = item->reason != FMLP_ADVICE_UNKNOWN && item->reason != FMLP_ADVICE_PROCESSOR &&
                       item->reason != FMLP_ADVICE_COMPUTE;
  if (decided) return;
  if (capture->level != FMLP_CAPTURE_FULL)
    add_unknown(item, "allocations and the memory's limit: fmlp run ... runtime.profile_level=full");
  if (capture->dropped_events > 0)
    add_unknown(item, "what ran beside it: single spans are missing from the timeline");
  else if (of->beside->running < 0 && capture->sample_count == 0)
    add_unknown(item,
                "whether it works or waits, on how many threads: fmlp run ... runtime.profile_sampling=1000");
  else if (of->beside->running < 0)
    add_unknown(item, "whether it works or waits, on how many threads: too few samples");
  if (of->sums->bytes == 0) add_unknown(item, "the bytes it moves: its span tells none");
}

static fmlp_advice_item judge(const function_facts *of) {
  fmlp_advice_item item = {.name = -1, .time = of->sums->self};
  if (!waits_for_device(of, &item) && !waits_for_others(of, &item) && !is_near_bandwidth(of, &item) &&
      !allocates_much(of, &item) && !runs_alone(of, &item))
    computes(of, &item);
  tell_unknown(of, &item);
  return item;
}

/* ---- candidates ---- */

static int by_time(const void *left, const void *right) {
  const fmlp_advice_item *a = left, *b = right;
  return (a->time < b->time) - (a->time > b->time);
}

/* The sites of 5 % and more; their number. */
static int32_t choose(const fmlp_capture *capture, const function_sums *sums, int64_t total, int32_t *sites,
                      fmlp_advice *advice) {
  int32_t count = 0;
  for (int32_t s = 0; s < capture->site_count; s++) {
    if (sums[s].calls == 0) continue;
    const double share = total > 0 ? (double)sums[s].self / (double)total : 0;
    if (share >= FMLP_REPORT_MARK) {
      sites[count++] = s;
    } else {
      advice->below++;
      advice->below_share += share;
    }
  }
  return count;
}

bool fmlp_advice_add_host(const fmlp_profile *profile, fmlp_advice *advice) {
  const fmlp_capture *capture = profile->captures[0];
  int64_t total = 0;
  for (int32_t i = 0; i < capture->node_count; i++) total += capture->nodes[i].self;
  function_sums *sums = add_up(capture);
  int32_t *sites = calloc((size_t)capture->site_count + 1, sizeof *sites);
  fmlp_concurrency *beside = NULL;
  bool made = sums && sites;
  int32_t count = made ? choose(capture, sums, total, sites, advice) : 0;
  if (made) {
    beside = malloc(((size_t)count + 1) * sizeof *beside);
    made = beside && fmlp_concurrency_make(capture, sites, count, beside);
  }
  for (int32_t i = 0; i < count && made; i++) {
    const function_facts of = {.capture = capture,
                               .site = &capture->sites[sites[i]],
                               .sums = &sums[sites[i]],
                               .beside = &beside[i],
                               .threads = threads_of(profile)};
    fmlp_advice_item item = judge(&of);
    item.site = sites[i];
    item.share = (double)item.time / (double)total;
    made = fmlp_advice_append(advice, &item);
  }
  free(sums);
  free(sites);
  free(beside);
  if (!made) return false;
  advice->host_count = count;
  if (count > 0) qsort(advice->items, (size_t)count, sizeof *advice->items, by_time);
  return true;
}
