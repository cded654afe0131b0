// What calls of one key do: a tree of nodes, each a step, that is a segment and what is done with its values, and where it goes on.
// Straight recordings are trees of one node.
#pragma once

#include "frontend/Recorder.h"
#include "frontend/tree/Key.h"
#include "frontend/tree/Pace.h"
#include "frontend/tree/Segment.h"
#include "frontend/tree/Template.h"

#include <deque>
#include <map>
#include <set>

namespace kiln {

/// State of the host that a recording read besides its arguments.
class Watched {
public:
  virtual ~Watched() = default;
  /// Whether it is as it was. Runs no code of the user.
  virtual bool holds() const = 0;
};

/// A segment, what it takes, what it hands on and what is asked of it. Equal ones of a tree are one, as those of a loop's trips are.
struct Step {
  Segment segment;
  std::vector<Source> inputs; // of the segment
  std::vector<Source> live;   // what the next step finds
  Source asked;               // the value that decides, where it goes on by one
  DType askedType = DType::Bool;
  std::string why; // that was asked
  Location at;
  std::vector<Location> locations; // where each slot was recorded
  std::vector<Repeated> loops;
  std::shared_ptr<const struct LoopOf> loop; // of one that runs trips of others (Folding.h)
};

/// New content of an input.
struct Commit {
  int entry;
  Source content;
};

/// What a path does to state of the host.
class Effects {
public:
  virtual ~Effects() = default;
};

/// How a path ends.
struct Ending {
  Template result;
  std::vector<Source> results; // the arrays that the template puts in
  std::vector<Commit> commits;
  std::shared_ptr<const Effects> effects; // null: none
};

struct Node {
  /// Guard: goes on by the value that its step is asked for. Python: the program runs on each call, and its operations as segments, since
  /// `why`. Raise: calls run as they are written, which raises an error. Eager: they do so since `why`.
  enum Terminator : uint8_t { Unknown, Return, Guard, Python, Raise, Eager } terminator = Unknown;
  Step *step = nullptr;                                 // of Return and Guard
  std::shared_ptr<const Ending> ending;                 // of Return
  std::vector<std::pair<std::string, Node *>> children; // by the bits of the value
  std::string why;
  int64_t hits = 0;
  Pace pace; // of the path that ends here

  bool needsPython() const { return terminator >= Python; }
  /// The child for a value; null where that is new. Moves it ahead of the others.
  Node *childFor(const std::string &value);
};

/// A recorded call, from the first node to where it ended. All pieces but the last of a Return end in guards.
struct Path {
  std::vector<Piece> pieces;
  std::vector<int> entries;            // the inputs among the arrays of the call
  Node::Terminator end = Node::Return; // Unknown: what follows was not to be told
  Ending ending;                       // of Return
  std::string why;                     // of Eager
};

struct Tree;

/// Calls of row-major arrays of their own memory alone, whose results are new arrays, by one program, or a view, or that write into
/// arguments alone: compared and run without a key.
struct PlainCall {
  /// How they run.
  enum class Way : uint8_t {
    None,     // with a key
    Code,     // the step's
    Short,    // the same, of one result and no memory beside it: nothing to do but to call, where no other thread is let run meanwhile
    Replayed, // there will be no code: operations one by one
    Write,    // all outputs are new content of arguments, computed in its place; the result is an argument or the same object
    View,     // nothing is computed: the result shows an argument
    Eager,    // as they are written; what native calls under way read stays as it is
  };
  static constexpr size_t kMostArguments = 16, kMostOutputs = 8, kMostNumbers = 8, kMostGuards = 16;
  Way way = Way::None;
  bool isKnown = false, isTuple = false;
  std::vector<ArrayType> arguments;
  std::vector<int> inputs;   // of the segment, among the arguments
  std::vector<Dims> strides; // of the results
  std::vector<size_t> bytes;
  const Step *step = nullptr;
  std::shared_ptr<struct HotPath> hot; // whose step it is, else the root's: the first outputs are what was asked for
  size_t guards = 0;

