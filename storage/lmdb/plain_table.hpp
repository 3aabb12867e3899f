// One LMDB table with nothing of ours in it, neither checksums nor names: what a benchmark holds
// the ledger against. Syncs each batch as the ledger does each block.
#pragma once

#include <filesystem>
#include <memory>

#include "messages/types/bytes.hpp"

namespace soma::lmdb {

class plain_table {
 public:
  explicit plain_table(const std::filesystem::path& directory,
                       std::size_t map_bytes = std::size_t{64} << 30);
  ~plain_table();
  plain_table(const plain_table&) = delete;
  plain_table& operator=(const plain_table&) = delete;

  /// A batch is everything between begin and commit; commit is durable when it returns.
  void begin();
  void put(byte_view key, byte_view value);
  /// Behind all that is there.
  void append(byte_view key, byte_view value);
  void commit();

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::lmdb
