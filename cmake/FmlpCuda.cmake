# CUDA: finds the toolkit and says once what became of it. Sets FMLP_HAVE_CUDA and offers
#
#   fmlp_cuda_sources(TARGET FILE.cu...)      device code for every architecture of FMLP_CUDA_ARCHITECTURES
#
# The program stays a C program: device code is compiled without exceptions and run-time types, the CUDA runtime is
# linked statically, and no executable gains the C++ library by it.
set(FMLP_CUDA AUTO CACHE STRING "Build the backend cuda: AUTO (where there is a toolkit), ON (or fail), OFF")
set_property(CACHE FMLP_CUDA PROPERTY STRINGS AUTO ON OFF)
set(FMLP_CUDA_ARCHITECTURES "" CACHE STRING "GPU architectures, e.g. 90-real; empty: those the toolkit has of the usual ones")
set(FMLP_HAVE_CUDA OFF)
include(${CMAKE_CURRENT_LIST_DIR}/FmlpCudaOptions.cmake)
if(NOT FMLP_CUDA)
  message(STATUS "CUDA: off (FMLP_CUDA=${FMLP_CUDA}); building for the cpu only")
  return()
endif()

# The toolkit's usual place is rarely on PATH. What was not found the last time is looked for again.
if("${CMAKE_CUDA_COMPILER}" STREQUAL "NOTFOUND")
  unset(CMAKE_CUDA_COMPILER CACHE)
endif()
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(FMLP_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  mark_as_advanced(FMLP_NVCC)
  if(FMLP_NVCC)
    set(ENV{CUDACXX} "${FMLP_NVCC}")
  endif()
endif()
set(CMAKE_MESSAGE_LOG_LEVEL_BEFORE "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL NOTICE) # one line about it, below
include(CheckLanguage)
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  find_package(CUDAToolkit QUIET)
endif()
set(CMAKE_MESSAGE_LOG_LEVEL "${CMAKE_MESSAGE_LOG_LEVEL_BEFORE}")

set(fmlp_cuda_reason "")
if(NOT CMAKE_CUDA_COMPILER)
  set(fmlp_cuda_reason "no working nvcc (with a host compiler it accepts)")
elseif(NOT CUDAToolkit_FOUND OR NOT TARGET CUDA::cudart_static)
  set(fmlp_cuda_reason "no CUDA toolkit with libcudart_static.a beside ${CMAKE_CUDA_COMPILER}")
elseif(CUDAToolkit_VERSION VERSION_LESS 11.8)
  set(fmlp_cuda_reason "CUDA ${CUDAToolkit_VERSION} is too old, 11.8 is needed")
endif()
if(fmlp_cuda_reason)
  if(NOT FMLP_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "FMLP_CUDA=${FMLP_CUDA}: ${fmlp_cuda_reason}; see docs/gpu.md")
  endif()
  message(STATUS "CUDA: ${fmlp_cuda_reason}; building for the cpu only")
  return()
endif()

# The languages of device code never choose the linker, nor add libraries of their own.
set(CMAKE_MESSAGE_LOG_LEVEL NOTICE)
enable_language(CUDA)
set(CMAKE_MESSAGE_LOG_LEVEL "${CMAKE_MESSAGE_LOG_LEVEL_BEFORE}")
set(CMAKE_CUDA_LINKER_PREFERENCE_PROPAGATES OFF)
set(CMAKE_CUDA_IMPLICIT_LINK_LIBRARIES "")
set(CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES "")
set(CMAKE_CUDA_RUNTIME_LIBRARY None) # CUDA::cudart_static, named below

# Binary code for the GPUs of data centres and workstations, and PTX that the driver compiles for any other.
if(FMLP_CUDA_ARCHITECTURES)
  set(fmlp_cuda_architectures ${FMLP_CUDA_ARCHITECTURES})
else()
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE fmlp_gpu_codes OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(fmlp_cuda_architectures 75-virtual)
  foreach(architecture 80 90 100 120)
    if(fmlp_gpu_codes MATCHES "sm_${architecture}(\n|$)")
      list(APPEND fmlp_cuda_architectures ${architecture}-real)
    endif()
  endforeach()
endif()
set(FMLP_HAVE_CUDA ON)
message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${fmlp_cuda_architectures}")

# The floating-point flags are part of the numeric contract, as in FmlpCompileOptions.cmake.
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
set(CMAKE_CUDA_FLAGS_RELWITHDEBINFO "-O3") # host optimisation; device code is always optimised
set(CMAKE_CUDA_FLAGS_DEBUG "-O3")

# The tests compile with the same options.
# -fno-threadsafe-statics: the launch stubs nvcc generates guard a static with calls of the C++ library otherwise. They
# are never called, kernels are launched by their address.
set(FMLP_CUDA_OPTIONS --fmad=false -lineinfo -Xcompiler=-fno-exceptions,-fno-rtti,-fno-threadsafe-statics
  -Xcompiler=-ffp-contract=off,-fno-omit-frame-pointer,-Wall,-Wextra,-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(FMLP_WERROR)
  list(APPEND FMLP_CUDA_OPTIONS -Werror=all-warnings)
endif()
function(fmlp_cuda_sources target)
  add_library(${target}_cuda OBJECT ${ARGN})
  set_target_properties(${target}_cuda PROPERTIES CUDA_ARCHITECTURES "${fmlp_cuda_architectures}")
  target_include_directories(${target}_cuda PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${target}_cuda PRIVATE ${FMLP_CUDA_OPTIONS})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_cuda>)
  target_link_libraries(${target} PRIVATE CUDA::cudart_static)
endfunction()
