# `pip install .`: the package with its libraries beside it.
set_target_properties(kiln_runtime kiln_compiler PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS kiln_python LIBRARY DESTINATION kiln)
install(TARGETS kiln_runtime kiln_compiler LIBRARY DESTINATION kiln/lib)
install(FILES ${KILN_PACKS} ${KILN_GPU_PACK} DESTINATION kiln/lib)
install(FILES ${gen}/python/_ops.pyi ${gen}/python/_ops.json DESTINATION kiln)
install(DIRECTORY include/kiln DESTINATION kiln/include)

# The virtual environment of the tree finds the package of the release build.
if(CMAKE_BINARY_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build")
  execute_process(COMMAND ${KILN_PYTHON} -c "import sysconfig, pathlib; pathlib.Path(sysconfig.get_paths()['purelib'], 'kiln-build.pth').write_text(r'''${CMAKE_BINARY_DIR}/python\n''')")
endif()
