// Packages as Python sees them: manifests as text, programs as words, weights as arrays.
#include "jit.h"
#include "python/core/transforms.h"

#include "frontend/frames/Effects.h"
#include "frontend/tree/Packaged.h"
#include "lib/Core/Program.h"
#include "lib/Core/Roll.h"
#include "lib/Package/FitSizes.h"
#include "lib/Package/Manifest.h"
#include "lib/Package/SizeVariants.h"
#include "lib/Runtime/Executable.h"

#include <pybind11/stl.h>

#include <cstring>

namespace py11 = pybind11;

namespace kiln::py {
namespace {

std::span<const uint8_t> bytesOf(std::string_view text) { return {reinterpret_cast<const uint8_t *>(text.data()), text.size()}; }

/// The bytes of an array, which the weight keeps.
void fill(PackageWeight &weight, PyObject *array) {
  auto whole = std::make_shared<Array>(contiguous(leave(arrayOf(array), "an array is exported")));
  if (!(whole->type() == weight.type))
    fail(ErrorKind::Package, "export", "weight '" + weight.name + "'", toString(weight.type), toString(whole->type()));
  weight.bytes = {reinterpret_cast<const uint8_t *>(whole->data()), size_t(whole->size() * byteSize(whole->dtype))};
  weight.owner = whole;
}

/// `files` are members of ops, as bytes.
py11::object writeFile(const std::string &manifest, py11::dict programs, py11::list weights, const std::string &path, py11::dict files) {
  return located([&]() -> PyObject * {
    kiln::Package package = manifest::read(bytesOf(manifest), [&](const std::string &member) {
      return parseTrace(toWords(programs[py11::str(member)].cast<std::string_view>()));
    });
    for (size_t i = 0; i < package.weights.size(); ++i) fill(package.weights[i], weights[i].ptr());
    for (auto [member, bytes] : files) package.files.push_back({member.cast<std::string>(), bytesOf(bytes.cast<std::string_view>()), {}});
    writePackage(package, path);
    Py_RETURN_NONE;
  });
}

/// The types of a program's inputs and results, each as (dtype, sizes): a number, or a tuple with that of a symbol.
py11::object typesOf(std::string_view words) {
  return located([&] {
    Trace trace = parseTrace(toWords(words));
    auto listOf = [](const std::vector<TensorType> &types) {
      py11::list list;
      for (const TensorType &type : types) {
        py11::list sizes;
        for (Size size : type.shape)
          sizes.append(size.isSymbol() ? py11::object(py11::make_tuple(size.symbol())) : py11::int_(size.number()));
        list.append(py11::make_tuple(info(type.dtype).name, sizes));
      }
      return list;
    };
    std::vector<TensorType> outputs;
    for (int64_t slot : trace.outputs) outputs.push_back(trace.types[size_t(slot)]);
    return py11::make_tuple(listOf(inputTypesOf(trace)), listOf(outputs)).release().ptr();
  });
}

/// What a program does and the shapes of all that it computes with: (names of operations, shapes).
py11::object outlineOf(std::string_view words) {
  return located([&] {
    Trace trace = parseTrace(toWords(words));
    py11::list ops, shapes;
    for (size_t at = 0; at < trace.words.size();) {
      TraceOp op = Trace::decode(trace.words, at);
      ops.append(op.op == Op::Input ? "input" : info(op.op).name);
    }
    for (const TensorType &type : trace.types) shapes.append(toString(type));
    return py11::make_tuple(std::move(ops), std::move(shapes)).release().ptr();
  });
}

/// An expression of sizes for numbers at some of them, as the manifest has it; None where none is found.
py11::object fittedSizes(const std::vector<std::string> &names, const std::vector<Sizes> &points, const std::vector<int64_t> &values) {
  std::vector<Dimension> dimensions;
  for (const std::string &name : names) dimensions.push_back({name});
  auto found = fitSizes(points, values);
  return found ? py11::object(py11::str(manifest::write(*found, dimensions))) : py11::none();
}

/// The variants of a function at some sizes: (words, tag, symbols, numbers, sizes, boxes) of each, expressions as the manifest has them.
/// `record(sizes)` gives words and a tag, or None.
py11::object variantsOf(const std::vector<std::string> &names, const std::vector<Sizes> &sizes, py11::function record) {
  return located([&] {
    std::vector<Dimension> dimensions;
    for (const std::string &name : names) dimensions.push_back({name});
    auto recorded = [&](const Sizes &at) -> std::optional<SizeRecording> {
      auto result = py11::reinterpret_steal<py11::object>(check(PyObject_CallOneArg(record.ptr(), py11::tuple(py11::cast(at)).ptr())));
      if (result.is_none()) return std::nullopt;
      auto [words, tag] = result.cast<std::pair<py11::bytes, std::string>>();
      Trace program = parseTrace(toWords(std::string_view(words)));
      std::vector<Repetition> found;
      auto rolled = roll(program, found); // so that it is one program for any number of trips
      return SizeRecording{rolled ? std::move(rolled->trace) : std::move(program), tag};
    };
    py11::list list;
    for (SizeVariant &variant : findVariants(sizes, recorded)) {
      auto texts = [&](const std::vector<SizeExpression> &expressions) {
        std::vector<std::string> all;
        for (const SizeExpression &expression : expressions) all.push_back(manifest::write(expression, dimensions));
        return all;
      };
      std::vector<int64_t> words = variant.program.serialize();
      list.append(py11::make_tuple(py11::bytes(reinterpret_cast<const char *>(words.data()), words.size() * 8), variant.tag,
                                   texts(variant.symbols), texts(variant.numbers), variant.sizes, boxesOf(variant.sizes)));
    }
    return list.release().ptr();
  });
}

/// An array without memory: enough to record with.
py11::object placeholder(py11::object shape, py11::object dtype) {
  return located([&] {
    Array a;
    a.dtype = toDType(dtype.ptr());
    a.shape = toDims("export", shape.ptr());
    a.strides = contiguousStrides(a.shape);
    a.storage = Storage::make({});
    return wrap(std::move(a));
  });
}

size_t countOperations(const Trace &program) {
  size_t count = 0;
  for (size_t at = 0; at < program.words.size();) count += Trace::decode(program.words, at).op != Op::Input;
  return count;
}

py11::object call(PackagedFunction &function, py11::list arguments) {
  return located([&]() -> PyObject * {
    std::vector<Array> held;
    std::vector<Array *> arrays;
    for (py11::handle argument : arguments) held.push_back(leave(arrayOf(argument.ptr()), "a package is called"));
    for (Array &array : held) arrays.push_back(&array);
    bool isStopped = false;
    std::vector<Array> results = function.call(arrays, jitMode, runHooks(true), isStopped);
    if (isStopped) throw PythonError();
    Object list(check(PyList_New(0)));
    for (Array &result : results)
      if (Object array(wrap(std::move(result))); PyList_Append(list.get(), array.get())) throw PythonError();
    return list.release();
  });
}

/// Which of the entries of its name a call runs.
py11::object variantOf(const PackagedFunction &function, py11::list arguments) {
  return located([&]() -> PyObject * {
    std::vector<Array *> arrays;
    for (py11::handle argument : arguments) arrays.push_back(&arrayOf(argument.ptr()));
    return check(PyLong_FromSize_t(function.variantFor(arrays)));
  });
}

py11::object makeLibraryFrom(const std::string &input, const std::string &output, const std::map<std::string, std::string> &options) {
  return located([&]() -> PyObject * {
    {
      py11::gil_scoped_release release; // it takes as long as compiling does
      makeLibrary(input, output, options);
    }
    Py_RETURN_NONE;
  });
}

} // namespace

Existing *existingOf(PyObject *object) { return py11::handle(object).cast<Existing *>(); }

void definePackages(py11::module_ &m) {
  using Loaded = std::shared_ptr<LoadedPackage>;
  py11::class_<PackagedFunction>(m, "PackagedFunction")
      .def("__call__", call)
      .def("variant", variantOf)
      .def("stats", [](const PackagedFunction &f) { return py11::make_tuple(f.calls, f.compiles, f.cacheHits); });
  py11::class_<LoadedPackage, Loaded>(m, "LoadedPackage")
      .def("manifest", [](const LoadedPackage &loaded) { return manifest::write(loaded.package); })
      .def("function", [](const Loaded &loaded, const std::string &entry) { return std::make_unique<PackagedFunction>(loaded, entry); })
      .def("program",
           [](const LoadedPackage &loaded, size_t entry) {
             std::vector<int64_t> words = loaded.package.entries.at(entry).program.serialize();
             return py11::bytes(reinterpret_cast<const char *>(words.data()), words.size() * 8);
           })
      .def("operations",
           [](const LoadedPackage &loaded, size_t entry) { return countOperations(loaded.package.entries.at(entry).program); })
      .def("file",
           [](const LoadedPackage &loaded, const std::string &member) {
             auto bytes = loaded.package.file(member);
             return py11::bytes(reinterpret_cast<const char *>(bytes.data()), bytes.size());
           })
      .def("weight", [](const LoadedPackage &loaded, size_t number) { return located([&] { return wrap(loaded.weights.at(number)); }); });
  m.def(
      "load_package",
      [](const std::string &path, bool verifies, bool runsNative) {
        Loaded loaded;
        located([&]() -> PyObject * {
          kiln::Package package = readPackage(path, verifies ? Checksums::OfAll : Checksums::OfPrograms);
          bool isForOps = package.ops.size() && package.natives.empty(); // there is no other code to run
          loaded = std::make_shared<LoadedPackage>(std::move(package), runsNative && !isForOps);
          Py_RETURN_NONE;
        });
        return loaded;
      },
      py11::arg("path"), py11::arg("verifies"), py11::arg("native") = false);
  py11::class_<Existing>(m, "Existing").def(py11::init<>()).def("forget", &Existing::forget);
  m.def("write_package", writeFile, py11::arg("manifest"), py11::arg("programs"), py11::arg("weights"), py11::arg("path"),
        py11::arg("files") = py11::dict());
  m.def("make_library", makeLibraryFrom);
  m.def("program_types", typesOf);
  m.def("size_variants", variantsOf);
  m.def("fit_sizes", fittedSizes);
  m.def("program_outline", outlineOf);
  m.def("placeholder", placeholder);
  m.def("memory_key", [](py11::object x) { // equal for arrays that show the same
    const Array &a = arrayOf(x.ptr());
    auto list = [](const Dims &dims) { return std::vector<int64_t>(dims.begin(), dims.end()); };
    return py11::make_tuple(reinterpret_cast<intptr_t>(a.storage.get()), a.offset, int(a.dtype), py11::tuple(py11::cast(list(a.shape))),
                            py11::tuple(py11::cast(list(a.strides))));
  });
}

} // namespace kiln::py
