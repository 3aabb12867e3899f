#include "messages/signing/hash_onion.hpp"

#include <algorithm>

#include "messages/signing/signing.hpp"

namespace soma::signing {

hash_onion::onion& hash_onion::named(std::uint64_t number) {
  if (const auto known = onions_.find(number); known != onions_.end()) return known->second;
  // One is peeled and one waits; what came before them is of no more use.
  while (onions_.size() >= 2) onions_.erase(onions_.begin());
  onion made;
  made.kept.reserve(layers / stretch + 1);
  auto layer = onion_core(key_, chain_, number);
  made.kept.push_back(layer);
  for (std::size_t i = 1; i <= layers; ++i) {
    layer = layer_around(layer);
    if (i % stretch == 0) made.kept.push_back(layer);
  }
  return onions_.emplace(number, std::move(made)).first->second;
}

void hash_onion::unfold(onion& from, std::size_t at) {
  if (!from.unfolded.empty() && from.first == at * stretch) return;
  from.first = at * stretch;
  from.unfolded.assign(1, from.kept[at]);
  while (from.unfolded.size() <= stretch) {
    from.unfolded.push_back(layer_around(from.unfolded.back()));
  }
}

std::optional<std::size_t> hash_onion::find(onion& in, const hash256& layer) {
  const auto unfolded = [&]() -> std::optional<std::size_t> {
    const auto found = std::ranges::find(in.unfolded, layer);
    if (found == in.unfolded.end()) return std::nullopt;
    return in.first + static_cast<std::size_t>(found - in.unfolded.begin());
  };
  if (const auto here = unfolded()) return here;
  // Layers are peeled from the outside inwards, so the next stretch is the one inside of this.
  if (!in.unfolded.empty() && in.first > 0) {
    unfold(in, in.first / stretch - 1);
    if (const auto here = unfolded()) return here;
  }
  for (std::size_t at = layers / stretch; at-- > 0;) {
    unfold(in, at);
    if (const auto here = unfolded()) return here;
  }
  return std::nullopt;
}

hash256 hash_onion::outermost(std::uint64_t number) {
  return named(number).kept.back();
}

std::optional<hash256> hash_onion::peel(std::uint64_t number, const hash256& layer) {
  auto& from = named(number);
  const auto index = find(from, layer);
  if (!index || *index == 0) return std::nullopt;
  if (*index == from.first) unfold(from, from.first / stretch - 1);
  return from.unfolded[*index - 1 - from.first];
}

std::size_t hash_onion::left(std::uint64_t number, const hash256& layer) {
  return find(named(number), layer).value_or(0);
}

}  // namespace soma::signing
