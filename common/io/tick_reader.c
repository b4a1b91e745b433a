/* Reading a tick file: blocks of text are filled one after the other, parsed in parallel while the next ones
 * are being filled (decompressed), and appended in file order. A block is parsed without knowing the others;
 * what depends on all rows before it (the finest scale so far, the line number) is settled while appending,
 * so that result and errors are those of one pass from the first row to the last, at any number of threads.
 */
#include "common/io/tick_reader.h"

#include <stdio.h>
#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/io/byte_source.h"
#include "common/io/tick_plan.h"
#include "prof/span.h"

enum {
  BLOCK_BYTES = 1 << 18,        /* text and rows of a block stay in a core's cache */
  BLOCK_ROWS = BLOCK_BYTES / 4, /* a row has at least "1,1\n" */
  BLOCKS_A_THREAD = 4, /* of one round: a thread that is held up then holds up the others less often */
  MOST_BLOCKS = 64     /* of two rounds */
};

typedef struct block {
  char *memory; /* margin, text, margin */
  const char *text;
  int64_t length; /* whole lines */
  fmlp_tick_rows rows;
} block;

typedef struct reading {
  const char *label; /* of the file, for messages */
  fmlp_byte_source *source;
  fmlp_tick_detection detection;
  int32_t block_count;
  block blocks[MOST_BLOCKS]; /* the first `round_blocks` are one round, the rest the other */
  int32_t round_blocks;
  int32_t filled[2];       /* blocks of each round with text in them */
  int32_t parsing;         /* the round that is being parsed; the other one is being filled */
  fmlp_status fill_status; /* told after the rows before it */
  fmlp_error fill_error;
  char *carry; /* the beginning of a line whose end is not read yet */
  int64_t carried;
  bool at_end;
  int64_t line; /* physical lines before the next block */
  int32_t price_k, size_k;
  fmlp_ticks *ticks;
  fmlp_read_report *report;
} reading;

/* ---- text ---- */

/* Fills the block with whole lines; length 0 at the end of the file. */
static fmlp_status fill_block(reading *state, block *to, fmlp_error *error) {
  char *text = to->memory + FMLP_TICK_MARGIN;
  int64_t got = 0, wanted = BLOCK_BYTES - state->carried;
  memcpy(text, state->carry, (size_t)state->carried);
  to->text = text;
  to->length = 0;
  if (!state->at_end) {
    FMLP_TRY(fmlp_byte_source_read(state->source, text + state->carried, wanted, &got, error));
    state->at_end = got < wanted;
    state->report->bytes += got;
  }
  int64_t filled = state->carried + got, whole = filled;
  state->carried = 0;
  if (state->at_end) {
    if (filled > 0 && text[filled - 1] != '\n') text[whole++] = '\n'; /* no final newline */
  } else {
    while (whole > 0 && text[whole - 1] != '\n') whole--;
    if (whole == 0) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: a line is longer than %d bytes; is this a tick file?",
                       state->label, BLOCK_BYTES);
    }
    state->carried = filled - whole;
    memcpy(state->carry, text + whole, (size_t)state->carried);
  }
  to->length = whole;
  return FMLP_OK;
}

/* ---- blocks ---- */

static fmlp_status open_rows(const fmlp_tick_plan *plan, fmlp_tick_rows *rows, fmlp_error *error) {
  rows->capacity = BLOCK_ROWS;
  FMLP_TRY(fmlp_alloc(&rows->time, BLOCK_ROWS, sizeof *rows->time, "read block", error));
  for (int side = 0; side < 2; side++) {
    if (plan->column_of[FMLP_ROLE_BID + side] >= 0) {
      FMLP_TRY(fmlp_alloc(&rows->price[side], BLOCK_ROWS, sizeof(int32_t), "read block", error));
    }
    if (plan->column_of[FMLP_ROLE_BID_SIZE + side] >= 0) {
      FMLP_TRY(fmlp_alloc(&rows->size[side], BLOCK_ROWS, sizeof(int64_t), "read block", error));
    }
  }
  return FMLP_OK;
}

static void parse_block(const reading *state, block *now) {
  fmlp_tick_rows *rows = &now->rows;
  rows->count = rows->lines = rows->bad_rows = 0;
  rows->first_bad_line = rows->error_line = -1;
  rows->raise_count = 0;
  rows->price_k = state->price_k;
  rows->size_k = state->size_k;
  fmlp_tick_rows_parse(&state->detection.plan, now->text, now->length, rows);
}

