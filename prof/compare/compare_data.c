/* A comparison for programs. Times are integers in ns, ratios have 6 decimals; what is unknown is empty in
 * CSV and null in JSON. */
#include <inttypes.h>
#include <math.h>

#include "prof/compare/compare_views.h"
#include "prof/views/export_text.h"

enum { NAME = 4096 };

static const char *verdict(const fmlp_compared_time *time) {
  return fmlp_compared_slower(time)   ? "slower"
         : fmlp_compared_faster(time) ? "faster"
         : time->tested               ? "noise"
                                      : "untested";
}

/* ---- CSV ---- */

static void write_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"') (void)fputc('"', out);
    (void)fputc(*c, out);
  }
  (void)fputc('"', out);
}

static void write_number(FILE *out, double number, bool known, const char *unknown) {
  if (known && isfinite(number)) {
    (void)fprintf(out, "%.6f", number);
  } else {
    (void)fputs(unknown, out);
  }
}

static void write_csv_time(const fmlp_compared_time *time, FILE *out) {
  const int64_t before = time->median[FMLP_BEFORE], after = time->median[FMLP_AFTER];
  (void)fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",", before, after, after - before);
  write_number(out, time->ratio.ratio, true, "");
  (void)fputc(',', out);
  write_number(out, time->ratio.low, time->ratio.interval, "");
  (void)fputc(',', out);
  write_number(out, time->ratio.high, time->ratio.interval, "");
  (void)fputc(',', out);
  write_number(out, time->slower, time->tested, "");
  (void)fputc(',', out);
  write_number(out, time->faster, time->tested, "");
  (void)fprintf(out, ",%s", verdict(time));
}

static void write_csv_titles(FILE *out) {
  static const char *const TIMES[] = {"cumtime", "tottime"};
  static const char *const COLUMNS[] = {"before_ns",  "after_ns", "difference_ns", "ratio",  "ratio_low",
                                        "ratio_high", "p_slower", "p_faster",      "verdict"};
  (void)fputs("path,name,file,line,side,before_ncalls,after_ncalls", out);
  for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++)
    for (size_t c = 0; c < sizeof COLUMNS / sizeof *COLUMNS; c++)
      (void)fprintf(out, ",%s_%s", TIMES[i], COLUMNS[c]);
  (void)fputs(",before_gpu_busy_ns,after_gpu_busy_ns,before_allocated_bytes,after_allocated_bytes\n", out);
}

static const char *side_of(const fmlp_compared_path *path) {
  return path->present[FMLP_BEFORE] ? path->present[FMLP_AFTER] ? "both" : "before" : "after";
}

bool fmlp_comparison_csv(const fmlp_comparison *comparison, const regex_t *only, FILE *out) {
  char name[NAME];
  write_csv_titles(out);
  (void)fputs("\"\",\"wall time\",\"\",0,both,,", out);
  write_csv_time(&comparison->wall, out);
  (void)fputs(",,,,,,,,,,,,,\n", out);
  for (int32_t i = 0; i < comparison->count; i++) {
    const fmlp_compared_path *path = &comparison->paths[i];
    if (!fmlp_compared_wanted(comparison, i, only)) continue;
    fmlp_compared_name(comparison, i, name, NAME);
    write_text(out, name);
    (void)fputc(',', out);
    write_text(out, path->name);
    (void)fputc(',', out);
    write_text(out, path->file);
    (void)fprintf(out, ",%d,%s,%" PRId64 ",%" PRId64, (int)path->line, side_of(path),
                  path->calls[FMLP_BEFORE], path->calls[FMLP_AFTER]);
    write_csv_time(&path->total, out);
    write_csv_time(&path->self, out);
    (void)fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", path->gpu_busy[FMLP_BEFORE],
                  path->gpu_busy[FMLP_AFTER], path->allocated_bytes[FMLP_BEFORE],
                  path->allocated_bytes[FMLP_AFTER]);
  }
  return !ferror(out);
}

/* ---- JSON ---- */

