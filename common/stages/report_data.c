/* Sections of the report: data, cleaning and bars; labels. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/report_chart.h"
#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"

static void count_row(fmlp_text *text, const char *name, int64_t count, int64_t total) {
  fmlp_page_row(text, name);
  fmlp_page_cell_count(text, count);
  fmlp_page_cell_percent(text, total > 0 ? (double)count / (double)total : NAN, 2);
  fmlp_page_row_end(text);
}

static void text_row(fmlp_text *text, const char *name, const char *value) {
  if (value == NULL || *value == '\0') return;
  fmlp_page_row(text, name);
  fmlp_page_cell(text, value);
  fmlp_page_row_end(text);
}

/* In a table whose values are texts, so that all stand left. */
static void number_row(fmlp_text *text, const char *name, int64_t value) {
  fmlp_page_row(text, name);
  fmlp_text_append(text, "<td>");
  fmlp_page_count(text, value);
  fmlp_text_append(text, "</td>");
  fmlp_page_row_end(text);
}

static void read_card(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_read_report *read = input->read;
  fmlp_text_append(text, "<div class=\"card\">\n");
  if (read == NULL) {
    fmlp_page_missing(text, "Input: not read in this run.");
  } else {
    fmlp_page_table(text, "Input", "Item|Value");
    text_row(text, "File", input->source);
    text_row(text, "Format", read->format);
    text_row(text, "Compression", read->compression);
    text_row(text, "Decision", read->decision);
    text_row(text, "Time zone of the times", read->timezone);
    number_row(text, "Lines", read->lines);
    number_row(text, "Ticks", read->rows);
    number_row(text, "Bad rows skipped", read->bad_rows);
    fmlp_page_table_end(text);
  }
  fmlp_text_append(text, "</div>\n");
}

static void clean_card(const fmlp_clean_report *clean, fmlp_text *text) {
  fmlp_text_append(text, "<div class=\"card\">\n");
  if (clean == NULL) {
    fmlp_page_missing(text, "Cleaning: not done in this run.");
  } else {
    int64_t total = clean->rows_in;
    fmlp_page_table(text, "Cleaning", "Rows|>Count|>Share");
    count_row(text, "Read", clean->rows_in, total);
    count_row(text, "Dropped: crossed quotes", clean->dropped_crossed, total);
    count_row(text, "Dropped: zero spread", clean->dropped_zero_spread, total);
    count_row(text, "Dropped: duplicate times", clean->dropped_duplicates, total);
    count_row(text, "Dropped: outliers", clean->dropped_outliers, total);
    count_row(text, "Dropped: out of session", clean->dropped_out_of_session, total);
    count_row(text, "Kept", clean->rows_out, total);
    count_row(text, "Seen: out of order", clean->out_of_order, total);
    count_row(text, "Seen: zero spread", clean->zero_spread_seen, total);
    count_row(text, "Seen: duplicate times", clean->duplicates_seen, total);
    fmlp_page_table_end(text);
  }
  fmlp_text_append(text, "</div>\n");
}

static void price_chart(const fmlp_bars *bars, fmlp_text *text) {
  double *close = NULL;
  fmlp_error error;
  if (bars->count < 2 || fmlp_alloc(&close, bars->count, sizeof *close, "closes", &error) != FMLP_OK) return;
  double low = INFINITY, high = -INFINITY;
  for (int64_t b = 0; b < bars->count; b++) {
    close[b] = fmlp_decimal_mid(bars->bid_close[b], bars->ask_close[b], bars->price);
    low = close[b] < low ? close[b] : low;
    high = close[b] > high ? close[b] : high;
  }
  fmlp_chart chart = fmlp_chart_begin(text, "chart-price", "Price", "Mid price at the close of each bar.",
                                      NULL, 1080, 240, 72);
  fmlp_chart_x_range(&chart, 0, (double)(bars->count - 1));
  fmlp_chart_y_range(&chart, low, high);
  fmlp_chart_y_axis(&chart, "price units", FMLP_AXIS_NUMBER);
  fmlp_chart_time_axis(&chart, bars->close_time, bars->count);
  fmlp_chart_series(&chart, close, bars->count, "line", NULL, 0);
  fmlp_chart_end(&chart);
  fmlp_free(close);
}

