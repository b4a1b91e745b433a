/* Samples of a buffer: equal stacks share their frames, and every address is looked up once. */
#include "prof/sources/sampler_samples.h"

#include <stdlib.h>
#include <string.h>

#include "prof/sources/sampler_frames.h"
#include "prof/sources/sampler_stack.h"

/* An address that was looked up. The innermost of a stack stands for itself, a return address for the call
 * before it. */
typedef struct known_address {
  uint64_t address; /* 0: free */
  int32_t count;    /* of frames: with those inlined; 0: nowhere */
  fmlp_capture_frame frames[FMLP_FRAME_INLINES];
  int64_t caller; /* fmlp_frames_caller */
} known_address;

typedef struct known_stack {
  uint64_t *addresses; /* NULL: free */
  int32_t frames;
  int32_t first, count; /* in the capture */
} known_stack;

typedef struct making {
  fmlp_capture *capture;
  const fmlp_capture_places *places;
  fmlp_frame_finder *finder;
  int64_t address_capacity, address_count; /* a power of two */
  known_address *addresses;
  int64_t stack_capacity;
  known_stack *stacks;
  int64_t frame_capacity;
} making;

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 29;
}

static known_address *slot_of(known_address *addresses, int64_t capacity, uint64_t address) {
  uint64_t at = mix(0, address) & (uint64_t)(capacity - 1);
  while (addresses[at].address != 0 && addresses[at].address != address)
    at = (at + 1) & (uint64_t)(capacity - 1);
  return &addresses[at];
}

static bool more_addresses(making *work) {
  const int64_t capacity = work->address_capacity ? 2 * work->address_capacity : 1024;
  known_address *larger = calloc((size_t)capacity, sizeof *larger);
  if (!larger) return false;
  for (int64_t i = 0; i < work->address_capacity; i++)
    if (work->addresses[i].address != 0)
      *slot_of(larger, capacity, work->addresses[i].address) = work->addresses[i];
  free(work->addresses);
  work->addresses = larger;
  work->address_capacity = capacity;
  return true;
}

/* NULL when memory runs out. */
static const known_address *look_up(making *work, uint64_t address) {
  if (address == 0) address = 1; /* is nowhere as well */
  if (2 * work->address_count >= work->address_capacity && !more_addresses(work)) return NULL;
  known_address *known = slot_of(work->addresses, work->address_capacity, address);
  if (known->address != 0) return known;
  fmlp_frame_place places[FMLP_FRAME_INLINES];
  *known = (known_address){.address = address};
  work->address_count++;
  const int32_t count = fmlp_frames_find(work->finder, address, places);
  for (int32_t i = 0; i < count; i++) {
    fmlp_capture_frame *frame = &known->frames[i];
    *frame = (fmlp_capture_frame){.function = fmlp_capture_name(work->capture, places[i].function),
                                  .file = -1,
                                  .line = places[i].line,
                                  .address = places[i].address};
    if (places[i].file) frame->file = fmlp_capture_name(work->capture, places[i].file);
    if (frame->function < 0 || (places[i].file && frame->file < 0)) return NULL;
  }
  known->count = count;
  known->caller = fmlp_frames_caller(work->finder, address);
  return known;
}

static bool add_frame(making *work, const fmlp_capture_frame *frame) {
  fmlp_capture *capture = work->capture;
  if (capture->frame_count == work->frame_capacity) {
    const int64_t capacity = 2 * work->frame_capacity + 256;
    fmlp_capture_frame *moved =
        capacity < INT32_MAX ? realloc(capture->frames, (size_t)capacity * sizeof *moved) : NULL;
    if (!moved) return false;
    capture->frames = moved;
    work->frame_capacity = capacity;
  }
  capture->frames[capture->frame_count++] = *frame;
  return true;
}

static bool add_frames(making *work, known_stack *stack) {
  fmlp_capture *capture = work->capture;
  stack->first = (int32_t)capture->frame_count;
  for (int32_t i = 0; i < stack->frames; i++) {
    const known_address *known = look_up(work, stack->addresses[i] - (i > 0));
    if (!known) return false;
    if (known->count == 0) break;
    for (int32_t f = 0; f < known->count; f++)
      if (!add_frame(work, &known->frames[f])) return false;
  }
  stack->count = (int32_t)capture->frame_count - stack->first;
  return true;
}

/* NULL when memory runs out. */
static const known_stack *stack_of(making *work, const uint64_t *addresses, int32_t frames) {
  uint64_t hash = (uint64_t)frames;
  for (int32_t i = 0; i < frames; i++) hash = mix(hash, addresses[i]);
  known_stack *stack = &work->stacks[hash & (uint64_t)(work->stack_capacity - 1)];
  while (stack->addresses && (stack->frames != frames ||
                              memcmp(stack->addresses, addresses, (size_t)frames * sizeof *addresses) != 0))
    if (++stack == work->stacks + work->stack_capacity) stack = work->stacks;
  if (stack->addresses) return stack;
  *stack = (known_stack){.addresses = malloc((size_t)frames * sizeof *addresses), .frames = frames};
  if (!stack->addresses) return NULL;
  memcpy(stack->addresses, addresses, (size_t)frames * sizeof *addresses);
  return add_frames(work, stack) ? stack : NULL;
}

