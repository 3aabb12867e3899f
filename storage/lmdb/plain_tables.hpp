// LMDB tables with nothing of ours in them, no checksums and no checks: what a benchmark holds the
// ledger against. Syncs each batch as the ledger does each block.
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
  /// Tables come into being when they are named. `append`: behind all that is there.
  void put(std::string_view table, byte_view key, byte_view value, bool append = false);
  void commit();

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::lmdb
