#include "actors/state_tree/state_proof.hpp"

#include <algorithm>

namespace soma::state_tree {
namespace {

bool ascends(std::span<const state_pair> rows) {
  return std::ranges::adjacent_find(rows, [](const state_pair& a, const state_pair& b) {
           return !(a.key < b.key);
         }) == rows.end();
}

bool share_bits(const hash256& a, const hash256& b, std::size_t bits) {
  for (std::size_t i = 0; i < bits; ++i) {
    const auto depth = static_cast<unsigned>(i);
    if (lies_right(a, depth) != lies_right(b, depth)) return false;
  }
  return true;
}

/// The hashes of a range's subtrees, from left to right. The rows ascend and lie in the range.
std::vector<hash256> subtrees_of(std::span<const state_pair> rows, const state_range& range) {
  std::vector<hash256> all;
  all.reserve(range.end - range.first);
  std::size_t from = 0;
  for (auto prefix = range.first; prefix < range.end; ++prefix) {
    auto to = from;
    while (to < rows.size() && prefix_of(rows[to].key, range.depth) == prefix) ++to;
    all.push_back(from == to ? empty_leaf_hash()
                             : subtree_hash(rows.subspan(from, to - from), range.depth));
    from = to;
  }
  return all;
}

/// The top of the tree above `level`, the hashes of a range's subtrees; nullopt unless `siblings`
/// are exactly those on the way from the range to the top.
std::optional<hash256> top_above(std::vector<hash256> level, const state_range& range,
                                 std::span<const hash256> siblings) {
  const auto width = std::uint64_t{1} << range.depth;
  auto first = width + range.first, end = width + range.end;
  for (; first > 1; first /= 2, end /= 2) {
    const std::size_t wanted = first % 2 + end % 2;
    if (siblings.size() < wanted) return std::nullopt;
    if (first % 2 == 1) level.insert(level.begin(), siblings.front()), --first;
    if (end % 2 == 1) level.push_back(siblings[wanted - 1]), ++end;
    siblings = siblings.subspan(wanted);
    for (std::size_t i = 0; i < level.size() / 2; ++i) {
      level[i] = branch_hash(level[2 * i], level[2 * i + 1]);
    }
    level.resize(level.size() / 2);
  }
  if (!siblings.empty()) return std::nullopt;
  return level.front();
}

}  // namespace

std::string_view to_text(proof_refusal refusal) {
  switch (refusal) {
    case proof_refusal::wrong_depth:
      return "the proof has too few or too many levels";
    case proof_refusal::leaf_too_large:
      return "the proof shows more rows than a leaf may have";
    case proof_refusal::not_ascending:
      return "rows are out of order, or one is there twice";
    case proof_refusal::out_of_place:
      return "a row does not belong where it is shown";
    case proof_refusal::wrong_range:
      return "there is no such range";
    case proof_refusal::wrong_siblings:
      return "the proof has too few or too many siblings";
    case proof_refusal::beyond_totals:
      return "there are more rows or bytes than the whole ledger is said to have";
    case proof_refusal::wrong_root:
      return "the hashes do not lead to this state root";
    case proof_refusal::row_absent:
      return "the ledger has no such row";
    case proof_refusal::row_present:
      return "the ledger has such a row";
    case proof_refusal::value_differs:
      return "the row has another value";
  }
  return "unknown";
}

state_proof prove(const tree& from, byte_view key) {
  auto place = from.find(key_hash(key));
  return {std::move(place.leaf), std::move(place.siblings), from.totals()};
}

expected<void, proof_refusal> verify(const state_proof& proof, byte_view key,
                                     std::optional<byte_view> value, const state_root& root) {
  const auto depth = proof.siblings.size();
  if (depth < bucket_depth || depth > max_state_depth) {
    return make_unexpected(proof_refusal::wrong_depth);
  }
  if (proof.leaf.size() > max_leaf_rows) return make_unexpected(proof_refusal::leaf_too_large);
  if (!ascends(proof.leaf)) return make_unexpected(proof_refusal::not_ascending);
  if (proof.leaf.size() > proof.totals.rows) return make_unexpected(proof_refusal::beyond_totals);
  const auto wanted = key_hash(key);
  for (const auto& row : proof.leaf) {
    if (!share_bits(row.key, wanted, depth)) return make_unexpected(proof_refusal::out_of_place);
  }
  hash256 at = leaf_hash(std::span(proof.leaf));
  for (std::size_t i = 0; i < depth; ++i) {
    const auto& beside = proof.siblings[i];
    at = lies_right(wanted, static_cast<unsigned>(depth - 1 - i)) ? branch_hash(beside, at)
                                                                  : branch_hash(at, beside);
  }
  if (root_of(at, proof.totals) != root) return make_unexpected(proof_refusal::wrong_root);
  const auto row = std::ranges::find(proof.leaf, wanted, &state_pair::key);
  const bool is_there = row != proof.leaf.end();
  if (is_there && !value) return make_unexpected(proof_refusal::row_present);
  if (!is_there && value) return make_unexpected(proof_refusal::row_absent);
  if (value && row->value != value_hash(*value)) {
    return make_unexpected(proof_refusal::value_differs);
  }
  return {};
}

chunk_proof prove_chunk(const tree& from, const state_range& range) {
  return {from.siblings_of(range), from.totals()};
}

expected<void, proof_refusal> verify_chunk(std::span<const row_view> rows, const state_range& range,
                                           const chunk_proof& proof, const state_root& root) {
  if (!is_range(range)) return make_unexpected(proof_refusal::wrong_range);
  if (proof.siblings.size() > max_chunk_siblings) {
    return make_unexpected(proof_refusal::wrong_siblings);
  }
  std::vector<state_pair> pairs;
  pairs.reserve(rows.size());
  std::uint64_t size_bytes = 0;
  for (const auto& row : rows) {
    pairs.push_back({key_hash(row.key), value_hash(row.value)});
    size_bytes += row.key.size() + row.value.size();
  }
  if (rows.size() > proof.totals.rows || size_bytes > proof.totals.bytes) {
    return make_unexpected(proof_refusal::beyond_totals);
  }
  if (!ascends(pairs)) return make_unexpected(proof_refusal::not_ascending);
  if (!pairs.empty() && (prefix_of(pairs.front().key, range.depth) < range.first ||
                         prefix_of(pairs.back().key, range.depth) >= range.end)) {
    return make_unexpected(proof_refusal::out_of_place);
  }
  const auto top = top_above(subtrees_of(pairs, range), range, proof.siblings);
  if (!top) return make_unexpected(proof_refusal::wrong_siblings);
  if (root_of(*top, proof.totals) != root) return make_unexpected(proof_refusal::wrong_root);
  return {};
}

}  // namespace soma::state_tree
