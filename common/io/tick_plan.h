/* Inside the tick reader: what detection decides about a file (the plan) and what parsing a block of its text
 * gives (rows). Detection, the careful row parser, the fast one and the driver meet here. */
#ifndef FMLP_COMMON_IO_TICK_PLAN_H
#define FMLP_COMMON_IO_TICK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/settings.h"
#include "common/core/decimal.h"
#include "common/core/simd.h"
#include "common/core/status.h"
#include "common/core/ticks.h"
#include "common/core/timezone.h"

/* What a column of the file is for. Trades use BID for the price and BID_SIZE for the size. CLOCK is the time
 * of day where TIME holds the date alone. */
typedef enum fmlp_tick_role {
  FMLP_ROLE_TIME,
  FMLP_ROLE_CLOCK,
  FMLP_ROLE_BID,
  FMLP_ROLE_ASK,
  FMLP_ROLE_BID_SIZE,
  FMLP_ROLE_ASK_SIZE,
  FMLP_ROLE_COUNT,
  FMLP_ROLE_NONE = -1
} fmlp_tick_role;

enum {
  FMLP_TICK_MARGIN = 64,      /* readable bytes before and after a block's text */
  FMLP_TICK_COLUMNS = 256,    /* most columns in a file */
  FMLP_TICK_COLUMN_NAME = 48, /* of a column's name in messages */
  FMLP_TICK_MESSAGE = 512
};

typedef struct fmlp_tick_plan {
  fmlp_tick_kind kind;
  char delimiter;
  bool has_header;
  int32_t column_count;
  int32_t column_of[FMLP_ROLE_COUNT]; /* -1 = absent */
  char column_name[FMLP_ROLE_COUNT][FMLP_TICK_COLUMN_NAME];
  bool has_sizes;
  bool epoch;                /* times are numbers since 1970 UTC; otherwise civil dates */
  int64_t epoch_unit;        /* ns in one unit: 10^9, 10^6, 10^3, 1 */
  int32_t epoch_digits;      /* of the first row */
  const fmlp_timezone *zone; /* of civil times without an offset; NULL = each must carry one */
  bool fixed_point; /* prices are multiples of `price`; otherwise price.k grows as needed and m is 1 */
  fmlp_scale price;
  bool fixed_size; /* size_k is given; otherwise it grows as needed */
  int32_t size_k;
  int32_t size_power; /* the file's sizes are in units of 10^size_power (Dukascopy: millions) */
  bool skip_bad_rows;
  bool careful; /* tests: without the fast parser */
} fmlp_tick_plan;

/* A row whose prices or sizes needed more decimals than all before it in its block. */
typedef struct fmlp_tick_raise {
  int64_t line; /* from 0 at the block's first line */
  int32_t price_k, size_k;
} fmlp_tick_raise;

/* A day in civil text and the UTC offset around it, remembered from row to row. */
typedef struct fmlp_tick_clock {
  char text[16];       /* the date's text */
  int32_t length;      /* of it, 0 = nothing remembered */
  int64_t day;         /* since 1970-01-01 */
  int64_t local_first; /* local seconds [first, last) share `offset` */
  int64_t local_last;
  int64_t offset;
} fmlp_tick_clock;

/* One block's rows. Price and size columns the plan lacks stay unused. */
typedef struct fmlp_tick_rows {
  int64_t count, capacity;
  int64_t *time;
  int32_t *price[2]; /* points at 10^-price_k (times m when fixed) */
  int64_t *size[2];  /* units at 10^-size_k */
  int32_t price_k, size_k;
  fmlp_tick_clock clock;
  int64_t lines;          /* consumed */
  int64_t bad_rows;       /* skipped */
  int64_t first_bad_line; /* from 0 at the block's first line; -1 when none */
  int64_t error_line;     /* likewise, of the row `message` is about; -1 when none */
  char message[FMLP_TICK_MESSAGE];
  int32_t raise_count;
  fmlp_tick_raise raises[40]; /* each raises one of two scales from 0 to at most 18 */
} fmlp_tick_rows;

/* ---- tick_formats.c: what file is this ---- */

typedef struct fmlp_cell {
  const char *text;
  int32_t length;
} fmlp_cell;

/* What detection tells besides the plan. */
typedef struct fmlp_tick_detection {
  fmlp_tick_plan plan;
  fmlp_timezone *zone; /* the plan's, owned by the caller */
  char format[64];
  char timezone[64];
  char decision[256];
  int64_t header_bytes; /* where the rows begin */
  int64_t header_lines;
} fmlp_tick_detection;

