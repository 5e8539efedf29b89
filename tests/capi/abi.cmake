# Fails unless LIBRARY still offers all that BASELINE describes, with the same types: functions, their parameters,
# and the members of structs. Further functions are no difference. With -DWRITE=ON it writes the baseline instead,
# which is due with a release, and with a struct that grew at its end.

# Only what HEADER defines is promised; a folder with nothing else says so.
file(COPY ${HEADER} DESTINATION ${WORK})
set(promised --exported-interfaces-only --drop-private-types)
if(WRITE)
  execute_process(COMMAND ${ABIDW} ${promised} --headers-dir ${WORK} --no-corpus-path --no-comp-dir-path --no-show-locs
    --out-file ${BASELINE} ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()
execute_process(COMMAND ${ABIDIFF} ${promised} --headers-dir2 ${WORK} --no-added-syms ${BASELINE} ${LIBRARY}
  RESULT_VARIABLE difference OUTPUT_VARIABLE report ERROR_VARIABLE report)
if(NOT difference EQUAL 0)
  message(FATAL_ERROR "the C ABI is not what ${BASELINE} promises:\n${report}")
endif()
