// The ledger of a random world in two forms: the rows in bytes, which the rules read, and every row
// decoded with the changes of the last block, which people and invariants read.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "actors/ledger/row_traits.hpp"
#include "actors/ledger/state_reader.hpp"

namespace soma::test {

template <class Row>
struct mirror_table {
  using key_type = typename ledger::row_traits<Row>::key_type;
  struct delta {
    key_type key;
    std::optional<Row> before;
    const Row* after = nullptr;  // nullptr when the row was removed
  };
  std::map<key_type, Row> rows;
  std::vector<delta> changed;  // the changes of the last block

  [[nodiscard]] const Row* find(const key_type& key) const {
    const auto found = rows.find(key);
    return found != rows.end() ? &found->second : nullptr;
  }
};

class mirror final : public ledger::state_reader {
 public:
  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override;
  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override;

  /// Applies a block's changes and keeps the rows that they replaced. Throws a violation when the
  /// bytes of a changed row are not those of its value.
  void apply(std::span<const row_change> changes, bool check_bytes);

  [[nodiscard]] const committee_row& committee() const { return committees.rows.begin()->second; }
  [[nodiscard]] const stake_pool* pool(const pool_owner& whose) const;
  /// The targets of one status: open, filled or revealed.
  [[nodiscard]] const std::vector<target_id>& live(target_status status) const {
    return live_[static_cast<std::size_t>(status)];
  }
  [[nodiscard]] std::vector<row_change> all_rows() const;

  chain_row chain, chain_before;
  mirror_table<account_row> accounts;
  mirror_table<validator_row> validators;
  mirror_table<model_row> models;
  mirror_table<model_version_row> versions;
  mirror_table<target_row> targets;
  mirror_table<submission_row> submissions;
  mirror_table<used_data_row> used_data;
  mirror_table<known_weights_row> known_weights;
  mirror_table<agenda_row> agenda;
  mirror_table<stake_row> stakes;
  mirror_table<consensus_key_row> consensus_keys;
  mirror_table<committee_row> committees;
  mirror_table<evidence_row> evidence;
  mirror_table<onion_row> onions;
  mirror_table<list_row> lists;

  bool backwards = false;  // reverses the order of scans, which must not matter

 private:
  template <class Row>
  void take(mirror_table<Row>& table, const typename ledger::row_traits<Row>::key_type& key,
            const row_change& change, bool check_bytes);
  void take_typed(const row_change& change, bool check_bytes);
  void sort_targets();

  std::array<std::map<std::string, bytes, std::less<>>, 17> raw_;  // by table
  std::array<std::vector<target_id>, 3> live_;
};

}  // namespace soma::test
