/* Modules of this process, and libdw's view of them. libdw is loaded by name, so that programs run without
 * it; its interface is stable since elfutils 0.122 and declared here as far as it is used. */
#define _GNU_SOURCE
#include "prof/sources/sampler_frames.h"

#include "prof/sources/sampler_libdw.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fmlp_libdw *dw;

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
  char files[FMLP_FRAME_INLINES][NAME]; /* the last answer's */
  char *demangled;                      /* likewise; NULL where the name is one of C */
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
  const int count = in->debug ? dw->getsymtab(in->debug) : 0;
  in->symbols = count > 0 ? malloc((size_t)count * sizeof *in->symbols) : NULL;
  if (!in->symbols) return;
  for (int i = 0; i < count; i++) {
    Elf64_Sym found;
    const char *name = dw->getsym(in->debug, i, &found, NULL);
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
  dw->report_begin(finder->dwfl);
  in->debug = dw->report_elf(finder->dwfl, in->path, in->path, -1, in->base, true);
  (void)dw->report_end(finder->dwfl, NULL, NULL);
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

/* `name` as a line table has it: perhaps relative to the folder of compilation. */
static void whole_path(const char *name, Dwfl_Line *line, char file[NAME]) {
  const char *folder = name && name[0] != '/' ? dw->line_comp_dir(line) : NULL;
  char path[2 * NAME];
  (void)snprintf(path, sizeof path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name ? name : "");
  plain_path(path, file);
}

static Dwfl_Line *line_of(Dwfl_Module *debug, uint64_t address, char file[NAME], int *line) {
  Dwfl_Line *found = debug ? dw->getsrc(debug, address) : NULL;
  file[0] = '\0';
  if (found) whole_path(dw->lineinfo(found, NULL, line, NULL, NULL, NULL), found, file);
  return found;
}

/* Where our sources stand: what precedes this file's own name in its own line table. */
static void find_root(fmlp_frame_finder *finder) {
  static const char own_name[] = "prof/sources/sampler_frames.c";
  const uint64_t own = (uint64_t)(uintptr_t)&find_root;
  module *in = module_at(finder, own);
  int line = 0;
  Dwfl_Line *found = in ? line_of(debug_of(finder, in), own, finder->files[0], &line) : NULL;
  char *at = found ? strstr(finder->files[0], own_name) : NULL;
  if (!at || at[sizeof own_name - 1] != '\0') return;
  *at = '\0';
  memcpy(finder->root, finder->files[0], sizeof finder->root);
  const char *build = dw->line_comp_dir(found);
  const size_t root = strlen(finder->root);
  if (build && strncmp(build, finder->root, root) == 0)
    (void)snprintf(finder->build, sizeof finder->build, "%s", build + root);
}

/* A source of ours is named from the root. An object of a compiler cache may name the root of another copy of
 * the sources, with the same build folder in it. */
static const char *name_of(const fmlp_frame_finder *finder, const char *file, Dwfl_Line *line) {
  size_t root = strlen(finder->root);
  if (root > 0 && strncmp(file, finder->root, root) == 0) return file + root;
  const char *build = dw->line_comp_dir(line);
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
  dw = fmlp_libdw_load();
  if (dw) finder->dwfl = dw->begin(&callbacks);
  find_root(finder);
  return finder;
}

void fmlp_frames_close(fmlp_frame_finder *finder) {
  if (!finder) return;
  if (finder->dwfl) dw->end(finder->dwfl);
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

static uint64_t number_of(dwarf_die *die, unsigned name) {
  dwarf_attribute attribute;
  uint64_t value = 0;
  return dw->attr(die, name, &attribute) && dw->formudata(&attribute, &value) == 0 ? value : 0;
}

/* The innermost scope at `address` and those around it, as they stand in the function's own code; free it. */
static int scopes_at(Dwfl_Module *debug, dwarf_die *unit, uint64_t address, dwarf_die **scopes) {
  uint64_t bias = 0;
  dwarf_die innermost;
  *scopes = NULL;
  int count =
      dw->getscopes(unit, address, scopes); /* beyond an inlined function it goes on where that stands */
  Dwarf *whole = count > 0 ? dw->getdwarf(debug, &bias) : NULL;
  const bool found = whole && dw->offdie(whole, dw->dieoffset(&(*scopes)[0]), &innermost);
  free(*scopes);
  *scopes = NULL;
  return found ? dw->getscopes_die(&innermost, scopes) : 0;
}

/* Functions that were made part of the one at `address`: places[0] has its line already, and gets the name of
 * the innermost; those after it where it was called, and so on. The last has no name yet. Gives their
 * number, at least 1. */
static int32_t find_inlined(fmlp_frame_finder *finder, Dwfl_Module *debug, uint64_t address, Dwfl_Line *line,
                            fmlp_frame_place places[FMLP_FRAME_INLINES]) {
  enum { INLINED = 0x1d, CALL_FILE = 0x58, CALL_LINE = 0x59 }; /* DW_TAG_, DW_AT_ */
  uint64_t bias = 0;
  Dwarf_Files *files = NULL;
  dwarf_die *scopes = NULL;
  dwarf_die *unit = dw->addrdie(debug, address, &bias);
  if (!unit || dw->getsrcfiles(unit, &files, NULL) != 0) return 1;
  const int count = scopes_at(debug, unit, address - bias, &scopes);
  int32_t depth = 0;
  for (int i = 0; i < count && depth + 1 < FMLP_FRAME_INLINES; i++) {
    if (dw->tag(&scopes[i]) != INLINED) continue;
    const char *name = dw->diename(&scopes[i]);
    const char *file = dw->filesrc(files, number_of(&scopes[i], CALL_FILE), NULL, NULL);
    if (!name || !file) break;
    places[depth++].function = name;
    whole_path(file, line, finder->files[depth]);
    places[depth] = (fmlp_frame_place){.file = name_of(finder, finder->files[depth], line),
                                       .line = (int)number_of(&scopes[i], CALL_LINE),
                                       .address = places[0].address};
  }
  free(scopes);
  return depth + 1;
}

int32_t fmlp_frames_find(fmlp_frame_finder *finder, uint64_t address,
                         fmlp_frame_place places[FMLP_FRAME_INLINES]) {
  module *in = module_at(finder, address);
  if (!in) return 0;
  const char *function = NULL;
  int32_t count = 1;
  places[0] = (fmlp_frame_place){.address = address - in->base};
  Dwfl_Module *debug = debug_of(finder, in);
  if (debug) {
    function = function_at(in, address);
    Dwfl_Line *line = line_of(debug, address, finder->files[0], &places[0].line);
    if (line && finder->files[0][0]) places[0].file = name_of(finder, finder->files[0], line);
    if (line && in == &finder->modules[0]) count = find_inlined(finder, debug, address, line, places);
  }
  Dl_info known;
  if (!function && dladdr((void *)(uintptr_t)address, &known)) function = known.dli_sname;
  if (function) function = readable_name(finder, function);
  const char *name = strrchr(in->path, '/');
  if (!function) function = in == &finder->modules[0] ? "program" : name ? name + 1 : "?";
  places[count - 1].function = function;
  return count;
}

int64_t fmlp_frames_caller(fmlp_frame_finder *finder, uint64_t address) {
#if defined(__x86_64__)
  enum { REGISTER_PLUS_OFFSET = 0x92 /* DW_OP_bregx */, STACK_POINTER = 7, RETURN_ADDRESS = 8 };
  module *in = module_at(finder, address);
  Dwfl_Module *debug = in && in != &finder->modules[0] ? debug_of(finder, in) : NULL;
  uint64_t bias = 0;
  Dwarf_CFI *tables = debug ? dw->eh_cfi(debug, &bias) : NULL;
  Dwarf_Frame *frame = NULL;
  if (!tables || dw->addrframe(tables, address - bias, &frame) != 0) return -1;
  dwarf_op *operations = NULL;
  size_t count = 0;
  int64_t offset = -1;
  if (dw->frame_cfa(frame, &operations, &count) == 0 && count == 1 &&
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
