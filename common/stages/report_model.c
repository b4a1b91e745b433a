/* Section of the report: fold scores and feature importance. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/report_chart.h"
#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"

enum { MOST_IMPORTANCES = 20, NAME_SHOWN = 30 };

static void fold_tip(fmlp_text *text, int32_t split, const fmlp_fold_score *score) {
  fmlp_text_format(text, "fold %d\nAUC %.4f\naccuracy ", (int)split, score->auc);
  fmlp_page_percent(text, score->accuracy, 1);
  fmlp_text_append(text, "\n");
  fmlp_page_count(text, score->test_rows);
  fmlp_text_append(text, " test rows");
}

static void fold_chart(const fmlp_model_result *model, fmlp_text *text) {
  double low = 0.45, high = 0.55;
  for (int32_t s = 0; s < model->split_count; s++) {
    double auc = model->scores[s].auc;
    if (auc < low) low = auc;
    if (auc > high) high = auc;
  }
  fmlp_chart chart =
      fmlp_chart_begin(text, "chart-folds", "Out-of-fold AUC",
                       "One mark a fold: area under the ROC curve on rows the model has not seen. The dashed "
                       "line is guessing.",
                       NULL, 1080, 270, 56);
  fmlp_chart_x_range(&chart, -0.8, (double)model->split_count - 0.2);
  fmlp_chart_y_range(&chart, low, high);
  fmlp_chart_y_axis(&chart, "AUC", FMLP_AXIS_NUMBER);
  fmlp_chart_segment(&chart, chart.left, chart.bottom, chart.right, chart.bottom, "axis");
  int32_t every = model->split_count / 24 + 1;
  double base = fmlp_chart_y(&chart, 0.5);
  double radius = model->split_count > 60 ? 3.0 : 5.0;
  for (int32_t s = 0; s < model->split_count; s++) {
    double x = fmlp_chart_x(&chart, s), auc = model->scores[s].auc;
    if (s % every == 0) {
      char number[16];
      snprintf(number, sizeof number, "%d", (int)s);
      fmlp_chart_text(&chart, x, chart.bottom + 17, "middle", "tick", number);
    }
    if (isnan(auc)) continue;
    fmlp_chart_segment(&chart, x, base, x, fmlp_chart_y(&chart, auc), auc < 0.5 ? "stem low" : "stem");
    fmlp_chart_circle(&chart, x, fmlp_chart_y(&chart, auc), radius, auc < 0.5 ? "dot low mark" : "dot mark");
    fold_tip(text, s, &model->scores[s]);
    fmlp_chart_mark_end(&chart);
  }
  fmlp_chart_level(&chart, 0.5, "zero", NULL);
  fmlp_chart_text(&chart, chart.right, chart.bottom + 36, "end", "label", "fold number");
  fmlp_chart_end(&chart);
}

static void fold_table(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_model_result *model = input->model;
  fmlp_text_append(text, "<details><summary>All folds as a table</summary><div class=\"card\">\n");
  fmlp_page_table(text, NULL,
                  "Fold|>AUC|>Accuracy|>Log loss|>Base rate|>Training rows|>Test rows|>Purged|>Embargoed");
  for (int32_t s = 0; s < model->split_count; s++) {
    const fmlp_fold_score *score = &model->scores[s];
    char number[16];
    snprintf(number, sizeof number, "%d", (int)s);
    fmlp_page_row(text, number);
    fmlp_page_cell_fixed(text, score->auc, 4);
    fmlp_page_cell_percent(text, score->accuracy, 1);
    fmlp_page_cell_fixed(text, score->log_loss, 4);
    fmlp_page_cell_percent(text, score->base_rate, 1);
    fmlp_page_cell_count(text, score->train_rows);
    fmlp_page_cell_count(text, score->test_rows);
    bool known = input->folds != NULL && s < input->folds->split_count;
    fmlp_page_cell_fixed(text, known ? (double)input->folds->splits[s].purged : NAN, 0);
    fmlp_page_cell_fixed(text, known ? (double)input->folds->splits[s].embargoed : NAN, 0);
    fmlp_page_row_end(text);
  }
  fmlp_page_table_end(text);
  fmlp_text_append(text, "</div></details>\n");
}

/* The `shown` features of greatest importance, ties in their own order. */
static void most_important(const fmlp_model_result *model, int32_t shown, int32_t *order) {
  for (int32_t k = 0; k < shown; k++) {
    int32_t best = -1;
    for (int32_t f = 0; f < model->feature_count; f++) {
      bool taken = false;
      for (int32_t j = 0; j < k; j++) taken = taken || order[j] == f;
      if (!taken && (best < 0 || model->importance[f] > model->importance[best])) best = f;
    }
    order[k] = best;
  }
}

