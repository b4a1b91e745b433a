# What may be written into FMLP_CUDA and FMLP_CUDA_ARCHITECTURES. A file of its own: tests/cli/build_options.sh runs it as
# a script.
if(DEFINED FMLP_CUDA_ARCH)
  message(FATAL_ERROR "FMLP_CUDA_ARCH: there is no such option; did you mean FMLP_CUDA_ARCHITECTURES?")
endif()
string(TOUPPER "${FMLP_CUDA}" fmlp_cuda_choice)
if(NOT FMLP_CUDA STREQUAL "AUTO" AND NOT fmlp_cuda_choice MATCHES "^(ON|OFF|TRUE|FALSE|YES|NO|1|0)$")
  message(FATAL_ERROR "FMLP_CUDA=${FMLP_CUDA}: it is AUTO (with CUDA where there is a toolkit), ON or OFF")
endif()
foreach(architecture IN LISTS FMLP_CUDA_ARCHITECTURES)
  if(architecture MATCHES "^(sm|compute)_([0-9]+[af]?)$")
    message(FATAL_ERROR "FMLP_CUDA_ARCHITECTURES=${FMLP_CUDA_ARCHITECTURES}: for ${architecture} write ${CMAKE_MATCH_2} \
(also ${CMAKE_MATCH_2}-real or ${CMAKE_MATCH_2}-virtual)")
  elseif(NOT architecture MATCHES "^([0-9]+[af]?(-real|-virtual)?|native|all|all-major)$")
    message(FATAL_ERROR "FMLP_CUDA_ARCHITECTURES=${FMLP_CUDA_ARCHITECTURES}: ${architecture} is no architecture; \
write numbers such as 90, 90-real or 75-virtual, a ; between them")
  endif()
endforeach()
