#include "model/tokens/tokens.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace soma;
using namespace soma::tokens;

namespace {

bytes counting(std::size_t size) {
  bytes data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i);
  return data;
}

template <class T>
std::vector<T> row(const std::vector<T>& all, const token_batch& batch, std::size_t which) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(which * batch.length);
  return {first, first + batch.length};
}

using token_list = std::vector<token>;
using places = std::vector<std::uint32_t>;

}  // namespace

// Arithmetic §5.1.
TEST_CASE("the number of sequences is the size divided by the length, rounded up") {
  const std::pair<std::uint64_t, std::uint64_t> cases[] = {{0, 0},  {1, 1},  {9, 1}, {10, 1},
                                                           {11, 2}, {20, 2}, {21, 3}};
  for (const auto& [size, sequences] : cases) CHECK(sequence_count(size, 10) == sequences);
}

TEST_CASE("a short sequence is closed by EOS and filled with PAD at the position after the data") {
  const auto one = make_batch(counting(1), 4, 0, 16);
  CHECK(one.sequences == 1);
  CHECK(one.tokens == token_list{0, 257, 256, 256});
  CHECK(one.positions == places{0, 1, 1, 1});
  CHECK(one.targets == token_list{257, 256, 256, 256});

  const auto ten = make_batch(counting(10), 6, 0, 16);
  CHECK(ten.sequences == 2);
  CHECK(row(ten.tokens, ten, 1) == token_list{6, 7, 8, 9, 257, 256});
  CHECK(row(ten.positions, ten, 1) == places{6, 7, 8, 9, 10, 10});
}

TEST_CASE("data that fills its last sequence has no EOS") {
  const auto full = make_batch(counting(16), 8, 0, 16);
  CHECK(full.tokens == token_list{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  const auto targets = make_batch(counting(10), 5, 0, 16);
  CHECK(row(targets.targets, targets, 0) == token_list{1, 2, 3, 4, 256});
  CHECK(row(targets.targets, targets, 1) == token_list{6, 7, 8, 9, 256});
}

TEST_CASE("batches are runs of sequences, the last one short") {
  const bytes zeros(30, 0);
  CHECK(make_batch(zeros, 10, 0, 2).sequences == 2);
  CHECK(make_batch(zeros, 10, 2, 2).sequences == 1);
  CHECK(make_batch(zeros, 10, 2, 2).positions.front() == 20);
  CHECK(make_batch({}, 10, 0, 2).sequences == 0);
}

TEST_CASE(
    "whatever the sizes: every byte stands once at its offset and every target is the next token "
    "of its row") {
  for (std::size_t size = 0; size < 60; ++size) {
    for (std::uint32_t length = 1; length < 14; ++length) {
      CAPTURE(size);
      CAPTURE(length);
      const auto data = counting(size);
      const auto batch = make_batch(data, length, 0, 1000);
      std::size_t found = 0;
      int ends = 0;
      for (std::size_t i = 0; i < batch.tokens.size(); ++i) {
        if (batch.tokens[i] < 256) {
          CHECK(batch.positions[i] == found);
          CHECK(batch.tokens[i] == data[found++]);
        } else {
          CHECK(batch.positions[i] == size);
          ends += batch.tokens[i] == eos_token;
        }
        const bool last = i % length == length - 1;
        CHECK(batch.targets[i] == (last ? pad_token : batch.tokens[i + 1]));
      }
      CHECK(found == size);
      CHECK(ends == (size % length != 0 ? 1 : 0));
    }
  }
}
