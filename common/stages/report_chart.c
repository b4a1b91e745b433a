/* SVG frames, axes and marks. */
#include "common/stages/report_chart.h"

#include <math.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/stages/report_page.h"

static const double top_margin = 28, right_margin = 14, bottom_margin = 42;

fmlp_chart fmlp_chart_begin(fmlp_text *text, const char *id, const char *title, const char *description,
                            const fmlp_chart_key *keys, double width, double height, double left) {
  fmlp_chart chart = {.text = text,
                      .width = width,
                      .height = height,
                      .left = left,
                      .right = width - right_margin,
                      .top = top_margin,
                      .bottom = height - bottom_margin};
  fmlp_text_append(text, "<div class=\"card\"><figure>\n<figcaption><h3>");
  fmlp_text_html(text, title);
  fmlp_text_append(text, "</h3><span>");
  fmlp_text_html(text, description);
  fmlp_text_append(text, "</span></figcaption>\n");
  if (keys != NULL) {
    fmlp_text_append(text, "<ul class=\"legend\">");
    for (; keys->colour != NULL; keys++) {
      fmlp_text_format(text, "<li><i%s style=\"%s:%s\"></i>", keys->stroke ? " class=\"stroke\"" : "",
                       keys->stroke ? "border-color" : "background", keys->colour);
      fmlp_text_html(text, keys->name);
      fmlp_text_append(text, "</li>");
    }
    fmlp_text_append(text, "</ul>\n");
  }
  fmlp_text_format(text,
                   "<svg id=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-title\" "
                   "aria-describedby=\"%s-desc\"><title id=\"%s-title\">",
                   id, width, height, id, id, id);
  fmlp_text_html(text, title);
  fmlp_text_format(text, "</title><desc id=\"%s-desc\">", id);
  fmlp_text_html(text, description);
  fmlp_text_append(text, "</desc>\n");
  return chart;
}

void fmlp_chart_end(fmlp_chart *chart) {
  fmlp_text_append(chart->text, "</svg>\n</figure></div>\n");
}

/* 1, 2 or 5 times a power of ten, about `count` of which span `range` > 0. */
static double nice_step(double range, int count) {
  double step = range / count, unit = 1.0;
  while (unit > step) unit /= 10.0;
  while (unit * 10.0 <= step) unit *= 10.0;
  double multiple = step / unit;
  return unit * (multiple <= 1.0 ? 1.0 : multiple <= 2.0 ? 2.0 : multiple <= 5.0 ? 5.0 : 10.0);
}

/* Decimals that show a step exactly. */
static int decimals_of(double step) {
  int decimals = 0;
  for (; decimals < 8 && fabs(step - floor(step + 0.5)) > 1e-6 * step; decimals++) step *= 10.0;
  return decimals;
}

static void put_number(fmlp_text *text, double value, double step, fmlp_axis_unit unit) {
  if (unit == FMLP_AXIS_PERCENT) {
    fmlp_page_percent(text, value, decimals_of(step * 100.0));
  } else {
    fmlp_page_fixed(text, value, decimals_of(step));
  }
}

void fmlp_chart_x_range(fmlp_chart *chart, double low, double high) {
  chart->x_low = low;
  chart->x_high = high > low ? high : low + 1.0;
}

void fmlp_chart_y_range(fmlp_chart *chart, double low, double high) {
  if (!isfinite(low) || !isfinite(high)) low = high = 0.0;
  if (!(high - low > 1e-9 * (fabs(low) + fabs(high)))) {
    double room = fabs(low) > 0.0 ? 0.001 * fabs(low) : 1.0;
    low -= room;
    high += room;
  }
  double step = nice_step(high - low, 5);
  chart->y_step = step;
  chart->y_low = floor(low / step + 1e-9) * step;
  chart->y_high = ceil(high / step - 1e-9) * step;
}

void fmlp_chart_flip_y(fmlp_chart *chart) {
  chart->flipped = !chart->flipped;
}

