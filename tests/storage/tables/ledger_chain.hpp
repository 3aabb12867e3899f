// A generated chain, whose blocks and effects all follow from a seed, and the check that a ledger
// holds exactly its first blocks. Heights write overlapping rows, so that a row left over from
// another height is noticed.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {

inline constexpr std::size_t events_a_block = 4;

/// Makes a value and fills the fields that matter.
template <class Value, class Fill>
[[nodiscard]] Value with(Fill&& fill) {
  Value value;
  fill(value);
  return value;
}

[[nodiscard]] inline chain_row chain_row_at(std::uint64_t height) {
  return with<chain_row>([&](chain_row& row) { row.height = {height}; });
}

struct made_block {
  block content;
  std::vector<row_change> changes;
  std::vector<event> events;
  std::optional<certificate> final;
  std::optional<epoch_proof> epoch_end;

  void commit_to(tables::ledger_store& store) const {
    store.commit_block(content, changes, events, final, epoch_end);
  }
};

/// A certificate that fits the header. Its signatures are not real.
inline certificate final_for(const block_header& header) {
  certificate made;
  made.statement = {vote_kind::finalize, header.epoch, header.view, signing::id_of(header)};
  for (std::uint16_t i = 0; i <= header.height.value % 4; ++i) {
    made.signers.add({i});
    made.signatures.emplace_back().fill(static_cast<std::uint8_t>(header.height.value + i));
  }
  return made;
}
inline epoch_proof end_for(const block_header& closing, std::size_t fillers) {
  epoch_proof made;
  made.headers.push_back(closing);
  for (std::size_t i = 0; i < fillers; ++i) {
    made.headers.push_back(made.headers.back());
    made.headers.back().view.value++;
    made.headers.back().flags = block_is_filler;
  }
  made.final = final_for(made.headers.back());
  made.next_committee.emplace_back().power = total_power;
  return made;
}

inline bytes genesis_bytes() {
  soma::genesis genesis;
  genesis.name = "test";
  return encode(genesis);
}

/// A block of `height` that changes nothing but the chain row.
inline made_block make_block(std::uint64_t height, std::vector<signed_transaction> payload) {
  made_block made;
  made.content.header.height = {height};
  made.content.payload = std::move(payload);
  made.changes.push_back({chain_key(), encode(chain_row_at(height))});
  return made;
}

class ledger_model {
 public:
  explicit ledger_model(std::uint64_t seed) : seed_(seed) {
    rows_[chain_key()] = encode(chain_row{});
    rows_[account_key(account(0))] = encode(account_row{supply_cap, 0});
  }

  [[nodiscard]] std::uint64_t height() const { return height_; }
  [[nodiscard]] const std::map<bytes, bytes>& rows() const { return rows_; }
  [[nodiscard]] std::vector<row_change> genesis_rows() const {
    std::vector<row_change> changes;
    for (const auto& [key, value] : ledger_model(seed_).rows_) changes.push_back({key, value});
    return changes;
  }

  /// The block after the last one; it depends only on the seed and the height.
  made_block next() {
    const std::uint64_t height = ++height_;
    std::mt19937_64 random(seed_ * 1'000'003 + height);
    std::vector<signed_transaction> payload(random() % 4);
    for (auto& sent : payload) sent.body = random_bytes(random, 50 + random() % 2'000);
    made_block made = make_block(height, std::move(payload));
    for (int i = 0; i < 12; ++i) {
      const auto owner = account(static_cast<std::uint8_t>(random() % 40));
      if (random() % 4 == 0) {
        made.changes.push_back({account_key(owner), std::nullopt});
      } else {
        made.changes.push_back({account_key(owner), encode(account_row{{random()}, height})});
      }
    }
    for (std::size_t i = 0; i < events_a_block; ++i) {
      made.events.push_back(with<event>([&](event& happened) {
        happened.kind = event_kind::transferred;
        happened.height = {height};
        happened.account = account(static_cast<std::uint8_t>(random() % 40));
        happened.amount = {random()};
      }));
    }
    if (random() % 3 == 0) made.final = final_for(made.content.header);
    for (const auto& change : made.changes) {
      if (change.value) {
        rows_[change.key] = *change.value;
      } else {
        rows_.erase(change.key);
      }
    }
    return made;
  }

  /// Checks that the ledger holds exactly this chain up to its height: rows, every block, every
  /// event.
  void check(const tables::ledger_store& store) const {
    const auto view = store.view();
    REQUIRE(view.height().value == height_);
    std::map<bytes, bytes> found;
    view.scan([&](byte_view key, byte_view value) {
      found.emplace(copy(key), copy(value));
      return true;
    });
    REQUIRE(found == rows_);
    ledger_model again(seed_);
    while (again.height_ < height_) {
      const made_block made = again.next();
      const block_height at{again.height_};
      REQUIRE(view.block_at(at) == made.content);
      REQUIRE(view.events_at(at) == made.events);
      REQUIRE(view.final_at(at) == made.final);
    }
    REQUIRE_FALSE(view.block_at({height_ + 1}).has_value());
    REQUIRE(view.events_at({height_ + 1}).empty());
    REQUIRE_FALSE(view.final_at({height_ + 1}).has_value());
  }

 private:
  static address account(std::uint8_t number) {
    address id;
    id.value.fill(number);
    return id;
  }

  std::uint64_t seed_;
  std::uint64_t height_ = 0;
  std::map<bytes, bytes> rows_;
};

}  // namespace soma::test
