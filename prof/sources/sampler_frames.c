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

typedef struct Dwarf_CFI Dwarf_CFI;
typedef struct Dwarf_Frame Dwarf_Frame;

typedef struct dwarf_op {
  uint8_t atom;
  uint64_t number, number2, offset;
} dwarf_op;

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
  int (*getsymtab)(Dwfl_Module *);
  const char *(*getsym)(Dwfl_Module *, int, Elf64_Sym *, uint32_t *);
  Dwfl_Line *(*getsrc)(Dwfl_Module *, uint64_t);
  const char *(*lineinfo)(Dwfl_Line *, uint64_t *, int *, int *, uint64_t *, uint64_t *);
  const char *(*line_comp_dir)(Dwfl_Line *);
  Dwarf_CFI *(*eh_cfi)(Dwfl_Module *, uint64_t *);
  int (*addrframe)(Dwarf_CFI *, uint64_t, Dwarf_Frame **);
  int (*frame_cfa)(Dwarf_Frame *, dwarf_op **, size_t *);
} dw;

enum { MODULES = 256, NAME = 512, SEGMENTS = 8 };

typedef struct symbol {
  uint64_t first, end;
  const char *name;
} symbol;

typedef struct module {
  char path[NAME];
  uint64_t base;
  int segment_count;
  struct {
    uint64_t first, end;
  } segments[SEGMENTS]; /* executable */
  bool reported;
  Dwfl_Module *debug;
  symbol *symbols; /* functions by address: libdw itself would look through all for every address */
  int64_t symbol_count;
} module;

