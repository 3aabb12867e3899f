// Proofs are valid for rows that exist and for keys that do not. Any change makes them invalid: a
// flipped bit, a cut, a row of another place.
#include "actors/state_tree/state_proof.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "messages/codec/codec_proofs.hpp"
#include "tests/actors/state_tree/state_rows.hpp"

namespace soma::test {
namespace {

using state_tree::proof_refusal;
using state_tree::prove;
using state_tree::row_view;
using state_tree::verify;
using state_tree::verify_chunk;

/// The text of the refusal; empty if the proof is valid.
std::string said(const expected<void, proof_refusal>& outcome) {
  return outcome ? std::string() : std::string(to_text(outcome.error()));
}
std::string text(proof_refusal refusal) {
  return std::string(to_text(refusal));
}

// Protocol §11.4.
TEST_CASE("every row of a random state has a proof, every other key one of its absence") {
  bool was_deep = false;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const auto rows = random_rows(d, 500);
    state_tree::tree tree;
    tree.apply(changes_of(rows));
    for (const auto& [key, value] : rows) {
      const auto sent = encode(prove(tree, key));
      const auto proof = decode<state_proof>(sent);
      REQUIRE(proof);
      was_deep = was_deep || proof->siblings.size() > 16;
      REQUIRE(said(verify(*proof, key, value, tree.root())) == "");
      REQUIRE(said(verify(*proof, key, std::nullopt, tree.root())) ==
              text(proof_refusal::row_present));
      auto other = value;
      other[d.below(other.size())] ^= 1;
      REQUIRE(said(verify(*proof, key, other, tree.root())) == text(proof_refusal::value_differs));
      REQUIRE(said(verify(*proof, key, value, id_from<state_root>(seed))) ==
              text(proof_refusal::wrong_root));
    }
    for (std::uint64_t i = 0; i < 300; ++i) {
      const auto key =
          i < 100 && !rows.contains(ground_keys()[i]) ? ground_keys()[i] : key_from(d.next());
      const auto proof = prove(tree, key);
      REQUIRE(said(verify(proof, key, std::nullopt, tree.root())) == "");
      REQUIRE(said(verify(proof, key, bytes{1}, tree.root())) == text(proof_refusal::row_absent));
    }
  }
  CHECK(was_deep);
  const auto of_nothing = prove(state_tree::tree(), bytes{1});
  CHECK(said(verify(of_nothing, bytes{1}, std::nullopt, state_tree::tree().root())) == "");
}

TEST_CASE("a proof of one row is no proof of another, nor of its absence") {
  dice d{3};
  const auto rows = random_rows(d, 300);
  state_tree::tree tree;
  tree.apply(changes_of(rows));
  std::vector<bytes> keys;
  for (const auto& row : rows) keys.push_back(row.first);
  for (int i = 0; i < 2'000; ++i) {
    CAPTURE(i);
    const auto& shown = keys[d.below(keys.size())];
    const auto& asked = d.chance(50) ? keys[d.below(keys.size())] : ground_keys()[d.below(33)];
    const auto proof = prove(tree, shown);
    CHECK_FALSE(verify(proof, asked, std::nullopt, tree.root()));
    const auto held = verify(proof, asked, rows.at(asked), tree.root());
    // Rows of one leaf share their proof.
    CHECK(held.has_value() == (proof == prove(tree, asked)));
  }
}

TEST_CASE("no proof holds with a flipped bit, a byte less or a byte more") {
  dice d{11};
  const auto rows = random_rows(d, 200);
  state_tree::tree tree;
  tree.apply(changes_of(rows));
  for (const auto& key : {ground_keys()[0], rows.begin()->first, key_from(77)}) {
    const auto found = rows.find(key);
    const auto value = found == rows.end() ? std::nullopt : std::optional<byte_view>(found->second);
    const auto sent = encode(prove(tree, key));
    const auto holds = [&](byte_view data) {
      const auto proof = decode<state_proof>(data);
      return proof && verify(*proof, key, value, tree.root());
    };
    REQUIRE(holds(sent));
    for (std::size_t bit = 0; bit < sent.size() * 8; ++bit) {
      auto flipped = sent;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      REQUIRE_FALSE(holds(flipped));
    }
    for (std::size_t size = 0; size < sent.size(); ++size) {
      REQUIRE_FALSE(holds(byte_view(sent).first(size)));
    }
    auto longer = sent;
    longer.resize(sent.size() + 8);
    REQUIRE_FALSE(holds(longer));
  }
}

// Protocol §11.4 and §11.5.
TEST_CASE("proofs that no tree gives are refused by name") {
  dice d{12};
  const auto rows = random_rows(d, 200);
  state_tree::tree tree;
  tree.apply(changes_of(rows));
  const auto& key = ground_keys()[0];
  const auto& value = rows.at(key);
  const auto right = prove(tree, key);
  REQUIRE(right.leaf.size() >= 2);
  const auto refusal = [&](const state_proof& proof) {
    return said(verify(proof, key, value, tree.root()));
  };
  auto proof = right;
  proof.siblings.resize(15);
  CHECK(refusal(proof) == text(proof_refusal::wrong_depth));
  proof.siblings.assign(257, hash256{});
  CHECK(refusal(proof) == text(proof_refusal::wrong_depth));
  proof.siblings.assign(256, hash256{});
  CHECK(refusal(proof) == text(proof_refusal::out_of_place));
  proof.leaf = {{state_tree::key_hash(key), state_tree::value_hash(value)}};
  CHECK(refusal(proof) == text(proof_refusal::wrong_root));
  proof = right;
  proof.siblings.pop_back();
  CHECK(refusal(proof) == text(proof_refusal::wrong_root));
  proof = right;
  std::swap(proof.leaf[0], proof.leaf[1]);
  CHECK(refusal(proof) == text(proof_refusal::not_ascending));
  proof.leaf[0] = proof.leaf[1];
  CHECK(refusal(proof) == text(proof_refusal::not_ascending));
  proof = right;
  proof.leaf.resize(33, state_pair{});
  CHECK(refusal(proof) == text(proof_refusal::leaf_too_large));
  proof = right;
  proof.leaf.pop_back();
  CHECK(refusal(proof) == text(proof_refusal::wrong_root));
  proof = right;
  proof.leaf.back().key = id_from(5);
  proof.leaf.back().key.value[0] = 0xff;
  CHECK(refusal(proof) == text(proof_refusal::out_of_place));
  proof = right;
  proof.totals.rows = 1;
  CHECK(refusal(proof) == text(proof_refusal::beyond_totals));
  proof = right;
  ++proof.totals.rows;
  CHECK(refusal(proof) == text(proof_refusal::wrong_root));
  proof = right;
  --proof.totals.bytes;
  CHECK(refusal(proof) == text(proof_refusal::wrong_root));
}

// ---- chunks

struct owned_chunk {
  state_range range;
  std::vector<std::pair<bytes, bytes>> rows;  // ascending by the hash of the key
  [[nodiscard]] std::vector<row_view> views() const {
    std::vector<row_view> all;
    for (const auto& [key, value] : rows) all.push_back({key, value});
    return all;
  }
};

owned_chunk chunk_of(const plain_rows& rows, const state_range& range) {
  owned_chunk chunk{range, {}};
  for (const auto& row : rows) {
    const auto prefix = state_tree::prefix_of(state_tree::key_hash(row.first), range.depth);
    if (prefix >= range.first && prefix < range.end) chunk.rows.emplace_back(row);
  }
  std::ranges::sort(chunk.rows, {},
                    [](const auto& row) { return state_tree::key_hash(row.first); });
  return chunk;
}

// Protocol §11.5.
TEST_CASE("a ledger goes over in chunks, each checked by itself, and comes out the same") {
  bool was_split = false;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const auto rows = random_rows(d, 400);
    state_tree::tree tree;
    tree.apply(changes_of(rows));
    for (const std::uint64_t most_bytes : {1u, 500u, 4'000u, 1u << 20}) {
      CAPTURE(most_bytes);
      state_tree::tree::builder received;
      state_totals sum;
      // where the next range must begin, in units of 2^-63 of all hashes
      __extension__ unsigned __int128 at = 0;
      for (const auto& range : tree.ranges(most_bytes)) {
        REQUIRE(state_tree::is_range(range));
        REQUIRE(at == (static_cast<unsigned __int128>(range.first) << (63 - range.depth)));
        at = static_cast<unsigned __int128>(range.end) << (63 - range.depth);
        was_split = was_split || range.depth > 16;
        const auto chunk = chunk_of(rows, range);
        const auto proof = decode<chunk_proof>(encode(state_tree::prove_chunk(tree, range)));
        REQUIRE(proof);
        REQUIRE(said(verify_chunk(chunk.views(), range, *proof, tree.root())) == "");
        const auto totals = tree.totals_of(range);
        REQUIRE(totals.rows == chunk.rows.size());
        if (range.depth == 16 && range.end > range.first + 1) REQUIRE(totals.bytes <= most_bytes);
        sum.rows += totals.rows;
        sum.bytes += totals.bytes;
        for (const auto& [key, value] : chunk.rows) received.add(key, value);
      }
      REQUIRE(at == static_cast<unsigned __int128>(1) << 63);
      REQUIRE(sum == tree.totals());
      REQUIRE(std::move(received).finish().root() == tree.root());
    }
  }
  CHECK(was_split);
}

TEST_CASE("a row cannot move to another chunk, nor be left out, added, changed or shown twice") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const auto rows = random_rows(d, 400);
    state_tree::tree tree;
    tree.apply(changes_of(rows));
    const auto ranges = tree.ranges(3'000);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      CAPTURE(i);
      const auto& range = ranges[i];
      const auto proof = state_tree::prove_chunk(tree, range);
      const auto right = chunk_of(rows, range);
      const auto refused = [&](const owned_chunk& chunk) {
        return !verify_chunk(chunk.views(), range, proof, tree.root()).has_value();
      };
      auto chunk = right;
      chunk.rows.emplace_back(key_from(d.next()), bytes{1});
      CHECK(refused(chunk));
      std::ranges::sort(chunk.rows, {},
                        [](const auto& row) { return state_tree::key_hash(row.first); });
      CHECK(refused(chunk));
      if (i + 1 < ranges.size()) {
        auto next = chunk_of(rows, ranges[i + 1]);
        if (!next.rows.empty()) {
          chunk = right;
          chunk.rows.push_back(next.rows.front());
          CHECK(said(verify_chunk(chunk.views(), range, proof, tree.root())) ==
                text(proof_refusal::out_of_place));
        }
        // The border between two chunks cannot be moved with the proof of either chunk.
        if (range.depth == 16 && ranges[i + 1].depth == 16) {
          auto wider = chunk_of(rows, {16, range.first, range.end + 1});
          CHECK_FALSE(verify_chunk(wider.views(), wider.range, proof, tree.root()));
        }
      }
      if (right.rows.empty()) continue;
      const auto which = d.below(right.rows.size());
      chunk = right;
      chunk.rows.erase(chunk.rows.begin() + static_cast<long>(which));
      CHECK(said(verify_chunk(chunk.views(), range, proof, tree.root())) ==
            text(proof_refusal::wrong_root));
      chunk = right;
      chunk.rows[which].second[0] ^= 1;
      CHECK(refused(chunk));
      chunk = right;
      chunk.rows.insert(chunk.rows.begin() + static_cast<long>(which), right.rows[which]);
      CHECK(said(verify_chunk(chunk.views(), range, proof, tree.root())) ==
            text(proof_refusal::not_ascending));
    }
  }
}

