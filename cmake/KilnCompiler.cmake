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

# Shared libraries link at once, which is what development wants. A wheel has LLVM inside, and shows nothing of it: another LLVM in the
# process (of torch, of Numba) and a machine without one are the same to it.
if(SKBUILD)
  set(in_wheel ON)
endif()
option(KILN_STATIC_LLVM "LLVM, MLIR and lld inside the compiler library" ${in_wheel})
set(KILN_LLVM_LIBRARIES lldELF lldWasm lldCommon MLIR LLVM)
if(KILN_STATIC_LLVM)
  foreach(list Targets AsmPrinters AsmParsers)
    file(STRINGS ${LLVM_INCLUDE_DIRS}/llvm/Config/${list}.def lines)
    list(FILTER lines EXCLUDE REGEX "\\((X86|AArch64|RISCV|WebAssembly|ARM|NVPTX)\\)")
    list(JOIN lines "\n" text)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen/static_llvm/${list}.def CONTENT "${text}\n" @ONLY)
  endforeach()
  file(GLOB archives ${LLVM_LIBRARY_DIR}/libMLIR*.a ${LLVM_LIBRARY_DIR}/libLLVM*.a)
  add_library(kiln_static_llvm OBJECT cmake/static_llvm.cpp)
  set(KILN_LLVM_LIBRARIES $<TARGET_OBJECTS:kiln_static_llvm> ${LLVM_LIBRARY_DIR}/liblldELF.a ${LLVM_LIBRARY_DIR}/liblldWasm.a ${LLVM_LIBRARY_DIR}/liblldCommon.a
      -Wl,--start-group ${archives} -Wl,--end-group -l:libz.a -l:libzstd.a -static-libstdc++ -Wl,--gc-sections -Wl,--icf=safe)
endif()

# What becomes part of every library of C functions: as LLVM's bitcode, for each kind of machine.
set(support_hosted call check half op open plan pool processor run sizes system tensors text threads weights)
set(support_device call check device driver launch plan sizes steps system tensors text weights)
set(support_includes)
file(GLOB support_headers CONFIGURE_DEPENDS codegen/library/support/*.h include/kiln/*.h include/kiln/statuses.inc)
function(kiln_support name triple) # options, then SOURCES
  cmake_parse_arguments(PARSE_ARGV 2 given "" "" "OPTIONS;SOURCES")
  set(parts)
  file(MAKE_DIRECTORY ${gen}/support/${name})
  foreach(stem ${given_SOURCES})
    set(source ${CMAKE_SOURCE_DIR}/codegen/library/support/${stem}.c)
    set(part ${gen}/support/${name}/${stem}.bc)
    add_custom_command(OUTPUT ${part} DEPENDS ${source} ${support_headers}
      COMMAND ${LLVM_TOOLS_BINARY_DIR}/clang --target=${triple} ${given_OPTIONS} -std=c11 -O2 -ffreestanding -fno-builtin -ffp-contract=off
              -fvisibility=hidden -Wall -Wextra -I ${CMAKE_SOURCE_DIR} -emit-llvm -c ${source} -o ${part})
    list(APPEND parts ${part})
  endforeach()
  set(include ${gen}/kiln/Support.${name}.inc)
  add_custom_command(OUTPUT ${include} DEPENDS ${parts} ${CMAKE_SOURCE_DIR}/cmake/Bytes.cmake
    COMMAND ${LLVM_TOOLS_BINARY_DIR}/llvm-link ${parts} -o ${gen}/support/${name}.bc
    COMMAND ${CMAKE_COMMAND} -DFROM=${gen}/support/${name}.bc -DTO=${include} -P ${CMAKE_SOURCE_DIR}/cmake/Bytes.cmake)
  set(support_includes ${support_includes} ${include} PARENT_SCOPE)
endfunction()
foreach(triple x86_64-linux-gnu aarch64-linux-gnu riscv64-linux-gnu)
  kiln_support(${triple} ${triple} OPTIONS -fPIC SOURCES ${support_hosted})
endforeach()
foreach(triple x86_64-linux-gnu aarch64-linux-gnu)
  kiln_support(${triple}-device ${triple} OPTIONS -fPIC -DKILN_DEVICE SOURCES ${support_device})
endforeach()
kiln_support(aarch64-linux-android aarch64-linux-android29 OPTIONS -fPIC SOURCES ${support_hosted})
kiln_support(wasm32 wasm32-unknown-unknown SOURCES ${support_hosted} exact)
kiln_support(wasm32-module wasm32-unknown-unknown SOURCES ${support_hosted} exact memory heap)
kiln_support(thumb thumbv7em-none-eabi OPTIONS -DKILN_BARE -Oz SOURCES bare call check exact half plan run sizes text)
# Routines, which libraries that call them have as well: of C++, linked against libc and libm alone, decompositions also against LAPACK.
file(GLOB routine_headers CONFIGURE_DEPENDS codegen/library/support/std/* lib/Library/*.h lib/Library/*.inc)
function(kiln_routines triple name source)
  set(bitcode ${gen}/support/${source}.${triple}.bc)
  add_custom_command(OUTPUT ${gen}/kiln/${name}.${triple}.inc
    DEPENDS ${CMAKE_SOURCE_DIR}/codegen/library/support/${source}.cpp ${routine_headers} ${support_headers} ${CMAKE_SOURCE_DIR}/cmake/Bytes.cmake
    COMMAND ${LLVM_TOOLS_BINARY_DIR}/clang --target=${triple} -fPIC -std=c++20 -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-math-errno
            -nostdlibinc -nostdinc++ -ffp-contract=off -fvisibility=hidden -Wall -Wextra -Wno-inline-new-delete -I ${CMAKE_SOURCE_DIR}/codegen/library/support/std
            -isystem ${POCKETFFT_INCLUDE} -I ${CMAKE_SOURCE_DIR} -emit-llvm -c ${CMAKE_SOURCE_DIR}/codegen/library/support/${source}.cpp -o ${bitcode}
    COMMAND ${CMAKE_COMMAND} -DFROM=${bitcode} -DTO=${gen}/kiln/${name}.${triple}.inc -P ${CMAKE_SOURCE_DIR}/cmake/Bytes.cmake)
  set(support_includes ${support_includes} ${gen}/kiln/${name}.${triple}.inc PARENT_SCOPE)
endfunction()
foreach(triple x86_64-linux-gnu aarch64-linux-gnu riscv64-linux-gnu)
  kiln_routines(${triple} Fourier fourier)
  kiln_routines(${triple} Decompositions decompositions)
endforeach()
file(GLOB library_parts CONFIGURE_DEPENDS codegen/cpu/*/Library.cpp)
set_source_files_properties(${library_parts} PROPERTIES OBJECT_DEPENDS "${support_includes}")

