// Whether a path is worth its native run: calls of it are timed, some of them as they are written as well.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace kiln {

/// The seconds that calls of one path take.
struct Pace {
  static constexpr int kOften = 2;
  static constexpr int kTries = 3, kTriesOfShort = 9; // calls that run both ways: more of short ones, which are noisy
  float recorded = 0;                                 // of the call that recorded it, which did more than an eager one; 0: not known
  float native = std::numeric_limits<float>::infinity(), eager = native;
  int32_t calls = 0, tries = 0;

  /// A native run is over, all but its writes: whether the call is to run as it is written as well. It is not where the quickest run so far
  /// is short and code is there or will be, or so much quicker than the recording was that there is nothing to find.
  bool isDue(double seconds, bool hasCode) {
    constexpr double kLeast = 2e-4, kLong = 1e-3;
    constexpr double kRecording = 16; // how much longer a recording takes than an eager call, at most
    native = std::min(native, float(seconds));
    int between = native > kLong ? kOften : 8; // every so many calls
    bool mayGain = !hasCode || (native > kLeast && native * kRecording > recorded);
    return ++calls % between == 0 && !isSettled() && mayGain && recorded > 0;
  }
  /// Whether the next call may be due: its native run is not to write before its end.
  bool mayBeDue() const { return !isSettled() && recorded > 0 && (calls + 1) % kOften == 0; }
  /// A call that ran both ways: its time as it is written.
  void add(double seconds) {
    ++tries;
    eager = std::min(eager, float(seconds));
  }
  /// Whether as many calls ran both ways as tell which one is quicker.
  bool isSettled() const {
    constexpr float kShort = 5e-5F;
    return tries >= (native < kShort ? kTriesOfShort : kTries);
  }
  /// Whether it is known that the program as it is written is quicker.
  bool isSlower() const { return isSettled() && eager * 1.05f < native; }
  /// What was found is of no use any more: the code of the path is another.
  void restart() {
    native = eager = std::numeric_limits<float>::infinity();
    calls = tries = 0;
  }
};

/// The seconds that calls take which Python drives, and as they are written, in turns: the middle ones are compared, as calls may differ.
class DrivenPace {
public:
  enum Turn { Untimed, Driven, Eager };
  Turn next() {
    int turn = ++calls - kUntimed;
    return turn < 0 || turn >= 2 * kTries ? Untimed : turn % 2 ? Eager : Driven;
  }
  void add(Turn turn, double time) { seconds[turn == Eager][counts[turn == Eager]++ % kTries] = float(time); }
  bool isSlower() { return counts[0] >= kTries && counts[1] >= kTries && middle(true) * 1.05f < middle(false); }
  float middle(bool eager) {
    std::sort(seconds[eager], seconds[eager] + kTries);
    return seconds[eager][kTries / 2];
  }

private:
  static constexpr int kUntimed = 64, kTries = 9; // calls before: code is compiled meanwhile
  int calls = 0, counts[2] = {};
  float seconds[2][kTries] = {};
};

} // namespace kiln