static const char *bar_type_name(fmlp_bar_type type) {
  static const char *const names[] = {"tick",           "volume",           "dollar",           "time",
                                      "tick imbalance", "volume imbalance", "dollar imbalance", "tick run",
                                      "volume run",     "dollar run"};
  return (size_t)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

static void bars_values(const fmlp_bars *bars, fmlp_text *text) {
  double ticks = 0.0, spread = 0.0, n = (double)bars->count;
  int64_t duration = 0;
  for (int64_t b = 0; b < bars->count; b++) {
    ticks += (double)(bars->last_tick[b] - bars->first_tick[b]);
    duration += bars->close_time[b] - bars->open_time[b];
    if (bars->spread_mean != NULL) spread += bars->spread_mean[b];
  }
  fmlp_page_row(text, "Ticks per bar, mean");
  fmlp_text_append(text, "<td>");
  fmlp_page_fixed(text, ticks / n, 1);
  fmlp_text_append(text, "</td>");
  fmlp_page_row_end(text);
  fmlp_page_row(text, "Duration of a bar, mean");
  fmlp_text_append(text, "<td>");
  fmlp_page_duration(text, duration / bars->count);
  fmlp_text_append(text, "</td>");
  fmlp_page_row_end(text);
  fmlp_page_row(text, "Spread, mean of bars");
  fmlp_text_append(text, "<td>");
  fmlp_page_fixed(text, bars->spread_mean != NULL ? spread / n : NAN, bars->price.k + 1);
  fmlp_text_append(text, " price units</td>");
  fmlp_page_row_end(text);
}

static void bars_card(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_bars *bars = input->bars;
  fmlp_text_append(text, "<div class=\"card\">\n");
  if (bars == NULL || bars->count == 0) {
    fmlp_page_missing(text, "Bars: none in this run.");
  } else {
    fmlp_page_table(text, "Bars", "Item|Value");
    if (input->settings != NULL) {
      char type[96];
      snprintf(type, sizeof type, "%s, %g", bar_type_name(input->settings->bars.type),
               input->settings->bars.threshold);
      text_row(text, "Type and threshold", type);
    }
    number_row(text, "Bars", bars->count);
    bars_values(bars, text);
    if (input->bars_report != NULL) {
      number_row(text, "Closed short by a session boundary", input->bars_report->session_tails);
      number_row(text, "... of these dropped", input->bars_report->tails_dropped);
      number_row(text, "Ticks of the unfinished last bar", input->bars_report->unfinished_ticks);
    }
    fmlp_page_table_end(text);
  }
  fmlp_text_append(text, "</div>\n");
}

void fmlp_report_section_data(const fmlp_report_input *input, fmlp_text *text) {
  fmlp_page_section(text, "data", "Data and bars", NULL);
  fmlp_text_append(text, "<div class=\"grid\">\n<div class=\"stack\">\n");
  read_card(input, text);
  bars_card(input, text);
  fmlp_text_append(text, "</div>\n");
  clean_card(input->clean, text);
  fmlp_text_append(text, "</div>\n");
  if (input->bars != NULL && input->bars->count > 1) price_chart(input->bars, text);
  fmlp_page_section_end(text);
}

/* One stacked bar per side: stop, time, target. */
static void balance_chart(int64_t count[2][3], fmlp_text *text) {
  static const fmlp_chart_key keys[] = {{"target first", "var(--blue)", false},
                                        {"deadline", "var(--flat)", false},
                                        {"stop first", "var(--red)", false},
                                        {NULL, NULL, false}};
  static const char *const sides[2] = {"long", "short"}, *const names[3] = {"stop first", "deadline",
                                                                            "target first"};
  static const char *const styles[3] = {"bad mark", "flat mark", "bar mark"};
  int rows = 0;
  for (int s = 0; s < 2; s++) rows += count[s][0] + count[s][1] + count[s][2] > 0;
  fmlp_chart chart = fmlp_chart_begin(text, "chart-labels", "Label balance",
                                      "Which barrier was touched first, as a share of each side's labels.",
                                      keys, 1080, 54 + 44 * rows, 56);
  chart.top = 6; /* no label above the plot */
  fmlp_chart_x_range(&chart, 0, 1);
  fmlp_chart_x_axis(&chart, "share of labels", FMLP_AXIS_PERCENT, true);
  double y = chart.top + 2;
  for (int s = 0; s < 2; s++) {
    int64_t total = count[s][0] + count[s][1] + count[s][2];
    if (total == 0) continue;
    fmlp_chart_text(&chart, chart.left - 8, y + 20, "end", "name", sides[s]);
    double at = 0.0;
    for (int o = 2; o >= 0; o--) {
      double share = (double)count[s][o] / (double)total, x = fmlp_chart_x(&chart, at);
      double width = fmlp_chart_x(&chart, at + share) - x;
      if (count[s][o] > 0) {
        fmlp_chart_rectangle(&chart, x + 1, y, width - 2, 32, styles[o]);
        fmlp_text_format(text, "%s, %s\n", sides[s], names[o]);
        fmlp_page_count(text, count[s][o]);
        fmlp_text_append(text, " labels, ");
        fmlp_page_percent(text, share, 1);
        fmlp_chart_mark_end(&chart);
      }
      if (width > 46) {
        fmlp_chart_text_begin(&chart, x + width / 2, y + 20, "middle", "on");
        fmlp_page_percent(text, share, 1);
        fmlp_chart_text_end(&chart);
      }
      at += share;
    }
    y += 44;
  }
  fmlp_chart_end(&chart);
}

void fmlp_report_section_labels(const fmlp_report_input *input, fmlp_text *text) {
  fmlp_page_section(
      text, "labels", "Labels",
      "Triple barrier: entered at the event bar's close, left at the target, the stop or the deadline.");
  const fmlp_labels *labels = input->labels;
  if (labels == NULL || labels->count == 0) {
    fmlp_page_missing(text, "Labels: none in this run.");
  } else {
    int64_t count[2][3] = {{0}}, positive[2] = {0};
    for (int64_t i = 0; i < labels->count; i++) {
      int side = labels->side[i] > 0 ? 0 : 1;
      count[side][labels->outcome[i] + 1]++;
      positive[side] += labels->label != NULL && labels->label[i] > 0;
    }
    balance_chart(count, text);
    fmlp_text_append(text, "<div class=\"card\">\n");
    fmlp_page_table(text, NULL, "Side|>Labels|>Stop first|>Deadline|>Target first|>Net gain (label 1)");
    static const char *const sides[2] = {"Long", "Short"};
    for (int s = 0; s < 2; s++) {
      int64_t total = count[s][0] + count[s][1] + count[s][2];
      if (total == 0) continue;
      fmlp_page_row(text, sides[s]);
      fmlp_page_cell_count(text, total);
      for (int o = 0; o < 3; o++) fmlp_page_cell_count(text, count[s][o]);
      fmlp_page_cell_percent(text, (double)positive[s] / (double)total, 1);
      fmlp_page_row_end(text);
    }
    fmlp_page_table_end(text);
    fmlp_text_append(text, "<p class=\"note\" style=\"margin:10px 0 0\">Events without a label: ");
    fmlp_page_count(text, labels->no_distance);
    fmlp_text_append(text, " without a distance, ");
    fmlp_page_count(text, labels->no_room);
    fmlp_text_append(text, " too close to the end. Labels not used because a feature is missing: ");
    fmlp_page_count(text, labels->not_usable);
    fmlp_text_append(text, ". Bars that touched both barriers: ");
    fmlp_page_count(text, labels->ties);
    fmlp_text_append(text, ".</p>\n</div>\n");
  }
  fmlp_page_section_end(text);
}
