/* The candidates, for reading. */
#include "prof/views/advice.h"

#include <stdlib.h>
#include <string.h>

#include "prof/views/export_text.h"
#include "prof/views/losses.h"
#include "prof/views/paths.h"

const char *fmlp_advice_reason_name(fmlp_advice_reason reason) {
  static const char *const NAMES[] = {
      "not known",       "waiting",          "launch-bound", "copy-bound",
      "bandwidth-bound", "allocation-heavy", "serial",       "compute- or bandwidth-bound",
      "compute-bound"};
  return NAMES[reason];
}

bool fmlp_advice_append(fmlp_advice *advice, const fmlp_advice_item *item) {
  fmlp_advice_item *moved = realloc(advice->items, ((size_t)advice->count + 1) * sizeof *moved);
  if (!moved) return false; /* there are at most 20 of 5 % on each side */
  advice->items = moved;
  moved[advice->count++] = *item;
  return true;
}

bool fmlp_advice_make(const fmlp_profile *profile, fmlp_advice *advice) {
  *advice = (fmlp_advice){0};
  if (fmlp_advice_add_host(profile, advice) && fmlp_advice_add_device(profile->captures[0], advice))
    return true;
  fmlp_advice_release(advice);
  return false;
}

void fmlp_advice_release(fmlp_advice *advice) {
  free(advice->items);
  *advice = (fmlp_advice){0};
}

/* `before`: the item above it, NULL for none; what is unknown of both is said once. */
static void write_item(const fmlp_capture *capture, const fmlp_advice_item *item,
                       const fmlp_advice_item *before, FILE *out) {
  (void)fprintf(out, "%6.1f %%  %10.3f ms  ", 100 * item->share, (double)item->time / 1e6);
  if (item->site >= 0) {
    const fmlp_capture_site *site = &capture->sites[item->site];
    fmlp_export_utf8(site->name, out);
    (void)fprintf(out, "  (%s:%d)", site->file, site->line);
  } else {
    fmlp_export_utf8(capture->names[item->name], out);
  }
  (void)fprintf(out, "\n%24sreason:   %s\n", "", fmlp_advice_reason_name(item->reason));
  if (item->measured[0]) (void)fprintf(out, "%24smeasured: %s\n", "", item->measured);
  if (before && strcmp(before->unknown, item->unknown) == 0) return;
  for (const char *at = item->unknown; *at;) { /* a line each */
    const size_t length = strcspn(at, ";");
    (void)fprintf(out, "%24sunknown:  %.*s\n", "", (int)length, at);
    at += length + (at[length] ? strspn(at + length, "; ") : 0);
  }
}

static void write_host(const fmlp_capture *capture, const fmlp_advice *advice, const fmlp_paths *paths,
                       FILE *out) {
  (void)fprintf(out, "Functions with 5 %% or more of %.3f s internal time (wall time %.3f s)\n\n",
                (double)paths->self / 1e9, (double)paths->wall / 1e9);
  for (int32_t i = 0; i < advice->host_count; i++)
    write_item(capture, &advice->items[i], i > 0 ? &advice->items[i - 1] : NULL, out);
  (void)fprintf(out, "%6.1f %%  in %d others, each below 5 %%: not worth optimising\n",
                100 * advice->below_share, (int)advice->below);
}

static void write_device(const fmlp_capture *capture, const fmlp_advice *advice, const fmlp_paths *paths,
                         FILE *out) {
  if (capture->operation_count == 0) { /* at level full the reason stands below */
    if (capture->level != FMLP_CAPTURE_FULL)
      (void)fputs("\nOf devices nothing was recorded: fmlp run ... runtime.profile_level=full\n", out);
    return;
  }
  (void)fprintf(
      out,
      "\nDevice operations with 5 %% or more of %.3f ms in which a device was busy (%.1f %% of the wall "
      "time; the host waited for %.3f ms)\n\n",
      (double)paths->everything.busy / 1e6,
      paths->wall > 0 ? 100 * (double)paths->everything.busy / (double)paths->wall : 0,
      (double)paths->everything.waited / 1e6);
  for (int32_t i = 0; i < advice->device_count; i++)
    write_item(capture, &advice->items[advice->host_count + i],
               i > 0 ? &advice->items[advice->host_count + i - 1] : NULL, out);
}

bool fmlp_advice_write(const fmlp_profile *profile, FILE *out) {
  const fmlp_capture *capture = profile->captures[0];
  fmlp_advice advice;
  fmlp_paths paths;
  if (!fmlp_advice_make(profile, &advice)) return false;
  const bool made = fmlp_paths_make(capture, &paths);
  if (made) {
    write_host(capture, &advice, &paths, out);
    write_device(capture, &advice, &paths, out);
    if (capture->sample_count > 0) (void)fputs("\nWhich of their lines: fmlp profile lines RUN|FILE\n", out);
    (void)fputc('\n', out);
    if (capture->host_bytes_per_second > 0)
      (void)fprintf(out, "This machine's memory was measured to move %.1f GB/s.\n",
                    (double)capture->host_bytes_per_second / 1e9);
    fmlp_losses_write(capture, out);
    fmlp_paths_release(&paths);
  }
  fmlp_advice_release(&advice);
  return made && !ferror(out);
}