double fmlp_chart_x(const fmlp_chart *chart, double value) {
  return chart->left + (value - chart->x_low) / (chart->x_high - chart->x_low) * (chart->right - chart->left);
}

double fmlp_chart_y(const fmlp_chart *chart, double value) {
  double share = (value - chart->y_low) / (chart->y_high - chart->y_low);
  if (chart->flipped) return chart->top + share * (chart->bottom - chart->top);
  return chart->bottom - share * (chart->bottom - chart->top);
}

void fmlp_chart_segment(const fmlp_chart *chart, double x1, double y1, double x2, double y2,
                        const char *style) {
  fmlp_text_format(chart->text, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                   style, x1, y1, x2, y2);
}

void fmlp_chart_text_begin(const fmlp_chart *chart, double x, double y, const char *anchor,
                           const char *style) {
  fmlp_text_format(chart->text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
                   style);
}

void fmlp_chart_text_end(const fmlp_chart *chart) {
  fmlp_text_append(chart->text, "</text>\n");
}

void fmlp_chart_text(const fmlp_chart *chart, double x, double y, const char *anchor, const char *style,
                     const char *string) {
  fmlp_chart_text_begin(chart, x, y, anchor, style);
  fmlp_text_html(chart->text, string);
  fmlp_chart_text_end(chart);
}

void fmlp_chart_y_axis(const fmlp_chart *chart, const char *label, fmlp_axis_unit unit) {
  double step = chart->y_step;
  double first = ceil(chart->y_low / step - 1e-9);
  for (int i = 0; i < 12; i++) {
    double value = (first + i) * step;
    if (value > chart->y_high + 1e-9 * step) break;
    double y = fmlp_chart_y(chart, value);
    fmlp_chart_segment(chart, chart->left, y, chart->right, y, "grid");
    fmlp_chart_text_begin(chart, chart->left - 8, y + 4, "end", "tick");
    put_number(chart->text, value, step, unit);
    fmlp_chart_text_end(chart);
  }
  fmlp_chart_text(chart, 0, 12, "start", "label", label);
}

void fmlp_chart_x_axis(const fmlp_chart *chart, const char *label, fmlp_axis_unit unit, bool grid) {
  double step = nice_step(chart->x_high - chart->x_low, chart->width > 700 ? 9 : 6);
  double first = ceil(chart->x_low / step - 1e-9);
  for (int i = 0; i < 24; i++) {
    double value = (first + i) * step;
    if (value > chart->x_high + 1e-9 * step) break;
    double x = fmlp_chart_x(chart, value);
    fmlp_chart_segment(chart, x, grid ? chart->top : chart->bottom, x, chart->bottom + (grid ? 0 : 4),
                       grid ? "grid" : "axis");
    fmlp_chart_text_begin(chart, x, chart->bottom + 17, "middle", "tick");
    put_number(chart->text, value, step, unit);
    fmlp_chart_text_end(chart);
  }
  fmlp_chart_segment(chart, chart->left, chart->bottom, chart->right, chart->bottom, "axis");
  fmlp_chart_text(chart, chart->right, chart->bottom + 36, "end", "label", label);
}

static void time_tick(const fmlp_chart *chart, double x, int64_t time, int64_t span) {
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t days = fmlp_floor_divide(time, FMLP_NS_PER_DAY);
  fmlp_date date = fmlp_civil_from_days(days);
  fmlp_chart_segment(chart, x, chart->bottom, x, chart->bottom + 4, "axis");
  fmlp_chart_text_begin(chart, x, chart->bottom + 17, "middle", "tick");
  if (span < 2 * FMLP_NS_PER_DAY) {
    int64_t minutes = (time - days * FMLP_NS_PER_DAY) / (60 * FMLP_NS_PER_SECOND);
    fmlp_text_format(chart->text, "%02d:%02d", (int)(minutes / 60), (int)(minutes % 60));
  } else if (span < 300 * FMLP_NS_PER_DAY) {
    fmlp_text_format(chart->text, "%d %s", (int)date.day, months[date.month - 1]);
  } else {
    fmlp_text_format(chart->text, "%s %lld", months[date.month - 1], (long long)date.year);
  }
  fmlp_chart_text_end(chart);
}

