// How the loops of a kernel run. A schedule changes speed, never bits: what shows in the bits is defined by docs/numerics.md, and stands in
// no field here.
#ifndef KILN_SCHEDULE
#define KILN_SCHEDULE
include "dialects/kiln/KilnBase.td"
include "mlir/IR/EnumAttr.td"

def Kiln_ScheduleInterface : AttrInterface<"ScheduleAttr"> {
  let cppNamespace = "::kiln::ir";
  let description = "How the loops of a kernel run.";
  let methods = [InterfaceMethod<"Whether it fits a kernel; a diagnostic at the kernel where it does not.", "::llvm::LogicalResult",
                                 "verifyFor", (ins "::mlir::Operation *":$kernel)>];
}

class Kiln_ScheduleAttr<string name, string keyword, string text, dag fields>
    : AttrDef<Kiln_Dialect, name, [DeclareAttrInterfaceMethods<Kiln_ScheduleInterface>]> {
  let mnemonic = keyword;
  let summary = text;
  let parameters = fields;
  let assemblyFormat = "`<` struct(params) `>`";
}

// Sizes of nested loops: 6x32.
def Kiln_Extents : ArrayRefParameter<"int64_t"> {
  let parser = "::kiln::ir::parseExtents($_parser)";
  let printer = "::kiln::ir::printExtents($_printer, $_self)";
}
class Kiln_Number<int otherwise> : DefaultValuedParameter<"int64_t", !cast<string>(otherwise)>;
def Kiln_Flag : DefaultValuedParameter<"bool", "false">;
// Iterations that a task takes at the least: a number, or ? where it follows from the sizes of a call.
def Kiln_Grain : DefaultValuedParameter<"int64_t", "1"> {
  let parser = "::kiln::ir::parseGrain($_parser)";
  let printer = "::kiln::ir::printGrain($_printer, $_self)";
}

def Kiln_Numbers : OptionalArrayRefParameter<"int64_t"> {
  let parser = "::kiln::ir::parseNumbers($_parser)";
  let printer = "::kiln::ir::printNumbers($_printer, $_self)";
}
class Kiln_List<string name> : ArrayRefParameter<"::kiln::ir::"#name#"Attr"> {
  let parser = "::kiln::ir::parseList<::kiln::ir::"#name#"Attr>($_parser)";
  let printer = "::kiln::ir::printList($_printer, $_self)";
}

def Kiln_Packing
    : I32Enum<"Packing", "operands of a product that are copied into panels",
              [I32EnumCase<"None", 0, "none">, I32EnumCase<"A", 1, "a">, I32EnumCase<"B", 2, "b">, I32EnumCase<"Both", 3, "both">]> {
  let cppNamespace = "::kiln::ir";
}
def Kiln_ProductLoop : I32Enum<"ProductLoop", "loops of a product whose iterations threads share",
                               [I32EnumCase<"None", 0, "none">, I32EnumCase<"Rows", 1, "rows">, I32EnumCase<"Columns", 2, "columns">]> {
  let cppNamespace = "::kiln::ir";
}
def Kiln_WindowLoop : I32Enum<"WindowLoop", "loops of a convolution whose iterations threads share",
                              [I32EnumCase<"None", 0, "none">, I32EnumCase<"Lines", 1, "lines">, I32EnumCase<"Filters", 2, "filters">]> {
  let cppNamespace = "::kiln::ir";
}
class Kiln_Choice<EnumInfo choices>
    : DefaultValuedParameter<choices.cppNamespace#"::"#choices.className, choices.cppNamespace#"::"#choices.className#"::None">;

// Everywhere: `lanes` of vectors; `parallel`, the axis (or loop) whose iterations threads share, -1 or none: one thread; `grain`, how many
// of them a task takes at the least.

