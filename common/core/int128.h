/* 128-bit integers for exact value sums: an extension of gcc, clang and nvcc, spelled so that -Wpedantic
 * accepts it. */
#ifndef FMLP_COMMON_CORE_INT128_H
#define FMLP_COMMON_CORE_INT128_H

__extension__ typedef __int128 fmlp_int128;
__extension__ typedef unsigned __int128 fmlp_uint128;

#endif