static void write_json_time(const char *key, const fmlp_compared_time *time, FILE *out) {
  const int64_t before = time->median[FMLP_BEFORE], after = time->median[FMLP_AFTER];
  (void)fprintf(out,
                "\"%s\": {\"before_ns\": %" PRId64 ", \"after_ns\": %" PRId64 ", \"difference_ns\": %" PRId64
                ", \"ratio\": ",
                key, before, after, after - before);
  write_number(out, time->ratio.ratio, true, "null");
  (void)fputs(", \"ratio_low\": ", out);
  write_number(out, time->ratio.low, time->ratio.interval, "null");
  (void)fputs(", \"ratio_high\": ", out);
  write_number(out, time->ratio.high, time->ratio.interval, "null");
  (void)fputs(", \"p_slower\": ", out);
  write_number(out, time->slower, time->tested, "null");
  (void)fputs(", \"p_faster\": ", out);
  write_number(out, time->faster, time->tested, "null");
  (void)fprintf(out, ", \"verdict\": \"%s\"}", verdict(time));
}

static void write_json_side(const fmlp_comparison *comparison, int side, const char *title, FILE *out) {
  const fmlp_profile *profile = comparison->side[side];
  (void)fprintf(out, "  \"%s\": {\"source\": ", side == FMLP_BEFORE ? "before" : "after");
  fmlp_export_json_string(title, out);
  (void)fprintf(out, ", \"repeats\": %d, \"facts\": {", (int)comparison->repeats[side]);
  for (int32_t i = 0; i < profile->fact_count; i++) {
    if (i > 0) (void)fputs(", ", out);
    fmlp_export_json_string(profile->facts[i].key, out);
    (void)fputs(": ", out);
    fmlp_export_json_string(profile->facts[i].value, out);
  }
  (void)fputs("}},\n", out);
}

static void write_json_path(const fmlp_comparison *comparison, int32_t row, FILE *out) {
  const fmlp_compared_path *path = &comparison->paths[row];
  char name[NAME];
  fmlp_compared_name(comparison, row, name, NAME);
  (void)fputs("    {\"path\": ", out);
  fmlp_export_json_string(name, out);
  (void)fputs(", \"name\": ", out);
  fmlp_export_json_string(path->name, out);
  (void)fputs(", \"file\": ", out);
  fmlp_export_json_string(path->file, out);
  (void)fprintf(out,
                ", \"line\": %d, \"side\": \"%s\", \"ncalls\": [%" PRId64 ", %" PRId64
                "], \"share\": [%.6f, %.6f], \"gpu_busy_ns\": [%" PRId64 ", %" PRId64
                "], \"allocated_bytes\": [%" PRId64 ", %" PRId64 "],\n     ",
                (int)path->line, side_of(path), path->calls[FMLP_BEFORE], path->calls[FMLP_AFTER],
                path->share[FMLP_BEFORE], path->share[FMLP_AFTER], path->gpu_busy[FMLP_BEFORE],
                path->gpu_busy[FMLP_AFTER], path->allocated_bytes[FMLP_BEFORE],
                path->allocated_bytes[FMLP_AFTER]);
  write_json_time("cumtime", &path->total, out);
  (void)fputs(",\n     ", out);
  write_json_time("tottime", &path->self, out);
  (void)fputc('}', out);
}

bool fmlp_comparison_json(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                          const regex_t *only, FILE *out) {
  (void)fputs("{\n  \"schema\": \"fmlp-profile-diff\",\n  \"version\": 1,\n", out);
  for (int side = 0; side < FMLP_SIDES; side++) write_json_side(comparison, side, titles[side], out);
  (void)fprintf(out, "  \"outputs_equal\": \"%s\",\n  \"facts_that_differ\": [",
                fmlp_comparison_outputs(comparison));
  const char *key = NULL;
  for (int32_t n = 0; (key = fmlp_compared_fact(comparison, n)); n++)
    (void)fprintf(out, "%s\"%s\"", n > 0 ? ", " : "", key);
  (void)fprintf(
      out,
      "],\n  \"enough_repeats\": %s,\n  \"alternating\": %s,\n  \"level\": %.6f,\n  \"rows_tested\": %d,\n  ",
      comparison->decides ? "true" : "false", comparison->in_turn ? "false" : "true", FMLP_COMPARE_LEVEL,
      (int)comparison->tested);
  write_json_time("wall", &comparison->wall, out);
  (void)fputs(",\n  \"paths\": [\n", out);
  bool first = true;
  for (int32_t i = 0; i < comparison->count; i++) {
    if (!fmlp_compared_wanted(comparison, i, only)) continue;
    if (!first) (void)fputs(",\n", out);
    first = false;
    write_json_path(comparison, i, out);
  }
  (void)fputs("\n  ]\n}\n", out);
  return !ferror(out);
}