TEST_CASE("no proof of a chunk holds with a flipped bit, and no range but its own") {
  dice d{21};
  const auto rows = random_rows(d, 300);
  state_tree::tree tree;
  tree.apply(changes_of(rows));
  const auto small = tree.ranges(1);
  const auto within =
      *std::ranges::find_if(small, [](const auto& range) { return range.depth > 16; });
  for (const auto& range : {within, state_range{16, 13, 14}, state_range{16, 0, 65'536},
                            state_range{16, 32'767, 32'769}, state_range{16, 65'000, 65'536}}) {
    CAPTURE(range.first);
    const auto chunk = chunk_of(rows, range);
    const auto views = chunk.views();
    const auto sent = encode(state_tree::prove_chunk(tree, range));
    const auto holds = [&](byte_view data) {
      const auto proof = decode<chunk_proof>(data);
      return proof && verify_chunk(views, range, *proof, tree.root());
    };
    REQUIRE(holds(sent));
    for (std::size_t byte = 0; byte<sent.size(); byte += range.end - range.first> 9'999 ? 7 : 1) {
      auto flipped = sent;
      flipped[byte] ^= static_cast<std::uint8_t>(1u << d.below(8));
      REQUIRE_FALSE(holds(flipped));
    }
    const auto proof = *decode<chunk_proof>(sent);
    const auto refusal = [&](const state_range& other) {
      return said(verify_chunk(views, other, proof, tree.root()));
    };
    CHECK(refusal({16, 0, 0}) == text(proof_refusal::wrong_range));
    CHECK(refusal({16, 9, 8}) == text(proof_refusal::wrong_range));
    CHECK(refusal({16, 0, 65'537}) == text(proof_refusal::wrong_range));
    CHECK(refusal({15, 0, 1}) == text(proof_refusal::wrong_range));
    CHECK(refusal({17, 0, 2}) == text(proof_refusal::wrong_range));
    CHECK(refusal({64, 0, 1}) == text(proof_refusal::wrong_range));
    CHECK(refusal({63, ~std::uint64_t{0}, 0}) == text(proof_refusal::wrong_range));
    auto longer = proof;
    longer.siblings.emplace_back();
    CHECK(said(verify_chunk(views, range, longer, tree.root())) ==
          text(proof_refusal::wrong_siblings));
  }
}

TEST_CASE("a proven row decodes to what was encoded, and no flipped bit passes for it") {
  dice d{31};
  const auto rows = random_rows(d, 200);
  state_tree::tree tree;
  tree.apply(changes_of(rows));
  proven_row proven;
  proven.header.height = {7};
  proven.header.state_root = tree.root();
  for (const bool is_there : {true, false}) {
    proven.key = is_there ? ground_keys()[1] : key_from(5);
    proven.value.reset();
    if (is_there) proven.value = rows.at(proven.key);
    proven.proof = prove(tree, proven.key);
    const auto sent = encode(proven);
    const auto back = decode<proven_row>(sent);
    REQUIRE(back);
    CHECK(*back == proven);
    const auto view = [](const proven_row& p) {
      return p.value ? std::optional<byte_view>(*p.value) : std::nullopt;
    };
    for (std::size_t byte = 0; byte < sent.size(); ++byte) {
      auto flipped = sent;
      flipped[byte] ^= static_cast<std::uint8_t>(1u << d.below(8));
      const auto other = decode<proven_row>(flipped);
      if (!other) continue;
      // Only the other fields of the header may differ, because the state root does not cover them.
      if (verify(other->proof, other->key, view(*other), other->header.state_root)) {
        CHECK(other->proof == proven.proof);
        CHECK(other->key == proven.key);
        CHECK(other->value == proven.value);
        CHECK(other->header.state_root == tree.root());
      }
    }
  }
}

}  // namespace
}  // namespace soma::test
