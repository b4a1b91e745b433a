/* Synthetic quotes as text. */
#include "common/io/synth.h"

#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/progress.h"
#include "common/io/byte_sink.h"
#include "common/io/synth_market.h"
#include "prof/span.h"

enum {
  BLOCK_TICKS = 4096, /* written, and SIGINT polled, at a time */
  LINE_MAX_BYTES = 80 /* 20 digits of time, 2 x 12 of price, 2 x 12 of size, separators */
};

/* Writes value / 10^decimals; value >= 0. */
static char *write_decimal(char *at, int64_t value, int decimals) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
    if (count == decimals) digits[count++] = '.';
  } while (value > 0 || (decimals > 0 && count < decimals + 2));
  while (count > 0) *at++ = digits[--count];
  return at;
}

static char *write_line(char *at, const fmlp_synth_tick *tick) {
  at = write_decimal(at, tick->time_ms, 0);
  *at++ = ',';
  at = write_decimal(at, tick->ask, 5);
  *at++ = ',';
  at = write_decimal(at, tick->bid, 5);
  *at++ = ',';
  at = write_decimal(at, tick->ask_size, 2);
  *at++ = ',';
  at = write_decimal(at, tick->bid_size, 2);
  *at++ = '\n';
  return at;
}

static fmlp_status write_ticks(const fmlp_synth_request *request, fmlp_synth_market *market,
                               fmlp_byte_sink *sink, char *text, fmlp_synth_summary *summary,
                               fmlp_error *error) {
  static const char header[] = "timestamp,askPrice,bidPrice,askVolume,bidVolume\n";
  FMLP_TRY(fmlp_byte_sink_write(sink, header, sizeof header - 1, error));
  for (int64_t first = 0; first < request->ticks; first += BLOCK_TICKS) {
    FMLP_TRY(fmlp_check_interrupt("synth", error));
    int64_t count = request->ticks - first < BLOCK_TICKS ? request->ticks - first : BLOCK_TICKS;
    char *at = text;
    for (int64_t i = 0; i < count; i++) {
      fmlp_synth_tick tick = fmlp_synth_market_next(market);
      at = write_line(at, &tick);
      if (first + i == 0) summary->first_ms = tick.time_ms;
      summary->last_ms = tick.time_ms;
    }
    FMLP_TRY(fmlp_byte_sink_write(sink, text, at - text, error));
    fmlp_progress_add(count);
  }
  return FMLP_OK;
}

fmlp_status fmlp_synth_write(const fmlp_synth_request *request, fmlp_synth_summary *summary,
                             fmlp_error *error) {
  FMLP_SPAN("synth");
  *summary = (fmlp_synth_summary){0};
  fmlp_synth_market *market = NULL;
  fmlp_byte_sink *sink = NULL;
  char *text = NULL;
  fmlp_status status = fmlp_synth_market_open(request->seed, request->start_day, &market, error);
  if (status == FMLP_OK) status = fmlp_alloc(&text, BLOCK_TICKS, LINE_MAX_BYTES, "synthetic text", error);
  if (status == FMLP_OK) status = fmlp_byte_sink_open(request->path, request->overwrite, &sink, error);
  if (status == FMLP_OK) {
    fmlp_progress_begin("synth", request->ticks);
    status = write_ticks(request, market, sink, text, summary, error);
    fmlp_progress_end();
    if (status == FMLP_OK) {
      status = fmlp_byte_sink_commit(sink, error);
    } else {
      fmlp_byte_sink_discard(sink);
    }
  }
  fmlp_free(text);
  fmlp_synth_market_close(market);
  return status;
}
