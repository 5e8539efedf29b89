# Makes the wheel around the extension of this build tree, installs it into a folder of its own, and runs a
# program with it. Compiling all once more is left to pip install ./bindings/python.
file(REMOVE_RECURSE ${WORK})
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK_PARENT} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
  message("${output}")
endfunction()

run(${PYTHON} -m pip wheel --quiet --no-build-isolation --no-deps --no-index --wheel-dir ${WORK}/wheel
  --config-settings=cmake.source-dir=. --config-settings=build-dir=${WORK}/build
  --config-settings=cmake.define.ACTIONHIST_PYTHON_EXTENSION=${EXTENSION} ${PACKAGE})
file(GLOB wheel ${WORK}/wheel/actionhist-*.whl)
run(${PYTHON} -m pip install --quiet --no-deps --no-index --target ${WORK}/site ${wheel})
set(ENV{PYTHONPATH} ${WORK}/site)
run(${PYTHON} ${PROGRAM} memory:)
run(${PYTHON} -c "import pathlib, actionhist
folder = pathlib.Path(actionhist.__file__).parent
assert str(folder).startswith('${WORK}/site'), folder
assert (folder / 'py.typed').exists() and (folder / '_actionhist.pyi').exists()
import importlib.metadata
assert importlib.metadata.version('actionhist') == actionhist.__version__")
