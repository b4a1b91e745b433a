/* Page frame, tables and numbers of the report. */
#include "common/stages/report_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Two themes by the reader's preference; colours are chosen to keep their contrast and their order under
 * colour-vision deficiency, and never carry a meaning alone. */
static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f6f3;--card:#fdfdfc;--line:#e3e2db;--ink:#121211;--soft:#55544f;"
    "--faint:#8a8881;--grid:#e6e5de;--axis:#bdbcb2;--blue:#2a78d6;--red:#d93f3e;--gray:#a5a39a;--flat:#"
    "7a7870;"
    "--amber:#b87a00;--hover:rgba(42,120,214,.12);--warn:#fbf3dd;--warnline:#e2c777}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#121211;--card:#1b1b1a;--line:#30302d;--ink:#f4f4f1;"
    "--soft:#c1c0b7;--faint:#8d8b84;--grid:#2a2a28;--axis:#4a4945;--blue:#4a93ea;--red:#e86a69;--gray:#"
    "76746c;"
    "--amber:#d79a1e;--hover:rgba(90,160,240,.18);--warn:#2b2514;--warnline:#6b5720}}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}body{margin:0;background:var(--page);"
    "color:var(--ink);font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica "
    "Neue\",sans-serif}\n"
    "main,header,nav ul{max-width:1160px;margin:0 auto;padding:0 20px}header{padding-top:44px}"
    "h1{font-size:34px;line-height:1.15;letter-spacing:-.02em;margin:4px 0 6px;overflow-wrap:anywhere}"
    "h2{font-size:21px;letter-spacing:-.01em;margin:0 0 2px}h3{font-size:14px;margin:0 0 2px;font-weight:650}"
    ".eyebrow{font-size:12px;letter-spacing:.08em;text-transform:uppercase;color:var(--faint);font-weight:"
    "650}"
    ".facts{color:var(--soft);margin:0;overflow-wrap:anywhere}.facts "
    "span:first-child{font-weight:600;color:var(--ink)}"
    ".facts span+span::before{content:\"\\00b7\";margin:0 .5em;color:var(--faint)}\n"
    "nav{position:sticky;top:0;z-index:2;margin-top:22px;background:var(--page);border-bottom:1px solid "
    "var(--line)}nav ul{display:flex;gap:22px;overflow-x:auto;list-style:none;margin-top:0;margin-bottom:0}"
    "nav a{display:block;padding:10px 0;color:var(--soft);text-decoration:none;font-size:14px;white-space:"
    "nowrap}nav a:hover{color:var(--ink);box-shadow:inset 0 -2px var(--blue)}\n"
    "section{padding:34px 0 4px;scroll-margin-top:36px}.note{color:var(--soft);margin:0 0 "
    "14px;max-width:96ch}"
    ".grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "align-items:start;margin-bottom:16px}.card{background:var(--card);border:1px solid "
    "var(--line);border-radius:"
    "10px;padding:16px 18px;margin:0 0 16px;min-width:0}.grid "
    ".card{margin:0}.stack{display:grid;gap:16px;min-width:0}\n"
    ".tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));margin:24px 0 "
    "16px}"
    ".tile{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:13px 16px}"
    ".tile dt{font-size:13px;color:var(--soft)}.tile dd{margin:0}.tile "
    ".value{font-size:27px;line-height:1.25;"
    "font-weight:620;letter-spacing:-.015em}.tile .detail{font-size:12.5px;color:var(--faint)}\n"
    ".verdict,.warnings{margin:0 0 8px;padding:12px 18px 12px 36px;background:var(--warn);border:1px solid "
    "var(--warnline);border-radius:10px}.verdict li+li,.warnings li+li{margin-top:3px}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:"
    "tabular-nums}caption{text-align:left;font-weight:650;padding-bottom:6px}th{font-weight:600;color:"
    "var(--soft);font-size:12.5px;text-align:left;border-bottom:1px solid var(--axis);white-space:nowrap}"
    "th,td{padding:5px 14px 5px "
    "0;vertical-align:top}td{overflow-wrap:anywhere}th:last-child,td:last-child{padding-right:0}"
    "tbody tr+tr>*{border-top:1px solid var(--grid)}tbody th{font-size:14px;color:var(--ink);font-weight:450;"
    "border-bottom:0;white-space:normal}tbody "
    "tr:hover>*{background:var(--hover)}.n{text-align:right!important;"
    "white-space:nowrap}td.mono,code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
    "overflow-wrap:anywhere}.share{min-width:130px}.share "
    "i{float:left;height:8px;margin-top:7px;min-width:1px;"
    "border-radius:0 3px 3px 0;background:var(--gray)}.share.strong i{background:var(--blue)}.share.strong b"
    "{font-weight:650}.share b{font-weight:400}\n"
    ".missing{color:var(--faint);font-style:italic;margin:4px 0 12px}details{margin:0 0 16px}summary{cursor:"
    "pointer;color:var(--soft);padding:4px 0}footer{max-width:1160px;margin:30px auto 0;padding:16px 20px "
    "44px;"
    "color:var(--faint);font-size:13px;border-top:1px solid var(--line);overflow-wrap:anywhere}\n";

static const char chart_style[] =
    "figure{margin:0}figcaption{margin-bottom:6px}figcaption span{display:block;color:var(--soft);font-size:"
    "13px}.legend{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;margin:2px 0 6px;padding:0;"
    "font-size:13px;color:var(--soft)}.legend "
    "i{display:inline-block;width:14px;height:10px;border-radius:2px;"
    "margin-right:6px}.legend i.stroke{height:0;border-radius:0;border-top:2px solid;vertical-align:middle}\n"
    "svg{display:block;width:100%;height:auto;overflow:visible}svg text{font-size:12px;fill:var(--faint);"
    "font-variant-numeric:tabular-nums}svg .label{fill:var(--soft)}svg .name{fill:var(--ink)}"
    "svg .on{fill:#fff;font-weight:600}svg .grid{display:inline;stroke:var(--grid);stroke-width:1}"
    "svg .axis{stroke:var(--axis);stroke-width:1}svg "
    ".zero{stroke:var(--faint);stroke-width:1;stroke-dasharray:"
    "4 3}svg .line{fill:none;stroke:var(--blue);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    "svg .path{fill:none;stroke:var(--gray);stroke-width:1;opacity:.65}svg .down{fill:none;stroke:var(--red);"
    "stroke-width:1.5;stroke-linejoin:round}svg .downfill{fill:var(--red);opacity:.16}svg "
    ".bar{fill:var(--blue)}"
    "svg .bad{fill:var(--red)}svg .flat{fill:var(--flat)}svg .stem{stroke:var(--blue);stroke-width:2}"
    "svg .stem.low{stroke:var(--red)}svg .dot{fill:var(--blue);stroke:var(--card);stroke-width:2}"
    "svg .dot.low{fill:var(--red)}svg .whisker{stroke:var(--ink);stroke-width:1.5;opacity:.75}"
    "svg .band{fill:var(--blue);opacity:.14}svg .limit{stroke:var(--red);stroke-width:1;stroke-dasharray:4 3}"
    "svg .goal{stroke:var(--amber);stroke-width:1;stroke-dasharray:4 3}svg .hit{fill:transparent}"
    "svg .hit:hover{fill:var(--hover)}svg .mark:hover{opacity:.8}\n"
    "#tip{position:fixed;z-index:9;pointer-events:none;display:none;background:var(--ink);color:var(--page);"
    "padding:6px 10px;border-radius:6px;font-size:12.5px;line-height:1.45;white-space:pre;"
    "font-variant-numeric:tabular-nums}\n"
    "@media(max-width:560px){svg{min-width:520px}figure{overflow-x:auto}}"
    "@media print{nav{display:none}.card,.tile{break-inside:avoid}}\n";

/* The tooltip. Everything it shows stands in a table or an axis too, so the page works without it. */
static const char script[] =
    "(function(){var t=document.getElementById('tip');"
    "document.querySelectorAll('svg[role=img]').forEach(function(s){var n=s.querySelector('title');"
    "if(n){s.setAttribute('aria-label',n.textContent);s.removeAttribute('aria-labelledby');n.remove();}});"
    "document.addEventListener('mousemove',function(e){var "
    "m=e.target.closest&&e.target.closest('[data-tip]');"
    "if(!m){t.style.display='none';return;}t.textContent=m.getAttribute('data-tip');t.style.display='block';"
    "var x=e.clientX+14,y=e.clientY+14;if(x+t.offsetWidth>innerWidth-8)x=e.clientX-14-t.offsetWidth;"
    "if(y+t.offsetHeight>innerHeight-8)y=e.clientY-14-t.offsetHeight;"
    "t.style.left=Math.max(4,x)+'px';t.style.top=Math.max(4,y)+'px';});"
    "document.addEventListener('mouseleave',function(){t.style.display='none';});})();\n";

void fmlp_page_begin(fmlp_text *text, const char *title) {
  fmlp_text_append(text,
                   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                   "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<title>");
  fmlp_text_html(text, title);
  fmlp_text_append(text, "</title>\n<style>\n");
  fmlp_text_append(text, style);
  fmlp_text_append(text, chart_style);
  fmlp_text_append(text, "</style>\n</head>\n<body>\n");
}

void fmlp_page_end(fmlp_text *text) {
  fmlp_text_append(text, "<div id=\"tip\" role=\"presentation\"></div>\n<script>\n");
  fmlp_text_append(text, script);
  fmlp_text_append(text, "</script>\n</body>\n</html>\n");
}

void fmlp_page_section(fmlp_text *text, const char *id, const char *title, const char *note) {
  fmlp_text_format(text, "<section id=\"%s\">\n<h2>", id);
  fmlp_text_html(text, title);
  fmlp_text_append(text, "</h2>\n");
  if (note != NULL) {
    fmlp_text_append(text, "<p class=\"note\">");
    fmlp_text_html(text, note);
    fmlp_text_append(text, "</p>\n");
  }
}

void fmlp_page_section_end(fmlp_text *text) {
  fmlp_text_append(text, "</section>\n");
}

void fmlp_page_missing(fmlp_text *text, const char *why) {
  fmlp_text_append(text, "<p class=\"missing\">");
  fmlp_text_html(text, why);
  fmlp_text_append(text, "</p>\n");
}

/* Appends "-1234567.50" as "-1,234,567.50", with a true minus sign. */
static void put_grouped(fmlp_text *text, const char *digits) {
  if (*digits == '-') {
    fmlp_text_append(text, "\xe2\x88\x92");
    digits++;
  }
  size_t whole = strcspn(digits, ".");
  for (size_t i = 0; i < whole; i++) {
    if (i > 0 && (whole - i) % 3 == 0) fmlp_text_append_bytes(text, ",", 1);
    fmlp_text_append_bytes(text, digits + i, 1);
  }
  fmlp_text_append(text, digits + whole);
}

void fmlp_page_count(fmlp_text *text, int64_t value) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)value);
  put_grouped(text, digits);
}

