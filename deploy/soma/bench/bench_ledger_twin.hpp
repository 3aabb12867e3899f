#pragma once

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/bench/bench.hpp"
#include "messages/values/bytes.hpp"
#include "storage/lmdb/plain_tables.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

/// The peer of the ledger store in `soma bench ledger`: the same records written by LMDB alone, in
/// tables as large as the ledger's and with one batch for each block.
class plain_twin {
 public:
  explicit plain_twin(const std::filesystem::path& folder) : tables_(folder) {}

  void begin() { tables_.begin(); }
  void add_row(byte_view key, byte_view value) {
    tables_.put(tables::row_table::name, key, value, true);
  }
  void commit() { tables_.commit(); }

  /// Records from now on what the ledger writes.
  void follow(tables::ledger_store& ledger) {
    ledger.environment().watch_puts(
        [this](std::string_view table, byte_view key, byte_view value, bool appended) {
          // The ledger may be opened anew before the record is written, so its name is kept here.
          records_.push_back({*names_.emplace(table).first, bytes(key.begin(), key.end()),
                              bytes(value.begin(), value.end()), appended});
        });
  }
  /// Writes the recorded records in one batch. Returns the seconds that it took.
  double catch_up() {
    const auto taken = write([](const record&) { return true; });
    written_ = records_.size();
    records_.clear();
    return taken;
  }
  /// Writes the rows of the state in one batch and then the other records in a second batch.
  /// Returns the seconds of the first batch alone.
  double catch_up_rows() {
    const auto is_row = [](const record& r) { return r.table == tables::row_table::name; };
    const auto taken = write(is_row);
    (void)write([&](const record& r) { return !is_row(r); });
    rows_ = static_cast<std::size_t>(std::ranges::count_if(records_, is_row));
    records_.clear();
    return taken;
  }
  /// How many records the last catch_up() wrote, and how many rows the last catch_up_rows().
  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  struct record {
    std::string_view table;
    bytes key, value;
    bool appended = false;
  };
  template <class Predicate>
  double write(Predicate wanted) {
    return seconds_of([&] {
      tables_.begin();
      for (const auto& r : records_) {
        if (wanted(r)) tables_.put(r.table, r.key, r.value, r.appended);
      }
      tables_.commit();
    });
  }

  lmdb::plain_tables tables_;
  std::set<std::string, std::less<>> names_;
  std::vector<record> records_;
  std::size_t written_ = 0, rows_ = 0;
};

}  // namespace soma::cli
