# NVTX's headers (of the CUDA toolkit, or of a package of their own): nothing to link, FMLP_HAVE_NVTX says whether they
# are there. The backend cuda need not be.
find_path(FMLP_NVTX_INCLUDE nvtx3/nvToolsExt.h HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda
  PATH_SUFFIXES include DOC "Folder of nvtx3/nvToolsExt.h")
mark_as_advanced(FMLP_NVTX_INCLUDE)
if(FMLP_NVTX_INCLUDE)
  set(FMLP_HAVE_NVTX 1)
else()
  set(FMLP_HAVE_NVTX 0)
  message(STATUS "NVTX: no nvtx3/nvToolsExt.h; spans will not be seen by Nsight Systems")
endif()
