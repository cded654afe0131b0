# The runtime alone, as a folder that is complete: a package of Python, headers, and what CMake and pkg-config read. build/runtime is what
# tools/build-runtime makes a wheel and an archive of, and what `cmake --install build --component runtime` installs.
set(runtime ${CMAKE_BINARY_DIR}/runtime/kiln_runtime)
if(KILN_SANITIZE) # programs that are not instrumented cannot open it
  set(not_here EXCLUDE_FROM_ALL)
endif()
add_library(kiln_package_runtime SHARED ${not_here} lib/Loader/Runtime.cpp)
target_link_libraries(kiln_package_runtime PRIVATE kiln_loader kiln_package kiln_library kiln_core ${CMAKE_DL_LIBS} pthread)
target_link_options(kiln_package_runtime PRIVATE -Wl,-z,defs -Wl,--gc-sections -Wl,--icf=safe -Wl,-s -static-libstdc++
  -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/runtime.map)
set_target_properties(kiln_package_runtime PROPERTIES OUTPUT_NAME kiln_runtime SOVERSION 0 LIBRARY_OUTPUT_DIRECTORY ${runtime}/lib
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/runtime.map)

set(runtime_headers runtime.h runtime.hpp kiln.hpp)
foreach(header ${runtime_headers})
  configure_file(include/kiln/${header} ${runtime}/include/kiln/${header} COPYONLY)
endforeach()
configure_file(cmake/runtime/kilnConfig.cmake ${runtime}/lib/cmake/kiln/kilnConfig.cmake COPYONLY)
configure_file(cmake/runtime/kilnConfigVersion.cmake.in ${runtime}/lib/cmake/kiln/kilnConfigVersion.cmake @ONLY)
configure_file(cmake/runtime/kiln.pc.in ${runtime}/lib/pkgconfig/kiln.pc @ONLY)
# How packages are called is the same in both packages of Python.
foreach(source kiln_runtime/__init__.py kiln_runtime/_core.py kiln_runtime/_creation.py kiln/_load.py kiln/_signature.py kiln/_errors.py kiln/py.typed)
  get_filename_component(name ${source} NAME)
  configure_file(python/${source} ${runtime}/${name} COPYONLY)
endforeach()

install(DIRECTORY ${runtime}/lib ${runtime}/include DESTINATION . COMPONENT runtime EXCLUDE_FROM_ALL USE_SOURCE_PERMISSIONS)