static block *round_start(reading *state, int32_t round) {
  return state->blocks + (int64_t)round * state->round_blocks;
}

/* The rest of a round, up to the end of the file. */
static fmlp_status fill_round(reading *state, int32_t round, fmlp_error *error) {
  FMLP_SPAN("read.fill");
  block *blocks = round_start(state, round);
  while (state->filled[round] < state->round_blocks && !state->at_end) {
    block *next = &blocks[state->filled[round]++];
    FMLP_TRY(fill_block(state, next, error));
    fmlp_span_add_bytes(next->length); /* the text, unpacked; not the file it came from */
  }
  return FMLP_OK;
}

/* Item 0 fills the other round, item i + 1 parses block i of this one. */
static fmlp_status do_item(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  reading *state = context;
  for (int64_t i = first; i < last; i++) {
    if (i == 0) {
      state->fill_status = fill_round(state, 1 - state->parsing, &state->fill_error);
    } else {
      block *now = round_start(state, state->parsing) + i - 1;
      FMLP_SPAN_BYTES("read.parse", now->length);
      parse_block(state, now);
    }
  }
  return FMLP_OK;
}

/* ---- appending ---- */

static int32_t largest_price(const fmlp_ticks *ticks) {
  int32_t largest = 0;
  for (int64_t i = 0; i < ticks->count; i++) {
    if (ticks->bid[i] > largest) largest = ticks->bid[i];
    if (ticks->ask[i] > largest) largest = ticks->ask[i];
  }
  return largest;
}

static bool fits_after(int32_t largest, int32_t by) {
  return by <= 0 || largest == 0 || (by <= 9 && largest <= INT32_MAX / fmlp_power_of_ten[by]);
}

/* The first row that one pass from the file's beginning would have stopped at: the block is parsed again from
 * the scales reached before it. */
static fmlp_status explain(reading *state, block *now, fmlp_error *error) {
  parse_block(state, now);
  fmlp_tick_rows *rows = &now->rows;
  int32_t largest = largest_price(state->ticks);
  int64_t line = rows->error_line;
  for (int32_t i = 0; i < rows->raise_count; i++) {
    const fmlp_tick_raise *raise = &rows->raises[i];
    if (line >= 0 && raise->line >= line) break;
    if (fits_after(largest, raise->price_k - state->price_k)) continue;
    line = raise->line;
    fmlp_tick_conflict(raise->price_k, largest, state->price_k, rows->message);
    break;
  }
  if (line < 0 && rows->raise_count > 0) { /* only sizes are left */
    line = rows->raises[rows->raise_count - 1].line;
    (void)snprintf(rows->message, sizeof rows->message,
                   "with the decimals of this row's size earlier sizes exceed 64 bits; divide the sizes by a "
                   "power of ten");
  }
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s:%lld: %s", state->label, (long long)(state->line + line + 1),
                   rows->message);
}

static fmlp_status reserve(reading *state, int64_t more, fmlp_error *error) {
  fmlp_ticks *ticks = state->ticks;
  int64_t needed = ticks->count + more, capacity = ticks->capacity + ticks->capacity / 2;
  if (needed <= ticks->capacity) return FMLP_OK;
  if (capacity < needed) capacity = needed;
  return fmlp_ticks_reserve(ticks, capacity, state->detection.plan.has_sizes, error);
}

/* Brings table and block to their common scale; false when something would not fit. */
static bool settle_scales(reading *state, fmlp_tick_rows *rows) {
  fmlp_ticks *ticks = state->ticks;
  int32_t unused = 0, raise = rows->price_k - state->price_k;
  int64_t *size[2] = {ticks->kind == FMLP_TRADES ? ticks->size : ticks->bid_size, ticks->ask_size};
  if (raise > 0 && !fits_after(largest_price(ticks), raise)) return false;
  for (int side = 0; side < 2; side++) {
    int32_t *prices = side == 0 ? ticks->bid : ticks->ask;
    if (raise > 0 && (side == 0 || ticks->kind == FMLP_QUOTES) &&
        !fmlp_prices_rescale(prices, ticks->count, raise, &unused)) {
      return false;
    }
    if (raise < 0 && rows->price[side] &&
        !fmlp_prices_rescale(rows->price[side], rows->count, -raise, &unused)) {
      return false;
    }
  }
  for (int side = 0; side < 2; side++) {
    int32_t more = rows->size_k - state->size_k;
    if (!rows->size[side]) continue;
    if (more > 0 && !fmlp_sizes_rescale(size[side], ticks->count, more)) return false;
    if (more < 0 && !fmlp_sizes_rescale(rows->size[side], rows->count, -more)) return false;
  }
  if (raise > 0) state->price_k = rows->price_k;
  if (rows->size_k > state->size_k) state->size_k = rows->size_k;
  return true;
}

