# Configures a project that takes SOURCE in: its libraries stay static, and it installs nothing that it did not ask for.
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/parent/CMakeLists.txt [[
cmake_minimum_required(VERSION 3.25)
project(parent LANGUAGES C CXX)
add_subdirectory(${SOURCE} actionhist)
if(DEFINED BUILD_SHARED_LIBS OR DEFINED CACHE{BUILD_SHARED_LIBS})
  message(FATAL_ERROR "BUILD_SHARED_LIBS is set for the parent")
endif()
get_target_property(type actionhist TYPE)
if(NOT type STREQUAL "STATIC_LIBRARY")
  message(FATAL_ERROR "actionhist is a ${type}")
endif()
]])
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/parent -B ${WORK}/build -DSOURCE=${SOURCE}
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/prefix
  COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
file(GLOB installed ${WORK}/prefix/*)
if(installed)
  message(FATAL_ERROR "the parent installs ${installed}")
endif()