void fmlp_chart_time_axis(const fmlp_chart *chart, const int64_t *time, int64_t count) {
  fmlp_chart_segment(chart, chart->left, chart->bottom, chart->right, chart->bottom, "axis");
  int64_t span = count > 0 ? time[count - 1] - time[0] : 0;
  /* A tick where a new period begins: hours within two days, else days; the next one 48 units on. */
  int64_t period = span < 2 * FMLP_NS_PER_DAY ? 3600 * FMLP_NS_PER_SECOND : FMLP_NS_PER_DAY;
  double last = -1e9;
  for (int64_t i = 0; i < count; i++) {
    if (i > 0 && fmlp_floor_divide(time[i], period) == fmlp_floor_divide(time[i - 1], period)) continue;
    double x = fmlp_chart_x(chart, (double)i);
    if (i == 0 && count > 1) continue; /* the first row is mostly not the start of a period */
    if (x < last + 48 || x < chart->left + 12 || x > chart->right - 12) continue;
    time_tick(chart, x, time[i], span);
    last = x;
  }
  if (last < 0 && count > 0) time_tick(chart, fmlp_chart_x(chart, 0.0), time[0], span);
  fmlp_chart_text(chart, chart->right, chart->bottom + 36, "end", "label",
                  "bars in order of time, labelled in UTC");
}

void fmlp_chart_level(const fmlp_chart *chart, double value, const char *style, const char *label) {
  if (!isfinite(value) || value < chart->y_low || value > chart->y_high) return;
  double y = fmlp_chart_y(chart, value);
  fmlp_chart_segment(chart, chart->left, y, chart->right, y, style);
  if (label != NULL) fmlp_chart_text(chart, chart->right, y - 5, "end", "label", label);
}

static void put_point(const fmlp_chart *chart, bool *open, double x, double value) {
  if (!isfinite(value)) {
    *open = false;
    return;
  }
  fmlp_text_format(chart->text, "%c%.1f %.1f", *open ? 'L' : 'M', x, fmlp_chart_y(chart, value));
  *open = true;
}

/* The path data of a series: every row, or, of each pixel column, its least and greatest in their order. */
static void put_series(const fmlp_chart *chart, const double *values, int64_t count) {
  int64_t columns = (int64_t)(chart->right - chart->left);
  bool open = false;
  double step = count > 1 ? (chart->x_high - chart->x_low) / (double)(count - 1) : 0.0;
  if (count <= 2 * columns) {
    for (int64_t i = 0; i < count; i++) {
      put_point(chart, &open, fmlp_chart_x(chart, chart->x_low + (double)i * step), values[i]);
    }
    return;
  }
  for (int64_t c = 0; c < columns; c++) {
    int64_t first = c * count / columns, last = (c + 1) * count / columns, low = first, high = first;
    for (int64_t i = first; i < last; i++) {
      if (!(values[i] >= values[low])) low = i;
      if (!(values[i] <= values[high])) high = i;
    }
    int64_t pair[2] = {low < high ? low : high, low < high ? high : low};
    for (int k = 0; k < (low == high ? 1 : 2); k++) {
      put_point(chart, &open, fmlp_chart_x(chart, chart->x_low + (double)pair[k] * step), values[pair[k]]);
    }
  }
}

void fmlp_chart_series(const fmlp_chart *chart, const double *values, int64_t count, const char *style,
                       const char *fill, double base) {
  if (count == 0) return;
  if (fill != NULL) {
    double y = fmlp_chart_y(chart, base);
    fmlp_text_format(chart->text, "<path class=\"%s\" d=\"", fill);
    put_series(chart, values, count);
    fmlp_text_format(chart->text, "L%.1f %.1fL%.1f %.1fZ\"/>\n", chart->right, y, chart->left, y);
  }
  fmlp_text_format(chart->text, "<path class=\"%s\" d=\"", style);
  put_series(chart, values, count);
  fmlp_text_append(chart->text, "\"/>\n");
}

