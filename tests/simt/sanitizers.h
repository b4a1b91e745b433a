/* Which sanitizers this is built with, the same words for gcc and clang. */
#ifndef FMLP_TESTS_SIMT_SANITIZERS_H
#define FMLP_TESTS_SIMT_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__)
#define FMLP_SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FMLP_SIMT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FMLP_SIMT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FMLP_SIMT_TSAN 1
#endif
#endif

#endif