static void copy_rows(const fmlp_tick_rows *rows, fmlp_ticks *ticks) {
  size_t count = (size_t)rows->count;
  if (count == 0) return; /* the table may have no columns yet */
  memcpy(ticks->time + ticks->count, rows->time, count * sizeof *rows->time);
  memcpy(ticks->bid + ticks->count, rows->price[0], count * sizeof *rows->price[0]);
  if (ticks->kind == FMLP_QUOTES) {
    memcpy(ticks->ask + ticks->count, rows->price[1], count * sizeof *rows->price[1]);
  }
  if (rows->size[0]) {
    int64_t *size = ticks->kind == FMLP_TRADES ? ticks->size : ticks->bid_size;
    memcpy(size + ticks->count, rows->size[0], count * sizeof *size);
  }
  if (rows->size[1]) memcpy(ticks->ask_size + ticks->count, rows->size[1], count * sizeof *rows->size[1]);
  ticks->count += rows->count;
}

static fmlp_status append(reading *state, block *now, fmlp_error *error) {
  fmlp_tick_rows *rows = &now->rows;
  if (rows->error_line >= 0 || !settle_scales(state, rows)) return explain(state, now, error);
  FMLP_TRY(reserve(state, rows->count, error));
  copy_rows(rows, state->ticks);
  if (rows->bad_rows > 0 && state->report->bad_rows == 0) {
    state->report->first_bad_line = state->line + rows->first_bad_line + 1;
  }
  state->report->bad_rows += rows->bad_rows;
  state->line += rows->lines;
  return FMLP_OK;
}

/* ---- the file ---- */

static fmlp_status open_block(reading *state, fmlp_error *error) {
  block *now = &state->blocks[state->block_count];
  FMLP_TRY(fmlp_alloc_zero(&now->memory, BLOCK_BYTES + 1 + 2 * FMLP_TICK_MARGIN, 1, "read block", error));
  state->block_count++;
  return FMLP_OK;
}

static fmlp_status detect(reading *state, const fmlp_data_settings *settings, fmlp_error *error) {
  FMLP_SPAN("read.detect");
  block *first = &state->blocks[0];
  fmlp_tick_detection *found = &state->detection;
  fmlp_status status = fmlp_tick_detect(settings, first->text, first->length, found, error);
  if (status != FMLP_OK) return fmlp_fail_prefix(error, status, "%s", state->label);
  first->text += found->header_bytes;
  first->length -= found->header_bytes;
  state->line = found->header_lines;
  state->price_k = found->plan.fixed_point ? found->plan.price.k : 0;
  state->size_k = found->plan.size_k;
  state->ticks->kind = found->plan.kind;
  return FMLP_OK;
}

/* A thread alone parses each block while it is still in its cache. */
static fmlp_status read_alone(reading *state, fmlp_error *error) {
  while (state->filled[0] > 0) {
    FMLP_TRY(fmlp_check_interrupt("reading ticks", error));
    {
      FMLP_SPAN_BYTES("read.parse", state->blocks->length); /* the text; the rows are smaller */
      parse_block(state, state->blocks);
    }
    FMLP_TRY(append(state, state->blocks, error));
    state->filled[0] = 0;
    FMLP_TRY(fill_round(state, 0, error));
  }
  return FMLP_OK;
}

static fmlp_status read_together(reading *state, fmlp_error *error) {
  FMLP_TRY(fill_round(state, 0, error));
  for (; state->filled[state->parsing] > 0; state->parsing = 1 - state->parsing) {
    int32_t parsing = state->parsing, count = state->filled[parsing];
    state->filled[1 - parsing] = 0;
    FMLP_TRY(fmlp_parallel_for(1 + count, 1, do_item, state, "reading ticks", error));
    for (int32_t i = 0; i < count; i++) FMLP_TRY(append(state, round_start(state, parsing) + i, error));
    if (state->fill_status != FMLP_OK) {
      *error = state->fill_error;
      return state->fill_status;
    }
  }
  return FMLP_OK;
}

