// One target under libFuzzer: its inputs, its own changes among those of the format, and an end
// that libFuzzer keeps the input of.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/harness.hpp"

#ifndef SOMA_FUZZ_TARGET
#error "which of the targets: its place in soma::fuzz::targets"
#endif

using namespace soma;

namespace {

constexpr auto& target = fuzz::targets[SOMA_FUZZ_TARGET];

}  // namespace

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto wrong = target.check({data, size});
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s: %s\n", target.name, wrong.c_str());
    std::abort();
  }
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned seed) {
  noise::noise_generator noise(seed);
  const auto how = noise.below(4);
  if (how == 0) return LLVMFuzzerMutate(data, size, max_size);
  bytes changed(data, data + size);
  auto header = target.has_header ? fuzz::header_of(changed) : "";
  if (how == 1 && !header.empty()) {  // libFuzzer's changes, of the header alone
    const auto old = header.size();
    header.resize(old + 256);
    header.resize(
        LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(header.data()), old, header.size()));
    changed = fuzz::with_header(changed, header);
  } else {
    changed = target.change(changed, noise);
  }
  if (changed.empty() || changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}

}  // extern "C"