void fmlp_page_fixed(fmlp_text *text, double value, int decimals) {
  if (!isfinite(value)) {
    fmlp_text_append(text, "\xe2\x80\x93");
    return;
  }
  char digits[400];
  snprintf(digits, sizeof digits, "%.*f", decimals, value);
  bool zero = strspn(digits, "-0.") == strlen(digits);
  put_grouped(text, zero && digits[0] == '-' ? digits + 1 : digits);
}

void fmlp_page_percent(fmlp_text *text, double fraction, int decimals) {
  fmlp_page_fixed(text, fraction * 100.0, decimals);
  if (isfinite(fraction)) fmlp_text_append(text, "\xc2\xa0%");
}

void fmlp_page_duration(fmlp_text *text, int64_t nanoseconds) {
  double seconds = (double)nanoseconds * 1e-9;
  if (seconds >= 86400.0) {
    fmlp_text_format(text, "%.1f days", seconds / 86400.0);
  } else if (seconds >= 3600.0) {
    fmlp_text_format(text, "%d h %02d min", (int)(seconds / 3600.0), (int)(seconds / 60.0) % 60);
  } else if (seconds >= 60.0) {
    fmlp_text_format(text, "%d min %02d s", (int)(seconds / 60.0), (int)seconds % 60);
  } else if (seconds >= 1.0) {
    fmlp_text_format(text, "%.2f s", seconds);
  } else if (seconds >= 1e-3) {
    fmlp_text_format(text, "%.1f ms", seconds * 1e3);
  } else {
    fmlp_text_format(text, "%.0f \xc2\xb5s", seconds * 1e6);
  }
}