/* A name that fits the margin: whole characters, an ellipsis where it was cut. */
static void put_name(const fmlp_chart *chart, double y, const char *name) {
  char shown[NAME_SHOWN + 8];
  size_t length = strlen(name);
  if (length > NAME_SHOWN) {
    length = NAME_SHOWN - 1;
    while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80) length--;
    snprintf(shown, sizeof shown, "%.*s\xe2\x80\xa6", (int)length, name);
  } else {
    snprintf(shown, sizeof shown, "%s", name);
  }
  fmlp_chart_text(chart, chart->left - 8, y, "end", "name", shown);
}

static void importance_chart(const fmlp_model_result *model, fmlp_text *text) {
  int32_t order[MOST_IMPORTANCES];
  int32_t shown = model->feature_count < MOST_IMPORTANCES ? model->feature_count : MOST_IMPORTANCES;
  most_important(model, shown, order);
  char description[160];
  snprintf(description, sizeof description,
           "Share of the total gain, mean over folds with its standard deviation; the first %d of %d inputs.",
           (int)shown, (int)model->feature_count);
  fmlp_chart chart = fmlp_chart_begin(text, "chart-importance", "Feature importance", description, NULL, 1080,
                                      56 + 22.0 * shown, 210);
  chart.top = 6; /* no label above the plot */
  double most = 0.0;
  for (int32_t k = 0; k < shown; k++) {
    double end =
        model->importance[order[k]] + (model->importance_std != NULL ? model->importance_std[order[k]] : 0);
    if (end > most) most = end;
  }
  fmlp_chart_x_range(&chart, 0, most > 0.0 ? most * 1.04 : 1.0);
  fmlp_chart_x_axis(&chart, "share of gain", FMLP_AXIS_PERCENT, true);
  for (int32_t k = 0; k < shown; k++) {
    double y = chart.top + 22.0 * k, value = model->importance[order[k]];
    double spread = model->importance_std != NULL ? model->importance_std[order[k]] : NAN;
    const char *name = model->feature_names[order[k]].text;
    put_name(&chart, y + 15, name);
    double x = fmlp_chart_x(&chart, value);
    fmlp_chart_rectangle(&chart, chart.left, y + 4, x - chart.left, 14, "bar mark");
    fmlp_text_html(text, name);
    fmlp_text_append(text, "\n");
    fmlp_page_percent(text, value, 2);
    fmlp_text_append(text, " \xc2\xb1 ");
    fmlp_page_percent(text, spread, 2);
    fmlp_chart_mark_end(&chart);
    if (spread > 0.0) {
      double from = value - spread > 0.0 ? value - spread : 0.0;
      fmlp_chart_segment(&chart, fmlp_chart_x(&chart, from), y + 11, fmlp_chart_x(&chart, value + spread),
                         y + 11, "whisker");
    }
  }
  fmlp_chart_end(&chart);
}

void fmlp_report_section_model(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_model_result *model = input->model;
  fmlp_page_section(text, "model", "Model",
                    "Each fold is scored on labels that do not overlap its training labels in time.");
  if (model == NULL || model->split_count == 0) {
    fmlp_page_missing(text, "Model: not trained in this run.");
  } else {
    fold_chart(model, text);
    fold_table(input, text);
    if (model->feature_count > 0 && model->importance != NULL) {
      importance_chart(model, text);
    } else {
      fmlp_page_missing(text, "Feature importance: the model gives none.");
    }
  }
  fmlp_page_section_end(text);
}
