# GoogleTest over lib/ and frontend/; lit is configured into the build folder.
file(GLOB unit_sources CONFIGURE_DEPENDS test/unit/*.cpp)
add_executable(kiln-unit ${unit_sources})
target_compile_definitions(kiln-unit PRIVATE KILN_LIBRARY_FOLDER="${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
target_link_libraries(kiln-unit PRIVATE kiln_runtime kiln_library gtest gtest_main)
# What an extension is: a library of its own that registers ops.
add_library(kiln_test_ops MODULE test/plugin/TestOps.cpp)
target_link_libraries(kiln_test_ops PRIVATE kiln_runtime)
# A second device, for tests from Python.
add_library(kiln_test_device MODULE test/plugin/TestDevice.cpp)
target_link_libraries(kiln_test_device PRIVATE kiln_runtime)
# The rules of ops, for tests from Python.
add_library(kiln_test_rules MODULE test/plugin/TestRules.cpp)
target_link_libraries(kiln_test_rules PRIVATE kiln_runtime)
# Targets that are no part of the compiler: each in a folder of its own, for kiln-run --load.
file(GLOB targets CONFIGURE_DEPENDS test/targets/*/CMakeLists.txt)
if(KILN_STATIC_LLVM) # shows nothing of itself
  set(targets)
endif()
foreach(target ${targets})
  get_filename_component(folder ${target} DIRECTORY)
  get_filename_component(name ${folder} NAME)
  add_subdirectory(${folder} ${CMAKE_BINARY_DIR}/test/targets/${name})
endforeach()
configure_file(test/lit.site.cfg.py.in ${CMAKE_BINARY_DIR}/test/lit.site.cfg.py @ONLY)

# Random programs and damaged files; knows no LLVM.
file(GLOB fuzz_sources CONFIGURE_DEPENDS tools/fuzz/*.cpp)
add_executable(kiln-fuzz ${fuzz_sources})
target_link_libraries(kiln-fuzz PRIVATE kiln_runtime kiln_library)
