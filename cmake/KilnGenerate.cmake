# From the records: ODS classes by mlir-tblgen, everything else that knows an op by kiln-opgen.
set(gen ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${gen}/kiln)
file(GLOB KILN_TD CONFIGURE_DEPENDS dialects/kiln/*.td dialects/kiln/ops/*.td dialects/trace/*.td)
file(GLOB_RECURSE KILN_PASS_TD CONFIGURE_DEPENDS passes/*.td codegen/*.td)
set(tblgen ${LLVM_TOOLS_BINARY_DIR}/mlir-tblgen -I ${CMAKE_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS})

function(kiln_tablegen out input)
  add_custom_command(OUTPUT ${gen}/kiln/${out} DEPENDS ${KILN_TD} ${KILN_PASS_TD}
    COMMAND ${tblgen} ${ARGN} ${CMAKE_SOURCE_DIR}/${input} --write-if-changed -o ${gen}/kiln/${out})
endfunction()
kiln_tablegen(KilnOps.h.inc dialects/kiln/KilnOps.td -gen-op-decls)
kiln_tablegen(KilnOps.cpp.inc dialects/kiln/KilnOps.td -gen-op-defs)
kiln_tablegen(KilnDialect.h.inc dialects/kiln/KilnOps.td -gen-dialect-decls)
kiln_tablegen(KilnDialect.cpp.inc dialects/kiln/KilnOps.td -gen-dialect-defs)
kiln_tablegen(KilnAttrs.h.inc dialects/kiln/KilnOps.td -gen-attrdef-decls)
kiln_tablegen(KilnAttrs.cpp.inc dialects/kiln/KilnOps.td -gen-attrdef-defs)
kiln_tablegen(KilnEnums.h.inc dialects/kiln/KilnOps.td -gen-enum-decls)
kiln_tablegen(KilnEnums.cpp.inc dialects/kiln/KilnOps.td -gen-enum-defs)
kiln_tablegen(KilnAttrInterfaces.h.inc dialects/kiln/Schedule.td -gen-attr-interface-decls)
kiln_tablegen(KilnAttrInterfaces.cpp.inc dialects/kiln/Schedule.td -gen-attr-interface-defs)
kiln_tablegen(ArrayOp.h.inc dialects/kiln/ArrayOp.td -gen-op-interface-decls)
kiln_tablegen(ArrayOp.cpp.inc dialects/kiln/ArrayOp.td -gen-op-interface-defs)
kiln_tablegen(TraceOps.h.inc dialects/trace/TraceOps.td -gen-op-decls)
kiln_tablegen(TraceOps.cpp.inc dialects/trace/TraceOps.td -gen-op-defs)
kiln_tablegen(TraceDialect.h.inc dialects/trace/TraceOps.td -gen-dialect-decls -dialect=trace)
kiln_tablegen(TraceDialect.cpp.inc dialects/trace/TraceOps.td -gen-dialect-defs -dialect=trace)
kiln_tablegen(Passes.h.inc passes/Passes.td -gen-pass-decls -name=Kiln)
kiln_tablegen(CpuPasses.h.inc codegen/cpu/Passes.td -gen-pass-decls -name=KilnCpu)
kiln_tablegen(NvptxPasses.h.inc codegen/nvptx/Passes.td -gen-pass-decls -name=KilnNvptx)

add_custom_command(OUTPUT ${gen}/kiln/Ops.inc ${gen}/kiln/Scalars.inc ${gen}/kiln/Identities.inc ${gen}/kiln/Empties.inc
  ${gen}/kiln/FloatElements.inc ${gen}/kiln/IntegerElements.inc ${gen}/kiln/Routines.inc ${gen}/kiln/LinkedRoutines.inc ${gen}/kiln/Rules.inc ${gen}/kiln/Derivatives.inc ${gen}/kiln/RuleSymbols.inc
  ${gen}/python/_ops.json ${gen}/python/_ops.pyi
  DEPENDS ${KILN_TD} tools/kiln-opgen tools/kiln_opgen_rules.py
  COMMAND ${LLVM_TOOLS_BINARY_DIR}/llvm-tblgen --dump-json -I ${CMAKE_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS}
          ${CMAKE_SOURCE_DIR}/dialects/kiln/KilnOps.td -o ${gen}/records.json
  COMMAND ${KILN_TOOLS_PYTHON} -B ${CMAKE_SOURCE_DIR}/tools/kiln-opgen ${gen}/records.json ${gen}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_custom_target(kiln_records DEPENDS ${gen}/kiln/Ops.inc)
add_custom_target(kiln_tablegen DEPENDS ${gen}/kiln/KilnOps.h.inc ${gen}/kiln/KilnOps.cpp.inc ${gen}/kiln/KilnDialect.h.inc
  ${gen}/kiln/KilnDialect.cpp.inc ${gen}/kiln/KilnAttrs.h.inc ${gen}/kiln/KilnAttrs.cpp.inc ${gen}/kiln/KilnEnums.h.inc ${gen}/kiln/KilnEnums.cpp.inc
  ${gen}/kiln/KilnAttrInterfaces.h.inc ${gen}/kiln/KilnAttrInterfaces.cpp.inc ${gen}/kiln/ArrayOp.h.inc ${gen}/kiln/ArrayOp.cpp.inc
  ${gen}/kiln/TraceOps.h.inc ${gen}/kiln/TraceOps.cpp.inc
  ${gen}/kiln/TraceDialect.h.inc ${gen}/kiln/TraceDialect.cpp.inc ${gen}/kiln/Passes.h.inc ${gen}/kiln/CpuPasses.h.inc
  ${gen}/kiln/NvptxPasses.h.inc)

# What the compiler is made of, as one hash: part of every cache key, known to the runtime without opening the compiler.
file(GLOB_RECURSE compiler_sources CONFIGURE_DEPENDS dialects/*.* passes/*.* codegen/*.* lib/Core/*.* lib/Library/*.* include/*.h)
set(KILN_BUILD_ID ${gen}/kiln/BuildId.cpp)
add_custom_command(OUTPUT ${KILN_BUILD_ID} DEPENDS ${compiler_sources} tools/kiln-build-id tools/kiln-opgen
  COMMAND ${KILN_TOOLS_PYTHON} ${CMAKE_SOURCE_DIR}/tools/kiln-build-id ${LLVM_PACKAGE_VERSION} ${KILN_BUILD_ID}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
