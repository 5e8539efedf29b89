# The library actionhist::actionhist, one source list a room.
foreach(room sqlite postgres)
  file(GLOB migrations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/migrations/*.sql)
  add_custom_command(
    OUTPUT ${PROJECT_BINARY_DIR}/${room}_migrations.cpp
    COMMAND ${CMAKE_COMMAND} -DROOM=${room} -DOUTPUT=${PROJECT_BINARY_DIR}/${room}_migrations.cpp
            "-DMIGRATIONS=${migrations}" -P ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    DEPENDS ${migrations} ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    VERBATIM)
  list(APPEND MIGRATIONS_CPP ${PROJECT_BINARY_DIR}/${room}_migrations.cpp)
endforeach()

# A unity build compiles ten files of a room together.
foreach(room core analysis sql sqlite postgres http embedding semantic history)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.cpp)
  set(count 0)
  foreach(source IN LISTS sources)
    math(EXPR piece "${count} / 10")
    math(EXPR count "${count} + 1")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${room}_${piece})
  endforeach()
  list(APPEND ACTIONHIST_SOURCES ${sources})
endforeach()

add_library(actionhist ${ACTIONHIST_SOURCES} ${MIGRATIONS_CPP})
add_library(actionhist::actionhist ALIAS actionhist)
# Before 1.0 programs must be built again for each minor version, which is what the CMake package says too. The C
# library promises more and has a number of its own.
set(ACTIONHIST_SOVERSION ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
  string(APPEND ACTIONHIST_SOVERSION .${PROJECT_VERSION_MINOR})
endif()
set_target_properties(actionhist PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${ACTIONHIST_SOVERSION}
  UNITY_BUILD ${ACTIONHIST_UNITY_BUILD} UNITY_BUILD_MODE GROUP)
if(ACTIONHIST_UNITY_BUILD)
  # There a source file is included by another, so what is local to it looks like that of a header.
  target_compile_options(actionhist PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
target_include_directories(actionhist
  PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  PRIVATE ${PROJECT_SOURCE_DIR}/src ${STEMMER_INCLUDE_DIR} ${FAISS_INCLUDE_DIR})
target_compile_features(actionhist PUBLIC cxx_std_20)
# Half of the time of a file goes into these.
target_precompile_headers(actionhist PRIVATE
  <simdjson.h> <fmt/format.h> <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional> <span> <string>
  <unordered_map> <variant> <vector>)
target_link_libraries(actionhist PRIVATE
  Threads::Threads SQLite::SQLite3 fmt::fmt simdjson::simdjson OpenSSL::Crypto CURL::libcurl PkgConfig::RE2
  PkgConfig::XXHASH PkgConfig::UTF8PROC PkgConfig::ZSTD PkgConfig::PQ $<BUILD_INTERFACE:Boost::headers>
  ${STEMMER_LIBRARY} ${FAISS_LIBRARY} BLAS::BLAS OpenMP::OpenMP_CXX)
# FAISS and the stemmer are static archives: their symbols must not meet another copy in the host.
target_link_options(actionhist PRIVATE $<$<PLATFORM_ID:Linux>:LINKER:--exclude-libs,ALL>)
# The host may carry another version of Asio: the symbols of ours are hidden. Deadlines are arguments of the
# waits, so Asio needs no timer, and each connection one descriptor less. The sanitizer of virtual tables does not
# find hidden ones.
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/postgres/readiness.cpp PROPERTIES
  COMPILE_DEFINITIONS BOOST_ASIO_DISABLE_TIMERFD
  COMPILE_OPTIONS "-fvisibility=hidden;-fvisibility-inlines-hidden;-fno-sanitize=vptr" SKIP_PRECOMPILE_HEADERS ON)
