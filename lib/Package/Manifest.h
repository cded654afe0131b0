// The parts of a package file that are JSON: the manifest, and the header of its weights.
#pragma once

#include "lib/Package/Package.h"
#include "lib/Package/Programs.h"

#include <functional>

namespace kiln::manifest {

inline constexpr const char *kManifest = "manifest.json", *kWeights = "weights.safetensors";
/// The member of the program of an entry.
inline std::string programMember(size_t entry) { return "programs/" + std::to_string(entry) + ".kilntrace"; }

/// The member of the code for a machine.
inline std::string nativeMember(const std::string &triple) { return "native/" + triple + ".so"; }

/// "<what>: expected <expected>, got <got>" as an error of packages.
[[noreturn]] void malformed(const std::string &what, const std::string &expected, const std::string &got);

/// The manifest of a package.
std::string write(const Package &package);
/// A package from its manifest, whose weights and code have no bytes yet. Throws Error (package).
Package read(std::span<const uint8_t> text, const std::function<Trace(const std::string &member)> &programOf);

/// An expression as the manifest has it.
std::string write(const SizeExpression &expression, const std::vector<Dimension> &dimensions);
/// Throws Error (package) for a weight that no memory could hold.
void checkWeight(const PackageWeight &weight);

/// Where weights lie behind the header, in the order in which they are written: those that fill whole lines of memory, then by the size of
/// their elements, so that each lies at a multiple of it.
std::vector<size_t> orderOfWeights(std::span<const PackageWeight> weights);
/// The header of a file of safetensors that has the weights in this order, filled up to 64 bytes.
std::string writeHeader(std::span<const PackageWeight> weights, std::span<const size_t> order);
/// Finds the bytes of the weights, whose names and types are known, in a file of safetensors. Throws Error (package).
void readHeader(std::span<const uint8_t> file, std::span<PackageWeight> weights);

} // namespace kiln::manifest
