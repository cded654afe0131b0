# One set of flags for every target. NDEBUG in every preset: the packaged LLVM defines it, and layouts depend on it.
add_compile_definitions(NDEBUG)
add_compile_options(-Wall -Wextra -Wno-unused-parameter -fvisibility-inlines-hidden -fdiagnostics-color -ffp-contract=off)
add_link_options(-fuse-ld=lld)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

set(KILN_SANITIZE "" CACHE STRING "address,undefined or thread")
if(KILN_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1") # what is instrumented is slow anyway, and is compiled in half the time
  add_compile_options(-fsanitize=${KILN_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${KILN_SANITIZE} -shared-libsan)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-runtime-dir OUTPUT_VARIABLE runtime_dir OUTPUT_STRIP_TRAILING_WHITESPACE)
  get_filename_component(runtime_parent ${runtime_dir} DIRECTORY)
  set(CMAKE_BUILD_RPATH ${runtime_dir} ${runtime_parent}/linux)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
