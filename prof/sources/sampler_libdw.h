/* libdw (elfutils), loaded by name when lines are first asked for, so that programs run without it. Its
 * interface is stable since elfutils 0.122 and declared here as far as it is used. */
#ifndef FMLP_PROF_SOURCES_SAMPLER_LIBDW_H
#define FMLP_PROF_SOURCES_SAMPLER_LIBDW_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Dwfl Dwfl;
typedef struct Dwfl_Module Dwfl_Module;
typedef struct Dwfl_Line Dwfl_Line;

typedef struct Dwarf_CFI Dwarf_CFI;
typedef struct Dwarf_Frame Dwarf_Frame;

typedef struct Dwarf Dwarf;
typedef struct Dwarf_Files Dwarf_Files;

/* As libdw.h has them: filled in by libdw, passed back to it. */
typedef struct dwarf_die {
  void *address;
  void *unit;
  void *abbreviation;
  long padding;
} dwarf_die;

typedef struct dwarf_attribute {
  unsigned code, form;
  unsigned char *value;
  void *unit;
} dwarf_attribute;

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

typedef struct fmlp_libdw {
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
  dwarf_die *(*addrdie)(Dwfl_Module *, uint64_t, uint64_t *);
  Dwarf *(*getdwarf)(Dwfl_Module *, uint64_t *);
  int (*getscopes)(dwarf_die *, uint64_t, dwarf_die **);
  int (*getscopes_die)(dwarf_die *, dwarf_die **);
  uint64_t (*dieoffset)(dwarf_die *);
  dwarf_die *(*offdie)(Dwarf *, uint64_t, dwarf_die *);
  int (*tag)(dwarf_die *);
  const char *(*diename)(dwarf_die *);
  dwarf_attribute *(*attr)(dwarf_die *, unsigned, dwarf_attribute *);
  int (*formudata)(dwarf_attribute *, uint64_t *);
  int (*getsrcfiles)(dwarf_die *, Dwarf_Files **, size_t *);
  const char *(*filesrc)(Dwarf_Files *, size_t, uint64_t *, uint64_t *);
} fmlp_libdw;

/* NULL where it is not on this machine. */
const fmlp_libdw *fmlp_libdw_load(void);

#endif
