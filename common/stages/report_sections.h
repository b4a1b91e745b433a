/* The sections of the report, in the order of the page. Internal to report*.c. */
#ifndef FMLP_COMMON_STAGES_REPORT_SECTIONS_H
#define FMLP_COMMON_STAGES_REPORT_SECTIONS_H

#include "common/stages/report.h"

void fmlp_report_section_data(const fmlp_report_input *input, fmlp_text *text);
void fmlp_report_section_labels(const fmlp_report_input *input, fmlp_text *text);
void fmlp_report_section_model(const fmlp_report_input *input, fmlp_text *text);
void fmlp_report_section_backtest(const fmlp_report_input *input, fmlp_text *text);
void fmlp_report_section_held_out(const fmlp_report_input *input, fmlp_text *text); /* nothing without one */
void fmlp_report_section_risk(const fmlp_report_input *input, fmlp_text *text);
void fmlp_report_section_run(const fmlp_report_input *input, fmlp_text *text);

#endif
