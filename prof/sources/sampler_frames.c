/* Modules of this process, and libdw's view of them. libdw is loaded by name, so that programs run without
 * it; its interface is stable since elfutils 0.122 and declared here as far as it is used. */
#define _GNU_SOURCE
#include "prof/sources/sampler_frames.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Dwfl Dwfl;
typedef struct Dwfl_Module Dwfl_Module;
typedef struct Dwfl_Line Dwfl_Line;

typedef struct dwfl_callbacks {
  void *find_elf; /* not asked: files are named */
  int (*find_debuginfo)(Dwfl_Module *, void **, const char *, uint64_t, const char *, const char *, uint32_t,
                        char **);
  void *section_address;
  char **debuginfo_path;
} dwfl_callbacks;

static struct {
  bool tried, loaded;
  Dwfl *(*begin)(const dwfl_callbacks *);
  void (*end)(Dwfl *);
  void (*report_begin)(Dwfl *);
  Dwfl_Module *(*report_elf)(Dwfl *, const char *, const char *, int, uint64_t, bool);
  int (*report_end)(Dwfl *, int (*)(Dwfl_Module *, void *, const char *, uint64_t, void *), void *);
  const char *(*addrname)(Dwfl_Module *, uint64_t);
  Dwfl_Line *(*getsrc)(Dwfl_Module *, uint64_t);
  const char *(*lineinfo)(Dwfl_Line *, uint64_t *, int *, int *, uint64_t *, uint64_t *);
} dw;

enum { MODULES = 256, NAME = 512, SEGMENTS = 8 };

typedef struct module {
  char path[NAME];
  uint64_t base;
  int segment_count;
  struct {
    uint64_t first, end;
  } segments[SEGMENTS]; /* executable */
  bool reported;
  Dwfl_Module *debug;
} module;

struct fmlp_frame_finder {
  Dwfl *dwfl;
  int module_count;
  module modules[MODULES];
  char root[NAME]; /* what precedes the names of our own sources, with its last slash */
  char unnamed[NAME + 32];
};

/* Separate files of debugging information are not looked for: libdw would ask servers for them. */
static int find_nothing(Dwfl_Module *m, void **data, const char *name, uint64_t base, const char *file,
                        const char *link, uint32_t sum, char **found) {
  (void)m;
  (void)data;
  (void)name;
  (void)base;
  (void)file;
  (void)link;
  (void)sum;
  (void)found;
  return -1;
}

static void load_libdw(void) {
  if (dw.tried) return;
  dw.tried = true;
  void *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  const struct {
    const char *name;
    void *function;
  } wanted[] = {
      {"dwfl_begin", &dw.begin},
      {"dwfl_end", &dw.end},
      {"dwfl_report_begin_add", &dw.report_begin},
      {"dwfl_report_elf", &dw.report_elf},
      {"dwfl_report_end", &dw.report_end},
      {"dwfl_module_addrname", &dw.addrname},
      {"dwfl_module_getsrc", &dw.getsrc},
      {"dwfl_lineinfo", &dw.lineinfo},
  };
  dw.loaded = true;
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    void *found = dlsym(library, wanted[i].name);
    memcpy(wanted[i].function, &found, sizeof found);
    dw.loaded = dw.loaded && found;
  }
}

static int add_module(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  fmlp_frame_finder *finder = context;
  if (finder->module_count == MODULES) return 1;
  module *added = &finder->modules[finder->module_count];
  *added = (module){.base = info->dlpi_addr};
  const bool program = finder->module_count == 0; /* it comes first, without a name */
  (void)snprintf(added->path, sizeof added->path, "%s", program ? "/proc/self/exe" : info->dlpi_name);
  for (int i = 0; i < info->dlpi_phnum && added->segment_count < SEGMENTS; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
    const uint64_t first = info->dlpi_addr + header->p_vaddr;
    added->segments[added->segment_count].first = first;
    added->segments[added->segment_count++].end = first + header->p_memsz;
  }
  finder->module_count++;
  return 0;
}

static module *module_at(fmlp_frame_finder *finder, uint64_t address) {
  for (int m = 0; m < finder->module_count; m++)
    for (int s = 0; s < finder->modules[m].segment_count; s++)
      if (address >= finder->modules[m].segments[s].first && address < finder->modules[m].segments[s].end)
        return &finder->modules[m];
  return NULL;
}

/* What libdw knows of a module, read when an address in it is first asked for. */
static Dwfl_Module *debug_of(fmlp_frame_finder *finder, module *in) {
  if (in->reported || !finder->dwfl) return in->debug;
  in->reported = true;
  if (in->path[0] == '\0') return NULL;
  dw.report_begin(finder->dwfl);
  in->debug = dw.report_elf(finder->dwfl, in->path, in->path, -1, in->base, true);
  (void)dw.report_end(finder->dwfl, NULL, NULL);
  return in->debug;
}

static const char *line_of(Dwfl_Module *debug, uint64_t address, int *line) {
  Dwfl_Line *found = debug ? dw.getsrc(debug, address) : NULL;
  return found ? dw.lineinfo(found, NULL, line, NULL, NULL, NULL) : NULL;
}

/* Where our sources stand: what precedes this file's own name in its own line table. */
static void find_root(fmlp_frame_finder *finder) {
  static const char own_name[] = "prof/sources/sampler_frames.c";
  const uint64_t own = (uint64_t)(uintptr_t)&find_root;
  module *in = module_at(finder, own);
  int line = 0;
  const char *file = in ? line_of(debug_of(finder, in), own, &line) : NULL;
  const char *at = file ? strstr(file, own_name) : NULL;
  if (at && at[sizeof own_name - 1] == '\0' && (size_t)(at - file) < sizeof finder->root)
    (void)snprintf(finder->root, sizeof finder->root, "%.*s", (int)(at - file), file);
}

fmlp_frame_finder *fmlp_frames_open(void) {
  static const dwfl_callbacks callbacks = {.find_debuginfo = find_nothing};
  fmlp_frame_finder *finder = calloc(1, sizeof *finder);
  if (!finder) return NULL;
  (void)dl_iterate_phdr(add_module, finder);
  load_libdw();
  if (dw.loaded) finder->dwfl = dw.begin(&callbacks);
  find_root(finder);
  return finder;
}

void fmlp_frames_close(fmlp_frame_finder *finder) {
  if (!finder) return;
  if (finder->dwfl) dw.end(finder->dwfl);
  free(finder);
}

bool fmlp_frames_have_lines(const fmlp_frame_finder *finder) {
  return finder->dwfl != NULL;
}

bool fmlp_frames_find(fmlp_frame_finder *finder, uint64_t address, fmlp_frame_place *place) {
  module *in = module_at(finder, address);
  if (!in) return false;
  *place = (fmlp_frame_place){.address = address - in->base};
  Dwfl_Module *debug = debug_of(finder, in);
  if (debug) {
    place->function = dw.addrname(debug, address);
    place->file = line_of(debug, address, &place->line);
    const size_t root = strlen(finder->root);
    if (place->file && root > 0 && strncmp(place->file, finder->root, root) == 0) place->file += root;
  }
  Dl_info known;
  if (!place->function && dladdr((void *)(uintptr_t)address, &known) && known.dli_sname)
    place->function = known.dli_sname;
  if (!place->function) {
    const char *name = strrchr(in->path, '/');
    (void)snprintf(finder->unnamed, sizeof finder->unnamed, "%s+0x%llx",
                   in == &finder->modules[0] ? "program"
                   : name                    ? name + 1
                                             : "?",
                   (unsigned long long)place->address);
    place->function = finder->unnamed;
  }
  return true;
}
