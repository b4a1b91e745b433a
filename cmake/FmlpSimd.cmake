# One source, several instruction sets, chosen at run time.
#
#   fmlp_simd_source(TARGET FILE)
#
# compiles FILE once per level with FMLP_SIMD_SUFFIX set to baseline, v3 (AVX2) or v4 (AVX-512); the source names its
# entry points through FMLP_SIMD_NAME(name) (common/core/simd.h), and the caller picks with FMLP_SIMD_SELECT(name).
# Vectorised or not, the operations and their order are the same, and so are the bits.
set(FMLP_SIMD_FLAGS_baseline "")
set(FMLP_SIMD_FLAGS_v3 -march=x86-64-v3 -mtune=generic)
set(FMLP_SIMD_FLAGS_v4 -march=x86-64-v4 -mtune=generic -mprefer-vector-width=512)

function(fmlp_simd_source target file)
  cmake_path(GET file STEM stem)
  set(levels baseline)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND levels v3 v4)
  endif()
  foreach(level IN LISTS levels)
    set(object fmlp_${stem}_${level})
    add_library(${object} OBJECT ${file})
    target_include_directories(${object} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${object} PRIVATE fmlp_options fmlp_libraries)
    target_compile_definitions(${object} PRIVATE FMLP_SIMD_SUFFIX=${level})
    target_compile_options(${object} PRIVATE ${FMLP_SIMD_FLAGS_${level}})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
endfunction()