/* The first block is here already. */
static fmlp_status read_blocks(reading *state, fmlp_error *error) {
  int32_t threads = state->at_end ? 1 : fmlp_threads() < MOST_BLOCKS / 2 ? fmlp_threads() : MOST_BLOCKS / 2;
  int32_t wanted = threads * BLOCKS_A_THREAD < MOST_BLOCKS / 2 ? threads * BLOCKS_A_THREAD : MOST_BLOCKS / 2;
  state->round_blocks = threads > 1 ? wanted : 1;
  state->filled[0] = 1;
  while (state->block_count < (threads > 1 ? 2 * state->round_blocks : 1)) FMLP_TRY(open_block(state, error));
  for (int32_t i = 0; i < state->block_count; i++) {
    FMLP_TRY(open_rows(&state->detection.plan, &state->blocks[i].rows, error));
  }
  return threads > 1 ? read_together(state, error) : read_alone(state, error);
}

static fmlp_status check_rows(const reading *state, fmlp_error *error) {
  const fmlp_read_report *report = state->report;
  if (state->ticks->count > 0) return FMLP_OK;
  if (report->bad_rows > 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "%s: all %lld rows are bad, the first on line %lld; check data.format", state->label,
                     (long long)report->bad_rows, (long long)report->first_bad_line);
  }
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: has a header and no row; give a file with ticks in it",
                   state->label);
}

static void fill_report(reading *state) {
  fmlp_read_report *report = state->report;
  fmlp_hash128 hash = fmlp_byte_source_hash(state->source);
  memcpy(report->format, state->detection.format, sizeof report->format);
  memcpy(report->timezone, state->detection.timezone, sizeof report->timezone);
  memcpy(report->decision, state->detection.decision, sizeof report->decision);
  (void)snprintf(report->compression, sizeof report->compression, "%s",
                 fmlp_byte_source_compression(state->source));
  report->rows = state->ticks->count;
  report->lines = state->line;
  report->hash_low = hash.low;
  report->hash_high = hash.high;
}

static void set_scales(reading *state) {
  const fmlp_tick_plan *plan = &state->detection.plan;
  int32_t k = state->size_k - plan->size_power;
  state->ticks->price = plan->fixed_point ? plan->price : (fmlp_scale){1, state->price_k};
  state->ticks->size_unit = k >= 0 ? (fmlp_scale){1, k} : (fmlp_scale){fmlp_power_of_ten[-k], 0};
}

static fmlp_status read_file(reading *state, const fmlp_data_settings *settings, fmlp_error *error) {
  FMLP_TRY(fmlp_byte_source_open(settings->path, &state->source, error));
  FMLP_TRY(fmlp_alloc(&state->carry, BLOCK_BYTES, 1, "read block", error));
  FMLP_TRY(open_block(state, error));
  FMLP_TRY(fill_block(state, &state->blocks[0], error));
  FMLP_TRY(detect(state, settings, error));
  FMLP_TRY(read_blocks(state, error));
  FMLP_TRY(check_rows(state, error));
  set_scales(state);
  fill_report(state);
  return fmlp_ticks_reserve(state->ticks, state->ticks->count, state->detection.plan.has_sizes, error);
}

static void close_reading(reading *state) {
  for (int32_t i = 0; i < state->block_count; i++) {
    fmlp_tick_rows *rows = &state->blocks[i].rows;
    fmlp_free(state->blocks[i].memory);
    fmlp_free(rows->time);
    for (int side = 0; side < 2; side++) {
      fmlp_free(rows->price[side]);
      fmlp_free(rows->size[side]);
    }
  }
  fmlp_free(state->carry);
  fmlp_timezone_close(state->detection.zone);
  fmlp_byte_source_close(state->source);
  fmlp_free(state);
}

fmlp_status fmlp_ticks_read(const fmlp_data_settings *settings, fmlp_ticks *ticks, fmlp_read_report *report,
                            fmlp_error *error) {
  FMLP_SPAN("read.ticks");
  reading *state = NULL;
  memset(ticks, 0, sizeof *ticks);
  memset(report, 0, sizeof *report);
  if (!settings->path) return fmlp_fail(error, FMLP_ERR_USAGE, "data.path is not set; give it a tick file");
  FMLP_TRY(fmlp_alloc_zero(&state, 1, sizeof *state, "reader", error));
  state->label = strcmp(settings->path, "-") == 0 ? "standard input" : settings->path;
  state->ticks = ticks;
  state->report = report;
  fmlp_status status = read_file(state, settings, error);
  close_reading(state);
  if (status != FMLP_OK) fmlp_ticks_release(ticks);
  return status;
}