def Kiln_NestAttr : Kiln_ScheduleAttr<"Nest", "nest", "A loop over each axis of a result.",
                                      (ins "int64_t":$lanes, Kiln_Flag:$collapse, Kiln_Number<1>:$rows, Kiln_Number<-1>:$transpose,
                                          Kiln_Number<0>:$block, Kiln_Number<-1>:$parallel, Kiln_Grain:$grain, Kiln_Numbers:$stream,
                                          Kiln_Number<0>:$registers, Kiln_Flag:$align)> {
  let description = [{
    `lanes`: along the last axis. `collapse`: all axes are one. `rows`: of the axis before the last, that are computed together. `transpose`: an axis whose
    elements operands hold one after the other; squares of `lanes` of it are turned in registers, in blocks of `block`. `stream`: results whose
    stores go past the caches; where only a call knows the size, if it is as large as the caches and rows are whole lines.
    `registers`: bits of those that vectors are cut into; 0: the widest. `align`: a row starts with the few elements up to the first line of
    the result, so that every vector behind them is stored into one.
  }];
}

def Kiln_ProductAttr : Kiln_ScheduleAttr<"Product", "product", "A matrix product in register tiles over blocks of its operands.",
                                         (ins Kiln_Extents:$tile, "int64_t":$lanes, Kiln_Number<1>:$unroll, Kiln_Extents:$block,
                                             Kiln_Choice<Kiln_Packing>:$pack, Kiln_Number<0>:$fold, Kiln_Flag:$symmetric, Kiln_Flag:$mask,
                                             Kiln_Flag:$prefetch, Kiln_Choice<Kiln_ProductLoop>:$parallel, Kiln_Grain:$grain, Kiln_Number<0>:$epilogue,
                                             Kiln_Number<0>:$strip, Kiln_Flag:$first, Kiln_Flag:$shared)> {
  let description = [{
    `tile`: rows x columns of the result that are in registers; `unroll`: steps along the contracted axis at a time. `block`: rows x columns x
    depth that are worked on at once, and what `pack` copies into panels. `fold`: the last batch axes that count as rows. `symmetric`: of an
    array by itself, only tiles with elements above the diagonal are computed; the others are copied. `mask`: every
    tile masks the columns behind the end, instead of code of its own for the last ones. `prefetch`: of the rows of the result that the next tile writes. `parallel`: a loop over blocks. `epilogue`: the most lanes of what follows from the result.
    `strip`: the greatest depth at which a result of at most `lanes` columns, as a call may have, takes one strip of tiles that wide, with nothing packed; 0: none.
    `first`: b is packed by the first tiles of a block, which has all rows, as they read it: a panel at a time.
    `shared`: whole tiles are computed by a function that all products of the module with such tiles call.
  }];
}

def Kiln_RankUpdateAttr : Kiln_ScheduleAttr<"RankUpdate", "rank_update", "A product of few rows: b is read once, in order.",
                                            (ins "int64_t":$depth, "int64_t":$lanes, Kiln_Number<0>:$fold, Kiln_Number<0>:$epilogue)> {
  let description = "`depth` steps along the contracted axis at a time, over all columns. `fold` and `epilogue` as for `product`.";
}

