// Which examples of a batch go on together, where Python asks for a value that they do not agree on.
#pragma once

#include "frontend/Device.h"

#include <optional>
#include <string>
#include <vector>

namespace kiln {

/// What examples answer.
struct Answers {
  std::optional<Array> one;                  // that all of them give: of the host
  std::vector<std::vector<int64_t>> numbers; // else: of the examples of each group, in the order of their first ones,
  std::vector<Array> rows;                   // or arrays of them, in the order of the answers
};

/// By the bits of the values, of the host; their first axis is the batch.
Answers answersOf(const Array &values);

/// By operations that the modes below see, which examples are in a group being values as others: what is asked of those modes is how many
/// there are about, so that one program serves any of them. A group has the next power of two of rows, where its first example is repeated
/// behind the others. None where answers are no truth values or integers of one element, or more than a few.
std::optional<Answers> answersApart(const Array &values, const Array &example, const char *why);

/// What was asked for, and told, where answers of a batch were: at most how many examples give each. None for another question.
std::optional<std::vector<int64_t>> sizesOfGroups(const std::string &why, const std::string &bits);

} // namespace kiln
