// LMDB tables with no checksums and no checks: the plain store with which a benchmark compares the
// ledger. Each batch is synced, as the ledger syncs each block.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "messages/values/bytes.hpp"

namespace soma::lmdb {

class plain_tables {
 public:
  explicit plain_tables(const std::filesystem::path& directory,
                        std::size_t map_bytes = std::size_t{64} << 30);
  ~plain_tables();
  plain_tables(const plain_tables&) = delete;
  plain_tables& operator=(const plain_tables&) = delete;

  /// A batch is everything between begin and commit; commit is durable when it returns.
  void begin();
  /// Creates a table the first time it is named. With `append`, the key must be larger than all
  /// keys in the table.
  void put(std::string_view table, byte_view key, byte_view value, bool append = false);
  void commit();

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::lmdb
