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

struct Tree : std::enable_shared_from_this<Tree> {
  Key key;
  std::unique_ptr<Watched> watched;
  std::vector<int64_t> captured; // the words of arrays that are read by name, as a key has them
  Node root;
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
