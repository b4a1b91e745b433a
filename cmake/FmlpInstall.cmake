# cmake --install: the program and its example configurations (found beside the executable as ../share/fmlp/configs).
include(GNUInstallDirs)
install(TARGETS fmlp_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS fmlp ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fmlp/configs)
foreach(folder prof common/core common/contracts common/config common/io common/stages)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fmlp/${folder} FILES_MATCHING PATTERN "*.h")
endforeach()
