#include "model/training/checkpoint.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"
#include "model/weights/atomic_file.hpp"
#include "model/weights/weights.hpp"

namespace soma::training {
namespace {

struct file_head {
  std::array<char, 8> magic{'S', 'O', 'M', 'A', 'C', 'K', 'P', '1'};
  std::array<std::uint8_t, 32> fingerprint{};
  std::array<std::uint32_t, 5> architecture{};
  std::uint32_t reserved = 0;
  std::uint64_t step = 0;
  std::uint64_t count = 0;
};
static_assert(sizeof(file_head) == 80 && std::endian::native == std::endian::little);

byte_view view_of(const std::vector<float>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), 4 * values.size()};
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const checkpoint& state) {
  SOMA_ASSERT(state.parameters.size() == weights::parameter_count(state.architecture) &&
                  state.first_moments.size() == state.parameters.size() &&
                  state.second_moments.size() == state.parameters.size(),
              "each parameter has two moments");
  file_head head;
  const auto& a = state.architecture;
  head.fingerprint = state.fingerprint.value;
  head.architecture = {a.layers, a.dim, a.heads, a.ffn, a.max_seq};
  head.step = state.step;
  head.count = state.parameters.size();
  const byte_view first{reinterpret_cast<const std::uint8_t*>(&head), sizeof head};
  crypto::tagged_hash hash("soma.checkpoint");
  hash.add(first)
      .add(view_of(state.parameters))
      .add(view_of(state.first_moments))
      .add(view_of(state.second_moments));
  const hash256 seal = hash.finish();
  const byte_view parts[] = {first, view_of(state.parameters), view_of(state.first_moments),
                             view_of(state.second_moments), seal.view()};
  weights::write_file_atomically(path, parts);
}

std::optional<checkpoint> read_checkpoint(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const bytes file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (file.size() < sizeof(file_head) + 32) return std::nullopt;
  file_head head;
  std::memcpy(&head, file.data(), sizeof head);
  const auto& a = head.architecture;
  const checkpoint empty{
      hash256{head.fingerprint}, {a[0], a[1], a[2], a[3], a[4]}, head.step, {}, {}, {}};
  if (head.magic != file_head{}.magic || head.reserved != 0 || !is_valid(empty.architecture))
    return std::nullopt;
  if (head.count != weights::parameter_count(empty.architecture)) return std::nullopt;
  if (file.size() != sizeof head + 12 * head.count + 32) return std::nullopt;
  const byte_view sealed = byte_view(file).first(file.size() - 32);
  if (hash256::from(byte_view(file).last(32)) != crypto::hash("soma.checkpoint", sealed))
    return std::nullopt;
  checkpoint state = empty;
  const std::uint8_t* at = file.data() + sizeof head;
  for (auto* values : {&state.parameters, &state.first_moments, &state.second_moments}) {
    values->resize(head.count);
    std::memcpy(values->data(), at, 4 * head.count);
    at += 4 * head.count;
  }
  return state;
}

}  // namespace soma::training
