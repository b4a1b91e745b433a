/* Spans as NVTX ranges, by the C headers of NVTX 3: nothing to link, a tool's functions are found at run
 * time. */
#define _POSIX_C_SOURCE 200809L
#include "prof/sources/nvtx.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/listener.h"

static const char *const category_names[FMLP_NVTX_CATEGORIES] = {
    [FMLP_NVTX_STAGE] = "stage",
    [FMLP_NVTX_STEP] = "step",
    [FMLP_NVTX_KERNEL] = "kernel",
    [FMLP_NVTX_IO] = "io",
};

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

fmlp_nvtx_category fmlp_nvtx_category_of(const fmlp_span_site *site) {
  static const char *const io_words[] = {"import", "export", "write", "download", "upload"};
  if (starts_with(site->file, "cpu/") || starts_with(site->file, "cuda/")) return FMLP_NVTX_KERNEL;
  const char *last = strrchr(site->name, '.');
  if (!last) return FMLP_NVTX_STAGE;
  if (starts_with(site->name, "read.")) return FMLP_NVTX_IO;
  for (size_t i = 0; i < sizeof io_words / sizeof io_words[0]; i++)
    if (strcmp(last + 1, io_words[i]) == 0) return FMLP_NVTX_IO;
  return FMLP_NVTX_STEP;
}

#if FMLP_HAVE_NVTX
#include <nvtx3/nvToolsExt.h>

enum { SITES = 1024 }; /* a power of two; spans of further sites are named by their text alone */

/* The strings registered so far, by site. A name is stored after its site, both once. */
static struct {
  const fmlp_span_site *site;
  nvtxStringHandle_t name;
} registered[SITES];

static pthread_once_t attach_once = PTHREAD_ONCE_INIT;
static nvtxDomainHandle_t domain; /* NULL: no tool */

static nvtxStringHandle_t registered_name(const fmlp_span_site *site) {
  const uint64_t hash = (uint64_t)(uintptr_t)site * UINT64_C(0x9e3779b97f4a7c15) >> 32;
  for (uint64_t probe = 0; probe < SITES; probe++) {
    const uint64_t at = (hash + probe) % SITES;
    const fmlp_span_site *found = __atomic_load_n(&registered[at].site, __ATOMIC_ACQUIRE);
    if (!found && __atomic_compare_exchange_n(&registered[at].site, &found, site, 0, __ATOMIC_ACQ_REL,
                                              __ATOMIC_ACQUIRE)) {
      const nvtxStringHandle_t name = nvtxDomainRegisterStringA(domain, site->name);
      __atomic_store_n(&registered[at].name, name, __ATOMIC_RELEASE);
      return name;
    }
    if (found == site) return __atomic_load_n(&registered[at].name, __ATOMIC_ACQUIRE);
  }
  return NULL;
}

static void begin(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  (void)place;
  nvtxEventAttributes_t range;
  memset(&range, 0, sizeof range);
  range.version = NVTX_VERSION;
  range.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  range.category = (uint32_t)fmlp_nvtx_category_of(site);
  if (bytes > 0) {
    range.payloadType = NVTX_PAYLOAD_TYPE_INT64;
    range.payload.llValue = bytes;
  }
  const nvtxStringHandle_t name = registered_name(site);
  if (name) {
    range.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    range.message.registered = name;
  } else { /* no room, or another thread is registering it */
    range.messageType = NVTX_MESSAGE_TYPE_ASCII;
    range.message.ascii = site->name;
  }
  (void)nvtxDomainRangePushEx(domain, &range);
}

static void end(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  (void)site;
  (void)bytes;
  (void)place;
  (void)nvtxDomainRangePop(domain);
}

static void attach(void) {
  static const fmlp_span_listener listener = {begin, end};
  domain = nvtxDomainCreateA("fmlp"); /* the first call lets the tool in; NULL without one */
  if (!domain) return;
  for (uint32_t category = FMLP_NVTX_STAGE; category < FMLP_NVTX_CATEGORIES; category++)
    nvtxDomainNameCategoryA(domain, category, category_names[category]);
  fmlp_span_listen(&listener);
}

bool fmlp_nvtx_attach(void) {
  (void)pthread_once(&attach_once, attach);
  return domain != NULL;
}

void fmlp_nvtx_describe(char *text, int64_t capacity) {
  const char *library = getenv("NVTX_INJECTION64_PATH");
  if (fmlp_nvtx_attach())
    (void)snprintf(text, (size_t)capacity, "a tool is attached");
  else if (library)
    (void)snprintf(text, (size_t)capacity, "no tool is attached: NVTX_INJECTION64_PATH=%s is refused",
                   library);
  else
    (void)snprintf(text, (size_t)capacity, "no tool is attached");
}

#else

bool fmlp_nvtx_attach(void) {
  return false;
}

void fmlp_nvtx_describe(char *text, int64_t capacity) {
  (void)category_names;
  (void)snprintf(text, (size_t)capacity, "this build is without it (nvtx3/nvToolsExt.h was not found)");
}

#endif

static void start(const fmlp_capture_options *options) {
  (void)options;
  (void)fmlp_nvtx_attach();
}

static void stop(fmlp_capture *capture, const fmlp_capture_places *places) {
  (void)capture;
  (void)places;
}

const fmlp_capture_source fmlp_nvtx_source = {.name = "nvtx", .start = start, .stop = stop};
