# find_package(kiln): kiln::runtime is libkiln_runtime with <kiln/runtime.h> and <kiln/runtime.hpp>; kiln::headers is <kiln/kiln.hpp> alone,
# for libraries that kn.export has made.
get_filename_component(kiln_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET kiln::runtime)
  add_library(kiln::headers INTERFACE IMPORTED)
  set_target_properties(kiln::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${kiln_prefix}/include")
  add_library(kiln::runtime SHARED IMPORTED)
  set_target_properties(kiln::runtime PROPERTIES IMPORTED_LOCATION "${kiln_prefix}/lib/libkiln_runtime.so.0"
    IMPORTED_SONAME libkiln_runtime.so.0 INTERFACE_INCLUDE_DIRECTORIES "${kiln_prefix}/include")
endif()
unset(kiln_prefix)
