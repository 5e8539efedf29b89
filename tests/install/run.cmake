# Installs BUILD into WORK/prefix, then builds and runs the projects of users against it: the one here by CMake and by
# pkg-config, C_PROGRAM as C99 and as C++, and with GO the program GO_MODULE/examples/quickstart in a module of its own.
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
set(folder ${WORK}/module)  # where all of it runs: outside of the project
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${folder} RESULT_VARIABLE status OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${folder})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${PROJECT} -B ${WORK}/build -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${CC}
  -DCMAKE_CXX_COMPILER=${CXX} -DC_PROGRAM=${C_PROGRAM})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
run(${WORK}/build/consumer_c memory:)
run(${WORK}/build/consumer_c_as_cpp memory:)

file(GLOB_RECURSE pc ${prefix}/*/actionhist.pc)
get_filename_component(pc_folder ${pc} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_folder})
function(run_by_pkg_config package)
  execute_process(COMMAND pkg-config --cflags --libs ${package} OUTPUT_VARIABLE flags
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags)
  run(${ARGN} -o ${WORK}/by_pkg_config ${flags})
  run(${WORK}/by_pkg_config memory:)
endfunction()
get_filename_component(library_folder ${pc_folder} DIRECTORY)
run_by_pkg_config(actionhist ${CXX} -std=c++20 ${PROJECT}/main.cpp -Wl,-rpath,${library_folder})
run_by_pkg_config(actionhist-c ${CC} -std=c99 ${C_PROGRAM})
if(EXISTS ${prefix}/bin/actionhist)
  run(${prefix}/bin/actionhist --version)
endif()

if(GO)
  # As the README of the Go package says. Nothing is fetched, and nothing is written but in WORK.
  set(ENV{GOCACHE} ${GO_CACHE})
  set(ENV{GOPATH} ${WORK}/path)
  set(ENV{GOPROXY} off)
  set(ENV{GOFLAGS} "")
  set(ENV{GOTOOLCHAIN} local)
  set(ENV{CGO_ENABLED} 1)
  file(COPY ${GO_MODULE}/examples/quickstart/main.go DESTINATION ${folder})
  run(${GO} mod init agent)
  run(${GO} mod edit -require=actionhist@v0.0.0 -replace=actionhist=${GO_MODULE})
  run(${GO} build -o agent)
  run(${folder}/agent memory:)
endif()
