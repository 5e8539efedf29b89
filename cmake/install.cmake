# install(): headers, libraries, the CMake package and pkg-config.
include(CMakePackageConfigHelpers)

set(installed_targets actionhist)
if(ACTIONHIST_BUILD_CAPI)
  list(APPEND installed_targets actionhist_capi)
  install(FILES ${PROJECT_SOURCE_DIR}/capi/actionhist.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS ${installed_targets} EXPORT actionhist-targets)
if(ACTIONHIST_BUILD_CLI)
  install(TARGETS actionhist_cli)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/actionhist DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT actionhist-targets NAMESPACE actionhist:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/actionhist)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/actionhist-config.cmake.in
  ${PROJECT_BINARY_DIR}/actionhist-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/actionhist)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/actionhist-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/actionhist-config.cmake ${PROJECT_BINARY_DIR}/actionhist-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/actionhist)

# Found from where they lie, so that the installed tree may be moved.
file(RELATIVE_PATH PKGCONFIG_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/actionhist.pc.in ${PROJECT_BINARY_DIR}/actionhist.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/actionhist.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(ACTIONHIST_BUILD_CAPI)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/actionhist-c.pc.in ${PROJECT_BINARY_DIR}/actionhist-c.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/actionhist-c.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
