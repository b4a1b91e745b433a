/* The functions of libdw, by name. */
#define _GNU_SOURCE
#include "prof/sources/sampler_libdw.h"

#include <dlfcn.h>
#include <string.h>

static fmlp_libdw dw;

const fmlp_libdw *fmlp_libdw_load(void) {
  if (dw.tried) return dw.loaded ? &dw : NULL;
  dw.tried = true;
  void *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return NULL;
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
      {"dwfl_module_addrdie", &dw.addrdie},
      {"dwfl_module_getdwarf", &dw.getdwarf},
      {"dwarf_getscopes", &dw.getscopes},
      {"dwarf_getscopes_die", &dw.getscopes_die},
      {"dwarf_dieoffset", &dw.dieoffset},
      {"dwarf_offdie", &dw.offdie},
      {"dwarf_tag", &dw.tag},
      {"dwarf_diename", &dw.diename},
      {"dwarf_attr", &dw.attr},
      {"dwarf_formudata", &dw.formudata},
      {"dwarf_getsrcfiles", &dw.getsrcfiles},
      {"dwarf_filesrc", &dw.filesrc},
  };
  dw.loaded = true;
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    void *found = dlsym(library, wanted[i].name);
    memcpy(wanted[i].function, &found, sizeof found);
    dw.loaded = dw.loaded && found;
  }
  return dw.loaded ? &dw : NULL;
}
