// Loops and branches under tangents and batches: one of bodies to which the mode went along.
#include "frontend/Bodies.h"
#include "frontend/Control.h"
#include "frontend/OpsShared.h"
#include "frontend/Transform.h"
#include "frontend/rules/Formula.h"
#include "lib/Core/Control.h"

#include <algorithm>

namespace kiln {

/// A body as the modes below run it.
struct Mapping::Image {
  std::shared_ptr<const Trace> trace;
  std::vector<char> isActive; // by result of the body
};

template <typename T> static void append(std::vector<T> &list, std::vector<T> more) { std::ranges::move(more, std::back_inserter(list)); }

/// For inputs of which some are active; the first ones are carried. `wanted`: which results are to be active; empty: those that are.
Mapping::Image Mapping::imageOf(const Trace &body, std::span<const TensorType> types, std::span<const char> active, size_t carried,
                                std::span<const char> wanted) const {
  BodyWriter writer;
  std::vector<Item> items = itemsOf(writer.inputs(typesBelow(types.first(carried), active.first(carried))), active.first(carried));
  append(items, itemsOf(writer.inputs(typesBelow(types.subspan(carried), active.subspan(carried))), active.subspan(carried)));
  std::unique_ptr<Mapping> mode = another();
  std::vector<Array> inputs;
  for (Item &item : items) inputs.push_back(mode->lift(std::move(item)));
  std::vector<Item> results;
  Image image;
  for (const Array &result : applyTrace(body, inputs)) image.isActive.push_back(results.emplace_back(mode->resultOf(result)).isActive());
  mode->end();
  image.trace = writer.finish(arraysBelow(results, wanted.empty() ? image.isActive : wanted));
  return image;
}

static std::vector<Array> applyImages(Op op, std::span<const Array> operands, std::span<const int64_t> words, Bodies bodies) {
  std::vector<const Array *> given;
  for (const Array &a : operands) given.push_back(&a);
  return applyBodies(op, given, words, bodies);
}

std::vector<Transform::Item> Mapping::performLoop(const Operation &o, std::span<const Item> items, std::span<const TensorType> types) {
  std::vector<int64_t> numbers = bodyNumbers(info(o.op), o.words);
  const Trace &condition = *o.bodies[size_t(numbers[0])], &body = *o.bodies[size_t(numbers[1])];
  size_t carried = body.outputs.size();
  std::vector<char> active;
  for (const Item &item : items) active.push_back(item.isActive());
  auto carriedOnes = std::span(active).first(carried);
  Image image;
  for (bool isSame = false; !isSame;) { // a trip makes active what the next one is given
    image = imageOf(body, types, active, carried, carriedOnes);
    isSame = true;
    for (size_t i = 0; i < carried; ++i)
      if (image.isActive[i] && !active[i]) active[i] = true, isSame = false;
  }
  Image asks = imageOf(condition, types, active, carried, {});
  if (asks.isActive[0]) throw LeaveRecording{"examples of a batch may differ in the number of trips"};
  std::vector<Array> operands = arraysBelow(items.first(carried), active);
  append(operands, arraysBelow(items.subspan(carried), std::span(active).subspan(carried)));
  std::shared_ptr<const Trace> bodies[] = {asks.trace, image.trace};
  return itemsOf(applyImages(o.op, operands, std::array<int64_t, 2>{0, 1}, bodies), carriedOnes);
}

std::vector<Transform::Item> Mapping::performBranch(const Operation &o, std::span<const Item> items, std::span<const TensorType> types) {
  if (items[0].isActive()) throw LeaveRecording{"examples of a batch may go different ways"};
  std::vector<char> active, wanted;
  for (const Item &item : items.subspan(1)) active.push_back(item.isActive());
  std::vector<std::shared_ptr<const Trace>> bodies;
  std::vector<int64_t> numbers = bodyNumbers(info(o.op), o.words), words = {int64_t(numbers.size())};
  auto image = [&](int64_t number) { return imageOf(*o.bodies[size_t(number)], types.subspan(1), active, active.size(), wanted); };
  std::vector<char> any(o.types.size());
  for (int64_t number : numbers) {
    std::vector<char> one = image(number).isActive;
    for (size_t i = 0; i < any.size(); ++i) any[i] |= one[i];
  }
  wanted = any;
  for (int64_t number : numbers) words.push_back(int64_t(bodies.size())), bodies.push_back(image(number).trace);
  std::vector<Array> operands = {items[0].below};
  append(operands, arraysBelow(items.subspan(1), active));
  return itemsOf(applyImages(o.op, operands, words, bodies), wanted);
}

std::vector<Transform::Item> Mapping::performAll(const Operation &o, std::span<const Item> items) {
  checkOnHost(operandsOf(items));
  std::vector<TensorType> types = typesOf(items);
  if (o.op == Op::Loop) return performLoop(o, items, types);
  if (o.op == Op::Branch) return performBranch(o, items, types);
  throw LeaveRecording{"a body of sizes that are computed, under a gradient or a batch"};
}

//===-- tangents: behind all values those of the active ones --------------------------------------------------------===//

std::unique_ptr<Mapping> Tangents::another() const { return std::make_unique<Tangents>(); }

std::vector<TensorType> Tangents::typesBelow(std::span<const TensorType> types, std::span<const char> active) const {
  std::vector<TensorType> all(types.begin(), types.end());
  for (size_t i = 0; i < types.size(); ++i)
    if (active[i]) all.push_back(types[i]);
  return all;
}

std::vector<Array> Tangents::arraysBelow(std::span<const Item> items, std::span<const char> active) const {
  std::vector<Array> all;
  for (const Item &item : items) all.push_back(item.below);
  for (size_t i = 0; i < items.size(); ++i)
    if (active[i]) all.push_back(items[i].tangent ? *items[i].tangent : rules::zerosLike(items[i].below));
  return all;
}

std::vector<Transform::Item> Tangents::itemsOf(std::span<const Array> below, std::span<const char> active) const {
  std::vector<Item> items;
  for (size_t i = 0, next = active.size(); i < active.size(); ++i)
    items.push_back({below[i], active[i] ? rules::Maybe(below[next++]) : std::nullopt, -1, false});
  return items;
}

//===-- batches -----------------------------------------------------------------------------------------------------===//

std::unique_ptr<Mapping> Batch::another() const { return std::make_unique<Batch>(size); }

std::vector<TensorType> Batch::typesBelow(std::span<const TensorType> types, std::span<const char> active) const {
  std::vector<TensorType> all(types.begin(), types.end());
  for (size_t i = 0; i < types.size(); ++i) {
    if (!active[i]) continue;
    if (types[i].shape.rank >= kMaxRank) throw LeaveRecording{"a value of a loop or branch has too many axes for a batch"};
    all[i].shape.insert(0, size);
  }
  return all;
}

std::vector<Array> Batch::arraysBelow(std::span<const Item> items, std::span<const char> active) const {
  std::vector<Array> all;
  for (size_t i = 0; i < items.size(); ++i)
    all.push_back(active[i] && !items[i].isBatched ? rules::withAxis(items[i].below, 0, size) : items[i].below);
  return all;
}

std::vector<Transform::Item> Batch::itemsOf(std::span<const Array> below, std::span<const char> active) const {
  std::vector<Item> items;
  for (size_t i = 0; i < below.size(); ++i) items.push_back({below[i], std::nullopt, -1, bool(active[i])});
  return items;
}

} // namespace kiln
