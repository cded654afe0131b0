# With LLVM: the compiler library and the tools. One precompiled header, with its templates instantiated, serves all.
add_library(kiln_pch OBJECT cmake/pch.cpp)
target_include_directories(kiln_pch SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
target_precompile_headers(kiln_pch PRIVATE cmake/pch.h)
target_compile_options(kiln_pch PRIVATE -fpch-instantiate-templates)

function(kiln_llvm_target name)
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
  target_precompile_headers(${name} REUSE_FROM kiln_pch)
  target_compile_options(${name} PRIVATE -fpch-instantiate-templates)
  add_dependencies(${name} kiln_tablegen kiln_records)
endfunction()

file(GLOB_RECURSE compiler CONFIGURE_DEPENDS dialects/*.cpp passes/*.cpp codegen/*.cpp lib/Driver/*.cpp)
add_library(kiln_compiler SHARED ${compiler})
kiln_llvm_target(kiln_compiler)
target_link_libraries(kiln_compiler PRIVATE kiln_core kiln_library lldELF lldCommon MLIR LLVM)

foreach(tool kiln-opt kiln-run kiln-pack)
  # An object library: the header is compiled -fPIC, executables would be -fPIE.
  add_library(${tool}-objects OBJECT tools/${tool}.cpp)
  kiln_llvm_target(${tool}-objects)
  add_executable(${tool} $<TARGET_OBJECTS:${tool}-objects>)
  target_link_libraries(${tool} PRIVATE kiln_compiler kiln_library kiln_core MLIR LLVM)
endforeach()

# Eager kernels: all for the level that is required, the heavy ones for wider registers as well.
set(KILN_PACKS)
function(kiln_eager_pack level)
  set(pack ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libkiln_pack_${level}.so)
  add_custom_command(OUTPUT ${pack} DEPENDS kiln-pack kiln_compiler
    # The packaged LLVM is not instrumented: it neither unpoisons what its allocators poison, nor frees what it keeps.
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0
            $<TARGET_FILE:kiln-pack> ${pack} ${CMAKE_BINARY_DIR}/pack ${level} ${ARGN}
    COMMENT "Compiling the eager kernels for ${level}")
  set(KILN_PACKS ${KILN_PACKS} ${pack} PARENT_SCOPE)
endfunction()
kiln_eager_pack(x86-64-v3)
kiln_eager_pack(x86-64-v4 heavy)
add_custom_target(kiln_pack ALL DEPENDS ${KILN_PACKS})
