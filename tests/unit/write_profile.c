/* Writes the captures of profile_fixture.h as profile files, for tests of the command line:
 *
 *   write_profile fixture FILE
 *   write_profile random SEED SPANS OPERATIONS FILE
 */
#include "tests/unit/profile_fixture.h"

#include <stdio.h>

#include "prof/store/profile_file.h"

static bool write_capture(fmlp_capture *capture, const char *path) {
  fmlp_profile *profile = fmlp_profile_create();
  FILE *out = fopen(path, "wb");
  bool done = out && profile && fmlp_profile_set(profile, FMLP_FACT_NAME, "fixture") &&
              fmlp_profile_set(profile, FMLP_FACT_MACHINE, "a processor, 2 threads") &&
              fmlp_profile_add(profile, capture) && fmlp_profile_file_write(profile, out);
  if (out && fclose(out) != 0) done = false;
  fmlp_profile_free(profile);
  return done;
}

int main(int count, char **words) {
  bool done = false;
  if (count == 3 && strcmp(words[1], "fixture") == 0)
    done = write_capture(profile_fixture(), words[2]);
  else if (count == 6 && strcmp(words[1], "random") == 0)
    done = write_capture(profile_fixture_random(strtoull(words[2], NULL, 10),
                                                (int32_t)strtol(words[3], NULL, 10),
                                                strtoll(words[4], NULL, 10)),
                         words[5]);
  if (!done) (void)fprintf(stderr, "write_profile: wrong arguments, or the file cannot be written\n");
  return done ? 0 : 1;
}