void fmlp_page_table(fmlp_text *text, const char *caption, const char *columns) {
  fmlp_text_append(text, "<div class=\"scroll\"><table>\n");
  if (caption != NULL) {
    fmlp_text_append(text, "<caption>");
    fmlp_text_html(text, caption);
    fmlp_text_append(text, "</caption>\n");
  }
  fmlp_text_append(text, "<thead><tr>");
  for (const char *at = columns;;) {
    bool number = *at == '>';
    at += number;
    size_t length = strcspn(at, "|");
    fmlp_text_append(text, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
    fmlp_text_append_bytes(text, at, (int64_t)length);
    fmlp_text_append(text, "</th>");
    if (at[length] == '\0') break;
    at += length + 1;
  }
  fmlp_text_append(text, "</tr></thead>\n<tbody>\n");
}

void fmlp_page_table_end(fmlp_text *text) {
  fmlp_text_append(text, "</tbody></table></div>\n");
}

void fmlp_page_row(fmlp_text *text, const char *first_cell) {
  fmlp_text_append(text, "<tr><th scope=\"row\">");
  fmlp_text_html(text, first_cell);
  fmlp_text_append(text, "</th>");
}

void fmlp_page_row_end(fmlp_text *text) {
  fmlp_text_append(text, "</tr>\n");
}

void fmlp_page_cell(fmlp_text *text, const char *value) {
  fmlp_text_append(text, "<td>");
  fmlp_text_html(text, value);
  fmlp_text_append(text, "</td>");
}

void fmlp_page_cell_count(fmlp_text *text, int64_t value) {
  fmlp_text_append(text, "<td class=\"n\">");
  fmlp_page_count(text, value);
  fmlp_text_append(text, "</td>");
}

void fmlp_page_cell_fixed(fmlp_text *text, double value, int decimals) {
  fmlp_text_append(text, "<td class=\"n\">");
  fmlp_page_fixed(text, value, decimals);
  fmlp_text_append(text, "</td>");
}

void fmlp_page_cell_percent(fmlp_text *text, double fraction, int decimals) {
  fmlp_text_append(text, "<td class=\"n\">");
  fmlp_page_percent(text, fraction, decimals);
  fmlp_text_append(text, "</td>");
}

void fmlp_page_cell_share(fmlp_text *text, double fraction, bool strong) {
  double width = fraction > 1.0 ? 60.0 : fraction > 0.0 ? fraction * 60.0 : 0.0;
  fmlp_text_format(text, "<td class=\"n share%s\"><i style=\"width:%.1f%%\"></i><b>", strong ? " strong" : "",
                   width);
  fmlp_page_percent(text, fraction, 1);
  fmlp_text_append(text, "</b></td>");
}
