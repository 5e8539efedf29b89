# Tests the Go package, under the race detector where it works, and runs its example. Nothing is fetched, and
# nothing is written but in WORK.
set(ENV{PKG_CONFIG_PATH} ${PKG_CONFIG_PATH})
set(ENV{CGO_ENABLED} 1)
set(ENV{GOCACHE} ${WORK}/cache)
set(ENV{GOPATH} ${WORK}/path)
set(ENV{GOPROXY} off)
set(ENV{GOFLAGS} "")
set(ENV{GOTOOLCHAIN} local)

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  message("${output}")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}")
  endif()
endfunction()

# The detector wants a place in memory that some kernels and sandboxes do not give it.
file(WRITE ${WORK}/probe/main.go "package main\n\nfunc main() {}\n")
execute_process(COMMAND ${GO} run -race main.go WORKING_DIRECTORY ${WORK}/probe RESULT_VARIABLE status
  OUTPUT_QUIET ERROR_QUIET)
set(race "")
if(status EQUAL 0)
  set(race -race)
else()
  message("without the race detector, which does not work here")
endif()

run(${GO} test ${race} -count=1 ./...)
run(${GO} build -o ${WORK}/quickstart ./examples/quickstart)
run(${WORK}/quickstart memory:)
