# The Python module. What users import stands in build/python/kiln: the sources as links, the module and libraries beside them.
execute_process(COMMAND ${KILN_PYTHON} -c "import sysconfig, pybind11; print(sysconfig.get_paths()['include'], pybind11.get_include(), sysconfig.get_config_var('EXT_SUFFIX'), sep=';')"
  OUTPUT_VARIABLE python_facts OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(GET python_facts 0 python_include)
list(GET python_facts 1 pybind11_include)
list(GET python_facts 2 python_suffix)

file(GLOB core_sources CONFIGURE_DEPENDS ${KILN_SOURCE}/python/core/*.cpp ${KILN_SOURCE}/python/jit/*.cpp ${KILN_SOURCE}/frontend/frames/*.cpp)
add_library(kiln_python MODULE ${core_sources})
target_include_directories(kiln_python SYSTEM PRIVATE ${python_include} ${pybind11_include})
target_compile_options(kiln_python PRIVATE -fvisibility=hidden -Wno-missing-field-initializers -Wno-cast-function-type)
# The path of a compiled call crosses files: optimized as one.
target_compile_options(kiln_python PRIVATE -flto=thin)
target_link_options(kiln_python PRIVATE -flto=thin)
target_link_libraries(kiln_python PRIVATE kiln_runtime)
set(KILN_PACKAGE ${CMAKE_BINARY_DIR}/python/kiln)
set_target_properties(kiln_python PROPERTIES PREFIX "" OUTPUT_NAME _core SUFFIX ${python_suffix} LIBRARY_OUTPUT_DIRECTORY ${KILN_PACKAGE})
set_target_properties(kiln_python PROPERTIES BUILD_RPATH "$ORIGIN/../../lib;$ORIGIN/lib" INSTALL_RPATH "$ORIGIN/lib")

file(GLOB_RECURSE package_sources RELATIVE ${KILN_SOURCE}/python/kiln CONFIGURE_DEPENDS ${KILN_SOURCE}/python/kiln/*.py ${KILN_SOURCE}/python/kiln/*.pyi ${KILN_SOURCE}/python/kiln/py.typed)
foreach(source ${package_sources})
  get_filename_component(folder ${source} DIRECTORY)
  file(MAKE_DIRECTORY ${KILN_PACKAGE}/${folder})
  file(CREATE_LINK ${KILN_SOURCE}/python/kiln/${source} ${KILN_PACKAGE}/${source} SYMBOLIC)
endforeach()
file(MAKE_DIRECTORY ${KILN_PACKAGE}/include)
file(CREATE_LINK ${KILN_SOURCE}/include/kiln ${KILN_PACKAGE}/include/kiln SYMBOLIC)
file(CREATE_LINK ${gen}/python/_ops.pyi ${KILN_PACKAGE}/_ops.pyi SYMBOLIC)
