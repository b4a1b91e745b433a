# Compiler options of every target, as the interface library fmlp_options. The floating-point flags are part of the
# numeric contract (docs/numerics.md): no contraction, no fast-math, 64-bit evaluation.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_FLAGS_RELEASE "-O3")
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g") # with assertions: the sanitizer builds use it
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# __FILE__ of spans: relative to the source, the same wherever it was built; also where a compiler cache passes paths
# relative to the build folder.
file(RELATIVE_PATH FMLP_SOURCE_FROM_BUILD "${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}/") # ends in a slash
add_library(fmlp_options INTERFACE)
target_compile_options(fmlp_options INTERFACE
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/= -fmacro-prefix-map=${FMLP_SOURCE_FROM_BUILD}=
  -ffp-contract=off -fno-omit-frame-pointer -fno-math-errno -g
  -Wall -Wextra -Wpedantic -Wshadow -Wwrite-strings -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>
  -Wundef -Wcast-qual -Wimplicit-fallthrough -Wformat=2)
# __int128 is used for exact sums and is not ISO C; it is always written __extension__ through core/int128.h.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(fmlp_options INTERFACE -Wno-format-truncation) # error lines may be cut; paths are checked
endif()
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  target_compile_options(fmlp_options INTERFACE -gdwarf-aranges) # what finds the lines of an address needs them
  target_compile_options(fmlp_options INTERFACE -Wno-pass-failed) # `omp simd` is a wish: not every loop at every level
endif()
if(FMLP_WERROR)
  target_compile_options(fmlp_options INTERFACE -Werror)
endif()
if(FMLP_FUZZ)
  target_compile_options(fmlp_options INTERFACE -fsanitize=fuzzer-no-link) # or the fuzzer would be blind
endif()
if(FMLP_SANITIZE)
  target_compile_options(fmlp_options INTERFACE -fsanitize=${FMLP_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(fmlp_options INTERFACE -fsanitize=${FMLP_SANITIZE})
endif()
