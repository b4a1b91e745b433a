/* An NVTX tool for the tests: writes every call in the domains of a program to the file NVTX_RECORD, a line
 * each; without that variable it refuses to attach.
 *
 *   thread push DOMAIN CATEGORY MESSAGE PAYLOAD DEPTH
 *   thread pop DOMAIN DEPTH */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NVTX_NO_IMPL
#include <nvtx3/nvToolsExt.h>
#include <stdbool.h>

enum { DOMAINS = 16, STRINGS = 4096, CATEGORIES = 16, NAME = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static char domains[DOMAINS][NAME], strings[STRINGS][NAME], categories[CATEGORIES][NAME];
static int domain_count, string_count;
/* initial-exec: leak checkers trip over the dynamic storage of libraries loaded late */
static _Thread_local int depth __attribute__((tls_model("initial-exec")));

static const char *domain_name(nvtxDomainHandle_t domain) {
  return domain ? (const char *)domain : "-";
}

static nvtxDomainHandle_t NVTX_API create_domain(const char *name) {
  (void)pthread_mutex_lock(&lock);
  char *own = domains[domain_count++ % DOMAINS];
  (void)snprintf(own, NAME, "%s", name);
  (void)pthread_mutex_unlock(&lock);
  return (nvtxDomainHandle_t)(void *)own;
}

static nvtxStringHandle_t NVTX_API register_string(nvtxDomainHandle_t domain, const char *text) {
  (void)domain;
  (void)pthread_mutex_lock(&lock);
  char *own = strings[string_count++ % STRINGS];
  (void)snprintf(own, NAME, "%s", text);
  (void)fprintf(out, "%ld string %s %s\n", syscall(SYS_gettid), domain_name(domain), text);
  (void)pthread_mutex_unlock(&lock);
  return (nvtxStringHandle_t)(void *)own;
}

static void NVTX_API name_category(nvtxDomainHandle_t domain, uint32_t number, const char *name) {
  (void)domain;
  (void)snprintf(categories[number % CATEGORIES], NAME, "%s", name);
}

static int NVTX_API push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t *range) {
  (void)pthread_mutex_lock(&lock);
  const bool known = range->messageType == NVTX_MESSAGE_TYPE_REGISTERED;
  const char *message = known ? (const char *)range->message.registered
                        : range->messageType == NVTX_MESSAGE_TYPE_ASCII ? range->message.ascii
                                                                        : "-";
  (void)fprintf(out, "%ld push %s %s %s ", syscall(SYS_gettid), domain_name(domain),
                categories[range->category % CATEGORIES], message);
  if (range->payloadType == NVTX_PAYLOAD_TYPE_INT64)
    (void)fprintf(out, "%" PRId64, range->payload.llValue);
  else
    (void)fputc('-', out);
  (void)fprintf(out, " %d\n", depth);
  (void)pthread_mutex_unlock(&lock);
  return depth++;
}

static int NVTX_API pop(nvtxDomainHandle_t domain) {
  depth--;
  (void)pthread_mutex_lock(&lock);
  (void)fprintf(out, "%ld pop %s %d\n", syscall(SYS_gettid), domain_name(domain), depth);
  (void)pthread_mutex_unlock(&lock);
  return depth;
}

static void finish(void) {
  (void)fflush(out);
}

__attribute__((visibility("default"))) int NVTX_API InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get);

int NVTX_API InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get) {
  const char *path = getenv("NVTX_RECORD");
  out = path ? fopen(path, "w") : NULL;
  if (!out) return 0;
  const NvtxExportTableCallbacks *callbacks = get(NVTX_ETID_CALLBACKS);
  NvtxFunctionTable table = NULL;
  unsigned int size = 0;
  if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size)) return 0;
  if (size <= NVTX_CBID_CORE2_DomainCreateA) return 0;
  *table[NVTX_CBID_CORE2_DomainRangePushEx] = (NvtxFunctionPointer)push;
  *table[NVTX_CBID_CORE2_DomainRangePop] = (NvtxFunctionPointer)pop;
  *table[NVTX_CBID_CORE2_DomainNameCategoryA] = (NvtxFunctionPointer)name_category;
  *table[NVTX_CBID_CORE2_DomainRegisterStringA] = (NvtxFunctionPointer)register_string;
  *table[NVTX_CBID_CORE2_DomainCreateA] = (NvtxFunctionPointer)create_domain;
  (void)atexit(finish);
  return 1;
}