struct fmlp_frame_finder {
  Dwfl *dwfl;
  int module_count;
  module modules[MODULES];
  char root[NAME];  /* of our own sources, with its last slash; "" unknown */
  char build[NAME]; /* the folder they were compiled in, from the root; "" when it is outside */
  char file[NAME];  /* the last answer's */
  char *demangled;  /* likewise; NULL where the name is one of C */
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
      {"dwfl_module_getsymtab", &dw.getsymtab},
      {"dwfl_module_getsym", &dw.getsym},
      {"dwfl_module_getsrc", &dw.getsrc},
      {"dwfl_lineinfo", &dw.lineinfo},
      {"dwfl_line_comp_dir", &dw.line_comp_dir},
      {"dwfl_module_eh_cfi", &dw.eh_cfi},
      {"dwarf_cfi_addrframe", &dw.addrframe},
      {"dwarf_frame_cfa", &dw.frame_cfa},
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

static int compare_symbols(const void *a, const void *b) {
  const symbol *left = a, *right = b;
  if (left->first != right->first) return left->first < right->first ? -1 : 1;
  if (left->end != right->end) return left->end < right->end ? -1 : 1;
  return strcmp(left->name, right->name);
}

static void read_symbols(module *in) {
  const int count = in->debug ? dw.getsymtab(in->debug) : 0;
  in->symbols = count > 0 ? malloc((size_t)count * sizeof *in->symbols) : NULL;
  if (!in->symbols) return;
  for (int i = 0; i < count; i++) {
    Elf64_Sym found;
    const char *name = dw.getsym(in->debug, i, &found, NULL);
    const int type = ELF64_ST_TYPE(found.st_info);
    if (!name || !name[0] || found.st_shndx == SHN_UNDEF || found.st_value == 0) continue;
    if (type != STT_FUNC && type != STT_GNU_IFUNC) continue;
    in->symbols[in->symbol_count++] = (symbol){found.st_value, found.st_value + found.st_size, name};
  }
  qsort(in->symbols, (size_t)in->symbol_count, sizeof *in->symbols, compare_symbols);
}

/* NULL where no function is known. */
static const char *function_at(const module *in, uint64_t address) {
  int64_t first = 0, end = in->symbol_count;
  while (first < end) { /* the first that begins above */
    const int64_t middle = first + (end - first) / 2;
    if (in->symbols[middle].first <= address)
      first = middle + 1;
    else
      end = middle;
  }
  return first > 0 && address < in->symbols[first - 1].end ? in->symbols[first - 1].name : NULL;
}

/* What libdw knows of a module, read when an address in it is first asked for. */
static Dwfl_Module *debug_of(fmlp_frame_finder *finder, module *in) {
  if (in->reported || !finder->dwfl) return in->debug;
  in->reported = true;
  if (in->path[0] == '\0') return NULL;
  dw.report_begin(finder->dwfl);
  in->debug = dw.report_elf(finder->dwfl, in->path, in->path, -1, in->base, true);
  (void)dw.report_end(finder->dwfl, NULL, NULL);
  read_symbols(in);
  return in->debug;
}

/* "/a/b/../c" is "/a/c": by its letters, as the file may not be here. "" when it is too long. */
static void plain_path(const char *path, char out[NAME]) {
  size_t length = 0;
  while (*path) {
    const size_t part = strcspn(path, "/"), whole = part + (path[part] == '/');
    if (part == 2 && path[0] == '.' && path[1] == '.' && length > 1) {
      length--; /* its slash */
      while (length > 0 && out[length - 1] != '/') length--;
    } else if (!(part == 1 && path[0] == '.')) {
      if (length + whole >= NAME) break;
      memcpy(out + length, path, whole);
      length += whole;
    }
    path += whole;
  }
  out[*path ? 0 : length] = '\0';
}

static Dwfl_Line *line_of(Dwfl_Module *debug, uint64_t address, char file[NAME], int *line) {
  Dwfl_Line *found = debug ? dw.getsrc(debug, address) : NULL;
  const char *name = found ? dw.lineinfo(found, NULL, line, NULL, NULL, NULL) : NULL;
  file[0] = '\0';
  const char *folder = name && name[0] != '/' ? dw.line_comp_dir(found) : NULL;
  char path[2 * NAME];
  (void)snprintf(path, sizeof path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name ? name : "");
  plain_path(path, file);
  return found;
}

/* Where our sources stand: what precedes this file's own name in its own line table. */
static void find_root(fmlp_frame_finder *finder) {
  static const char own_name[] = "prof/sources/sampler_frames.c";
  const uint64_t own = (uint64_t)(uintptr_t)&find_root;
  module *in = module_at(finder, own);
  int line = 0;
  Dwfl_Line *found = in ? line_of(debug_of(finder, in), own, finder->file, &line) : NULL;
  char *at = found ? strstr(finder->file, own_name) : NULL;
  if (!at || at[sizeof own_name - 1] != '\0') return;
  *at = '\0';
  memcpy(finder->root, finder->file, sizeof finder->root);
  const char *build = dw.line_comp_dir(found);
  const size_t root = strlen(finder->root);
  if (build && strncmp(build, finder->root, root) == 0)
    (void)snprintf(finder->build, sizeof finder->build, "%s", build + root);
}

/* A source of ours is named from the root. An object of a compiler cache may name the root of another copy of
 * the sources, with the same build folder in it. */
static const char *name_of(const fmlp_frame_finder *finder, const char *file, Dwfl_Line *line) {
  size_t root = strlen(finder->root);
  if (root > 0 && strncmp(file, finder->root, root) == 0) return file + root;
  const char *build = dw.line_comp_dir(line);
  const size_t inner = strlen(finder->build), whole = build ? strlen(build) : 0;
  if (inner == 0 || whole <= inner || strcmp(build + whole - inner, finder->build) != 0) return file;
  root = whole - inner;
  return strncmp(file, build, root) == 0 ? file + root : file;
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
  for (int m = 0; m < finder->module_count; m++) free(finder->modules[m].symbols);
  free(finder->demangled);
  free(finder);
}

bool fmlp_frames_have_lines(const fmlp_frame_finder *finder) {
  return finder->dwfl != NULL;
}

/* Names of C++ as its runtime writes them, where a library has brought that along. */
static const char *readable_name(fmlp_frame_finder *finder, const char *name) {
  typedef char *(*demangle_function)(const char *, char *, size_t *, int *);
  if (name[0] != '_' || name[1] != 'Z') return name;
  demangle_function demangle = NULL;
  void *found = dlsym(RTLD_DEFAULT, "__cxa_demangle");
  memcpy(&demangle, &found, sizeof found);
  int status = -1;
  free(finder->demangled);
  finder->demangled = demangle ? demangle(name, NULL, NULL, &status) : NULL;
  return finder->demangled && status == 0 ? finder->demangled : name;
}

bool fmlp_frames_find(fmlp_frame_finder *finder, uint64_t address, fmlp_frame_place *place) {
  module *in = module_at(finder, address);
  if (!in) return false;
  *place = (fmlp_frame_place){.address = address - in->base};
  Dwfl_Module *debug = debug_of(finder, in);
  if (debug) {
    place->function = function_at(in, address);
    Dwfl_Line *line = line_of(debug, address, finder->file, &place->line);
    if (line && finder->file[0]) place->file = name_of(finder, finder->file, line);
  }
  Dl_info known;
  if (!place->function && dladdr((void *)(uintptr_t)address, &known) && known.dli_sname)
    place->function = known.dli_sname;
  if (place->function) place->function = readable_name(finder, place->function);
  const char *name = strrchr(in->path, '/');
  if (!place->function) place->function = in == &finder->modules[0] ? "program" : name ? name + 1 : "?";
  return true;
}

int64_t fmlp_frames_caller(fmlp_frame_finder *finder, uint64_t address) {
#if defined(__x86_64__)
  enum { REGISTER_PLUS_OFFSET = 0x92 /* DW_OP_bregx */, STACK_POINTER = 7, RETURN_ADDRESS = 8 };
  module *in = module_at(finder, address);
  Dwfl_Module *debug = in && in != &finder->modules[0] ? debug_of(finder, in) : NULL;
  uint64_t bias = 0;
  Dwarf_CFI *tables = debug ? dw.eh_cfi(debug, &bias) : NULL;
  Dwarf_Frame *frame = NULL;
  if (!tables || dw.addrframe(tables, address - bias, &frame) != 0) return -1;
  dwarf_op *operations = NULL;
  size_t count = 0;
  int64_t offset = -1;
  if (dw.frame_cfa(frame, &operations, &count) == 0 && count == 1 &&
      operations[0].atom == REGISTER_PLUS_OFFSET && operations[0].number == STACK_POINTER)
    offset = (int64_t)operations[0].number2 - RETURN_ADDRESS;
  free(frame);
  return offset;
#else
  (void)finder;
  (void)address;
  return -1;
#endif
}
