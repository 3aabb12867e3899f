// A local network of three sources and byte models, which runs five epochs in a second or two.
#pragma once

#include "actors/localnet/localnet.hpp"
#include "tests/actors/support/byte_model.hpp"

namespace soma::test {

inline localnet::localnet_options small_network(const std::filesystem::path& directory,
                                                std::uint64_t seed) {
  localnet::localnet_options options;
  options.directory = directory;
  options.sources = {{"letters", {text_of("abcdefghij ", 64 << 10, 1)}},
                     {"digits", {text_of("0123456789\n", 64 << 10, 2)}},
                     {"signs", {text_of("+-*/%&|^~!<>", 64 << 10, 3)}}};
  options.architecture = byte_architecture;
  options.seed = seed;
  options.epochs = 5;
  options.piece_bytes = 128;
  options.eval_bytes = 4'096;
  options.train = [](std::size_t, const std::vector<bytes>& data, std::uint64_t own_seed) {
    return train_byte_model(data, own_seed);
  };
  options.new_engines = [] { return make_byte_engine; };
  return options;
}

}  // namespace soma::test
