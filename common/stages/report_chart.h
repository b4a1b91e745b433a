/* Inline SVG charts for the report: a frame with axes, and marks placed in data units. Internal to report*.c.
 *
 * A chart is a <figure>: caption, optional legend, and an <svg role="img"> with title and description. Points
 * that are not finite are left out. */
#ifndef FMLP_COMMON_STAGES_REPORT_CHART_H
#define FMLP_COMMON_STAGES_REPORT_CHART_H

#include "common/io/text.h"

typedef enum fmlp_axis_unit { FMLP_AXIS_NUMBER, FMLP_AXIS_PERCENT } fmlp_axis_unit;

typedef struct fmlp_chart {
  fmlp_text *text;
  double width, height;                /* of the drawing, user units (pixels at full width) */
  double left, right, top, bottom;     /* edges of the plot area */
  double x_low, x_high, y_low, y_high; /* data at those edges */
  double y_step;                       /* between ticks */
  bool flipped;                        /* low values on top */
} fmlp_chart;

typedef struct fmlp_chart_key {
  const char *name;
  const char *colour; /* a CSS colour; NULL ends the list */
  bool stroke;        /* a line rather than a patch */
} fmlp_chart_key;

/* Opens a figure. `id` is unique on the page; `keys` may be NULL. The frame leaves `left` units for names or
 * numbers at the left edge. */
fmlp_chart fmlp_chart_begin(fmlp_text *text, const char *id, const char *title, const char *description,
                            const fmlp_chart_key *keys, double width, double height, double left);
void fmlp_chart_end(fmlp_chart *chart);

/* Data ranges; y_range widens to round numbers and keeps a constant series off the edges. */
void fmlp_chart_x_range(fmlp_chart *chart, double low, double high);
void fmlp_chart_y_range(fmlp_chart *chart, double low, double high);
void fmlp_chart_flip_y(fmlp_chart *chart); /* low values on top; after y_range */
double fmlp_chart_x(const fmlp_chart *chart, double value);
double fmlp_chart_y(const fmlp_chart *chart, double value);

/* Ticks, grid and label of an axis. */
void fmlp_chart_y_axis(const fmlp_chart *chart, const char *label, fmlp_axis_unit unit);
void fmlp_chart_x_axis(const fmlp_chart *chart, const char *label, fmlp_axis_unit unit, bool grid);

/* An x axis of rows 0..count-1 labelled with their dates, or times within one day. */
void fmlp_chart_time_axis(const fmlp_chart *chart, const int64_t *time, int64_t count);

/* A horizontal line at `value` across the plot, with a label at its right end (or NULL). */
void fmlp_chart_level(const fmlp_chart *chart, double value, const char *style, const char *label);

/* A line through values[0..count) at rows 0..count-1 of the x range; long series are drawn as the least and
 * the greatest value of each pixel column. `fill` (or NULL) is the class of the area down to `base`. */
void fmlp_chart_series(const fmlp_chart *chart, const double *values, int64_t count, const char *style,
                       const char *fill, double base);

/* The area between two lines over x[0..count). */
void fmlp_chart_band(const fmlp_chart *chart, const double *x, const double *low, const double *high,
                     int64_t count, const char *style);
void fmlp_chart_line(const fmlp_chart *chart, const double *x, const double *y, int64_t count,
                     const char *style);

/* A mark that answers the pointer: write the tip's text (escaped) between the two calls. Coordinates are user
 * units; `style` is the class. */
void fmlp_chart_rectangle(const fmlp_chart *chart, double x, double y, double width, double height,
                          const char *style);
void fmlp_chart_circle(const fmlp_chart *chart, double x, double y, double radius, const char *style);
void fmlp_chart_mark_end(const fmlp_chart *chart);

void fmlp_chart_segment(const fmlp_chart *chart, double x1, double y1, double x2, double y2,
                        const char *style);

/* `anchor` is start, middle or end. */
void fmlp_chart_text(const fmlp_chart *chart, double x, double y, const char *anchor, const char *style,
                     const char *string);
/* The same for a label built with the fmlp_page_* writers: open, write, close. */
void fmlp_chart_text_begin(const fmlp_chart *chart, double x, double y, const char *anchor,
                           const char *style);
void fmlp_chart_text_end(const fmlp_chart *chart);

/* Columns of a histogram over [low, high], counts into `bins`; values beyond count in the edge columns. */
void fmlp_chart_histogram(fmlp_chart *chart, const double *values, int64_t count, int32_t bins,
                          const char *x_label, fmlp_axis_unit unit, const char *what);

#endif