file(GLOB_RECURSE compiler CONFIGURE_DEPENDS dialects/*.cpp passes/*.cpp codegen/*.cpp)
list(FILTER compiler EXCLUDE REGEX /library/support/)
add_library(kiln_compiler_objects OBJECT ${compiler})
kiln_llvm_target(kiln_compiler_objects)
add_library(kiln_compiler SHARED $<TARGET_OBJECTS:kiln_compiler_objects>)
target_link_libraries(kiln_compiler PRIVATE kiln_core kiln_library ${KILN_LLVM_LIBRARIES} kiln_package) # behind LLVM, which links all of zlib
if(KILN_STATIC_LLVM)
  target_link_options(kiln_compiler PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/compiler.map)
endif()

file(GLOB gpu_pack CONFIGURE_DEPENDS tools/gpu-pack/*.cpp)
foreach(tool kilnc kiln-opt kiln-run kiln-pack kiln-gpu-pack kiln-reduce kiln-translate kiln-lsp-server)
  set(sources tools/${tool}.cpp)
  if(tool STREQUAL kiln-gpu-pack)
    set(sources ${gpu_pack} ${KILN_BUILD_ID})
  endif()
  # An object library: the header is compiled -fPIC, executables would be -fPIE.
  add_library(${tool}-objects OBJECT ${sources})
  kiln_llvm_target(${tool}-objects)
  add_executable(${tool} $<TARGET_OBJECTS:${tool}-objects>)
  if(KILN_STATIC_LLVM)
    target_sources(${tool} PRIVATE $<TARGET_OBJECTS:kiln_compiler_objects>)
    target_link_libraries(${tool} PRIVATE kiln_library kiln_package kiln_core ${KILN_LLVM_LIBRARIES})
  else()
    target_link_libraries(${tool} PRIVATE kiln_compiler kiln_library kiln_core MLIR LLVM)
  endif()
endforeach()

if(NOT KILN_STATIC_LLVM)
  target_link_libraries(kiln-reduce PRIVATE MLIRReduceLib MLIRReduce)
  target_link_libraries(kiln-lsp-server PRIVATE MLIRLspServerLib)
  target_link_libraries(kiln-translate PRIVATE MLIRTranslateLib)
endif()

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

# Eager kernels of GPUs, as PTX of the oldest chip, which the driver compiles for any later one.
set(KILN_GPU_PACK ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/kiln_pack_nvptx.plans)
function(kiln_eager_gpu_pack pack target) # and the library of the target, if the compiler has it not
  set(load)
  if(ARGN)
    set(load --load=$<TARGET_FILE:${ARGN}> --jobs=1) # it may call lld, which is for one thread
  endif()
  add_custom_command(OUTPUT ${pack} DEPENDS kiln-gpu-pack kiln_compiler ${ARGN}
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0
            $<TARGET_FILE:kiln-gpu-pack> ${pack} ${CMAKE_BINARY_DIR}/gpu-pack --target=${target} ${load}
    COMMENT "Compiling the eager kernels for ${target}")
endfunction()
kiln_eager_gpu_pack(${KILN_GPU_PACK} nvptx)
add_custom_target(kiln_gpu_pack ALL DEPENDS ${KILN_GPU_PACK})
