// What can go wrong between us and the disk, by name. These are thrown, because it is the machine
// that fails: only the boundary of an actor handles them. A missing row is not a failure but a
// nullopt.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "messages/values/bytes.hpp"

namespace soma::lmdb {

enum class failure_code : std::uint8_t {
  // The map or the disk has no room; writing stops, nothing committed is lost, reading goes on.
  storage_full,
  corrupt_record,  // a record's checksum does not fit its table, key and bytes
  broken_file,     // the tree itself cannot be followed
  wrong_format,    // written by another program, or in another version of the format
  already_open,    // this process has the directory open already
  not_there,       // opened for reading only, and there is nothing
  write_stopped,   // an earlier write failed for a reason that only opening anew can clear
  machine,         // any other error of the operating system
};

/// The name of the code. The text of a failure does not have it, since a person reads that text.
[[nodiscard]] std::string_view to_text(failure_code code);

class failure : public std::runtime_error {
 public:
  /// what() says in a sentence what the code means, and in brackets `what` was being done.
  failure(failure_code code, const std::string& what, std::string table = {}, bytes key = {});

  [[nodiscard]] failure_code code() const { return code_; }
  /// The table of the record that cannot be read; empty when the failure is not about one record.
  [[nodiscard]] const std::string& table() const { return table_; }
  [[nodiscard]] const bytes& key() const { return key_; }

 private:
  failure_code code_;
  std::string table_;
  bytes key_;
};

}  // namespace soma::lmdb