/* The stack of a record in `stack`: between its innermost frame, when that is a library's, and those that
 * frame pointers gave, the callers that the library's tables find in the words on the stack. */
static int32_t whole_stack(making *work, const fmlp_stack_record *record, const uint64_t *addresses,
                           uint64_t stack[2 * FMLP_STACK_FRAMES]) {
  const uint64_t *words = addresses + record->frames;
  int32_t count = 1, rest = 1;
  stack[0] = addresses[0];
  for (int64_t at = 0; count < FMLP_STACK_FRAMES;) {
    const known_address *known = look_up(work, stack[count - 1] - (count > 1));
    if (!known || known->count == 0 || known->caller < 0) break;
    at += known->caller / (int64_t)sizeof *words;
    if (at >= record->words) break;
    const known_address *caller = look_up(work, words[at] - 1);
    if (!caller || caller->count == 0) break;
    stack[count++] = words[at++];
  }
  if (count > 1) /* frame pointers may have found the same caller */
    for (int32_t i = 1; i < record->frames; i++)
      if (addresses[i] == stack[count - 1]) rest = i + 1;
  while (rest < record->frames) stack[count++] = addresses[rest++];
  return count;
}

/* The thread of a sample outside spans: by its id, added when it recorded none. -1 when memory runs out. */
static int32_t thread_of(fmlp_capture *capture, int32_t id) {
  for (int32_t t = capture->thread_count - 1; t >= 0; t--)
    if (capture->threads[t].id == id) return t;
  fmlp_capture_thread *moved = realloc(capture->threads, ((size_t)capture->thread_count + 1) * sizeof *moved);
  if (!moved) return -1;
  capture->threads = moved;
  capture->threads[capture->thread_count] = (fmlp_capture_thread){.id = id, .main = false};
  return capture->thread_count++;
}

static bool add_sample(making *work, const fmlp_stack_record *record, const uint64_t *addresses) {
  fmlp_capture *capture = work->capture;
  const int64_t time = record->time - work->places->start;
  if (time < 0) return true;
  int32_t thread = fmlp_capture_thread_of(work->places, record->place);
  if (thread < 0) thread = thread_of(capture, record->thread);
  uint64_t whole[2 * FMLP_STACK_FRAMES];
  const int32_t frames = whole_stack(work, record, addresses, whole);
  const known_stack *stack = thread >= 0 ? stack_of(work, whole, frames) : NULL;
  if (!stack) return false;
  const int32_t node = fmlp_capture_node_of(work->places, record->place);
  capture->samples[capture->sample_count++] =
      (fmlp_capture_sample){.thread = thread,
                            .node = node < capture->node_count ? node : -1,
                            .time = time,
                            .first_frame = stack->first,
                            .frame_count = stack->count};
  return true;
}

static int compare_samples(const void *a, const void *b) {
  const fmlp_capture_sample *left = a, *right = b;
  if (left->thread != right->thread) return left->thread < right->thread ? -1 : 1;
  return (left->time > right->time) - (left->time < right->time);
}

static bool add_all(making *work) {
  const uint64_t *addresses = NULL;
  uint64_t at = 0;
  int64_t count = 0;
  while (fmlp_stack_next(&at, &addresses)) count++;
  if (count == 0) return true;
  work->stack_capacity = 1024;
  while (work->stack_capacity < 2 * count) work->stack_capacity *= 2;
  work->stacks = calloc((size_t)work->stack_capacity, sizeof *work->stacks);
  work->capture->samples = malloc((size_t)count * sizeof *work->capture->samples);
  work->finder = fmlp_frames_open();
  if (!work->stacks || !work->capture->samples || !work->finder) return false;
  const fmlp_stack_record *record;
  for (at = 0; (record = fmlp_stack_next(&at, &addresses));)
    if (!add_sample(work, record, addresses)) return false;
  qsort(work->capture->samples, (size_t)work->capture->sample_count, sizeof *work->capture->samples,
        compare_samples);
  return true;
}

bool fmlp_samples_add(fmlp_capture *capture, const fmlp_capture_places *places) {
  making work = {.capture = capture, .places = places};
  const bool done = add_all(&work);
  fmlp_frames_close(work.finder);
  free(work.addresses);
  for (int64_t i = 0; i < work.stack_capacity && work.stacks; i++) free(work.stacks[i].addresses);
  free(work.stacks);
  if (done) {
    capture->dropped_samples = fmlp_stack_lost();
    return true;
  }
  free(capture->samples);
  free(capture->frames);
  capture->samples = NULL;
  capture->frames = NULL;
  capture->sample_count = capture->frame_count = 0;
  return false;
}
