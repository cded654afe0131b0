# GoogleTest over lib/ and frontend/; lit is configured into the build folder.
file(GLOB unit_sources CONFIGURE_DEPENDS test/unit/*.cpp)
add_executable(kiln-unit ${unit_sources})
target_link_libraries(kiln-unit PRIVATE kiln_runtime gtest gtest_main)
configure_file(test/lit.site.cfg.py.in ${CMAKE_BINARY_DIR}/test/lit.site.cfg.py @ONLY)
