// Rows for the tests of the state tree, and their root computed slowly from its definition.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "actors/state_tree/state_tree.hpp"
#include "messages/crypto/hash.hpp"
#include "tests/actors/rules/dice.hpp"

namespace soma::test {

struct bytewise {
  bool operator()(const bytes& a, const bytes& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  }
};
using plain_rows = std::map<bytes, bytes, bytewise>;

inline bytes key_from(std::uint64_t number) {
  const auto id = id_from(number).value;
  return {id.begin(), id.end()};
}
inline bytes value_from(dice& d) {
  bytes value(1 + d.below(80));
  for (auto& byte : value) byte = static_cast<std::uint8_t>(d.next());
  return value;
}

/// Keys that were searched until their hashes begin alike, so that all lie in one bucket.
inline const std::vector<bytes>& ground_keys() {
  static const std::vector<bytes> made = [] {
    std::vector<bytes> keys;
    for (std::uint32_t i = 0; keys.size() < 100; ++i) {
      const bytes key{7, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8),
                      static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 24)};
      const auto hash = crypto::hash("soma.row-key", key);
      if (hash.value[0] == 0xa5 && hash.value[1] == 0x17) keys.push_back(key);
    }
    return keys;
  }();
  return made;
}

/// The root by its definition, of pairs (key hash
/// value hash) in ascending order. `depth` is the bit at which they are split.
inline hash256 plain_tree(const std::vector<bytes>& pairs, unsigned depth) {
  if (depth >= 16 && pairs.size() <= 32) {
    bytes all;
    for (const auto& pair : pairs) all.insert(all.end(), pair.begin(), pair.end());
    return crypto::hash("soma.state-leaf", all);
  }
  static std::map<unsigned, hash256> empty;
  if (pairs.empty() && empty.contains(depth)) return empty[depth];
  std::vector<bytes> left, right;
  for (const auto& pair : pairs) {
    ((pair[depth / 8] << depth % 8 & 0x80) != 0 ? right : left).push_back(pair);
  }
  const auto l = plain_tree(left, depth + 1), r = plain_tree(right, depth + 1);
  bytes both(l.value.begin(), l.value.end());
  both.insert(both.end(), r.value.begin(), r.value.end());
  const auto made = crypto::hash("soma.state-node", both);
  if (pairs.empty()) empty[depth] = made;
  return made;
}

inline state_root plain_root(const plain_rows& rows) {
  plain_rows pairs;  // by key hash
  std::uint64_t size_bytes = 0;
  for (const auto& [key, value] : rows) {
    const auto k = crypto::hash("soma.row-key", key), v = crypto::hash("soma.row", value);
    bytes pair(k.value.begin(), k.value.end());
    pair.insert(pair.end(), v.value.begin(), v.value.end());
    pairs[bytes(k.value.begin(), k.value.end())] = pair;
    size_bytes += key.size() + value.size();
  }
  std::vector<bytes> ascending;
  for (const auto& [key, pair] : pairs) ascending.push_back(pair);
  const auto top = plain_tree(ascending, 0);
  bytes all(top.value.begin(), top.value.end());
  for (const std::uint64_t total : {std::uint64_t{rows.size()}, size_bytes}) {
    for (int shift = 0; shift < 64; shift += 8)
      all.push_back(static_cast<std::uint8_t>(total >> shift));
  }
  return crypto::hash("soma.state", all).as<state_tag>();
}

inline std::vector<row_change> changes_of(const plain_rows& rows) {
  std::vector<row_change> all;
  for (const auto& [key, value] : rows) all.push_back({key, value});
  return all;
}

inline void shuffle(std::vector<row_change>& rows, dice& d) {
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[d.below(i)]);
}

/// Random rows, and 33 to 100 rows whose keys all lie in one bucket.
inline plain_rows random_rows(dice& d, std::uint64_t most) {
  plain_rows rows;
  const auto count = d.below(most);
  for (std::uint64_t i = 0; i < count; ++i) rows[key_from(d.next())] = value_from(d);
  const auto ground = 33 + d.below(ground_keys().size() - 33 + 1);
  for (std::uint64_t i = 0; i < ground; ++i) rows[ground_keys()[i]] = value_from(d);
  return rows;
}

}  // namespace soma::test
