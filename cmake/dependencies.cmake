# What the library links. All of it comes with Debian; scripts/setup installs it.
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(BLAS REQUIRED)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # FAISS runs on GCC's OpenMP. Clang's own would not hold back its threads.
  find_library(OpenMP_gomp_LIBRARY libgomp.so.1 REQUIRED)
  set(OpenMP_CXX_FLAGS -fopenmp=libgomp)
  set(OpenMP_CXX_LIB_NAMES gomp)
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
find_package(Boost 1.74 REQUIRED)  # headers only, for Asio and Math

# The packages of these two describe themselves wrongly or not at all, so they are looked up by hand.
find_path(STEMMER_INCLUDE_DIR libstemmer.h REQUIRED)
find_library(STEMMER_LIBRARY stemmer REQUIRED)
find_path(FAISS_INCLUDE_DIR faiss/IndexHNSW.h REQUIRED)
find_library(FAISS_LIBRARY faiss REQUIRED)
