/* Section of the report: where the time went, warnings, the manifest's main entries. */
#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"

enum { FIRST_TIMES = 16 };

static const double worth_optimising = 0.05; /* share of all spans' own time */

static void times_rows(const fmlp_report_input *input, int64_t first, int64_t last, int64_t whole,
                       fmlp_text *text) {
  fmlp_page_table(text,
                  first == 0 ? "Time in thread-seconds: the times of several threads are added up" : NULL,
                  "Span|>Calls|>tottime|>cumtime|>Share|filename:lineno(function)");
  for (int64_t i = first; i < last; i++) {
    const fmlp_report_time *row = &input->times[i];
    double share = whole > 0 ? (double)row->tottime / (double)whole : 0.0;
    fmlp_page_row(text, row->name);
    fmlp_page_cell_count(text, row->calls);
    fmlp_text_append(text, "<td class=\"n\">");
    fmlp_page_duration(text, row->tottime);
    fmlp_text_append(text, "</td><td class=\"n\">");
    fmlp_page_duration(text, row->cumtime);
    fmlp_text_append(text, "</td>");
    fmlp_page_cell_share(text, share, share >= worth_optimising);
    fmlp_text_append(text, "<td class=\"mono\">");
    fmlp_text_html(text, row->location);
    fmlp_text_append(text, "</td>");
    fmlp_page_row_end(text);
  }
  fmlp_page_table_end(text);
}

static void times_table(const fmlp_report_input *input, fmlp_text *text) {
  int64_t whole = 0, shown = input->time_count < FIRST_TIMES ? input->time_count : FIRST_TIMES;
  for (int64_t i = 0; i < input->time_count; i++) whole += input->times[i].tottime;
  fmlp_text_append(text, "<div class=\"card\">\n");
  times_rows(input, 0, shown, whole, text);
  fmlp_text_append(text, "<p class=\"note\" style=\"margin:10px 0 0\">");
  if (input->wall_time > 0) {
    fmlp_text_append(text, "The run took ");
    fmlp_page_duration(text, input->wall_time);
    fmlp_text_append(text, ". ");
  }
  fmlp_text_append(text, "Share: a span's own time in that of all spans of all threads, ");
  fmlp_page_duration(text, whole);
  fmlp_text_append(text, ". Coloured from 5\xc2\xa0% up: only these are worth optimising.");
  if (input->profile_page != NULL) {
    fmlp_text_append(text, " Call paths, timeline and memory: <a href=\"");
    fmlp_text_html(text, input->profile_page);
    fmlp_text_append(text, "\">the profile</a>.");
  }
  fmlp_text_append(text, "</p>\n</div>\n");
  if (shown == input->time_count) return;
  fmlp_text_append(text, "<details><summary>");
  fmlp_page_count(text, input->time_count - shown);
  fmlp_text_append(text, " more spans</summary><div class=\"card\">\n");
  times_rows(input, shown, input->time_count, whole, text);
  fmlp_text_append(text, "</div></details>\n");
}

void fmlp_report_section_run(const fmlp_report_input *input, fmlp_text *text) {
  fmlp_page_section(text, "run", "Run", NULL);
  if (input->time_count > 0) {
    times_table(input, text);
  } else {
    fmlp_page_missing(text, "Times: not recorded in this run.");
  }
  if (input->warning_count > 0) {
    fmlp_text_append(text, "<h3>Warnings</h3>\n<ul class=\"warnings\">\n");
    for (int64_t i = 0; i < input->warning_count; i++) {
      fmlp_text_append(text, "<li>");
      fmlp_text_html(text, input->warnings[i]);
      fmlp_text_append(text, "</li>\n");
    }
    fmlp_text_append(text, "</ul>\n");
  } else {
    fmlp_page_missing(text, "Warnings: none.");
  }
  if (input->manifest_count > 0) {
    fmlp_text_append(text, "<div class=\"card\">\n");
    fmlp_page_table(text, "Manifest", "Entry|Value");
    for (int64_t i = 0; i < input->manifest_count; i++) {
      fmlp_page_row(text, input->manifest[i].key);
      fmlp_text_append(text, "<td class=\"mono\">");
      fmlp_text_html(text, input->manifest[i].value);
      fmlp_text_append(text, "</td>");
      fmlp_page_row_end(text);
    }
    fmlp_page_table_end(text);
    fmlp_text_append(text, "</div>\n");
  } else {
    fmlp_page_missing(text, "Manifest: not given.");
  }
  fmlp_page_section_end(text);
}