  /// Whether calls of a tree, one of which has these arrays and no other arguments, are plain; how they end.
  std::shared_ptr<const Ending> find(const Tree &tree, std::span<Array *const> arrays);
  /// The same of a tree that has ended in eager.
  void findEager(const Tree &tree, std::span<Array *const> arrays);
  /// Whether an argument is as the i-th one was; `seen` are the cells of those before it.
  bool fits(size_t i, const Array &a, const Storage **seen) const {
    const ArrayType &t = arguments[i];
    if (a.dtype != t.dtype || !a.isContiguous || a.isRepeated || deviceOf(a) || !(a.shape == t.shape)) return false;
    seen[i] = a.storage.get();
    for (size_t k = 0; k < i; ++k)
      if (seen[k] == seen[i]) return false;
    return true;
  }

private:
  bool areArguments = false; // all that tells calls apart
  void takeArguments(const Tree &tree, std::span<Array *const> arrays);
  Way wayOf(const Tree &tree, const Ending &ending) const;
  bool isNew(const Ending &ending) const;
};

struct Tree : std::enable_shared_from_this<Tree> {
  Key key;
  std::unique_ptr<Watched> watched;
  std::vector<int64_t> captured;            // the words of arrays that are read by name, as a key has them
  std::vector<int> entries;                 // the inputs, among the arrays of the call: its arguments, then captured ones
  std::deque<Node> nodes{1};                // the root first
  std::vector<std::shared_ptr<Step>> steps; // those that nodes have, and what is run where Python goes first
  PlainCall plain;
  std::shared_ptr<struct HotPath> hot; // the path that most calls take, as one program
  const Node *lastJoined = nullptr;    // the end of the path that was joined last
  bool lacksCode = false;              // a step of it will always run op by op
  bool isHotRefuted = false;           // by the call under way
  std::vector<HostObject> codes;       // of the host, that locations are in
  bool isLong = false;                 // other threads of the host run during some step
  int64_t hits = 0;
  std::vector<std::shared_ptr<Code>> awaited; // until it is there, calls run as they are written, which was found to be quicker
  DrivenPace driven;
  bool mayFold = true;         // repetition that values decide is put into loops
  int refolds = 0;             // paths that were replaced by ones with loops
  bool isToCarry = false;      // a recording was too long, and its numbers are known to change: the next one keeps them
  int carrying = 0;            // which numbers its recordings keep as arrays, as they are known to change; 0: none
  int tried = 0;               // the same, of the last one that was made in its place
  std::shared_ptr<Tree> other; // of the same calls, recorded in another way: asked where this one does not know a path
  int64_t abandoned = 0;       // calls that had to run in eager, since the last that did not
  int64_t forks = 0;           // recordings that did otherwise than one before them, at the same values

  Node &root() { return nodes.front(); }
  const Node &root() const { return nodes.front(); }
  bool isEager() const { return root().terminator == Node::Eager; }
  void dropHot();
  /// All further calls end at the root.
  void end(Node::Terminator terminator, std::string why);
  /// Whether calls run as they are written until there is code.
  bool isResting();
  /// What adding a path did: the steps that are new, the first node that is, and the one where the path ends.
  struct Added {
    std::vector<Step *> steps;
    Node *first = nullptr, *end = nullptr;
  };
  /// Has loops of the tree take the trips of a path; false where the path has others in the same places.
  bool takeTrips(Path &path) const;
  /// Adds a recorded call. Code for the segments that are new is chosen by Function.
  Added add(Path path);
  /// Calls that come to a node run in eager, and those that most of its tree's take from the start. What lies behind it is dropped.
  void endAt(Node &node, std::string why);
  /// The step of a piece that no node has; a new one is kept where there are few. Whether it is new.
  std::pair<std::shared_ptr<Step>, bool> stepApart(Piece &&piece);

private:
  std::map<std::vector<int64_t>, std::shared_ptr<Step>> known; // by content
  std::set<void *> heldCodes;

  Step *stepOf(Piece &&piece, bool isGuard, std::vector<Step *> &fresh);
  void set(Node &node, Step *step, Node::Terminator terminator, Added &added);
  void keepCodes(const Step &step);
};

} // namespace kiln
