#include "lib/Core/Registry.h"

#include "lib/Core/Error.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Trace.h"

#include <atomic>

namespace kiln {
namespace {

/// A list that only grows, so that readers take no lock and a fork finds it whole.
using Head = std::atomic<const RegisteredOp *>;
Head ownHead = nullptr;
std::atomic<Head *> sharedHead = &ownHead;

[[noreturn]] void refuse(const CustomOp &op, const std::string &what, const std::string &expected, const std::string &got) {
  fail(ErrorKind::Value, "register_op", what + " of '" + op.name + "'", expected, got);
}

bool isWord(std::string_view text) {
  bool isPlain = !text.empty() && text.size() <= 64 && text[0] >= 'a' && text[0] <= 'z';
  for (char c : text) isPlain &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  return isPlain;
}

std::vector<std::string> split(std::string_view text, char between) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    size_t end = std::min(text.find(between, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

void check(const CustomOp &op) {
  auto parts = split(op.name, '.');
  bool isName = parts.size() >= 2 && op.name.size() <= 128;
  for (const std::string &part : parts) isName &= isWord(part);
  if (!isName)
    fail(ErrorKind::Value, "register_op", "name", "parts of a-z, 0-9 and _ with dots between, like mylib.norm", "'" + op.name + "'");
  if (op.version < 1) refuse(op, "version", "1 or more", std::to_string(op.version));
  if (op.operands < 0 || op.operands > 1000) refuse(op, "operands", "0 to 1000", std::to_string(op.operands));
  for (char kind : op.words)
    if (std::string_view("iINsdb").find(kind) == std::string_view::npos) refuse(op, "words", "the letters i, I, N, s, d and b", op.words);
  auto names = split(op.attributes, ',');
  if (names.size() != op.words.size())
    refuse(op, "attributes", std::to_string(op.words.size()) + " names, one a letter", std::to_string(names.size()));
  for (size_t i = 0; i < names.size(); ++i) {
    bool isTaken = names[i] == "name" || std::find(names.begin(), names.begin() + ptrdiff_t(i), names[i]) != names.begin() + ptrdiff_t(i);
    if (!isWord(names[i]) || isTaken)
      refuse(op, "attributes", "names that differ, of a-z, 0-9 and _, none of them 'name'", "'" + names[i] + "'");
  }
  if (!op.infer || !op.run) refuse(op, "functions", "infer and run", op.infer ? "no run" : "no infer");
}

/// FNV-1a.
int64_t hashOf(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ uint8_t(c)) * 0x100000001b3u;
  return int64_t(hash);
}

int32_t inferGuarded(const RegisteredOp &op, const InferArgs &args, std::vector<TensorType> &types, std::string &error) {
  try {
    types = op.op.infer(args);
    return 0;
  } catch (const Error &e) {
    error = e.what();
    return 1 + int32_t(e.kind);
  } catch (const std::exception &e) { error = e.what(); } catch (...) {
    error = "an exception";
  }
  return 1 + int32_t(ErrorKind::Value);
}

} // namespace

const RegisteredOp &registerOp(CustomOp custom) {
  check(custom);
  auto op = std::make_unique<RegisteredOp>();
  op->op = std::move(custom);
  CustomOp &mine = op->op;
  mine.words.insert(0, "o");
  if (mine.title.empty()) mine.title = mine.name;
  op->id = hashOf(mine.name + "@" + std::to_string(mine.version));
  op->info = info(Op::Custom);
  op->info.name = mine.name.c_str();
  op->info.summary = mine.summary.c_str();
  op->info.accepts = mine.accepts;
  op->info.operands = mine.operands;
  op->info.words = mine.words.c_str();
  op->info.attributes = mine.attributes.c_str();
  op->info.version = mine.version;
  op->info.upgrade = mine.upgrade;
  op->inferGuarded = inferGuarded;
  Head &head = *sharedHead.load();
  op->next = head.load();
  do {
    if (findRegistered(mine.name) || findRegistered(op->id)) refuse(mine, "name", "one that is not taken", "one that is");
  } while (!head.compare_exchange_strong(op->next, op.get()));
  return *op.release();
}

const RegisteredOp *findRegistered(std::string_view name) {
  for (const RegisteredOp *op = *sharedHead.load(); op; op = op->next)
    if (op->op.name == name) return op;
  return nullptr;
}

const RegisteredOp *findRegistered(int64_t id) {
  for (const RegisteredOp *op = *sharedHead.load(); op; op = op->next)
    if (op->id == id) return op;
  return nullptr;
}

const RegisteredOp &registeredOp(std::span<const int64_t> words) {
  if (const RegisteredOp *op = words.empty() ? nullptr : findRegistered(words[0])) return *op;
  throw Error(ErrorKind::Value, "custom: expected an op that is registered in this process, got one that is not");
}

std::vector<TensorType> inferRegistered(const InferArgs &args) {
  const RegisteredOp &op = registeredOp(args.words);
  const char *name = op.info.name;
  if (args.operands.size() != size_t(op.info.operands))
    fail(ErrorKind::Value, name, "operands", std::to_string(op.info.operands), std::to_string(args.operands.size()));
  for (const WordGroup &group : groupsOf(op.info, args.words))
    if (group.kind == 'b' && (group.words[0] < 0 || size_t(group.words[0]) >= args.bodies.size()))
      fail(ErrorKind::Value, name, std::string(group.name), "one of the " + std::to_string(args.bodies.size()) + " bodies of the program",
           std::to_string(group.words[0]));
  bool isOpen = op.op.isForAnySize;
  if (!isOpen) checkFixed({name, args.operands, {}, op.info.accepts});
  InferArgs mine{name, args.operands, args.words.subspan(1), op.info.accepts, false, args.bodies, isOpen ? args.symbols : kNoSymbols};
  for (size_t i = 0; i < args.operands.size(); ++i) checkDType(mine, i);
  std::vector<TensorType> types;
  std::string error;
  if (int32_t status = op.inferGuarded(op, mine, types, error)) throw Error(ErrorKind(status - 1), error);
  if (types.empty()) fail(ErrorKind::Value, name, "results", "at least 1", "0");
  for (const TensorType &type : types)
    if (!isOpen && !type.shape.isStatic()) fail(ErrorKind::Shape, name, "sizes of a result", "fixed ones", toString(type.shape));
  return types;
}

void *registry() { return sharedHead.load(); }
void useRegistry(void *registry) { sharedHead = static_cast<Head *>(registry); }

} // namespace kiln
