# Writes the SQL files of the migrations folder of ROOM into one C++ source, in the order of their numbers.
set(entries "")
set(latest 0)
foreach(path IN LISTS MIGRATIONS)
  get_filename_component(name ${path} NAME_WE)
  string(REGEX MATCH "^[0-9]+" digits ${name})
  math(EXPR version "1${digits} - 10000")
  math(EXPR expected "${latest} + 1")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "migration ${name}: number ${expected} is missing")
  endif()
  set(latest ${version})
  file(READ ${path} sql)
  string(APPEND entries "    {${version}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"${ROOM}/migrations.hpp\"

namespace actionhist::${ROOM} {
namespace {

constexpr sql::Migration all[] = {
${entries}};

}  // namespace

std::span<const sql::Migration> migrations() { return all; }

}  // namespace actionhist::${ROOM}
")
