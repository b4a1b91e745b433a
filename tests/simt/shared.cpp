/* The uncommon cases of shared.h: what an access that follows one of another thread means. */
#include "tests/simt/machine.h"

#include <stdlib.h>

fmlp_simt_memory fmlp_simt_shared;

namespace {

fmlp_simt_memory &now = fmlp_simt_shared;
int64_t capacity;

unsigned thread_of(uint16_t who) {
  return who & FMLP_SIMT_THREAD;
}

bool same_warp(unsigned thread) {
  return (thread ^ now.thread) < 32;
}

/* Whether an access of another thread at tick `when` comes before what this thread does now. */
bool before(unsigned thread, uint32_t when) {
  if (when < now.barrier) return true;
  return same_warp(thread) && (when < now.floor || fmlp_simt_lane_before(thread % 32, when));
}

[[noreturn]] void race(int64_t offset, int64_t size, const char *earlier, unsigned thread, int earlier_line,
                       const char *later, int line) {
  fmlp_simt_found(
      "race in shared memory, %lld bytes at %lld: %s by thread %u (line %d), %s here (line %d), no "
      "barrier between",
      (long long)size, (long long)offset, earlier, thread, earlier_line, later, line);
}

/* The last write must come before this access, or be atomic as this one is. */
void after_writes(const fmlp_simt_cell *cell, int64_t offset, int64_t size, const char *doing, bool atomic,
                  int line) {
  if (cell->written < now.barrier) return;
  const unsigned writer = thread_of(cell->writer);
  const bool was_atomic = cell->writer & FMLP_SIMT_ATOMIC;
  if (was_atomic && atomic) return;
  bool safe = writer == now.thread || before(writer, cell->written);
  if (cell->writer & FMLP_SIMT_SEVERAL_WARPS) safe = false;
  if (cell->writer & FMLP_SIMT_SEVERAL_LANES) safe = safe && same_warp(writer) && cell->written < now.floor;
  if (!safe) {
    race(offset, size, was_atomic ? "changed by an atomic" : "written", writer, cell->write_line, doing,
         line);
  }
}

/* All reads must come before this write. */
void after_reads(const fmlp_simt_cell *cell, int64_t offset, int64_t size, const char *doing, int line) {
  if (cell->read < now.barrier) return;
  unsigned reader = thread_of(cell->reader);
  int reader_line = cell->read_line;
  if (cell->reader & FMLP_SIMT_SEVERAL_WARPS) {
    if (same_warp(reader)) reader = cell->others & 0xffff, reader_line = (int)(cell->others >> 16);
    race(offset, size, "read", reader, reader_line, doing, line);
  }
  for (unsigned lane = 0; lane < 32; lane++) {
    const unsigned other = reader / 32 * 32 + lane;
    if (!(cell->others >> lane & 1) || other == now.thread || before(other, cell->read)) continue;
    race(offset, size, "read", other, reader_line, doing, line);
  }
}

void note_reader(fmlp_simt_cell *cell, int line) {
  if (cell->read < now.barrier || (same_warp(cell->reader) && cell->read < now.floor)) {
    cell->read = now.clock;
    cell->others = now.lane_bit;
    cell->reader = now.thread;
    cell->read_line = (uint16_t)line;
  } else if (same_warp(cell->reader)) {
    cell->others |= now.lane_bit;
  } else if (!(cell->reader & FMLP_SIMT_SEVERAL_WARPS)) {
    cell->reader |= FMLP_SIMT_SEVERAL_WARPS;
    cell->others = (uint32_t)now.thread | (uint32_t)(uint16_t)line << 16;
  }
}

/* Elements of another class of size may have written these bytes. */
bool written_otherwise(const fmlp_simt_cell *cell) {
  if (cell >= now.words && cell < now.words + capacity / 4) {
    const fmlp_simt_cell *part = now.parts + (cell - now.words) * 4;
    for (int i = 0; i < 4; i++) {
      if (part[i].written < now.began) return false;
    }
    return true;
  }
  return now.words[(cell - now.parts) / 4].written >= now.began;
}

void must_be_written(const fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  if (cell->written >= now.began || written_otherwise(cell)) return;
  fmlp_simt_found("shared memory, %lld bytes at %lld: read before it was written (line %d)", (long long)size,
                  (long long)offset, line);
}

} // namespace

void fmlp_simt_check_read(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  must_be_written(cell, offset, size, line);
  after_writes(cell, offset, size, "read", false, line);
  note_reader(cell, line);
}

void fmlp_simt_check_write(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  after_writes(cell, offset, size, "written", false, line);
  after_reads(cell, offset, size, "written", line);
  cell->written = now.clock;
  cell->writer = now.thread;
  cell->write_line = (uint16_t)line;
}

void fmlp_simt_check_atomic(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  must_be_written(cell, offset, size, line);
  after_writes(cell, offset, size, "changed by an atomic", true, line);
  after_reads(cell, offset, size, "changed by an atomic", line);
  if (cell->writer == now.thread && cell->written >= now.floor) return; /* its plain write still counts */
  uint16_t flags = FMLP_SIMT_ATOMIC;
  if (cell->written >= now.barrier && (cell->writer & FMLP_SIMT_ATOMIC)) {
    const unsigned writer = thread_of(cell->writer);
    flags |= cell->writer & FMLP_SIMT_SEVERAL_WARPS;
    if (!same_warp(writer)) {
      flags |= FMLP_SIMT_SEVERAL_WARPS;
    } else if (cell->written >= now.floor) {
      flags |= cell->writer & FMLP_SIMT_SEVERAL_LANES;
      if (writer != now.thread && !before(writer, cell->written)) flags |= FMLP_SIMT_SEVERAL_LANES;
    }
  }
  cell->written = now.clock;
  cell->writer = (uint16_t)(now.thread | flags);
  cell->write_line = (uint16_t)line;
}

void fmlp_simt_shared_outside(int64_t index, int64_t count, int line) {
  fmlp_simt_found("shared memory: element %lld of %lld (line %d)", (long long)index, (long long)count, line);
}

bool fmlp_simt_shared_prepare(int64_t size, bool checked) {
  now.size = size;
  now.checked = checked;
  if (size <= capacity) return true;
  const int64_t rounded = (size + 4095) / 4096 * 4096;
  free(now.bytes);
  free(now.words);
  free(now.parts);
  now.bytes = (unsigned char *)malloc((size_t)rounded);
  now.words = (fmlp_simt_cell *)calloc((size_t)rounded / 4, sizeof *now.words);
  now.parts = (fmlp_simt_cell *)calloc((size_t)rounded, sizeof *now.parts); /* untouched pages cost nothing */
  capacity = now.bytes && now.words && now.parts ? rounded : 0;
  return capacity > 0;
}

void fmlp_simt_shared_begin(uint32_t tick) {
  now.began = tick;
  if (now.size > 0 && !now.checked) memset(now.bytes, 0xd2, (size_t)now.size);
  /* Once in weeks the ticks begin again, and no cell may seem to be of the future. */
  if (tick == 1 && capacity > 0) {
    memset(now.words, 0, (size_t)capacity / 4 * sizeof *now.words);
    memset(now.parts, 0, (size_t)capacity * sizeof *now.parts);
  }
}
