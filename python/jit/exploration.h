// Which answers calls are told besides those of their values, so that an export has the ways behind them (ways.cpp).
#pragma once

#include "recording.h"

#include <map>
#include <set>

namespace kiln::py {

/// A call with the values of an example, that is told other answers to some of its questions.
struct Run {
  Py_ssize_t example;
  std::set<int64_t> flips = {};
  bool isOfUse = true; // it could be recorded
  bool isNew = false;  // it has what those before it have not
  std::vector<Recorder::Answered> answers = {};
};

/// The questions that calls are told other answers to: all, but those of numbers, none.
enum class Flips : uint8_t { All, OfArrays, None };

/// The calls that are made: those of examples, then the same with other answers, as they are found.
class Exploration {
public:
  std::vector<Run> runs;
  Flips flips = Flips::All;

  void start(std::vector<Run> examples) {
    count = examples.size();
    runs = std::move(examples);
    tried.clear(), told.clear(), spent = 0;
  }
  /// A question of a recorded path.
  struct Question {
    int64_t number; // -1: it has no other answer
    std::string answer;
  };
  std::vector<Question> questionsOf(std::span<const Piece> pieces) const;
  /// Adds calls that are told the other answer to a question of a call, where none of the tree was.
  void findOpen(const Tree &tree, const Run &run, std::span<const Question> asked);
  /// The same where all calls so far had one answer at a place of the program, within trips as well.
  void findOneSided(const Run &run, const std::vector<Recorder::Answered> &answered);

private:
  size_t count = 0;
  std::set<std::pair<const Node *, std::string>> tried;             // other answers
  std::map<std::pair<void *, int32_t>, std::set<std::string>> told; // answers, by the place of the question
  double spent = 0;                                                 // seconds that calls are expected to take

  bool mayFlip(const Run &run, int64_t question) const;
  void flip(const Run &run, int64_t question);
};

} // namespace kiln::py
