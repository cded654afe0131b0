// kilnc INPUT -o OUTPUT [--header FILE] [--project FOLDER]: a library of C functions from a package (.kiln) or from kiln ops in MLIR
// (docs/libraries.md). --emit, --target, --cpu, --features, --weights, --threads and --name say what kind of one.
#include "include/kiln/compiler.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <deque>
#include <vector>

using namespace llvm;

static cl::OptionCategory category("Options of kilnc");
static cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<package or MLIR>"), cl::cat(category));
static cl::opt<std::string> output("o", cl::Required, cl::desc("Where the library goes"), cl::cat(category), cl::value_desc("file"));
static cl::opt<std::string> header("header", cl::desc("Where its header goes"), cl::cat(category), cl::value_desc("file"));
static cl::opt<std::string> project("project", cl::desc("A folder for a program that uses the library; needs --header"), cl::cat(category),
                                    cl::value_desc("folder"));
static cl::opt<std::string> name("name", cl::desc("Its name in C (the stem of the header, or of the library)"), cl::cat(category));
static cl::opt<std::string> emitted("emit", cl::desc("so, obj, archive, package (the package with code), asm, ptx, llvm or mlir"),
                                    cl::cat(category), cl::init("so"));
static cl::opt<std::string> target("target", cl::desc("The target's triple (this machine); nvptx64-nvidia-cuda: a GPU"), cl::cat(category),
                                   cl::value_desc("triple"));
static cl::opt<std::string> cpu("cpu", cl::desc("Its CPUs, from the least to the best with commas between: the best that is met runs"),
                                cl::cat(category), cl::value_desc("names"));
static cl::opt<std::string> features("features", cl::desc("Features beside those of the CPU"), cl::cat(category));
static cl::opt<std::string> weights("weights", cl::desc("embed, file (beside the library) or caller"), cl::cat(category),
                                    cl::init("embed"));
// One of LLVM's in the same process has this name.
static cl::extrahelp
    threadsHelp("  --threads=<number>  - Threads that it shares loops out to where the options it is opened with do not say (1)\n");

/// Takes --threads=<number> from the arguments; whether it is a number.
static bool takeThreads(std::vector<char *> &arguments, int &threads) {
  bool isNumber = true;
  erase_if(arguments, [&](StringRef argument) {
    bool isIt = argument.consume_front("--threads=");
    if (isIt && argument.getAsInteger(10, threads)) {
      errs() << "kilnc: option --threads: expected a number, got '" << argument << "'\n";
      isNumber = false;
    }
    return isIt;
  });
  return isNumber;
}

int main(int argc, char **argv) {
  std::vector<char *> arguments(argv, argv + argc);
  int threads = 0;
  if (!takeThreads(arguments, threads)) return 1;
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(int(arguments.size()), arguments.data(), "Makes libraries of C functions\n");
  for (auto &[given, option] : cl::getRegisteredOptions())
    if (option->getNumOccurrences() && !is_contained(option->Categories, &category)) {
      errs() << "kilnc: option --" << given << ": expected one of kilnc's (--help), got one of LLVM's that is in the same process\n";
      return 1;
    }
  for (cl::Option *option : std::initializer_list<cl::Option *>{&input, &output})
    option->setNumOccurrencesFlag(cl::Optional); // lld's are parsed too
  std::deque<std::string> copies;                // the linker resets the options of the command line
  auto text = [&](const std::string &given) { return given.empty() ? nullptr : copies.emplace_back(given).c_str(); };
  kiln_library_request request{text(input),  text(output), text(header),   text(project), text(name), text(emitted),
                               text(target), text(cpu),    text(features), text(weights), threads};
  char *error = nullptr;
  int32_t status = kiln_compiler_library(&request, &error);
  if (error) errs() << "kilnc: " << error << "\n";
  kiln_compiler_free(error);
  return status != 0;
}