/* Decides on the beginning of the file: `text` of `length` bytes, whole lines. On failure nothing is owned.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_tick_detect(const fmlp_data_settings *settings, const char *text,
                                              int64_t length, fmlp_tick_detection *detection,
                                              fmlp_error *error);

/* ---- tick_columns.c: columns by name ---- */

/* Gives each role its column by the header's names: data.columns first, then the known synonyms. Sets the
 * plan's kind, column_of and column_name. */
FMLP_WARN_UNUSED fmlp_status fmlp_tick_columns_by_name(const fmlp_data_settings *settings,
                                                       const fmlp_cell *header, int32_t count,
                                                       fmlp_tick_plan *plan, fmlp_error *error);

/* FMLP_ERR_INPUT when the name of a column in use stands twice in the header: either could be meant. */
FMLP_WARN_UNUSED fmlp_status fmlp_tick_columns_check(const fmlp_cell *header, int32_t count,
                                                     const fmlp_tick_plan *plan, fmlp_error *error);

/* data.columns names at least one column. */
bool fmlp_tick_columns_given(const fmlp_column_map *columns);

/* Same name, letters compared without case. */
bool fmlp_cell_is(fmlp_cell cell, const char *name);

/* ---- tick_cells.c: one cell ---- */

/* A decimal number, exactly: mantissa * 10^-decimals with no trailing zero in the decimals. `decimals` may be
 * negative (1e5). */
typedef struct fmlp_number {
  uint64_t mantissa;
  int32_t decimals;
  bool negative;
} fmlp_number;

/* NULL, or why the cell is not a number that 64 bits hold ("is empty", "is not a number", ...). */
const char *fmlp_cell_number(fmlp_cell cell, fmlp_number *number);

/* mantissa * 10^(k - decimals); false when it is not an integer or exceeds int64. */
bool fmlp_number_at_scale(const fmlp_number *number, int32_t k, int64_t *value);

typedef struct fmlp_civil_time {
  int64_t local; /* seconds of the civil time read as UTC */
  int32_t nanosecond;
  bool has_offset;
  int32_t offset; /* seconds east of UTC */
} fmlp_civil_time;

/* NULL, or why the cell is not a date (and time of day). `clock` may be empty. */
const char *fmlp_cell_civil(fmlp_cell date, fmlp_cell clock, fmlp_civil_time *time);

/* Splits a line (without its line feed) at `delimiter`, quotes respected, blanks around cells and a final
 * carriage return removed. Returns the number of cells, which may exceed `capacity` (the rest is not stored),
 * or -1 for a quote that is never closed. */
int32_t fmlp_line_split(const char *line, int64_t length, char delimiter, fmlp_cell *cells, int32_t capacity);

/* A cell as it may be shown in a message: at most 40 characters, others than printable ASCII escaped. */
const char *fmlp_cell_quoted(fmlp_cell cell, char text[96]);

/* ---- tick_rows.c: rows, carefully ---- */

/* Parses all of `text` (whole lines) into `rows`, which the caller prepared: arrays, capacity, scales. An
 * error is told by error_line and message; rows before it are complete. */
void fmlp_tick_rows_parse(const fmlp_tick_plan *plan, const char *text, int64_t length, fmlp_tick_rows *rows);

/* Multiplies by 10^by; false, with nothing changed, when the largest of them would not fit. */
bool fmlp_prices_rescale(int32_t *prices, int64_t count, int32_t by, int32_t *largest);
bool fmlp_sizes_rescale(int64_t *sizes, int64_t count, int32_t by);

/* The message for a scale k that an earlier price (`largest` at 10^-largest_k) does not fit. */
void fmlp_tick_conflict(int32_t k, int32_t largest, int32_t largest_k, char message[FMLP_TICK_MESSAGE]);

/* ns in the unit of an epoch written with so many digits: 10 s, 13 ms, 16 us, 19 ns. */
int64_t fmlp_epoch_unit(int32_t digits);

/* The civil or epoch time of a row in ns UTC; NULL or why not. */
const char *fmlp_tick_time(const fmlp_tick_plan *plan, fmlp_cell date, fmlp_cell clock, int64_t *time);

/* ---- tick_rows_fast.c: rows of the usual shape, several instruction sets ---- */

/* Parses rows from `text` on while each is of the usual shape, stops at the first that is not (which the
 * careful parser then takes or refuses). Returns the bytes consumed. Accepts only what the careful parser
 * accepts, with the same result. */
FMLP_SIMD_DECLARE(int64_t, fmlp_tick_rows_fast,
                  (const fmlp_tick_plan *plan, const char *text, int64_t length, fmlp_tick_rows *rows));

#endif