def Kiln_StageAttr : AttrDef<Kiln_Dialect, "Stage"> {
  let mnemonic = "stage";
  let summary = "Reductions that run in one loop, and values that it keeps for later ones.";
  let description = "Both by their place among the operations of the kernel.";
  let parameters = (ins Kiln_Numbers:$reduce, Kiln_Numbers:$keep);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Kiln_RowsAttr : Kiln_ScheduleAttr<"Rows", "rows", "Reductions along the last axis, and what surrounds them.",
                                      (ins Kiln_List<"Stage">:$stages, "int64_t":$lanes, Kiln_Number<-1>:$parallel, Kiln_Grain:$grain,
                                          Kiln_Numbers:$stream, Kiln_Flag:$count, Kiln_Number<0>:$prefetch)> {
  let description = [{
    For each row the `stages` run one after the other, and then the results of its shape are stored. `lanes`: of all loops but those of sums
    and products of floats, whose lanes are part of their definition. `count`: sums of true elements add the number of those in a mask of
    `lanes` bits. `prefetch`: how many bytes ahead the first stage asks for what it reads.
  }];
}

def Kiln_ColumnsAttr : Kiln_ScheduleAttr<"Columns", "columns", "Reductions along another axis than the last, and what surrounds them.",
                                         (ins Kiln_List<"Stage">:$stages, "int64_t":$lanes, Kiln_Number<0>:$wide, Kiln_Number<0>:$prefetch,
                                             Kiln_Number<0>:$sweep, Kiln_Number<1>:$rows, Kiln_Number<-1>:$parallel, Kiln_Grain:$grain,
                                             Kiln_Numbers:$stream)> {
  let description = [{
    For each block of columns the `stages` run one after the other, and then the results of its shape are stored. A block has `wide` columns, the
    last ones `lanes`; `prefetch`: how many rows ahead. Or, of one reduction: `sweep` columns at once, whose results so far are in memory, and
    take `rows` rows at a time.
  }];
}

def Kiln_ConvolutionAttr : Kiln_ScheduleAttr<"Convolution", "convolution", "A convolution in register tiles.",
                                             (ins Kiln_Extents:$tile, "int64_t":$lanes, Kiln_Flag:$pack, Kiln_Flag:$copy,
                                                 Kiln_Choice<Kiln_WindowLoop>:$parallel, Kiln_Grain:$grain, Kiln_Number<0>:$epilogue)> {
  let description = [{
    `tile`: positions of a line x filters that are in registers. `copy`: each image is first laid out with its padding. `pack`: the weights of
    a tile's filters are copied into a panel, once for all lines; `parallel` is then the loop over filters, else that over lines. `epilogue`: the
    most lanes of what follows from the result.
  }];
}

def Kiln_WindowAttr : Kiln_ScheduleAttr<"Window", "window", "A convolution, position by position with filters in lanes.",
                                        (ins "int64_t":$lanes, Kiln_Number<-1>:$parallel, Kiln_Grain:$grain)>;

def Kiln_AssembleAttr : Kiln_ScheduleAttr<"Assemble", "assemble", "A result that is put together.", (ins Kiln_List<"Nest">:$parts)> {
  let description = "The loops of each part: of a join its operands; else the array that is changed, and what is put into it.";
}

def Kiln_ScatterAttr : Kiln_ScheduleAttr<"Scatter", "scatter", "A copy of an array, and updates of it in order.",
                                         (ins "::kiln::ir::NestAttr":$copy, "int64_t":$lanes)>;

def Kiln_ScanAttr : Kiln_ScheduleAttr<"Scan", "scan", "Steps along an axis, of which each needs the one before.",
                                      (ins "int64_t":$lanes, Kiln_Number<-1>:$parallel, Kiln_Grain:$grain)> {
  let description = "`lanes`: along the last axis, where that is not the one of the steps.";
}

def Kiln_CompactAttr
    : Kiln_ScheduleAttr<"Compact", "compact", "The true elements, or their positions, a mask of `lanes` bits at a time.",
                        (ins "int64_t":$lanes, Kiln_Flag:$compress)> {
  let description = "`compress`: a register of positions, or of elements of 4 or 8 bytes, at a time, in which an instruction moves the true ones together.";
}

def Kiln_SortAttr : Kiln_ScheduleAttr<"Sort", "sort", "Lines that are sorted by bytes of their keys.",
                                      (ins Kiln_Number<-1>:$parallel, Kiln_Grain:$grain)>;

//===-- for processors of many threads, which run in blocks ---------------------------------------------------------===//

def Kiln_GridAttr : Kiln_ScheduleAttr<"Grid", "grid", "Positions of a result, shared by the threads of many blocks.",
                                      (ins "int64_t":$threads, Kiln_Number<1>:$each, Kiln_Flag:$collapse, Kiln_Number<-1>:$transpose,
                                          Kiln_Number<1>:$wide, Kiln_Number<32>:$side)> {
  let description = [{
    `threads` of a block; a thread takes `each` positions, `threads` apart, so that neighbours read neighbours. `wide`: each position is so many beside
    each other, which are read and written with one access where the arrays of a call begin at whole ones. `collapse`: all axes are one.
    `transpose`: an axis whose elements operands hold one after the other; blocks turn squares of `side` x `side` of it and the last axis in the memory
    that their threads share.
  }];
}

def Kiln_RowGroupsAttr : Kiln_ScheduleAttr<"RowGroups", "row_groups", "Reductions along the last axis by groups of threads, and what surrounds them.",
                                           (ins Kiln_List<"Stage">:$stages, "int64_t":$threads, Kiln_Number<1>:$rows, Kiln_Flag:$resident,
                                               Kiln_Number<0>:$split)> {
  let description = [{
    `threads` of a row, which are one group of 32 that exchange registers, or several that exchange shared memory; `rows` of a block. `resident`: the loops of a
    thread are unrolled, and what several stages need stays in its registers. `split`: each stage is two launches, of which the first reduces so many elements
    of a row a group, and the second joins their results.
  }];
}

def Kiln_ColumnThreadsAttr
    : Kiln_ScheduleAttr<"ColumnThreads", "column_threads", "Reductions along another axis than the last, a column a thread.",
                        (ins Kiln_List<"Stage">:$stages, "int64_t":$threads, Kiln_Number<0>:$split)> {
  let description = "`split`: each stage is two launches, of which the first reduces so many rows of a column a thread, and the second joins their results.";
}

def Kiln_ThreadTilesAttr : Kiln_ScheduleAttr<"ThreadTiles", "thread_tiles", "A matrix product in tiles of registers, over blocks in shared memory.",
                                             (ins Kiln_Extents:$tile, Kiln_Extents:$block, Kiln_Number<2>:$stages, Kiln_Choice<Kiln_Packing>:$copy,
                                                 Kiln_Choice<Kiln_Packing>:$wide, Kiln_Number<0>:$occupancy)> {
  let description = [{
    `tile`: rows x columns of the result that a thread has in registers; `block`: rows x columns x depth that a block of threads works on at once. `stages`: so many
    of them are in shared memory: while threads multiply one, the next are on their way. `copy`: operands that asynchronous copies bring there, an element
    each, and not the registers of a thread; `wide`: those of them whose copies are of 16 bytes, where a call's array lies at a multiple of that.
    `occupancy`: blocks that a multiprocessor is to have at once, which limits the registers of a thread; 0: no limit.
  }];
}

def Kiln_MatrixTilesAttr : Kiln_ScheduleAttr<"MatrixTiles", "matrix_tiles", "A product of narrow floats in tiles that a warp's matrix unit multiplies.",
                                             (ins Kiln_Extents:$tile, Kiln_Extents:$block, Kiln_Number<2>:$stages, Kiln_Choice<Kiln_Packing>:$wide,
                                                 Kiln_Number<0>:$occupancy, Kiln_Flag:$group)> {
  let description = [{
    `tile`: rows x columns of the result that a warp has in registers; `block`, `stages`, `wide` and `occupancy` as for `thread_tiles`. `group`: it is of four warps, whose
    units take operands from shared memory; of the chip sm_90a. Both operands are float16 or
    bfloat16 made float32. The one schedule that shows in the bits: the unit adds 16 steps of the contracted axis to a sum in an order of its own (docs/numerics.md).
  }];
}

def Kiln_LinesAttr : Kiln_ScheduleAttr<"Lines", "lines", "Steps along an axis in order, a line a thread.",
                                       (ins "int64_t":$threads, Kiln_Number<1>:$each, Kiln_Number<0>:$stage)> {
  let description = [{
    `each`: elements that are read before the first of them is used. `stage`: of a scan along the last axis, so many lines at once are fetched by a group of 32
    threads into shared memory, and written from there.
  }];
}

def Kiln_ScanGroupsAttr : Kiln_ScheduleAttr<"ScanGroups", "scan_groups", "Scans whose elements may be joined in any groups, and counts of true elements.",
                                            (ins "int64_t":$threads, Kiln_Number<1>:$each, Kiln_Number<1>:$lines)> {
  let description = [{
    `threads` of a part of a line, with `each` elements beside each other a thread; `lines` of a block. A line of several parts takes launches that find what comes
    before each part.
  }];
}

def Kiln_MergeSortAttr : Kiln_ScheduleAttr<"MergeSort", "merge_sort", "Parts of lines that blocks of threads sort, and launches that merge them.",
                                           (ins "int64_t":$threads, "int64_t":$part)> {
  let description = "`part`: elements that a block sorts, and then merges. Of a scatter: its updates, by where they go; those of one element are put there by one thread.";
}

#endif