void fmlp_chart_band(const fmlp_chart *chart, const double *x, const double *low, const double *high,
                     int64_t count, const char *style) {
  fmlp_text_format(chart->text, "<path class=\"%s\" d=\"", style);
  bool open = false;
  for (int64_t i = 0; i < count; i++) put_point(chart, &open, fmlp_chart_x(chart, x[i]), high[i]);
  for (int64_t i = count - 1; i >= 0; i--) put_point(chart, &open, fmlp_chart_x(chart, x[i]), low[i]);
  fmlp_text_append(chart->text, open ? "Z\"/>\n" : "\"/>\n");
}

void fmlp_chart_line(const fmlp_chart *chart, const double *x, const double *y, int64_t count,
                     const char *style) {
  fmlp_text_format(chart->text, "<path class=\"%s\" d=\"", style);
  bool open = false;
  for (int64_t i = 0; i < count; i++) put_point(chart, &open, fmlp_chart_x(chart, x[i]), y[i]);
  fmlp_text_append(chart->text, "\"/>\n");
}

void fmlp_chart_rectangle(const fmlp_chart *chart, double x, double y, double width, double height,
                          const char *style) {
  fmlp_text_format(chart->text,
                   "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" data-tip=\"",
                   style, x, y, width > 0.0 ? width : 0.0, height > 0.0 ? height : 0.0);
}

void fmlp_chart_circle(const fmlp_chart *chart, double x, double y, double radius, const char *style) {
  fmlp_text_format(chart->text, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" data-tip=\"", style,
                   x, y, radius);
}

void fmlp_chart_mark_end(const fmlp_chart *chart) {
  fmlp_text_append(chart->text, "\"/>\n");
}

enum { MOST_BINS = 60 };

void fmlp_chart_histogram(fmlp_chart *chart, const double *values, int64_t count, int32_t bins,
                          const char *x_label, fmlp_axis_unit unit, const char *what) {
  int64_t tally[MOST_BINS] = {0}, highest = 0;
  double low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < count; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (!(high >= low)) return;
  if (bins > MOST_BINS) bins = MOST_BINS;
  if (!(high > low)) bins = 1;
  double width = bins > 1 ? (high - low) / bins : fabs(low) > 0.0 ? 0.01 * fabs(low) : 1.0;
  if (bins == 1) low -= 0.5 * width;
  for (int64_t i = 0; i < count; i++) {
    int64_t bin = (int64_t)((values[i] - low) / width);
    tally[bin < 0 ? 0 : bin < bins ? bin : bins - 1]++;
  }
  for (int32_t b = 0; b < bins; b++) highest = tally[b] > highest ? tally[b] : highest;
  fmlp_chart_x_range(chart, low, low + width * bins);
  fmlp_chart_y_range(chart, 0.0, (double)highest);
  fmlp_chart_y_axis(chart, what, FMLP_AXIS_NUMBER);
  fmlp_chart_x_axis(chart, x_label, unit, false);
  double step = nice_step(chart->x_high - chart->x_low, 100);
  for (int32_t b = 0; b < bins; b++) {
    if (tally[b] == 0) continue;
    double left = low + width * b, x = fmlp_chart_x(chart, left), y = fmlp_chart_y(chart, (double)tally[b]);
    fmlp_chart_rectangle(chart, x + 0.5, y, fmlp_chart_x(chart, left + width) - x - 1.0, chart->bottom - y,
                         "bar mark");
    put_number(chart->text, left, step, unit);
    fmlp_text_append(chart->text, " to ");
    put_number(chart->text, left + width, step, unit);
    fmlp_text_append(chart->text, "\n");
    fmlp_page_count(chart->text, tally[b]);
    fmlp_text_format(chart->text, " %s", what);
    fmlp_chart_mark_end(chart);
  }
}
