# Third-party libraries, as the interface library fmlp_libraries. Debian's names stand in tools/install-dependencies.
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

add_library(fmlp_libraries INTERFACE)
target_link_libraries(fmlp_libraries INTERFACE OpenMP::OpenMP_C PkgConfig::FYAML PkgConfig::ARCHIVE PkgConfig::ZSTD
  PkgConfig::ZLIB PkgConfig::JANSSON PkgConfig::XXHASH m)
if(FMLP_MODEL)
  # Debian 12's xgboost-config.cmake needs the xgboost program too; pkg-config does not.
  pkg_check_modules(XGBOOST REQUIRED IMPORTED_TARGET xgboost)
  target_link_libraries(fmlp_libraries INTERFACE PkgConfig::XGBOOST)
  target_compile_definitions(fmlp_libraries INTERFACE FMLP_HAVE_MODEL=1)
else()
  target_compile_definitions(fmlp_libraries INTERFACE FMLP_HAVE_MODEL=0)
endif()
