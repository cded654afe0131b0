// What calls of one key do: a tree of nodes, each a segment and what comes after it. Straight recordings are trees of one node.
#pragma once

#include "frontend/Recorder.h"
#include "frontend/tree/Key.h"
#include "frontend/tree/Segment.h"
#include "frontend/tree/Template.h"

namespace kiln {

/// State of the host that a recording read besides its arguments.
class Watched {
public:
  virtual ~Watched() = default;
  /// Whether it is as it was. Runs no code of the user.
  virtual bool holds() const = 0;
};

/// New content of a cell from before the call.
struct Commit {
  int input;  // among the segment's inputs
  int output; // among its outputs
};

struct Node {
  /// Return: `result`. Eager: calls run as they are written, since `why`.
  enum Terminator { Return, Eager } terminator = Return;
  Segment segment;
  std::vector<int> inputs; // of the segment, among the arrays of the call: its arguments, then captured ones
  std::vector<Commit> commits;
  Template result;
  std::string why;
};

/// Calls of row-major arrays of their own memory alone, whose results are new arrays: compared and run without a key.
struct PlainCall {
  static constexpr size_t kMostArguments = 16, kMostOutputs = 8, kMostNumbers = 8;
  bool isKnown = false, usable = false, isTuple = false;
  std::vector<TensorType> arguments;
  std::vector<Dims> strides; // of the results
  std::vector<size_t> bytes;

  /// Whether calls of a tree, one of which has these arrays and no other arguments, are plain.
  void find(const struct Tree &tree, std::span<Array *const> arrays);
  /// Whether an argument is as the i-th one was; `seen` are the cells of those before it.
  bool fits(size_t i, const Array &a, const Storage **seen) const {
    const TensorType &t = arguments[i];
    if (a.dtype != t.dtype || !a.isContiguous || a.isRepeated || deviceOf(a) || !(a.shape == t.shape)) return false;
    seen[i] = a.storage.get();
    for (size_t k = 0; k < i; ++k)
      if (seen[k] == seen[i]) return false;
    return true;
  }
};

struct Tree : std::enable_shared_from_this<Tree> {
  Key key;
  std::unique_ptr<Watched> watched;
  std::vector<int64_t> captured; // the words of arrays that are read by name, as a key has them
  Node root;
  PlainCall plain;
  std::vector<HostObject> codes;                   // of the host, and where in them each slot was recorded: code, instruction
  std::vector<std::pair<int32_t, int32_t>> places; // by slot
  int64_t hits = 0;

  bool isEager() const { return root.terminator == Node::Eager; }
  void makeEager(std::string why) {
    root = {};
    root.terminator = Node::Eager;
    root.why = std::move(why);
  }
  /// Notes where the slots of a recording come from.
  void notePlaces(const std::vector<Location> &locations);
};

} // namespace kiln
